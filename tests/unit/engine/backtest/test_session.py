"""A recorded session as history for a backtest."""

import json

import numpy as np
import pytest
from recorded_session import store

from engine.backtest.faults import HistoryError
from engine.backtest.history import BAR_MS
from engine.backtest.session import NEEDED, read_session
from exchange.recorder.collect import Plan
from exchange.recorder.manifest import segment_name
from exchange.recorder.records import Answer, Frame

START = 1_767_571_200_000
PLAN = Plan(("AUSDT", "BUSDT"), ("kline_5m",))


def row(number, price):
    opened = START + number * BAR_MS
    return [opened, *[f"{one:.2f}" for one in (price, price + 1, price - 1, price + 0.5)], "10",
            opened + BAR_MS - 1, "1000", 5, "5", "500", "0"]  # fmt: skip


def answer(symbol, numbers, sent_number, price=100.0):
    """A klines answer that was asked for while bar `sent_number` was open."""
    sent_us = (START + sent_number * BAR_MS + 1000) * 1000
    body = json.dumps([row(number, price) for number in numbers]).encode()
    query = f"symbol={symbol}&interval=5m&limit=1000"
    return Answer(sent_us + 20_000, sent_us, "/fapi/v1/klines", query, 200, body)


def closing(symbol, number, price, *, closed=True):
    opened = START + number * BAR_MS
    bar = {"t": opened, "T": opened + BAR_MS - 1, "s": symbol, "i": "5m", "f": 1, "L": 5, "o": f"{price}",
           "c": f"{price + 0.5}", "h": f"{price + 1}", "l": f"{price - 1}", "v": "10", "n": 5, "x": closed,
           "q": "1000", "V": "5", "Q": "500", "B": "0"}  # fmt: skip
    data = {"e": "kline", "E": opened + BAR_MS, "s": symbol, "k": bar}
    wrapped = {"stream": f"{symbol.lower()}@kline_5m", "data": data}
    return Frame((opened + BAR_MS) * 1000, 1, json.dumps(wrapped, separators=(",", ":")).encode())


def long_session(folder):
    return store(
        folder,
        PLAN,
        [
            *[answer("AUSDT", range(at, at + 1000), 7_000) for at in range(0, 7_000, 1000)],
            answer("AUSDT", [7_000], 7_000),
            answer("BUSDT", range(10), 10),
            closing("AUSDT", 7_000, 200.0, closed=False),
            closing("AUSDT", 7_000, 300.0),
            closing("AUSDT", 7_001, 301.0, closed=False),
        ],
    )


def test_closed_bars_of_answers_and_frames_become_one_series(tmp_path):
    history = read_session(long_session(tmp_path))
    one, other = history.series
    assert (one.symbol, other.symbol) == ("AUSDT", "BUSDT")
    assert (np.diff(one.open_time) == BAR_MS).all()
    assert len(one.open_time) == 7_001
    assert [float(column[-1]) for column in one[2:]] == [300.0, 301.0, 299.0, 300.5, 10.0, 1000.0]
    assert len(other.open_time) == 10
    assert history.rows == 7_011


def test_symbols_and_an_end_may_be_chosen(tmp_path):
    history = read_session(long_session(tmp_path), symbols=("AUSDT",), end_ms=START + 6_500 * BAR_MS)
    assert [(one.symbol, len(one.open_time)) for one in history.series] == [("AUSDT", 6_500)]


def test_a_symbol_that_the_session_does_not_hold_is_named(tmp_path):
    with pytest.raises(HistoryError, match=r"--symbols CUSDT: session .* holds no closed 5m bar of it"):
        read_session(long_session(tmp_path), symbols=("CUSDT",))


def test_a_session_that_is_too_short_says_what_is_missing_and_what_to_do(tmp_path):
    folder = store(tmp_path, PLAN, [answer("AUSDT", range(900), 899)])
    with pytest.raises(HistoryError) as caught:
        read_session(folder)
    text = str(caught.value)
    assert f"needs {NEEDED:,} closed 5m bars of a symbol in a row (500 of 1h), the session holds 899 at most" in text
    assert "perpdesk data fetch --interval 5m" in text
    assert f"perpdesk --headless --sim-market session:{folder}" in text


def test_a_hole_is_not_bridged(tmp_path):
    answers = [answer("AUSDT", range(at, at + 1000), 9_000) for at in (0, 1000, 2000, 4000, 5000, 6000)]
    with pytest.raises(HistoryError, match="the session holds 3,000 at most"):
        read_session(store(tmp_path, PLAN, answers))


def test_damage_is_told_and_costs_what_it_hits(tmp_path):
    folder = long_session(tmp_path)
    path = folder / segment_name(1)
    path.write_bytes(path.read_bytes() + b"torn")
    assert any("no whole block" in note for note in read_session(folder).notes)


def test_a_folder_that_is_no_session_is_refused(tmp_path):
    with pytest.raises(HistoryError, match=r"--data session:.*give a folder that `perpdesk record` wrote"):
        read_session(tmp_path)
