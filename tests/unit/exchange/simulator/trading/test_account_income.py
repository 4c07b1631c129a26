from decimal import Decimal

import pytest
from account_bench import BTC, ETH, START, Bench

from exchange.simulator.answers import RefusalError
from exchange.simulator.trading.income import DAY_MS, IncomeLedger

D = Decimal


def ledger():
    book = IncomeLedger()
    for day in range(10):
        kind = "COMMISSION" if day % 2 else "TRANSFER"
        book.book(kind, D(day + 1), START + day * DAY_MS, book.next_transaction(), listing=day % 3)
    return book


NOW = START + 9 * DAY_MS


def amounts(rows):
    return [int(row.amount) for row in rows]


def test_by_default_the_last_seven_days_are_shown():
    assert amounts(ledger().rows(NOW)) == [3, 4, 5, 6, 7, 8, 9, 10]


def test_without_a_start_the_newest_are_shown_and_with_one_the_first():
    assert amounts(ledger().rows(NOW, limit=2)) == [9, 10]
    assert amounts(ledger().rows(NOW, start_ms=START, limit=2)) == [1, 2]


def test_rows_can_be_asked_by_type_symbol_and_time():
    assert amounts(ledger().rows(NOW, kind="COMMISSION")) == [4, 6, 8, 10]
    assert amounts(ledger().rows(NOW, listing=0)) == [4, 7, 10]
    assert amounts(ledger().rows(NOW, start_ms=START + DAY_MS, end_ms=START + 2 * DAY_MS)) == [2, 3]


def test_a_booking_of_nothing_leaves_no_row():
    book = IncomeLedger()
    book.book("COMMISSION", D(0), START, book.next_transaction())
    assert book.rows(START) == []


def test_rows_older_than_three_months_are_forgotten_but_stay_in_the_total():
    book = ledger()
    later = START + 100 * DAY_MS
    book.book("TRANSFER", D(100), later, book.next_transaction())
    assert book.total == 155
    assert len(book._rows) == 3
    assert amounts(book.rows(later, start_ms=0)) == [9, 10, 100]


def test_transfers_change_the_wallet_leave_income_and_are_published():
    bench = Bench()
    bench.book.deposit(D(500), START)
    bench.book.withdraw(D(200), START + 1)
    assert bench.book.wallet == 10_300
    assert [(row.kind, row.amount) for row in bench.book.income.rows(START + 1)] == [
        ("TRANSFER", D(500)),
        ("TRANSFER", D(-200)),
    ]
    assert [(event["a"]["m"], event["a"]["B"][0]["bc"]) for event in bench.heard.events] == [
        ("DEPOSIT", "500.00000000"),
        ("WITHDRAW", "-200.00000000"),
    ]


def test_margin_in_use_cannot_be_withdrawn():
    bench = Bench()
    bench.trade(BTC, "BUY", 1, 80_000)
    bench.trade(ETH, "BUY", 1, 3_000)
    with pytest.raises(RefusalError) as caught:
        bench.book.withdraw(D(6_000), START)
    assert caught.value.code == -2018
    bench.book.withdraw(D(5_800), START)
