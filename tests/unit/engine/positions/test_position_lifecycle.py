"""The life of a position: names, moves, fold, wire form."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from engine.positions.costs import Costs
from engine.positions.lifecycle import (
    ENDINGS,
    TRANSITIONS,
    EventName,
    LifecycleError,
    PositionEvent,
    Stage,
    Terms,
    fold,
    fold_all,
    remaining,
)
from engine.strategy.candidate import Direction

TERMS = Terms(
    Direction.LONG, 2, 100.0, 100.0, 98.0, 104.0, 2.0, Decimal(1), Decimal(100), Decimal(50), Decimal(0), Costs(), 0, 9
)


def event(name: EventName, price: float = 100.0, **changes) -> PositionEvent:
    terms = TERMS if name is EventName.CREATED else None
    plain = PositionEvent(name, "V000001", "BTCUSDT", "ict", 1, price, 0.0, 0.0, 0.0, 0.0, None, "", terms=terms)
    return msgspec.structs.replace(plain, **changes)


CREATED = event(EventName.CREATED)


def test_the_wire_names_are_exactly_these_eleven():
    assert [name.value for name in EventName] == [
        "created",
        "price_updated",
        "max_pnl_updated",
        "min_pnl_updated",
        "tp_approaching",
        "sl_approaching",
        "tp_triggered",
        "sl_triggered",
        "expired",
        "manual_close",
        "closed",
    ]


def test_every_event_has_exactly_one_place_in_the_table():
    assert sorted(name for _, name in TRANSITIONS) == sorted(EventName)


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_closed_follows_each_of_the_four_endings_and_is_terminal(ending):
    state = fold([CREATED, event(ending, reason="why"), event(EventName.CLOSED, net=Decimal(3))])
    assert (state.stage, state.cause, state.reason, state.net) == (Stage.CLOSED, ending, "why", Decimal(3))
    for name in EventName:
        with pytest.raises(LifecycleError, match="cannot follow"):
            fold([CREATED, event(ending), event(EventName.CLOSED), event(name)])


def test_closed_needs_an_ending_before_it():
    with pytest.raises(LifecycleError, match="closed cannot follow stage open"):
        fold([CREATED, event(EventName.CLOSED)])


def test_nothing_comes_between_an_ending_and_closed():
    for name in set(EventName) - {EventName.CLOSED}:
        with pytest.raises(LifecycleError, match="cannot follow stage ending"):
            fold([CREATED, event(EventName.EXPIRED), event(name)])


def test_a_life_begins_with_created():
    with pytest.raises(LifecycleError, match="cannot follow stage unborn"):
        fold([event(EventName.PRICE_UPDATED)])
    with pytest.raises(LifecycleError, match="no events"):
        fold([])
    with pytest.raises(LifecycleError, match="carries no terms"):
        fold([msgspec.structs.replace(CREATED, terms=None)])


def test_events_of_two_positions_do_not_fold_into_one():
    with pytest.raises(LifecycleError, match="got an event of V000002"):
        fold([CREATED, event(EventName.PRICE_UPDATED, position_id="V000002")])
    other = msgspec.structs.replace(CREATED, position_id="V000002")
    assert list(fold_all([CREATED, other, event(EventName.PRICE_UPDATED)])) == ["V000001", "V000002"]


def test_an_approach_disarms_until_the_price_has_gone_back():
    near = [CREATED, event(EventName.PRICE_UPDATED, 103.3), event(EventName.TP_APPROACHING, 103.3)]
    assert not fold(near).tp_armed
    assert fold(near).sl_armed
    assert not fold([*near, event(EventName.PRICE_UPDATED, 103.0)]).tp_armed
    assert fold([*near, event(EventName.PRICE_UPDATED, 102.9)]).tp_armed


def test_remaining_is_one_at_entry_zero_at_the_level_and_negative_beyond():
    assert [remaining(price, 100.0, 98.0) for price in (100.0, 99.0, 98.0, 97.0)] == [1.0, 0.5, 0.0, -0.5]


def test_an_event_survives_the_wire_with_decimals_as_text():
    closed = event(EventName.CLOSED, net=Decimal("1.10"), exit_fee=Decimal("0.05"), eta_s=None)
    raw = msgspec.json.encode(closed)
    assert b'"event":"closed"' in raw
    assert b'"net":"1.10"' in raw
    assert b'"eta_s":null' in raw
    assert msgspec.json.decode(raw, type=PositionEvent) == closed


def test_a_stored_event_with_an_unknown_name_is_refused_at_its_field():
    with pytest.raises(msgspec.ValidationError, match=r"\$\.event"):
        msgspec.json.decode(msgspec.json.encode(CREATED).replace(b'"created"', b'"born"'), type=PositionEvent)
