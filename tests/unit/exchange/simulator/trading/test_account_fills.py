from decimal import Decimal

import pytest
from account_bench import BTC, ETH, LONG, ONE_WAY, SHORT, Bench

from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading.account_text import plain_price
from exchange.simulator.trading.position_maths import break_even, cut

D = Decimal


def test_opening_sets_entry_and_pays_the_taker_fee():
    bench = Bench()
    effect = bench.trade(BTC, "BUY", "0.010", 80_000)
    assert effect.realized == 0
    assert effect.commission == D("0.4")
    assert effect.position.entry == 80_000
    assert bench.book.wallet == D("9999.6")


def test_adding_averages_the_entry_by_size():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.010", 80_000)
    effect = bench.trade(BTC, "BUY", "0.030", 84_000)
    assert effect.position.entry == 83_000
    assert effect.position.quantity == D("0.040")


def test_reducing_realises_and_leaves_the_entry():
    bench = Bench()
    bench.trade(BTC, "SELL", "0.04", 80_000)
    effect = bench.trade(BTC, "BUY", "0.01", 79_000, maker=True)
    assert effect.realized == 10
    assert effect.commission == D("0.158")
    assert effect.position.entry == 80_000
    assert effect.position.quantity == D("-0.03")
    assert effect.position.realized == 10


def test_an_opposite_fill_larger_than_the_position_flips_it():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.01", 80_000)
    effect = bench.trade(BTC, "SELL", "0.03", 81_000)
    assert effect.realized == 10
    assert effect.position.quantity == D("-0.02")
    assert effect.position.entry == 81_000
    # The new position carries only the fee of its own part.
    assert break_even(effect.position) == 81_000 - D("0.02") * 81_000 * D("0.0005") / D("0.02")


def test_both_sides_of_a_hedge_live_apart():
    bench = Bench(hedge=True)
    bench.trade(BTC, "BUY", "0.01", 80_000, LONG)
    bench.trade(BTC, "SELL", "0.02", 82_000, SHORT)
    effect = bench.trade(BTC, "SELL", "0.01", 81_000, LONG)
    assert effect.realized == 10
    assert bench.book.position(BTC, LONG).quantity == 0
    assert bench.book.position(BTC, SHORT).quantity == D("-0.02")
    assert [p.side for p in bench.book.open_positions()] == [SHORT]


@pytest.mark.parametrize(
    ("maker", "force", "rate"), [(True, "GTC", "0.0002"), (False, "GTC", "0.0005"), (True, "RPI", "0.00005")]
)
def test_fees_are_by_role_and_kind_of_order(maker, force, rate):
    bench = Bench()
    effect = bench.trade(BTC, "BUY", "0.5", 80_000, maker=maker, time_in_force=force)
    assert effect.commission == 40_000 * D(rate)


def test_a_liquidation_order_pays_no_commission():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.5", 80_000)
    assert bench.trade(BTC, "SELL", "0.5", 79_000, client_id="autoclose-1", by_venue=True).commission == 0


def test_amounts_are_cut_to_eight_places():
    bench = Bench()
    bench.trade(ETH, "BUY", "0.003", "3000.01")
    effect = bench.trade(ETH, "BUY", "0.007", "3000.02")
    closing = bench.trade(ETH, "SELL", "0.010", "2999.99")
    assert effect.commission == cut(D("0.007") * D("3000.02") * D("0.0005"))
    assert closing.realized.as_tuple().exponent == -8


def test_income_of_a_fill_is_profit_then_commission_under_one_transaction():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.01", 80_000)
    bench.trade(BTC, "SELL", "0.01", 81_000, maker=True)
    rows = bench.book.income.rows(bench.now)
    assert [(row.kind, row.amount) for row in rows] == [
        ("COMMISSION", D("-0.4")),
        ("REALIZED_PNL", D(10)),
        ("COMMISSION", D("-0.162")),
    ]
    assert rows[1].transaction == rows[2].transaction
    assert rows[0].transaction != rows[1].transaction
    assert rows[1].trade_id == rows[2].trade_id
    assert bench.book.wallet == D("10009.438")


def test_isolated_margin_leaves_the_cross_wallet_and_comes_back_with_its_gain():
    bench = Bench(isolated=[BTC], leverage={BTC: 10})
    position = bench.trade(BTC, "BUY", "0.10", 80_000).position
    assert position.isolated_wallet == 800 - 4
    assert bench.book.cross_wallet == 9_200
    assert bench.book.wallet == 9_996
    bench.trade(BTC, "SELL", "0.05", 81_000)
    assert position.isolated_wallet == 398
    assert bench.book.cross_wallet == 9_200 + 398 + 50 - D("2.025")
    bench.trade(BTC, "SELL", "0.05", 81_000)
    assert position.isolated_wallet == 0
    assert bench.book.cross_wallet == bench.book.wallet == 10_000 + 100 - 4 - D("4.05")


def test_a_partial_loss_comes_out_of_its_share_of_the_isolated_wallet():
    bench = Bench(isolated=[BTC], leverage={BTC: 10})
    position = bench.trade(BTC, "SELL", "0.10", 80_000).position
    bench.trade(BTC, "BUY", "0.05", 81_000)
    assert position.isolated_wallet == 398
    assert bench.book.cross_wallet == 9_200 + 398 - 50 - D("2.025")


def test_break_even_counts_fees_and_what_was_realised():
    bench = Bench()
    position = bench.trade(BTC, "BUY", "0.02", 80_000).position
    assert break_even(position) == 80_040
    bench.trade(BTC, "SELL", "0.01", 82_000, maker=True)
    spent = D("0.8") + D("0.164") - 20
    assert break_even(position) == 80_000 + spent / D("0.01")


@pytest.mark.parametrize(("side", "sign"), [("BUY", 1), ("SELL", -1)])
def test_break_even_earns_the_closing_fee_where_the_open_question_says_so(side, sign):
    bench = Bench(questions=OpenQuestions(break_even_with_closing_fee=True))
    position = bench.trade(BTC, side, "0.02", 80_000).position
    price = bench.book.margin.break_even(position)
    assert price == pytest.approx(80_000 * (1 + sign * D("0.0005")) / (1 - sign * D("0.0005")))
    gain = position.quantity * (price - 80_000)
    assert gain == pytest.approx(D("0.8") + D("0.02") * price * D("0.0005"))


def test_an_update_in_hedge_mode_tells_both_sides_where_the_open_question_says_so():
    for both in (False, True):
        bench = Bench(hedge=True, questions=OpenQuestions(hedge_updates_tell_both_sides=both))
        position = bench.trade(BTC, "BUY", "0.02", 80_000, LONG).position
        rows = bench.book.account_update("ORDER", [position], bench.now)["a"]["P"]
        assert [row["ps"] for row in rows] == (["LONG", "SHORT"] if both else ["LONG"])


def test_a_fill_that_closes_one_position_leaves_nothing_of_it_to_the_next():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.02", 80_000)
    bench.trade(BTC, "SELL", "0.02", 90_000)
    position = bench.trade(BTC, "SELL", "0.01", 80_000).position
    assert break_even(position) == 80_000 - 40
    assert position.realized == 200


@pytest.mark.parametrize(
    ("price", "text"),
    [("80000", "80000.0"), ("0", "0.0"), ("76305.22088353413", "76305.22088353"), ("0.385077", "0.385077")],
)
def test_derived_prices_are_written_without_padding(price, text):
    assert plain_price(D(price), Bench().book.listings[BTC].instrument) == text


def test_account_update_of_the_golden_scenario_is_as_written():
    bench = Bench()
    position = bench.trade(BTC, "BUY", "0.010", 80_000).position
    bench.prices.marks[BTC] = D(80_010)
    assert bench.book.account_update("ORDER", [position], bench.now)["a"] == {
        "m": "ORDER",
        "B": [{"a": "USDT", "wb": "9999.60000000", "cw": "9999.60000000", "bc": "0"}],
        "P": [
            {
                "s": "BTCUSDT",
                "pa": "0.010",
                "ep": "80000.0",
                "bep": "80040.0",
                "cr": "0",
                "up": "0.10000000",
                "mt": "cross",
                "iw": "0",
                "ps": "BOTH",
            }
        ],
    }


def test_a_position_nobody_ever_had_is_flat():
    position = Bench().book.position(ETH, ONE_WAY)
    assert (position.quantity, position.entry) == (0, 0)


def test_a_client_id_that_looks_like_the_venues_own_pays_its_fee_and_gets_its_margin_back():
    bench = Bench(isolated=[BTC])
    bench.trade(BTC, "BUY", "0.5", 80_000, client_id="autoclose-1")
    effect = bench.trade(BTC, "SELL", "0.5", 80_000, client_id="autoclose-2")
    assert effect.commission == 20
    assert effect.position.isolated_wallet == 0
    assert bench.book.cross_wallet == bench.book.wallet == 10_000 - 40
    assert bench.book.forced == []
