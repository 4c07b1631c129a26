"""Client ids are a pure function of the intent; orders are made from intents and never the other way."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.execution.intents import (
    Intent,
    Numbers,
    PositionKey,
    Purpose,
    client_id,
    conditional_of,
    order_of,
    read_client_id,
)
from exchange.orders import CLIENT_ID, Side


def intent(**changes):
    fields = {
        "intent_id": "s1-1", "client_id": "pd-s1-e1", "purpose": Purpose.ENTRY, "symbol": "BTCUSDT",
        "position_side": "BOTH", "side": Side.BUY, "kind": "MARKET", "created_ms": 1, "quantity": Decimal("0.01"),
    }  # fmt: skip
    return Intent(**{**fields, **changes})


@given(
    epoch=st.from_regex(r"[0-9a-z]{1,12}", fullmatch=True),
    purpose=st.sampled_from(Purpose),
    number=st.integers(1, 10**12),
)
def test_a_client_id_is_one_the_exchange_takes_and_tells_session_and_purpose(epoch, purpose, number):
    name = client_id(epoch, purpose, number)
    assert CLIENT_ID.fullmatch(name)
    assert read_client_id(name) == (epoch, purpose)
    assert client_id(epoch, purpose, number) == name


@given(st.lists(st.sampled_from(Purpose), min_size=2, max_size=50))
def test_no_two_intents_of_a_session_share_an_id(purposes):
    numbers = Numbers("s1")
    taken = [numbers.take(purpose) for purpose in purposes]
    assert len({intent_id for intent_id, _ in taken}) == len({name for _, name in taken}) == len(purposes)


@pytest.mark.parametrize(
    "name", ["", "autoclose-1", "pd-", "pd-S1-e1", "pd-s1-z1", "pd-s1-e1x!", "web_abc", "xpd-s1-e1"]
)
def test_an_id_of_another_form_is_foreign(name):
    assert read_client_id(name) is None


@pytest.mark.parametrize("epoch", ["", "A", "a b", "x" * 13])
def test_a_session_without_a_usable_epoch_does_not_begin(epoch):
    with pytest.raises(ValueError, match="session epoch"):
        Numbers(epoch)


@pytest.mark.parametrize("purpose", [Purpose.STOP, Purpose.TARGET, Purpose.CLOSE])
def test_everything_but_an_entry_only_reduces(purpose):
    assert intent(purpose=purpose).reduces
    assert order_of(intent(purpose=purpose)).reduces
    assert not order_of(intent()).reduces


def test_a_stop_without_a_quantity_closes_the_position_and_waits_for_the_mark_price():
    stop = intent(purpose=Purpose.STOP, side=Side.SELL, kind="STOP_MARKET", quantity=None, price=Decimal(79_000))
    order = conditional_of(stop)
    assert stop.is_conditional
    assert order.close_position
    assert order.reduces
    assert order.working.value == "MARK_PRICE"
    assert order.trigger_price == 79_000


def test_a_plain_order_without_a_quantity_is_refused_before_it_is_made():
    with pytest.raises(ValueError, match="has no quantity"):
        order_of(intent(quantity=None))


def test_an_intent_names_its_position():
    assert intent(position_side="LONG").key == PositionKey("BTCUSDT", "LONG")
