import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_market import START, STEP, SYMBOLS, SmallMarket

from exchange.simulator.auth import DEMO_KEY
from exchange.simulator.connection import LIFE_MS
from exchange.simulator.core import Exchange
from exchange.simulator.frames import stray
from exchange.simulator.stream_names import Kind, Route, Topic, is_served, parse_target, parse_topic
from exchange.simulator.venue import ExchangeOptions

LOWER = {symbol.lower(): i for i, symbol in enumerate(SYMBOLS)}


def open_venue(**options):
    return Exchange(SmallMarket(), options=ExchangeOptions(**options))


def drain(session):
    frames = [json.loads(frame) for frame in session.outbox]
    session.outbox.clear()
    return frames


def listen(path, span_ms, **options):
    exchange = open_venue(**options)
    session = exchange.open(path, START)
    exchange.advance(START + span_ms)
    return drain(session)


@pytest.mark.parametrize(
    ("path", "route", "combined", "names"),
    [
        ("/ws/btcusdt@aggTrade", Route.UNROUTED, False, ("btcusdt@aggTrade",)),
        ("/market/ws/a@kline_1m/b@kline_1m", Route.MARKET, False, ("a@kline_1m", "b@kline_1m")),
        ("/public/stream?streams=a@bookTicker/!bookTicker", Route.PUBLIC, True, ("a@bookTicker", "!bookTicker")),
        ("/private/ws/KEY", Route.PRIVATE, False, ("KEY",)),
        ("/private/ws?listenKey=KEY&events=ORDER_TRADE_UPDATE", Route.PRIVATE, False, ("KEY",)),
        ("/private/stream?listenKey=A&events=X&listenKey=B", Route.PRIVATE, True, ("A", "B")),
        ("/market/ws/7", Route.MARKET, False, ()),
        ("/stream", Route.UNROUTED, True, ()),
        ("/ws/%E5%B8%81usdt@markPrice/%21ticker%40arr", Route.UNROUTED, False, ("币usdt@markPrice", "!ticker@arr")),
    ],
)
def test_a_path_says_route_shape_and_streams(path, route, combined, names):
    target = parse_target(path)
    assert (target.route, target.combined, target.names) == (route, combined, names)


@pytest.mark.parametrize("path", ["/", "", "/wss", "/market", "/other/ws", "/fapi/v1/time"])
def test_other_paths_have_no_websocket(path):
    assert open_venue().open(path, START) is None


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("btcusdt@kline_5m", Topic(Kind.KLINE, "5m", 0)),
        ("ethusdt@markPrice@1s", Topic(Kind.MARK_FAST, "", 1)),
        ("币安人生usdt@bookTicker", Topic(Kind.BOOK, "", 2)),
        ("!markPrice@arr@1s", Topic(Kind.EVERY_MARK_FAST, "", -1)),
        ("BTCUSDT@kline_5m", None),
        ("btcusdt@kline_7m", None),
        ("btcusdt@aggtrade", None),
        ("nosuch@aggTrade", None),
        ("!bookTicker@arr", None),
    ],
)
def test_stream_names_are_lower_case_symbols_and_exact_channels(name, topic):
    assert parse_topic(name, LOWER) == topic


@pytest.mark.parametrize(
    ("kind", "silent"),
    [
        (Kind.BOOK, {Route.MARKET, Route.PRIVATE}),
        (Kind.EVERY_BOOK, {Route.MARKET, Route.PRIVATE}),
        (Kind.KLINE, {Route.PUBLIC, Route.PRIVATE, Route.UNROUTED}),
        (Kind.EVERY_MARK_FAST, {Route.PUBLIC, Route.PRIVATE, Route.UNROUTED}),
    ],
)
def test_only_the_strict_venue_is_silent_on_a_wrong_route(kind, silent):
    assert {route for route in Route if not is_served(kind, route, strict=True)} == silent
    assert all(is_served(kind, route, strict=False) for route in Route)


def test_a_wrong_route_is_accepted_and_silent_when_strict():
    assert listen("/ws/btcusdt@aggTrade/btcusdt@bookTicker", 250, strict=True)[0]["e"] == "bookTicker"
    assert [f["e"] for f in listen("/ws/btcusdt@aggTrade/btcusdt@bookTicker", 250)] == ["aggTrade", "bookTicker"]


KEYS = {
    "btcusdt@aggTrade": "e E s a p q nq f l T m st",
    "btcusdt@bookTicker": "e u E T s ps b B a A st",
    "btcusdt@markPrice@1s": "e E s p ap i P r T st",
    "btcusdt@miniTicker": "e E s c o h l v q ps st",
    "btcusdt@ticker": "e E s c o h l v q ps st p P w Q O C F L n",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_payload_has_the_venues_fields_and_one_that_no_document_names(name):
    frame = listen(f"/ws/{name}", 2_000)[-1]
    assert frame.keys() == {*KEYS[name].split(), stray("BTCUSDT")[0]}
    assert (frame["s"], frame["st"]) == ("BTCUSDT", 1)


def test_prices_are_text_by_precision():
    frame = listen("/ws/btcusdt@bookTicker", 250)[0]
    assert (frame["b"], frame["B"], frame["a"], frame["A"]) == ("80000.00", "1.000", "80000.20", "2.000")
    mark = listen("/ws/币安人生usdt@markPrice@1s", 1_000)[0]
    assert (mark["p"], mark["ap"], mark["i"], mark["r"]) == ("0.30000000", "0.30000000", "0.25000000", "0.00010000")


def test_a_kline_frame_has_the_venues_fields_and_trade_ids():
    frame = listen("/ws/btcusdt@kline_1m", 250)[0]
    assert (frame["e"], frame["E"], frame["s"]) == ("kline", START + 250, "BTCUSDT")
    assert frame["k"] == {
        "t": START,
        "T": START + 59_999,
        "s": "BTCUSDT",
        "i": "1m",
        "f": 1,
        "L": 1,
        "o": "80000.10",
        "c": "80000.10",
        "h": "80000.10",
        "l": "80000.10",
        "v": "0.500",
        "n": 1,
        "x": False,
        "q": "40000.05000",
        "V": "0.250",
        "Q": "20000.02500",
        "B": "0",
    }


def test_each_bar_of_each_symbol_closes_exactly_once_also_where_nobody_traded():
    names = "/".join(f"{symbol.lower()}@kline_{interval}" for symbol in SYMBOLS for interval in ("1m", "3m"))
    exchange = Exchange(SmallMarket(step_ms=2_500))
    session = exchange.open(f"/market/ws/{names}", START)
    exchange.advance(START + 9 * 60_000)
    frames = [f["k"] for f in drain(session)]
    closed = Counter((k["s"], k["i"], k["t"]) for k in frames if k["x"])
    minutes = {START + n * 60_000 for n in range(9)}
    threes = {at // 180_000 * 180_000 for at in minutes if (at // 180_000 + 1) * 180_000 <= START + 9 * 60_000}
    expected = {(s, "1m", at) for s in SYMBOLS for at in minutes} | {(s, "3m", at) for s in SYMBOLS for at in threes}
    assert closed == dict.fromkeys(expected, 1)
    quiet = [k for k in frames if k["s"] == SYMBOLS[2] and k["x"]]
    assert {(k["n"], k["f"], k["L"], k["v"]) for k in quiet} == {(0, -1, -1, "0.000")}


def test_a_closing_frame_equals_the_candle_that_rest_answers():
    exchange = open_venue()
    session = exchange.open("/ws/btcusdt@kline_1m", START)
    exchange.advance(START + 120_000)
    closed = [f["k"] for f in drain(session) if f["k"]["x"]]
    query = f"symbol=BTCUSDT&interval=1m&startTime={START}&limit=2".encode()
    rows = json.loads(exchange.request("GET", "/fapi/v1/klines", query, b"", {}, exchange.now_ms).body)
    assert [[k[c] for c in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")] for k in closed] == rows


def test_bars_change_at_most_every_quarter_second_and_only_when_they_changed():
    exchange = Exchange(SmallMarket(step_ms=50))
    session = exchange.open("/ws/btcusdt@kline_1m/ethusdt@kline_1m", START)
    exchange.advance(START + 10_000)
    frames = Counter((f["s"], f["E"]) for f in drain(session))
    assert set(frames.values()) == {1}
    assert Counter(symbol for symbol, _ in frames)["BTCUSDT"] == 40
    # A trade per second, and the first frame that shows the bar as it is.
    assert Counter(symbol for symbol, _ in frames)["ETHUSDT"] == 11


@pytest.mark.parametrize(
    ("name", "span", "count"),
    [
        ("btcusdt@markPrice", 12_000, 4),
        ("btcusdt@markPrice@1s", 12_000, 12),
        ("btcusdt@ticker", 12_000, 6),
        ("!miniTicker@arr", 12_000, 12),
        ("!bookTicker", 20_000, 4 * (len(SYMBOLS) + len(("BTCUSD_PERP", "ETHUSD_PERP")))),
    ],
)
def test_each_stream_keeps_its_cadence_in_simulated_time(name, span, count):
    assert len(listen(f"/ws/{name}", span)) == count


def test_arrays_carry_coin_margined_rows_and_tradfi_marks_in_a_message_of_their_own():
    crypto, tradfi = listen("/ws/!markPrice@arr@1s", 1_000)
    assert [(row["s"], row["st"]) for row in crypto] == [
        *((symbol, 1) for symbol in SYMBOLS[:3]),
        ("BTCUSD_PERP", 2),
        ("ETHUSD_PERP", 2),
    ]
    assert [row["s"] for row in tradfi] == ["TSLAUSDT"]


def test_ticker_arrays_show_only_symbols_that_moved():
    rows = listen("/ws/!ticker@arr", 1_000)[0]
    assert [row["s"] for row in rows] == ["BTCUSDT", "ETHUSDT", "TSLAUSDT", "BTCUSD_PERP", "ETHUSD_PERP"]


def test_combined_sockets_wrap_what_raw_sockets_get():
    raw = listen("/ws/btcusdt@aggTrade/!ticker@arr", 2_000)
    wrapped = listen("/stream?streams=btcusdt@aggTrade/!ticker@arr", 2_000)
    assert [frame["data"] for frame in wrapped] == raw
    assert {frame["stream"] for frame in wrapped} == {"btcusdt@aggTrade", "!ticker@arr"}


def say(session, message, now_ms=START):
    raw = message if isinstance(message, bytes) else json.dumps(message).encode()
    session.text(raw, now_ms)
    return drain(session)[-1]


@pytest.mark.parametrize("request_id", [1, "f7a0-uuid", None])
def test_control_messages_echo_their_id(request_id):
    exchange = open_venue()
    session = exchange.open("/ws", START)
    ask = {"params": ["btcusdt@aggTrade", "x"], "id": request_id}
    assert say(session, {"method": "SUBSCRIBE", **ask}) == {"result": None, "id": request_id}
    assert say(session, {"method": "LIST_SUBSCRIPTIONS", "id": 9}) == {"result": ["btcusdt@aggTrade", "x"], "id": 9}
    exchange.advance(START + STEP)
    assert [f["e"] for f in drain(session)] == ["aggTrade"]
    assert say(session, {"method": "UNSUBSCRIBE", **ask}) == {"result": None, "id": request_id}
    exchange.advance(START + 2 * STEP)
    assert not session.outbox


def test_the_combined_property_can_be_read_and_set():
    session = open_venue().open("/ws", START)
    assert say(session, {"method": "GET_PROPERTY", "params": ["combined"], "id": 1})["result"] is False
    assert say(session, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 2})["result"] is None
    assert say(session, {"method": "GET_PROPERTY", "params": ["combined"], "id": 3})["result"] is True


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{not json", 3),
        (b"[" * 100_000, 3),
        (b"\xff\xfe", 3),
        (b"[]", 2),
        ({"id": 1}, 2),
        ({"method": "DANCE", "id": 1}, 2),
        ({"method": ["SUBSCRIBE"], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": [1], "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": "btcusdt@aggTrade", "id": 1}, 2),
        ({"method": "SUBSCRIBE", "params": ["a"], "id": 1.5}, 2),
        ({"method": "SUBSCRIBE", "params": [f"s{i}" for i in range(1025)], "id": 1}, 2),
        ({"method": "SET_PROPERTY", "params": ["combined", 1], "id": 1}, 1),
        ({"method": "SET_PROPERTY", "params": ["speed", True], "id": 1}, 0),
        ({"method": "GET_PROPERTY", "params": [1], "id": 1}, 2),
    ],
)
def test_a_bad_control_message_is_answered_with_a_code_and_the_session_lives(message, code):
    session = open_venue().open("/ws", START)
    answer = say(session, message)
    assert answer.get("error", answer)["code"] == code
    assert session.names == []
    assert session.ending is None


def test_more_than_ten_messages_in_a_second_end_the_session():
    session = open_venue().open("/ws", START)
    for i in range(11):
        say(session, {"method": "LIST_SUBSCRIPTIONS", "id": i}, START + i * 100)
    assert session.ending is None
    for _ in range(10):
        session.heard(START + 1_100)
    assert (session.ending.code, session.ending.reason) == (1008, "Too many requests")


def test_a_path_with_too_many_streams_is_hung_up_on():
    session = open_venue().open("/stream?streams=" + "/".join(f"s{i}" for i in range(1025)), START)
    assert session.ending.code == 1008


def test_a_session_lives_for_a_day_of_simulated_time():
    exchange = Exchange(SmallMarket(step_ms=60_000))
    session = exchange.open("/ws/btcusdt@markPrice", START)
    exchange.advance(START + LIFE_MS - 1)
    assert session.ending is None
    exchange.advance(START + LIFE_MS)
    assert session.ending.code == 1001
    assert exchange.sessions == []


def test_a_client_that_does_not_read_is_cut_and_others_are_not():
    exchange = open_venue(outbox_limit=100)
    lazy = exchange.open("/ws/btcusdt@aggTrade", START)
    eager = exchange.open("/ws/btcusdt@aggTrade", START)
    received = 0
    for step in range(1, 200):
        exchange.advance(START + step * STEP)
        received += len(drain(eager))
    assert (lazy.ending.code, len(lazy.outbox)) == (1008, 0)
    assert eager.ending is None
    assert received == 199


def test_an_expired_listen_key_is_told_on_every_socket_that_carries_it():
    exchange = Exchange(SmallMarket(step_ms=60_000))
    answer = exchange.request("POST", "/fapi/v1/listenKey", b"", b"", {"x-mbx-apikey": DEMO_KEY}, START)
    key = json.loads(answer.body)["listenKey"]
    raw = exchange.open(f"/private/ws/{key}", START)
    late = exchange.open("/private/stream", START)
    say(late, {"method": "SUBSCRIBE", "params": [key], "id": "a"})
    exchange.advance(START + 3_600_000)
    event = {"e": "listenKeyExpired", "E": START + 3_600_000, "listenKey": key}
    assert drain(raw) == [event]
    assert drain(late) == [{"stream": key, "data": event}]
    assert raw.ending is None


def test_a_step_on_which_bars_could_close_unseen_is_refused():
    with pytest.raises(ValueError, match="divides 60000"):
        Exchange(SmallMarket(step_ms=7_000))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=12))
def test_how_time_is_cut_into_advances_does_not_change_a_frame(pieces):
    names = "btcusdt@kline_1m/ethusdt@ticker/!markPrice@arr@1s/btcusdt@bookTicker/ethusdt@aggTrade"
    whole, parts = open_venue(), open_venue()
    one, many = (exchange.open(f"/stream?streams={names}", START) for exchange in (whole, parts))
    now = START
    for piece in pieces:
        now += piece
        parts.advance(now)
    whole.advance(now)
    assert list(one.outbox) == list(many.outbox)
