from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from exchange.simulator.contract_names import NON_ASCII, contract_names
from exchange.simulator.listings import brackets_for, lot_for, make_instrument, tick_for


@pytest.mark.parametrize("count", [1, 7, 8, 240, 500, 9000])
def test_any_number_of_contracts_can_be_named_without_a_name_twice(count):
    names = contract_names(count)
    assert len(names) == count
    assert len({name.base for name in names}) == count


def test_the_names_hold_majors_thousands_and_one_that_is_not_ascii():
    bases = [name.base for name in contract_names(240)]
    assert bases[:2] == ["BTC", "ETH"]
    assert sum(base.startswith("1000") for base in bases) >= 5
    assert [base for base in bases if not base.isascii()] == [NON_ASCII.base]


def test_a_bigger_market_holds_the_smaller_one():
    assert set(contract_names(100)) <= set(contract_names(300))


def test_the_brackets_of_bitcoin_are_those_of_the_venue():
    brackets = brackets_for("BTC", 1e10)
    assert [bracket.cum for bracket in brackets[:6]] == [0, 300, 1500, 12_000, 132_000, 482_000]
    assert brackets[-1].cum == Decimal(421_482_000)
    assert brackets[0].max_leverage == 150


@pytest.mark.parametrize(("base", "quote"), [("BTC", 1e10), ("ETH", 8e9), ("SOL", 2e9), ("TRX", 1e8), ("ACT", 2e6)])
def test_maintenance_margin_does_not_jump_at_the_border_of_a_bracket(base, quote):
    for low, high in pairwise(brackets_for(base, quote)):
        assert low.cap == high.floor
        assert low.max_leverage > high.max_leverage
        assert low.cap * low.mmr - low.cum == high.floor * high.mmr - high.cum


@pytest.mark.parametrize("price", [0.00042, 0.0118, 0.31, 1.0, 24.0, 680.0, 3400.0, 96_000.0])
def test_rules_fit_the_magnitude_of_the_price(price):
    tick, lot = tick_for("ANY", price), lot_for("ANY", price)
    rules = make_instrument("ANY", price=price, daily_quote=1e7, tick=tick, lot=lot, onboard_ms=0)
    assert 5e-6 < float(tick) / price <= 1.01e-4
    assert float(lot) * price < 5
    assert rules.min_price <= Decimal(str(price)) / 20
    assert rules.max_price >= Decimal(str(price)) * 20
    for bound in (rules.min_price, rules.max_price):
        assert bound % tick == 0
    for lots in (rules.lot, rules.market_lot):
        assert lots.minimum <= lots.maximum
        assert lots.maximum % lot == 0
    assert tick == round(tick, rules.price_precision)
    assert lot == round(lot, rules.quantity_precision)
