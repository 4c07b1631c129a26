"""The short way of book tops believes nothing that the decoder refuses, and reads the same numbers."""

import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.market.book_lane import BookLane
from engine.market.quotes import Quotes
from exchange.binance.streams_wire import FrameDecoder
from exchange.errors import DecodeError
from exchange.market_data import BookTop

SYMBOLS = {"BTCUSDT": 0, "ETHUSDT": 1, "1000PEPEUSDT": 2, "币安人生USDT": 3}


def lane():
    quotes = Quotes(len(SYMBOLS))
    short = BookLane(quotes)
    short.know(SYMBOLS)
    return quotes, short


QUOTES, LANE = lane()
DECODER = FrameDecoder()


def spelled(symbol, fields, stream=None):
    body = ",".join(f'"{key}":{value}' for key, value in fields)
    return f'{{"stream":"{stream or symbol.lower()}@bookTicker","data":{{{body}}}}}'.encode()


def usual(symbol="BTCUSDT", bid="100.10", ask="100.20", time=1_767_600_000_000, **more):
    fields = {
        "e": '"bookTicker"', "u": "9007199254740993", "s": f'"{symbol}"', "ps": f'"{symbol}"', "b": f'"{bid}"',
        "B": '"1.500"', "a": f'"{ask}"', "A": '"0"', "T": "1767600000000", "E": str(time), "st": "1",
    } | more  # fmt: skip
    return list(fields.items())


def by_lane(raw):
    """Return whether the lane takes the frame, and the columns of every symbol afterwards."""
    for slot in SYMBOLS.values():
        QUOTES.clear(slot)
    rest = LANE.take([raw, b"", b"", b""])
    columns = {
        symbol: (QUOTES.bid[slot], QUOTES.ask[slot], QUOTES.book_time[slot])
        for symbol, slot in SYMBOLS.items()
        if QUOTES.book_time[slot] or not math.isnan(QUOTES.bid[slot])
    }
    return len(rest) == 3, columns


def check(raw):
    taken, columns = by_lane(raw)
    if not taken:
        assert columns == {}
        return
    message = DECODER.decode(raw)
    assert isinstance(message, BookTop)
    assert columns == {message.symbol: (message.bid, message.ask, message.event_time)}


@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000PEPEUSDT"])
def test_frames_as_the_venue_sends_them_go_the_short_way(symbol):
    raw = spelled(symbol, usual(symbol))
    assert by_lane(raw) == (True, {symbol: (100.10, 100.20, 1_767_600_000_000)})


def test_what_is_not_usual_is_left_to_the_decoder():
    unusual = {
        "a stranger": spelled("XRPUSDT", usual("XRPUSDT")),
        "a symbol that is not ASCII": spelled("币安人生USDT", usual("币安人生USDT")),
        "crossed": spelled("BTCUSDT", usual(bid="100.3")),
        "locked": spelled("BTCUSDT", usual(bid="100.20")),
        "no price": spelled("BTCUSDT", usual(bid="0.0")),
        "not a number": spelled("BTCUSDT", usual(bid="NaN")),
        "negative": spelled("BTCUSDT", usual(B='"-1"')),
        "an exponent": spelled("BTCUSDT", usual(ask="1e3")),
        "digits that no double holds": spelled("BTCUSDT", usual(ask="100.12345678901234567")),
        "COIN-M": spelled("BTCUSDT", usual(st="2")),
        "an undocumented key": spelled("BTCUSDT", usual(x="1")),
        "a repeated key": spelled("BTCUSDT", [*usual(), ("b", '"1"')]),
        "a missing key": spelled("BTCUSDT", [pair for pair in usual() if pair[0] != "A"]),
        "another pair": spelled("BTCUSDT", usual(ps='"ETHUSDT"')),
        "another event": spelled("BTCUSDT", usual(e='"kline"')),
        "a number instead of a string": spelled("BTCUSDT", usual(b="100.1")),
        "blanks": spelled("BTCUSDT", usual()).replace(b":", b": "),
        "an escape": spelled("BTCUSDT", usual(s='"BTC\\u0055SDT"')),
        "a control character": spelled("BTCUSDT", usual(), stream="btc\x01usdt"),
        "text behind": spelled("BTCUSDT", usual()) + b" ",
        "cut": spelled("BTCUSDT", usual())[:-1],
        "two frames in one": spelled("BTCUSDT", usual()) * 2,
    }
    assert [name for name, raw in unusual.items() if by_lane(raw)[0]] == []


def test_an_older_book_is_taken_and_changes_nothing():
    quotes, short = lane()
    frames = [spelled("BTCUSDT", usual(bid=bid, time=time)) for bid, time in (("1", 5), ("2", 7), ("3", 6), ("4", 7))]
    assert short.take(frames) == ()
    assert (quotes.bid[0], quotes.book_time[0]) == (4.0, 7)


def test_the_other_frames_keep_their_order_and_a_batch_of_few_is_left_alone():
    _, short = lane()
    book = spelled("BTCUSDT", usual())
    assert short.take([b"x", book, b"y", book, book, b"z"]) == [b"x", b"y", b"z"]
    assert short.take([book, book]) == [book, book]


def test_members_that_leave_are_strangers_and_their_slot_is_another_ones():
    quotes, short = lane()
    short.know({"SOLUSDT": 0})
    frames = [spelled(symbol, usual(symbol, bid="7")) for symbol in ("BTCUSDT", "SOLUSDT", "ETHUSDT", "BTCUSDT")]
    assert short.take(frames) == [frames[0], frames[2], frames[3]]
    assert quotes.bid[0] == 7.0


DIGITS = st.text("0123456789", min_size=1, max_size=14)
DECIMALS = st.one_of(
    st.builds(lambda whole, behind: f"{int(whole)}.{behind}", DIGITS, DIGITS),
    DIGITS,
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from(["", ".", "1.", ".5", "00.1", "-0", "+1", "0x1", "1_0", " 1", "inf", "9007199254740993"]),
)


@settings(max_examples=300)
@given(DECIMALS, DECIMALS, st.sampled_from(["b", "a", "B", "A"]))
@example("0.1", "0.2", "b")
def test_every_decimal_is_the_double_that_the_decoder_reads(one, other, key):
    fields = usual(bid="0.000001", ask=one) if key == "a" else usual(**{key: f'"{one}"'}, ask=other)
    check(spelled("BTCUSDT", fields))


@settings(max_examples=300)
@given(
    st.permutations(usual()),
    st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3), st.integers(0, 4)), max_size=3),
)
def test_what_the_lane_takes_the_decoder_reads_alike_whatever_bytes_are_changed(fields, edits):
    raw = spelled("BTCUSDT", fields)
    for at, put, cut in edits:
        raw = raw[:at] + put + raw[at + cut :]
    check(raw)


@settings(max_examples=150)
@given(st.lists(st.sampled_from([f"{json.dumps(k)}:{v}" for k, v in usual()] + ['"st":3', '"z":{}', '"s":"ETHUSDT"'])))
def test_any_collection_of_fields_is_taken_only_where_the_decoder_agrees(parts):
    check(b'{"stream":"btcusdt@bookTicker","data":{' + ",".join(parts).encode() + b"}}")


def test_frames_side_by_side_do_not_mix():
    quotes, short = lane()
    first = spelled("BTCUSDT", usual())
    pieces = [first[:50], first[50:], spelled("ETHUSDT", usual("ETHUSDT")), first[:-1], b"}"]
    assert short.take(pieces) == [pieces[0], pieces[1], pieces[3], pieces[4]]
    assert np.isnan(quotes.bid[0])
    with pytest.raises(DecodeError):
        DECODER.decode(pieces[0])
