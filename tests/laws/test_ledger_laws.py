"""Laws of the ledger: each booking counts once, in whatever order and however often it is read."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.execution.ledger import KINDS, Ledger
from exchange.account import IncomeRow

AMOUNTS = st.decimals(-1000, 1000, places=8)
ROWS = st.lists(
    st.builds(
        lambda number, kind, amount, asset: IncomeRow(kind, amount, asset, "BTCUSDT", number, None, "", 1_000 + number),
        st.integers(1, 10**6),
        st.sampled_from([*KINDS, "SOMETHING_NEW", "INSURANCE_CLEAR"]),
        AMOUNTS,
        st.sampled_from(["USDT", "BNB"]),
    ),
    max_size=40,
    unique_by=lambda row: (row.kind, row.transaction_id, row.asset),
)


def begun(start):
    ledger = Ledger()
    ledger.anchor({"USDT": start}, 1_000)
    return ledger


@given(AMOUNTS, ROWS, st.randoms(use_true_random=False))
def test_wallet_and_books_agree_exactly_whatever_is_read_twice_or_late(start, rows, chance):
    read = [*rows, *chance.sample(rows, len(rows) // 2)]
    chance.shuffle(read)
    ledger = begun(start)
    ledger.take(read)
    wallets = {"USDT": start, "BNB": Decimal(0)}
    for row in rows:
        wallets[row.asset] += row.income
    assert ledger.check(wallets, 5_000) == {}
    wallets["USDT"] += Decimal("0.00000001")
    assert ledger.check(wallets, 5_000) == {"USDT": Decimal("0.00000001")}


@given(ROWS)
def test_a_kind_nobody_knows_is_booked_under_its_own_name_and_told_once(rows):
    ledger = begun(Decimal(0))
    told = ledger.take(rows)
    assert told == (["SOMETHING_NEW"] if any(row.kind == "SOMETHING_NEW" for row in rows) else [])
    assert ledger.take(rows) == []


def test_what_was_booked_before_the_anchor_is_in_it_already():
    ledger = begun(Decimal(10))
    ledger.take([IncomeRow("TRANSFER", Decimal(5), "USDT", "", 1, None, "", 1_000)])
    assert ledger.check({"USDT": Decimal(10)}, 2_000) == {}
