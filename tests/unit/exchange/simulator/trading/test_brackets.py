from decimal import Decimal

import pytest
from account_bench import BTC_BRACKETS, SMALL_BRACKETS

from exchange.simulator.trading.brackets import (
    Leg,
    bracket_of,
    liquidation_price,
    maintenance,
    max_leverage,
    notional_cap,
)

D = Decimal
MARK = D(80_000)


@pytest.mark.parametrize(
    ("wallet", "quantity", "expected"),
    [(2_000, "0.5", "76305.2208835"), (2_000, "-0.5", "83665.3386454"), (40_000, "10", "76351.7587940")],
)
def test_the_contracts_check_values_of_the_liquidation_price_come_out(wallet, quantity, expected):
    price = liquidation_price(BTC_BRACKETS, D(wallet), [Leg(D(quantity), MARK)], MARK)
    assert price.quantize(D("0.0000001")) == D(expected)


def test_the_third_check_value_lies_in_the_second_bracket():
    price = liquidation_price(BTC_BRACKETS, D(40_000), [Leg(D(10), MARK)], MARK)
    assert bracket_of(BTC_BRACKETS, 10 * price) is BTC_BRACKETS[1]
    assert int(10 * price) == 763_517


def test_cum_values_of_btc_are_the_contracts():
    cums = [0, 300, 1500, 12_000, 132_000, 482_000, 2_982_000, 14_482_000, 26_482_000, 41_482_000, 121_482_000]
    assert [bracket.cum for bracket in BTC_BRACKETS] == [*cums, 421_482_000]


@pytest.mark.parametrize(("notional", "rank"), [(0, 0), (300_000, 0), (300_001, 1), (10**10, 11)])
def test_a_notional_falls_into_the_bracket_that_ends_at_or_above_it(notional, rank):
    assert bracket_of(BTC_BRACKETS, D(notional)) is BTC_BRACKETS[rank]


def test_maintenance_margin_does_not_jump_at_a_border():
    for bracket in BTC_BRACKETS[:-1]:
        assert maintenance(BTC_BRACKETS, bracket.cap + D("1e-9")) - maintenance(BTC_BRACKETS, bracket.cap) < D("1e-8")


@pytest.mark.parametrize(
    ("leverage", "cap"), [(150, 300_000), (101, 300_000), (100, 800_000), (20, 100_000_000), (1, 1_800_000_000)]
)
def test_the_cap_at_a_leverage_is_that_of_the_highest_bracket_allowing_it(leverage, cap):
    assert notional_cap(BTC_BRACKETS, leverage) == cap
    assert max_leverage(BTC_BRACKETS) == 150


def test_a_long_with_more_collateral_than_notional_cannot_be_liquidated():
    assert liquidation_price(BTC_BRACKETS, D(50_000), [Leg(D("0.5"), MARK)], MARK) == 0


def test_flat_legs_have_no_liquidation_price():
    assert liquidation_price(BTC_BRACKETS, D(100), [], MARK) == 0
    assert liquidation_price(BTC_BRACKETS, D(100), [Leg(D(0), D(0))], MARK) == 0


def test_a_hedged_symbol_has_one_price_by_the_contracts_formula():
    long, short = Leg(D(2), D(80_000)), Leg(D(-1), D(81_000))
    price = liquidation_price(BTC_BRACKETS, D(5_000), [long, short], MARK)
    mmr = D("0.004")
    stated = (5_000 - 2 * D(80_000) + 1 * D(81_000)) / (2 * mmr + 1 * mmr - 2 + 1)
    assert price == pytest.approx(stated)


def test_of_two_solutions_of_a_hedged_symbol_the_nearer_counts():
    # Net long: losing downwards, while far up the maintenance of both legs outgrows the profit.
    legs = [Leg(D(11), D(1_000)), Leg(D(-10), D(1_000))]
    low, high = (liquidation_price(SMALL_BRACKETS, D(500), legs, D(mark)) for mark in (700, 2_900))
    assert 0 < low < 1_000 < high
    for price in (low, high):
        balance = 500 + sum(leg.quantity * (price - leg.entry) for leg in legs)
        needed = sum(maintenance(SMALL_BRACKETS, abs(leg.quantity) * price) for leg in legs)
        assert balance == pytest.approx(needed)
