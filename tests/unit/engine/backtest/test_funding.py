"""Recorded funding: found beside the candles, joined, and the constant rate only where nothing is known."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backtest_market import START

from engine.backtest.funding import Funding, Instants, Payment, find_funding, read_funding

HOUR = 3_600_000
EIGHT = 8 * HOUR


def put(folder, name, times, rates, **more):
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"funding_time": times, "funding_rate": rates, **more}), folder / name)


def funding(*times):
    return Funding(np.array(times, np.int64), np.full(len(times), 0.5), np.full(len(times), np.nan))


@pytest.mark.parametrize("place", ["um/5m", "um/5m/funding", "um/funding", "funding"])
def test_the_folder_is_found_beside_the_candles_and_above(tmp_path, place):
    put(tmp_path / place, "S0USDT-funding.parquet", [START], [0.001])
    (tmp_path / "um" / "5m").mkdir(parents=True, exist_ok=True)
    assert find_funding(tmp_path / "um" / "5m") == tmp_path / place


def test_no_folder_is_no_folder(tmp_path):
    assert find_funding(tmp_path / "a" / "b" / "c" / "d") is None


def test_the_constant_rate_is_paid_before_between_and_after_what_was_recorded():
    known = funding(START + EIGHT, START + 2 * EIGHT, START + 5 * EIGHT)
    paid = known.payments(START - 1, START + 6 * EIGHT, 0.1)
    assert [(one.time_ms - START) // EIGHT for one in paid] == [0, 1, 2, 3, 4, 5, 6]
    assert [one.rate for one in paid] == [0.1, 0.5, 0.5, 0.1, 0.1, 0.5, 0.1]


def test_shorter_intervals_are_paid_as_recorded():
    known = funding(*(START + k * 4 * HOUR for k in range(5)))
    assert [one.time_ms for one in known.payments(START, START + EIGHT, 0.1)] == [START + 4 * HOUR, START + EIGHT]


def test_what_a_strategy_sees_is_the_last_rate_and_nothing_where_that_is_old():
    known = funding(START)
    assert known.known(START - 1) is None
    assert known.known(START + EIGHT) == 0.5
    assert known.known(START + EIGHT + 1) is None


def test_the_share_of_a_span_that_is_known():
    known = funding(*(START + k * EIGHT for k in range(4)))
    assert known.share(START - 1, START + 3 * EIGHT) == 1.0
    assert known.share(START - 1, START + 7 * EIGHT) == 0.5
    assert known.share(START + 1, START + 2) == 1.0


def test_files_of_one_symbol_are_joined_and_doubled_minutes_count_once(tmp_path):
    put(tmp_path, "S0USDT-funding__a.parquet", [START + 12, START + EIGHT], [0.001, 0.002])
    put(tmp_path, "S0USDT-funding__b.parquet", [START, START + 2 * EIGHT + 7], [0.009, 0.003])
    found, notes = read_funding(tmp_path)
    assert notes == []
    assert found["S0USDT"].time.tolist() == [START, START + EIGHT, START + 2 * EIGHT]
    assert found["S0USDT"].rate.tolist() == [0.001, 0.002, 0.003]


def test_the_mark_price_comes_with_the_payment_or_from_the_hour_that_opened_then(tmp_path):
    folder = tmp_path / "funding"
    put(folder, "S0USDT-funding.parquet", [START, START + EIGHT], [0.001, 0.002], mark_price=[41.5, None])
    (tmp_path / "mark").mkdir()
    hours = {"open_time": [START, START + EIGHT], "open": [40.0, 42.0]}
    pq.write_table(pa.table(hours), tmp_path / "mark" / "S0USDT-1h-mark__x.parquet")
    found, _ = read_funding(folder)
    assert found["S0USDT"].payments(START - 1, START + EIGHT, 0.1) == [
        Payment(START, 0.001, 41.5),
        Payment(START + EIGHT, 0.002, 42.0),
    ]


def test_rates_that_cannot_be_are_left_out_and_an_unreadable_file_is_noted(tmp_path):
    put(tmp_path, "S0USDT-funding.parquet", [START, START + EIGHT, 0], [np.nan, 3.0, 0.001])
    (tmp_path / "S1USDT-funding.parquet").write_bytes(b"nothing")
    found, notes = read_funding(tmp_path)
    assert len(found["S0USDT"].time) == 0
    assert found["S0USDT"].payments(START - 1, START, 0.1)[0].rate == 0.1
    assert len(notes) == 1
    assert notes[0].startswith("S1USDT-funding.parquet cannot be read")


def test_an_interval_holds_an_instant_when_any_symbol_may_pay_in_it():
    odd = START + EIGHT + 3 * HOUR
    instants = Instants([funding(odd, odd + HOUR), funding(odd)])
    asked = [
        START,
        START + HOUR,
        START + EIGHT - 1,
        START + EIGHT,
        odd - 1,
        odd,
        odd + 1,
        odd + HOUR,
        START + 2 * EIGHT,
    ]
    found = [instants.between(after, until) for after, until in itertools.pairwise(asked)]
    assert found == [False, False, True, False, True, False, True, True]
    assert not Instants([]).between(START, START + EIGHT - 1)
    assert Instants([]).between(START, START + EIGHT)
