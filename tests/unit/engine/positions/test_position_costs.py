"""What trading costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.positions.costs import Costs, cut, exact, fee, fill_price, funding_payment, line, settle, unit_loss
from engine.positions.opening import Opening, terms_of
from engine.strategy.candidate import Direction

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"), Decimal("0.0003"))


def test_a_buy_pays_more_and_a_sell_gets_less_than_the_market():
    assert fill_price(Decimal(100), 1, COSTS) == Decimal("100.0500")
    assert fill_price(Decimal(100), -1, COSTS) == Decimal("99.9500")


def test_money_is_cut_to_eight_places_towards_zero():
    assert cut(Decimal("1.123456789")) == Decimal("1.12345678")
    assert cut(Decimal("-1.123456789")) == Decimal("-1.12345678")
    assert fee(Decimal("0.001"), Decimal("0.0333"), COSTS) == Decimal("0.00000001")


def test_a_float_enters_money_by_its_shortest_text():
    assert exact(0.1) == Decimal("0.1")


def test_longs_pay_a_positive_funding_rate_and_shorts_receive_it():
    assert funding_payment(Decimal("0.010"), Decimal(80_000), Decimal("0.0001"), 1) == Decimal("-0.08")
    assert funding_payment(Decimal("0.010"), Decimal(80_000), Decimal("0.0001"), -1) == Decimal("0.08")


def test_a_full_trade_by_hand():
    terms = terms_of(
        Opening("ict", "X", 0, 2, Direction.LONG, 100.0, 98.0, 104.0, Decimal(10), 2.0, 2, COSTS), now_ms=0
    )
    result = settle(terms, 104.0, Decimal("-0.5"))
    # Bought at 100.05, sold at 104 x 0.9995 = 103.948.
    assert result.gross == Decimal("38.98000000")
    assert terms.entry_fee == Decimal("0.50025000")
    assert result.exit_fee == Decimal("0.51974000")
    assert result.net == Decimal("37.46001000")
    assert result.percent == pytest.approx(100 * 37.46001 / 500.25)
    assert result.r == pytest.approx(37.46001 / 20.5)


@pytest.mark.parametrize("direction", list(Direction))
def test_the_straight_line_of_the_fast_pass_equals_the_exact_books(direction):
    sign = direction.sign
    start = Opening("ict", "X", 0, 2, direction, 100.0, 100.0 - 2 * sign, 100.0 + 4 * sign, Decimal(7), 3.0, 3, COSTS)
    terms, funding = terms_of(start, now_ms=0), Decimal("0.25")
    running = line(terms, funding)
    for price in (96.0, 99.7, 100.0, 103.21):
        exactly = settle(terms, price, funding)
        percent = running.slope * price + running.offset
        assert percent == pytest.approx(exactly.percent, abs=1e-7)
        assert percent * running.r_per_percent == pytest.approx(exactly.r, abs=1e-8)


def test_the_loss_per_unit_at_the_stop_is_what_the_books_say():
    for direction in Direction:
        sign = direction.sign
        start = Opening(
            "ict", "X", 0, 2, direction, 100.0, 100.0 - 2 * sign, 100.0 + 4 * sign, Decimal(1), 1.0, 1, COSTS
        )
        loss = unit_loss(Decimal(100), exact(start.stop), sign, COSTS)
        assert float(loss) == pytest.approx(-float(settle(terms_of(start, 0), start.stop, Decimal(0)).net), abs=1e-7)


def test_a_rate_that_is_no_share_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"costs.taker_fee = 5 .*0.0005 for 0.05 %"):
        Costs(taker_fee=Decimal(5))
