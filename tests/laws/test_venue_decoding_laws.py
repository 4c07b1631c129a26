"""What must hold for any bytes a venue may send."""

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.binance import account_wire, candles_wire, rules_wire, wire
from exchange.binance.outcomes import Outcome, classify
from exchange.binance.signing import Credentials, encode, signed_query
from exchange.binance.streams_wire import ControlReply, FrameDecoder
from exchange.errors import DecodeError
from exchange.market_data import BookTop, KlineUpdate

WEIRD = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.floats(min_value=1e-8, max_value=1e9).map(lambda value: f"{value:.8f}"),
    st.sampled_from(["", "0", "-0", "NaN", "nan", "Infinity", "-inf", "1e308", "1e400", "1_0", " 1", "0x10", "\uff11"]),
    st.none(), st.booleans(), st.integers(), st.lists(st.integers(), max_size=2), st.text(max_size=5),
)  # fmt: skip
KEYS = ["e", "E", "s", "b", "B", "a", "A", "u", "T", "ps", "st", "zz"]


def believable(*prices):
    return all(math.isfinite(price) and price > 0 for price in prices)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), WEIRD))
def test_a_book_frame_is_refused_or_believable(changes):
    data = {
        "e": "bookTicker", "u": 1, "E": 2, "T": 3, "s": "BTCUSDT", "b": "10", "B": "1", "a": "11", "A": "1",
    } | changes  # fmt: skip
    frame = json.dumps({"stream": "btcusdt@bookTicker", "data": data}, separators=(",", ":")).encode()
    try:
        message = FrameDecoder().decode(frame)
    except DecodeError:
        return
    assert message is None or isinstance(message, BookTop)
    if message is not None:
        assert believable(message.bid, message.ask)
        assert message.bid < message.ask
        assert 0 <= message.bid_quantity < math.inf


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(list("tTiochlvnxqVQfLB")), WEIRD))
def test_a_kline_frame_is_refused_or_consistent(changes):
    bar = {
        "t": 0, "T": 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2, "o": "10", "c": "11", "h": "12", "l": "9",
        "v": "1", "n": 1, "x": False, "q": "1", "V": "1", "Q": "1", "B": "0",
    } | changes  # fmt: skip
    frame = {"stream": "btcusdt@kline_1m", "data": {"e": "kline", "E": 1, "s": "BTCUSDT", "k": bar}}
    try:
        message = FrameDecoder().decode(json.dumps(frame, separators=(",", ":")).encode())
    except DecodeError:
        return
    assert isinstance(message, KlineUpdate)
    assert believable(message.low, message.high)
    assert message.low <= min(message.open, message.close)
    assert message.high >= max(message.open, message.close)
    assert message.volume >= 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(['"1"', '"2"', "1", "2", '"a:b"', "[1]"])), max_size=14)
)
def test_no_frame_with_a_repeated_key_is_ever_accepted(pairs):
    decoder = FrameDecoder()
    decoder.decode(b'{"stream":"x@bookTicker","data":{"e":"b","E":1,"s":"X","b":"1","B":"1","a":"2","A":"1","zz":1}}')
    inner = ",".join(f'"{key}":{value}' for key, value in pairs)
    frame = f'{{"stream":"x@bookTicker","data":{{{inner}}}}}'.encode()
    try:
        decoder.decode(frame)
    except DecodeError:
        return
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_noise_is_refused_by_every_decoder_and_raises_nothing_else(noise):
    for decode in (
        lambda: FrameDecoder().decode(noise),
        lambda: FrameDecoder().decode(b'{"stream":"a@kline_1m","data":' + noise),
        lambda: candles_wire.candles(noise, "x"),
        lambda: wire.tickers(noise, "x", lambda _: None),
        lambda: rules_wire.instruments(noise, "x", lambda _: None),
        lambda: wire.depth(noise, "X", "x"),
        lambda: account_wire.positions(noise, "x"),
        lambda: account_wire.account(noise, "x"),
    ):
        try:
            result = decode()
        except DecodeError:
            continue
        assert result is None or isinstance(result, ControlReply) or len(result) == 0


NUMBERS = st.floats(min_value=1e-6, max_value=1e7).map(lambda value: f"{value:.8f}")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.one_of(NUMBERS, WEIRD), min_size=8, max_size=8), max_size=5))
def test_klines_are_refused_or_consistent(rows):
    body = [
        [number * 60_000, *row[:4], row[4], number * 60_000 + 59_999, row[5], 3, row[6], row[7], "0"]
        for number, row in enumerate(rows)
    ]
    try:
        bars = candles_wire.candles(json.dumps(body).encode(), "x")
    except DecodeError:
        return
    assert len(bars) == len(rows)
    for index in range(len(bars)):
        assert believable(bars.low[index], bars.high[index])
        assert bars.low[index] <= min(bars.open[index], bars.close[index])
        assert bars.high[index] >= max(bars.open[index], bars.close[index])


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=700), st.binary(max_size=60))
def test_classification_is_total_and_never_calls_a_failure_a_success(status, body):
    verdict = classify(status, body)
    assert (verdict.outcome is Outcome.OK) <= (200 <= status < 300)
    if status >= 500:
        assert verdict.outcome in (Outcome.UNKNOWN, Outcome.REFUSED)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.from_regex(r"\A[a-zA-Z]{1,10}\Z"), st.text(max_size=20)), max_size=5))
def test_encoding_is_ascii_reversible_and_signed_as_sent(params):
    from urllib.parse import parse_qsl

    assert parse_qsl(encode(params).decode("ascii"), keep_blank_values=True) == params
    credentials = Credentials("k", "s")
    query = signed_query(params, credentials, 1, 5000)
    payload, _, signature = query.rpartition(b"&signature=")
    assert credentials.sign(payload).encode() == signature
