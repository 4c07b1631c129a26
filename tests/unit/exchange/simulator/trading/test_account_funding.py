from decimal import Decimal

import pytest
from account_bench import BTC, DOGE, ETH, LONG, SHORT, Bench

from exchange.simulator.trading.funding import HOUR_MS, is_due, payment

D = Decimal
MIDNIGHT = 1_795_046_400_000


@pytest.mark.parametrize("hours", [1, 4, 8])
def test_every_interval_ends_at_midnight_and_once(hours):
    assert is_due(hours, MIDNIGHT - 250, MIDNIGHT)
    assert not is_due(hours, MIDNIGHT, MIDNIGHT + 250)


@pytest.mark.parametrize(("hours", "ends"), [(1, 24), (4, 6), (8, 3)])
def test_a_day_has_as_many_fundings_as_intervals(hours, ends):
    steps = range(MIDNIGHT, MIDNIGHT + 24 * HOUR_MS, 60_000)
    assert sum(is_due(hours, at, at + 60_000) for at in steps) == ends


@pytest.mark.parametrize(
    ("quantity", "rate", "amount"),
    [("0.010", "0.0001", "-0.08"), ("-0.010", "0.0001", "0.08"), ("0.010", "-0.0001", "0.08")],
)
def test_longs_pay_shorts_while_the_rate_is_positive(quantity, rate, amount):
    assert payment(D(quantity), D(80_000), D(rate)) == D(amount)


def at_midnight(bench):
    bench.now = MIDNIGHT - 250
    bench.step()


def test_funding_of_a_cross_position_is_the_contracts_example():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.010", 80_000)
    bench.heard.events.clear()
    at_midnight(bench)
    (event,) = bench.heard.events
    assert event == {
        "e": "ACCOUNT_UPDATE",
        "E": MIDNIGHT,
        "T": MIDNIGHT,
        "a": {
            "m": "FUNDING_FEE",
            "B": [{"a": "USDT", "wb": "9999.52000000", "cw": "9999.52000000", "bc": "-0.08000000"}],
            "P": [],
            "S": "BTCUSDT",
        },
    }
    row = bench.book.income.rows(MIDNIGHT)[-1]
    assert (row.kind, row.amount, row.listing) == ("FUNDING_FEE", D("-0.08"), BTC)


def test_funding_of_an_isolated_position_comes_out_of_its_pocket_and_names_it():
    bench = Bench(isolated=[BTC])
    position = bench.trade(BTC, "BUY", "0.1", 80_000).position
    before = position.isolated_wallet, bench.book.cross_wallet
    at_midnight(bench)
    assert (position.isolated_wallet, bench.book.cross_wallet) == (before[0] - D("0.8"), before[1])
    assert [row["s"] for row in bench.heard.events[-1]["a"]["P"]] == ["BTCUSDT"]


def test_both_sides_of_a_hedge_are_settled_in_one_event_and_two_rows():
    bench = Bench(hedge=True)
    bench.trade(BTC, "BUY", "0.2", 80_000, LONG)
    bench.trade(BTC, "SELL", "0.1", 80_000, SHORT)
    bench.heard.events.clear()
    at_midnight(bench)
    assert [event["a"]["B"][0]["bc"] for event in bench.heard.events] == ["-0.80000000"]
    assert [row.amount for row in bench.book.income.rows(MIDNIGHT) if row.kind == "FUNDING_FEE"] == [
        D("-1.6"),
        D("0.8"),
    ]


def test_each_symbol_is_settled_at_the_ends_of_its_own_interval():
    bench = Bench()
    for listing, price in ((BTC, 80_000), (ETH, 3_000), (DOGE, "0.25")):
        bench.trade(listing, "BUY", 1, price)
    counts = []
    for hours in (1, 4, 8):
        bench.now = MIDNIGHT + hours * HOUR_MS - 250
        before = len(bench.book.income.rows(bench.now, kind="FUNDING_FEE"))
        bench.step()
        counts.append(len(bench.book.income.rows(bench.now, kind="FUNDING_FEE")) - before)
    assert counts == [1, 2, 3]


def test_a_rate_of_nothing_leaves_no_event_and_no_row():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.1", 80_000)
    bench.prices.rates[BTC] = D(0)
    bench.heard.events.clear()
    at_midnight(bench)
    assert bench.heard.events == []


def test_a_special_funding_has_an_income_type_of_its_own():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.1", 80_000)
    bench.book.special_funding(BTC, D("-0.001"), bench.now)
    row = bench.book.income.rows(bench.now)[-1]
    assert (row.kind, row.amount) == ("SPECIAL_FUNDING_FEE", D(8))


def test_a_flat_account_is_not_looked_at():
    bench = Bench()
    bench.book.prices = None
    at_midnight(bench)
    assert bench.heard.events == []
