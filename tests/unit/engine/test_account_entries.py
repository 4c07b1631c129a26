"""What the account would trade, decided in order of rank, each decision binding the next."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from instrument_samples import contract

from config.settings import Settings
from engine.desk import AccountState
from engine.entries import Entries
from engine.market.tape import Tape
from engine.positions.track import TrackRecord
from engine.risk.protection import closed_trade, fresh
from engine.strategy.candidate import Direction, StrategyName
from exchange.instrument import Bracket
from exchange.market_data import Candles

D = Decimal
NOW = 1_767_571_200_000
WIDE = (Bracket(D(0), D(10_000_000), 125, D("0.004"), D(0)),)
NAMES = ("AUSDT", "BUSDT", "CUSDT", "DUSDT")


def filled(moves: dict[str, np.ndarray]) -> Tape:
    """A tape with 5m closes that move as given."""

    tape = Tape(len(moves), 100)
    for name, steps in moves.items():
        close = 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
        times = NOW + np.arange(-len(close), 0) * 300_000
        ones = np.ones(len(close))
        columns = dict.fromkeys(Candles.__struct_fields__, ones)
        columns |= {"open_time": times, "open": close, "high": close, "low": close, "close": close}
        columns["trades"] = np.ones(len(close), np.int64)
        tape.assign(name)
        tape.load(name, "5m", Candles(**columns), NOW)
    return tape


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.002, 300)


class Room:
    """A desk as far as the account's entries look at it."""

    def __init__(self, moves=None, **settings) -> None:
        self.settings = Settings.model_validate(settings)
        self.has_key = False
        self.account = AccountState()
        self.protection = fresh(D(10_000), NOW)
        self.halted_by = ""
        self.decisions = []
        self.said = []
        self.orders = None
        self.clock = SimpleNamespace(now_ms=lambda: NOW)
        self.book = SimpleNamespace(track=TrackRecord())
        self.chronicle = SimpleNamespace(
            record=lambda _: None, say=lambda *words: self.said.append(words), journal=SimpleNamespace(failed="")
        )
        tape = filled(moves or {name: noise(at) for at, name in enumerate(NAMES)})
        self.feed = SimpleNamespace(
            tape=tape,
            slot_of=tape.slot_of,
            instruments={name: contract(symbol=name) for name in NAMES},
            brackets=dict.fromkeys(NAMES, WIDE),
            quotes=SimpleNamespace(spread_of=lambda _slot: 1.0),
        )
        self.entries = Entries(self)

    def pass_time(self) -> None:
        """No day begins here."""

    def cycle(self, *signals):
        """Decide on a cycle's signals; return its lines, in the order they were decided."""
        before = len(self.decisions)
        self.entries.account.follow(signals, {one.signal_id for one in signals})
        return self.decisions[: len(self.decisions) - before][::-1]


def signal(symbol="AUSDT", direction=Direction.LONG, confidence=0.5, time=NOW, **changes):
    stop = 99.0 if direction is Direction.LONG else 101.0
    candidate = SimpleNamespace(
        symbol=symbol, strategy=StrategyName.ICT, direction=direction, confidence=confidence, entry=100.0, stop=stop
    )
    plain = {"signal_id": f"{symbol}-{direction}", "time": time, "candidate": candidate, "executable": True}
    return SimpleNamespace(**{**plain, **changes})


def test_a_decision_carries_everything_it_rested_on():
    (row,) = Room().cycle(signal())
    assert (row.purpose, row.signal_id, row.outcome) == ("account", "AUSDT-LONG", "sized")
    assert (row.entry, row.stop, row.equity, row.margin_used) == (100.0, 99.0, 10_000.0, 0.0)
    assert (row.protection, row.factor, row.group) == ("NORMAL", 1.0, ())
    assert row.size_binding == "notional"
    assert {name for name, _ in row.caps} == {"maximum", "bracket", "few trades", "liquidation"}
    assert row.risk <= 100.0


def test_signals_that_may_not_trade_are_not_decided_on():
    assert Room().cycle(signal(executable=False)) == []


def test_a_standing_signal_is_decided_on_once_in_a_quarter_of_an_hour():
    room = Room()
    assert len(room.cycle(signal())) == 1
    assert room.cycle(signal(time=NOW + 899_999)) == []
    assert len(room.cycle(signal(time=NOW + 900_000))) == 1


def test_the_margin_of_what_is_intended_binds_the_next_decision():
    first, second = Room().cycle(signal("AUSDT"), signal("BUSDT", Direction.SHORT))
    assert second.margin_used == pytest.approx(first.margin)
    tight = Room(risk={"margin_cap": 0.6, "margin_warning": 0.5})
    first, second = tight.cycle(signal("AUSDT"), signal("BUSDT", Direction.SHORT))
    assert (first.size_binding, second.size_binding) == ("notional", "margin")
    assert second.margin + second.margin_used <= 6_000
    assert second.warning.startswith("margin in use reaches ")
    assert any(second.warning in words[1] for words in tight.said)


def test_symbols_that_move_together_share_one_budget_on_the_same_side_only():
    moves = {"AUSDT": noise(1), "BUSDT": noise(1), "CUSDT": noise(3), "DUSDT": noise(1)}
    first, together, apart, opposite = Room(moves).cycle(
        signal("AUSDT"), signal("BUSDT"), signal("CUSDT"), signal("DUSDT", Direction.SHORT)
    )
    assert together.group == ("AUSDT",)
    assert together.group_risk == pytest.approx(first.risk)
    assert apart.group == ()
    assert opposite.group == ()


def test_the_shared_budget_is_never_exceeded_in_whatever_order_the_signals_come():
    moves = dict.fromkeys(NAMES, noise(1))
    settings = {"risk": {"risk_per_trade": 0.005, "notional_cap": 5.0, "max_orders_per_cycle": 9}}
    for order in (NAMES, NAMES[::-1]):
        rows = Room(moves, **settings).cycle(*(signal(name) for name in order))
        assert 0.0 < sum(row.risk for row in rows) <= 50.0
        assert {row.outcome for row in rows} != {"sized"}


def test_at_most_so_many_entries_a_cycle_and_the_rest_is_asked_again():
    room = Room(risk={"max_orders_per_cycle": 1})
    one, other = signal("AUSDT"), signal("BUSDT", Direction.SHORT)
    first, second = room.cycle(one, other)
    assert first.outcome == "sized"
    assert second.outcome == "1 entries this cycle already, risk.max_orders_per_cycle allows 1"
    (third,) = room.cycle(one, other)
    assert (third.symbol, third.outcome) == ("BUSDT", "sized")


def test_what_is_held_counts_against_the_number_of_positions():
    room = Room(trading={"max_positions": 1})
    assert room.cycle(signal("AUSDT"), signal("BUSDT"))[1].outcome.startswith("1 positions are open")


def test_a_halt_refuses_with_its_reason_the_leverage_still_shown_and_its_end_is_noticed():
    room = Room()
    room.halted_by = "anna"
    (row,) = room.cycle(signal())
    assert (row.outcome, row.quantity) == ("new entries are halted: by anna", 0.0)
    assert row.leverage == pytest.approx(1.0)
    assert room.cycle(signal()) == [], "the same refusal is not told every cycle"
    room.halted_by = ""
    assert [row.outcome for row in room.cycle(signal())] == ["sized"]


def test_the_protection_refuses_low_confidence_and_shrinks_the_rest():
    room = Room()
    for _ in range(3):
        room.protection = closed_trade(room.protection, D(-1), NOW)
    low, high = room.cycle(signal("AUSDT", confidence=0.6), signal("BUSDT", confidence=0.8))
    assert low.outcome == "account protection CAUTIOUS asks for confidence 0.70, this is 0.60"
    assert (high.outcome, high.factor, high.protection) == ("sized", 0.7, "CAUTIOUS")


def test_an_account_that_was_not_read_yet_takes_no_entry():
    room = Room()
    room.has_key = True
    assert room.cycle(signal())[0].outcome == "the account could not be read yet, so its equity is unknown"


def test_the_operators_own_cap_on_leverage_is_named_where_it_binds():
    (row,) = Room(risk={"max_leverage": 1, "base_leverage": 4.0}).cycle(signal())
    assert (row.leverage, row.binding) == (1.0, "maximum")


def test_a_symbol_whose_price_changed_its_unit_shares_the_budget_until_its_moves_are_known_again():
    redenominated = noise(2)
    redenominated[-20] = np.log(1000.0)
    moves = {"AUSDT": noise(1), "BUSDT": redenominated, "CUSDT": noise(3), "DUSDT": noise(4)}
    _, unknown, apart = Room(moves).cycle(signal("AUSDT"), signal("BUSDT"), signal("DUSDT"))
    assert unknown.group == ("AUSDT",)
    assert "BUSDT" in apart.group
    known = {**moves, "BUSDT": noise(2)}
    assert Room(known).cycle(signal("AUSDT"), signal("BUSDT"))[1].group == ()
