from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.market.universe import PAUSED, decide_universe
from exchange.instrument import Instrument, LotRule
from exchange.market_data import Ticker

LOT = LotRule(Decimal("0.001"), Decimal(1000), Decimal("0.001"))


def listed(symbol, *, status="TRADING", contract_type="PERPETUAL", quote="USDT"):
    one = Decimal(1)
    return Instrument(
        symbol,
        symbol.removesuffix(quote),
        quote,
        contract_type,
        status,
        2,
        3,
        Decimal("0.01"),
        Decimal("0.01"),
        Decimal(1_000_000),
        LOT,
        LOT,
        Decimal(5),
        one,
        one,
        200,
        Decimal("0.01"),
        Decimal("0.05"),
        0,
    )


def market(count):
    instruments = {f"C{i:03d}USDT": listed(f"C{i:03d}USDT") for i in range(count)}
    tickers = [Ticker(symbol, 1.0, 0.0, 1e6 * (count - i), 0) for i, symbol in enumerate(instruments)]
    return instruments, tickers


def test_the_most_traded_symbols_are_chosen_in_rank_order():
    instruments, tickers = market(10)
    universe = decide_universe(instruments, tickers, size=3)
    assert universe.members == ("C000USDT", "C001USDT", "C002USDT")
    assert universe.added == universe.members


def test_only_trading_usdt_perpetuals_are_eligible():
    instruments, tickers = market(5)
    instruments["C000USDT"] = listed("C000USDT", status="SETTLING")
    instruments["C001USDT"] = listed("C001USDT", contract_type="TRADIFI_PERPETUAL")
    instruments["C002USDT"] = listed("C002USDT", contract_type="")
    assert decide_universe(instruments, tickers, size=5).members == ("C003USDT", "C004USDT")


def test_a_member_stays_until_it_falls_below_the_hysteresis_rank():
    instruments, tickers = market(40)
    inside = decide_universe(instruments, tickers, size=20, previous=["C022USDT"])
    outside = decide_universe(instruments, tickers, size=20, previous=["C023USDT"])
    assert "C022USDT" in inside.members
    assert "C023USDT" not in outside.members
    assert outside.removed == ("C023USDT",)


def test_a_newcomer_in_the_first_ranks_enters_at_once_beside_the_members():
    instruments, tickers = market(40)
    universe = decide_universe(instruments, tickers, size=20, previous=[f"C{i:03d}USDT" for i in range(1, 23)])
    assert universe.added == ("C000USDT",)
    assert len(universe.members) == 23


def test_a_symbol_with_an_open_position_stays_whatever_its_rank():
    instruments, tickers = market(40)
    universe = decide_universe(instruments, tickers, size=5, previous=["C039USDT"], held=["C039USDT"])
    assert "C039USDT" in universe.members


def test_there_are_never_more_members_than_room_and_held_symbols_stay_first():
    instruments, tickers = market(40)
    before = [f"C{i:03d}USDT" for i in range(10, 23)]
    universe = decide_universe(instruments, tickers, size=20, previous=before, held=["C022USDT"], room=12)
    assert len(universe.members) == 12
    assert "C022USDT" in universe.members


def test_a_symbol_that_stops_trading_leaves_at_once_even_with_a_position():
    instruments, tickers = market(10)
    instruments["C000USDT"] = listed("C000USDT", status="SETTLING")
    universe = decide_universe(instruments, tickers, size=5, previous=["C000USDT"], held=["C000USDT"])
    assert "C000USDT" not in universe.members
    assert universe.halted == ("C000USDT",)


@pytest.mark.parametrize("status", sorted(PAUSED))
def test_a_paused_symbol_stays_while_it_holds_a_position_and_leaves_at_once_without_one(status):
    instruments, tickers = market(10)
    instruments["C000USDT"] = listed("C000USDT", status=status)
    held = decide_universe(instruments, tickers, size=5, previous=["C000USDT"], held=["C000USDT"])
    assert held.members[-1] == "C000USDT"
    assert (held.removed, held.halted) == ((), ())
    free = decide_universe(instruments, tickers, size=5, previous=["C000USDT"])
    assert (free.removed, free.halted) == (("C000USDT",), ("C000USDT",))


def test_a_held_symbol_is_a_member_after_a_restart_whatever_its_rank():
    instruments, tickers = market(40)
    assert "C039USDT" in decide_universe(instruments, tickers, size=5, held=["C039USDT"]).members


def test_a_held_symbol_that_is_gone_after_a_restart_is_named():
    instruments, tickers = market(10)
    assert decide_universe(instruments, tickers, size=5, held=["GONEUSDT"]).halted == ("GONEUSDT",)


def test_a_member_whose_statistics_are_missing_stays_while_it_is_held_and_is_not_taken_for_halted():
    instruments, tickers = market(40)
    universe = decide_universe(instruments, tickers[1:], size=5, previous=["C000USDT"], held=["C000USDT"])
    assert universe.members[-1] == "C000USDT"
    without = decide_universe(instruments, tickers[1:], size=5, previous=["C000USDT"])
    assert (without.removed, without.halted) == (("C000USDT",), ())


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=60), st.integers(1, 30), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter_and_the_size_is_kept(volumes, size, shuffler):
    instruments = {f"C{i:03d}USDT": listed(f"C{i:03d}USDT") for i in range(len(volumes))}
    tickers = [Ticker(symbol, 1.0, 0.0, volume, 0) for symbol, volume in zip(instruments, volumes, strict=True)]
    first = decide_universe(instruments, tickers, size=size)
    shuffler.shuffle(tickers)
    assert decide_universe(instruments, tickers, size=size) == first
    assert len(first.members) == min(size, len(volumes))
