"""The protocol side on the market people will meet: what streams say equals what REST answers."""

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market

START = 1_767_571_200_000
MINUTES = 11
INTERVALS = ("1m", "5m")


@pytest.fixture(scope="module")
def told():
    """Return the exchange after eleven minutes and its frames by event."""
    exchange = Exchange(make_market("synthetic", symbols=8, seed=5, start_ms=START, step_ms=250))
    symbols = [listing.instrument.symbol for listing in exchange.market.listings]
    names = [f"{symbol.lower()}@kline_{interval}" for symbol in symbols for interval in INTERVALS]
    names += [f"{symbol.lower()}@{kind}" for symbol in symbols for kind in ("aggTrade", "bookTicker")]
    session = exchange.open("/ws/" + "/".join(names), START)
    frames = defaultdict(list)
    for second in range(1, MINUTES * 60 + 1):
        exchange.advance(START + second * 1_000)
        for frame in session.outbox:
            message = json.loads(frame)
            frames[message["e"]].append(message)
        session.outbox.clear()
    trading = [listing.instrument.symbol for listing in exchange.market.listings if listing.instrument.is_trading]
    return exchange, trading, frames


def test_a_contract_that_settles_is_silent_and_its_bars_have_ended(told):
    exchange, _, frames = told
    (settling,) = [one.instrument.symbol for one in exchange.market.listings if one.instrument.status == "SETTLING"]
    assert not [frame for event in frames.values() for frame in event if frame["s"] == settling]
    query = f"symbol={settling}&interval=1m&limit=1".encode()
    (row,) = json.loads(exchange.request("GET", "/fapi/v1/klines", query, b"", {}, exchange.now_ms).body)
    assert row[0] == START - 60_000


def test_every_closing_frame_equals_the_candle_of_rest(told):
    exchange, symbols, frames = told
    closed = defaultdict(list)
    for frame in frames["kline"]:
        k = frame["k"]
        if k["x"]:
            closed[k["s"], k["i"]].append([k[c] for c in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")])
    for symbol in symbols:
        for interval, count in (("1m", MINUTES), ("5m", MINUTES // 5)):
            query = f"symbol={symbol}&interval={interval}&startTime={START}&limit={count}".encode()
            rows = json.loads(exchange.request("GET", "/fapi/v1/klines", query, b"", {}, exchange.now_ms).body)
            assert closed[symbol, interval] == rows


def test_the_last_update_of_an_open_bar_equals_rest_too(told):
    exchange, symbols, frames = told
    newest = {frame["s"]: frame["k"] for frame in frames["kline"] if frame["k"]["i"] == "5m"}
    for symbol in symbols:
        if newest[symbol]["x"]:
            continue
        query = f"symbol={symbol}&interval=5m&limit=1".encode()
        (row,) = json.loads(exchange.request("GET", "/fapi/v1/klines", query, b"", {}, exchange.now_ms).body)
        assert [newest[symbol][c] for c in ("t", "o", "h", "l", "c", "v")] == row[:6]


def test_trade_ids_of_bars_and_aggregates_run_on_without_a_gap(told):
    _, _, frames = told
    bars, trades = defaultdict(list), defaultdict(list)
    for frame in frames["kline"]:
        if frame["k"]["x"] and frame["k"]["i"] == "1m" and frame["k"]["n"]:
            bars[frame["s"]].append((frame["k"]["f"], frame["k"]["L"]))
    for frame in frames["aggTrade"]:
        trades[frame["s"]].append((frame["f"], frame["l"]))
    assert trades
    for spans in (bars, trades):
        for pieces in spans.values():
            assert all(first <= last for first, last in pieces)
            assert all(after[0] == before[1] + 1 for before, after in pairwise(pieces))


def test_books_never_cross_and_their_ids_ascend(told):
    _, _, frames = told
    ids = defaultdict(int)
    assert frames["bookTicker"]
    for frame in frames["bookTicker"]:
        assert float(frame["b"]) < float(frame["a"])
        assert frame["u"] > ids[frame["s"]]
        ids[frame["s"]] = frame["u"]
