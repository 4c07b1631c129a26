"""A session that was recorded of the simulator drives it again: what went over the wire then goes over it now."""

import asyncio
import json

import numpy as np
import pytest
from recorded_session import frames_of, recorded, store
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.signing import Credentials, signed_query
from exchange.recorder.collect import INTERVALS, Plan
from exchange.recorder.records import READY, SOCKET_LOST, STREAMS_BACK, Answer, Frame, Note
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.memory import MemoryFront
from exchange.simulator.recorded.market import SessionMarket
from exchange.simulator.stepped_market import MarketError

START_MS = 1_767_571_200_000 + 4 * 60_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
PLAN = Plan(SYMBOLS)
TOLD = {
    "bookTicker": ("E", "b", "B", "a", "A"),
    "aggTrade": ("E", "a", "p", "q", "T", "m"),
    "markPriceUpdate": ("E", "p", "i", "r", "T"),
    "kline": ("E", "k"),
}
"""What of a frame a recording can bring back: the rest is counters of the venue and averages of its own."""


def source(step_ms=250):
    return make_market("synthetic", symbols=6, seed=5, start_ms=START_MS, step_ms=step_ms)


@pytest.fixture(scope="module")
def session():
    """Two minutes and a half of three symbols, over the end of a 5m bar."""
    return recorded(source(), PLAN, 150)


@pytest.fixture
def folder(tmp_path, session):
    return store(tmp_path / "session", PLAN, session)


def served(folder, **more):
    return SessionMarket(folder, step_ms=250, **more)


def told(frame):
    kept = {name: frame[name] for name in TOLD[frame["e"]]}
    if "k" in kept:
        kept["k"] = {name: value for name, value in frame["k"].items() if name not in ("f", "L")}
    return kept


def test_the_frames_served_are_the_frames_recorded(folder, session):
    market = served(folder)
    begin = market.now_ms
    end = begin + 120_000
    streams = PLAN.streams()
    again = frames_of(Exchange(market), streams, end)
    then = {}
    for record in session:
        if isinstance(record, Frame) and record.data.startswith(b'{"stream"'):
            frame = json.loads(record.data)
            if begin < frame["data"]["E"] <= end:
                then.setdefault(frame["stream"], []).append(frame["data"])
    assert set(then) == set(again) == set(streams)
    for stream in streams:
        assert [told(one) for one in again[stream]] == [told(one) for one in then[stream]], stream


def test_candles_over_rest_are_those_of_the_venue_recorded(folder):
    market, original = served(folder), source()
    end = market.now_ms + 100_000
    market.advance(end)
    original.advance(end)
    symbols = [listing.instrument.symbol for listing in original.listings]
    for number, symbol in enumerate(SYMBOLS):
        for interval in INTERVALS:
            ours = market.candles(number, interval, None, None, 400)
            theirs = original.candles(symbols.index(symbol), interval, None, None, 400)
            for column in ("open_time", "open", "high", "low", "close", "trades"):
                assert np.array_equal(getattr(ours, column), getattr(theirs, column)), (symbol, interval, column)
            for column in ("volume", "quote_volume", "taker_base", "taker_quote"):
                assert np.allclose(getattr(ours, column), getattr(theirs, column), rtol=1e-9), (interval, column)


def test_an_interval_that_was_not_recorded_follows_the_largest_that_was(folder):
    market, original = served(folder), source()
    market.advance(market.now_ms + 100_000)
    original.advance(market.now_ms)
    symbols = [listing.instrument.symbol for listing in original.listings]
    for interval in ("3m", "30m", "4h", "1d"):
        ours = market.candles(0, interval, None, None, 5)
        theirs = original.candles(symbols.index("BTCUSDT"), interval, None, None, 5)
        for column in ("open_time", "open", "high", "low", "close", "trades"):
            assert np.array_equal(getattr(ours, column), getattr(theirs, column)), (interval, column)


def test_rules_and_funding_are_those_recorded(folder):
    market, original = served(folder), source()
    rules = {listing.instrument.symbol: listing.instrument for listing in original.listings}
    for listing in market.listings:
        rule = rules[listing.instrument.symbol]
        for name in ("tick", "lot", "market_lot", "min_notional", "max_price", "price_precision", "onboard_ms"):
            assert getattr(listing.instrument, name) == getattr(rule, name)
        assert {"leverageBracket", "depth"} <= set(listing.estimated)
    assert market.notes[0].startswith("estimated")


def test_splitting_an_advance_changes_nothing(folder):
    whole, split = served(folder), served(folder)
    end = whole.now_ms + 90_000
    whole.advance(end)
    while split.now_ms < end:
        split.advance(split.now_ms + 250)
    assert np.array_equal(whole.columns.last, split.columns.last)
    assert np.array_equal(whole.columns.bid, split.columns.bid)
    assert np.array_equal(whole.columns.mark, split.columns.mark)
    for interval in INTERVALS:
        ours, theirs = (market.candles(1, interval, None, None, 50) for market in (whole, split))
        assert np.array_equal(ours.close, theirs.close)
        assert np.array_equal(ours.volume, theirs.volume)
    assert np.array_equal(whole.recent_trades(0, None, None, 100), split.recent_trades(0, None, None, 100))


def test_two_exchanges_on_one_session_send_equal_bytes(folder):
    def run():
        exchange = Exchange(served(folder))
        session = exchange.open("/stream?streams=" + "/".join(PLAN.streams()), exchange.now_ms)
        exchange.advance(exchange.now_ms + 60_000)
        return b"\n".join(session.outbox)

    assert run() == run() != b""


def test_the_market_stands_still_at_the_end_of_its_session(folder):
    exchange = Exchange(served(folder))
    market = exchange.market
    exchange.advance(market.now_ms + 3_600_000)
    assert market.exhausted
    stood = market.now_ms
    exchange.advance(stood + 7_200_000)
    assert market.now_ms == stood


def test_events_that_arrive_in_another_order_than_they_happened_are_put_in_order(tmp_path, session, folder):
    shuffled = list(session)
    for at in range(0, len(shuffled) - 1, 2):
        one, two = shuffled[at : at + 2]
        if isinstance(one, Frame) and isinstance(two, Frame):
            stream = [json.loads(record.data).get("stream") for record in (one, two)]
            if stream[0] != stream[1]:
                shuffled[at : at + 2] = [two, one]
    plain, mixed = served(folder), served(store(tmp_path / "mixed", PLAN, shuffled))
    for market in (plain, mixed):
        market.advance(market.now_ms + 60_000)
    assert np.array_equal(plain.columns.bid, mixed.columns.bid)
    assert np.array_equal(plain.recent_trades(2, None, None, 500), mixed.recent_trades(2, None, None, 500))


def test_a_gap_in_the_streams_is_noted_and_its_candles_are_read_again(tmp_path):
    records = recorded(source(), PLAN, 330, gap=(30, 130))
    assert {SOCKET_LOST, STREAMS_BACK} <= {one.what for one in records if isinstance(one, Note)}
    market, original = served(store(tmp_path / "gap", PLAN, records)), source()
    begin = market.now_ms
    # The recorder's back-off may have grown to 20 s when the way is free again.
    market.advance(begin + 250_000)
    original.advance(market.now_ms)
    symbols = [listing.instrument.symbol for listing in original.listings]
    for number, symbol in enumerate(SYMBOLS):
        ours = market.candles(number, "1m", begin // 60_000 * 60_000, None, 10)
        theirs = original.candles(symbols.index(symbol), "1m", begin // 60_000 * 60_000, None, 10)
        for column in ("open_time", "open", "high", "low", "close", "trades"):
            assert np.array_equal(getattr(ours, column), getattr(theirs, column)), (symbol, column)


def test_damaged_frames_are_left_out_and_counted(tmp_path, session):
    ready = next(at for at, one in enumerate(session) if isinstance(one, Note) and one.what == READY)
    bad = [
        b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","E":1,"s":"BTCUSDT","b":"NaN","B":"1","a":"2","A":"1"}}',
        b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTick',
        b'{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":99999999999999999,"s":"BTCUSDT"}}',
    ]
    records = [*session[: ready + 1], *(Frame(1, 1, data) for data in bad), *session[ready + 1 :]]
    market = served(store(tmp_path / "bad", PLAN, records))
    market.advance(market.now_ms + 30_000)
    assert market.left_out == len(bad)
    assert (market.columns.bid > 0).all()


@pytest.mark.parametrize(
    ("path", "told"),
    [("/fapi/v1/exchangeInfo", "GET /fapi/v1/exchangeInfo"), ("/fapi/v1/ticker/24hr", "GET /fapi/v1/ticker/24hr")],
)
def test_a_session_without_what_a_market_needs_is_refused_by_name(tmp_path, session, path, told):
    records = [one for one in session if not (isinstance(one, Answer) and one.path == path)]
    with pytest.raises(MarketError, match=told):
        served(store(tmp_path / "lacking", PLAN, records))


def test_a_session_that_ended_too_early_says_so(tmp_path, session):
    records = [one for one in session if not isinstance(one, Note)]
    with pytest.raises(MarketError, match="ended before its history was complete"):
        served(store(tmp_path / "early", PLAN, records))


def test_a_session_without_its_books_and_marks_still_is_a_market_and_says_what_is_estimated(tmp_path, session):
    plan = Plan(SYMBOLS, channels=("kline_5m",), intervals=("5m",))
    kept = [one for one in session if not isinstance(one, Frame) or b"@kline_5m" in one.data[:60]]
    market = served(store(tmp_path / "thin", plan, kept))
    assert {"bookTicker", "markPrice", "aggTrade"} <= set(market.listings[0].estimated)
    exchange = Exchange(market)
    frames = frames_of(
        exchange, ["btcusdt@bookTicker", "btcusdt@kline_1m", "btcusdt@kline_15m"], market.now_ms + 90_000
    )
    assert len(frames["btcusdt@bookTicker"]) > 10
    assert any(frame["k"]["x"] for frame in frames["btcusdt@kline_1m"])
    assert frames["btcusdt@kline_15m"]


def test_a_folder_that_is_no_session_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(MarketError, match="perpdesk record"):
        make_market(f"session:{tmp_path}", symbols=3, seed=1, start_ms=0, step_ms=250)


def test_a_start_inside_the_session_is_where_the_market_stands(tmp_path, session, folder):
    plain = served(folder)
    wanted = plain.now_ms + 61_000
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(
        text.replace('"ended_us": 0', f'"ended_us": {(plain.now_ms + 140_000) * 1000}')
    )
    market = served(folder, start_ms=wanted)
    plain.advance(wanted)
    assert market.now_ms == plain.now_ms == wanted
    assert np.array_equal(market.columns.bid, plain.columns.bid)
    assert not len(market.trades())
    assert not market.columns.changed.any()
    assert served(folder, start_ms=wanted + 10**9).now_ms == wanted - 61_000


def test_only_the_first_symbols_are_shown_when_asked(folder):
    market = served(folder, symbols=2)
    assert [listing.instrument.symbol for listing in market.listings] == list(SYMBOLS[:2])
    market.advance(market.now_ms + 10_000)


def test_orders_are_filled_against_the_recorded_market(folder):
    market = served(folder)
    front_clock = VirtualClock(market.now_ms)

    async def trade():
        front = MemoryFront(Exchange(market), front_clock)
        serving = asyncio.create_task(front.run())
        keys = Credentials(DEMO_KEY, DEMO_SECRET)
        calls = (("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01"))
        query = signed_query((*calls, ("newOrderRespType", "RESULT")), keys, front_clock.now_ms(), 5000)
        headers = {"X-MBX-APIKEY": DEMO_KEY}
        answer = await front.rest.send("POST", "/fapi/v1/order", query, headers, 5.0)
        serving.cancel()
        return json.loads(answer.body)

    order = run_virtual(trade())
    assert order["status"] == "FILLED", order
    assert order["executedQty"] == "0.010"
