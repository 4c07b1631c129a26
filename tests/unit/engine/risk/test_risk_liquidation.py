"""Liquidation maths against the check values of the venue contract, section 10."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.risk.liquidation import bracket_of, isolated_liquidation, leverage_for_stop, liquidation_price
from exchange.instrument import Bracket

BTC = (
    Bracket(Decimal(0), Decimal(300_000), 150, Decimal("0.004"), Decimal(0)),
    Bracket(Decimal(300_000), Decimal(800_000), 100, Decimal("0.005"), Decimal(300)),
    Bracket(Decimal(800_000), Decimal(3_000_000), 75, Decimal("0.0065"), Decimal(1_500)),
)


@pytest.mark.parametrize(
    ("wallet", "sign", "quantity", "price"),
    [(2_000, 1, "0.5", "76305.2208835"), (2_000, -1, "0.5", "83665.3386454"), (40_000, 1, "10", "76351.7587940")],
)
def test_the_contracts_check_values(wallet, sign, quantity, price):
    found = liquidation_price(Decimal(wallet), sign, Decimal(quantity), Decimal(80_000), BTC)
    assert found.quantize(Decimal("0.0000001")) == Decimal(price)


def test_a_position_paid_in_full_is_never_liquidated_downwards():
    assert liquidation_price(Decimal(40_000), 1, Decimal("0.5"), Decimal(80_000), BTC) == 0


def test_other_cross_positions_move_the_price():
    alone = liquidation_price(Decimal(2_000), 1, Decimal("0.5"), Decimal(80_000), BTC)
    beside = liquidation_price(
        Decimal(2_000),
        1,
        Decimal("0.5"),
        Decimal(80_000),
        BTC,
        other_maintenance=Decimal(50),
        other_unrealised=Decimal(-100),
    )
    assert beside > alone


def test_a_notional_on_the_edge_belongs_to_the_lower_bracket():
    assert bracket_of(BTC, Decimal(300_000)).max_leverage == 150
    assert bracket_of(BTC, Decimal(300_001)).max_leverage == 100
    assert bracket_of(BTC, Decimal(10**12)).max_leverage == 75


@pytest.mark.parametrize(("sign", "stop"), [(1, 78_000), (-1, 82_000)])
def test_the_leverage_for_a_stop_puts_liquidation_where_the_rule_wants_it(sign, stop):
    leverage = leverage_for_stop(sign, Decimal(400_000), Decimal(80_000), Decimal(stop), BTC)
    price = isolated_liquidation(sign, Decimal(400_000), Decimal(80_000), leverage, BTC)
    assert price.quantize(Decimal(1)) == 80_000 - sign * 2_500


def test_a_long_with_a_very_far_stop_gets_no_more_than_its_own_money():
    leverage = leverage_for_stop(1, Decimal(400), Decimal(80_000), Decimal(1), BTC)
    assert leverage == 1
