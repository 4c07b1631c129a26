import json

import pytest

from exchange.binance.streams_wire import ControlReply, FrameDecoder
from exchange.errors import DecodeError
from exchange.market_data import AggTrade, BookTop, ContractStatus, KlineUpdate, MarkPrice, Ticker

BOOK = {
    "e": "bookTicker", "u": 400900217, "E": 20, "T": 19, "s": "BTCUSDT", "ps": "BTCUSDT",
    "b": "25.35", "B": "31.21", "a": "25.36", "A": "40.66", "st": 1,
}  # fmt: skip
KLINE = {
    "e": "kline", "E": 30, "s": "BTCUSDT",
    "k": {
        "t": 60000, "T": 119999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2, "o": "83896.40", "c": "83860.20",
        "h": "83920.00", "l": "83860.10", "v": "114.602", "n": 2239, "x": False, "q": "9615538.6", "V": "48.488",
        "Q": "4068722.1", "B": "0",
    },
}  # fmt: skip
TRADE = {
    "e": "aggTrade",
    "E": 40,
    "s": "BTCUSDT",
    "a": 5,
    "p": "1.5",
    "q": "2",
    "nq": "2",
    "f": 1,
    "l": 1,
    "T": 39,
    "m": True,
}
MARK = {
    "e": "markPriceUpdate",
    "E": 50,
    "s": "BTCUSDT",
    "p": "11.5",
    "ap": "11.4",
    "i": "11.3",
    "P": "11.2",
    "r": "0.0003",
    "T": 60,
    "st": 1,
}
TICKER = {
    "e": "24hrTicker", "E": 70, "s": "BTCUSDT", "p": "1", "P": "-0.786", "w": "1", "c": "16584.60", "Q": "1", "o": "1",
    "h": "1", "l": "1", "v": "1", "q": "2036.5", "O": 1, "C": 2, "F": 3, "L": 4, "n": 5,
}  # fmt: skip
CONTRACT = {
    "e": "contractInfo", "E": 80, "s": "IOTAUSDT", "ps": "IOTAUSDT", "ct": "PERPETUAL", "dt": 4133404800000,
    "ot": 1569398400000, "cs": "SETTLING",
    "bks": [{"bs": 1, "bnf": 0, "bnc": 5000, "mmr": 0.01, "cf": 0, "mi": 21, "ma": 50},
            {"bs": 2, "bnf": 5000, "bnc": 25000, "mmr": 0.025, "cf": 75, "mi": 11, "ma": 20}],
}  # fmt: skip

EXPECTED = [
    ("btcusdt@bookTicker", BOOK, BookTop("BTCUSDT", 25.35, 31.21, 25.36, 40.66, 20)),
    ("btcusdt@kline_1m", KLINE, KlineUpdate(
        "BTCUSDT", "1m", 60000, 119999, 83896.4, 83920.0, 83860.1, 83860.2, 114.602, 9615538.6, 2239, 48.488, 4068722.1,
        False, 30,
    )),
    ("btcusdt@aggTrade", TRADE, AggTrade("BTCUSDT", 5, 1.5, 2.0, True, 39, 40)),
    ("btcusdt@markPrice@1s", MARK, MarkPrice("BTCUSDT", 11.5, 11.3, 0.0003, 60, 50)),
    ("btcusdt@ticker", TICKER, Ticker("BTCUSDT", 16584.6, -0.786, 2036.5, 70)),
    ("!contractInfo", CONTRACT, ContractStatus("IOTAUSDT", "SETTLING", 80)),
]  # fmt: skip


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def combined(stream, data):
    return compact({"stream": stream, "data": data})


@pytest.mark.parametrize(("stream", "data", "message"), EXPECTED, ids=[row[0] for row in EXPECTED])
def test_combined_raw_and_oddly_spelled_frames_give_the_same_message(stream, data, message):
    decoder = FrameDecoder()
    frames = [
        combined(stream, data),
        compact(data),
        json.dumps({"stream": stream, "data": data}).encode(),
        compact({"data": data, "stream": stream}),
        json.dumps({"e": data["e"], "stream_time": 1, **data}, indent=1).encode(),
    ]
    for frame in frames:
        assert decoder.decode(frame) == message
        assert decoder.decode(frame) == message, "a stream seen before is decoded like a new one"
    assert decoder.refused_rows == decoder.ignored == 0


@pytest.mark.parametrize(("stream", "data", "message"), EXPECTED, ids=[row[0] for row in EXPECTED])
def test_undocumented_fields_are_accepted_wherever_they_stand(stream, data, message):
    decoder = FrameDecoder()
    for extra in ({"zz": "a:b"}, {"zz": 1, "yy": {"k": [1, {"q": ":"}]}}, {"novel": None}):
        frame = combined(stream, {**data, **extra})
        for _ in range(3):
            assert decoder.decode(frame) == message
    assert decoder.decode(combined(stream, data)) == message


@pytest.mark.parametrize(("stream", "data", "_message"), EXPECTED, ids=[row[0] for row in EXPECTED])
def test_a_repeated_key_is_refused_also_after_sound_frames_of_many_shapes(stream, data, _message):
    decoder = FrameDecoder()
    decoder.decode(combined(stream, data))
    decoder.decode(combined(stream, {**data, "zz": 1}))
    decoder.decode(combined(stream, {**data, "zz": 1, "yy": 2}))
    sound = combined(stream, data)
    for key in data:
        value = compact(data[key])
        repeated = sound[:-2] + b',"' + key.encode() + b'":' + value + b"}}"
        with pytest.raises(DecodeError, match="twice"):
            decoder.decode(repeated)
    swapped = compact({"stream": stream, "data": {**data, "zz": 1}}).replace(b'"zz":1', b'"s":"ETHUSDT"')
    with pytest.raises(DecodeError, match="twice"):
        decoder.decode(swapped)
    escaped = sound[:-2] + b',"\\u0073":"ETHUSDT"}}'
    with pytest.raises(DecodeError, match="twice"):
        decoder.decode(escaped)
    enveloped = sound[:-1] + b',"stream":"ethusdt@bookTicker"}'
    with pytest.raises(DecodeError, match="twice"):
        decoder.decode(enveloped)


def test_array_frames_give_their_sound_rows_and_count_the_others():
    decoder = FrameDecoder()
    rows = [
        MARK,
        {**MARK, "s": "BADUSDT", "p": "NaN"},
        {**MARK, "s": "BTCUSD_PERP", "st": 2},
        {**MARK, "s": "BTCUSDT_270326", "r": "", "T": 0},
        {**MARK, "s": "ETHUSDT"},
        {"e": "markPriceUpdate"},
    ]
    messages = decoder.decode(combined("!markPrice@arr@1s", rows))
    assert [message.symbol for message in messages] == ["BTCUSDT", "ETHUSDT"]
    assert decoder.refused_rows == 2
    assert "required field" in str(decoder.last_refused_row)
    assert [message.symbol for message in decoder.decode(compact(rows))] == ["BTCUSDT", "ETHUSDT"]
    assert decoder.decode(combined("!ticker@arr", [TICKER])) == (EXPECTED[4][2],)
    assert decoder.decode(combined("!ticker@arr", [])) == ()


def test_an_array_frame_that_repeats_a_key_of_its_envelope_is_refused():
    sound = combined("!markPrice@arr@1s", [MARK, MARK])
    for repeated in (sound[:-1] + b',"data":[]}', sound[:-1] + b',"stream":"x@ticker"}', sound[:-1] + b' ,"data" :[]}'):
        with pytest.raises(DecodeError, match="twice"):
            FrameDecoder().decode(repeated)
    assert len(FrameDecoder().decode(json.dumps({"stream": "!markPrice@arr", "data": [MARK, MARK]}).encode())) == 2
    assert len(FrameDecoder().decode(sound[:-1] + b',"novel":1}')) == 2


def test_coin_margined_and_unread_frames_are_dropped_without_an_error():
    decoder = FrameDecoder()
    assert decoder.decode(combined("btcusd_perp@bookTicker", {**BOOK, "st": 2})) is None
    assert decoder.decode(combined("btcusdt@rpiDepth@500ms", {"e": "depthUpdate", "b": []})) is None
    assert decoder.decode(combined("!forceOrder@arr", [{"e": "forceOrder"}])) is None
    assert decoder.decode(compact({"e": "listenKeyExpired"})) is None
    assert decoder.ignored == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"b": "NaN"}, "b"),
        ({"b": "Infinity"}, "b"),
        ({"a": "-1"}, "a"),
        ({"b": "0"}, "b"),
        ({"B": "-1"}, "B"),
        ({"A": "inf"}, "A"),
        ({"b": "25.36"}, "b"),
        ({"b": "30"}, "b"),
        ({"b": None}, "data.b"),
        ({"b": True}, "data.b"),
        ({"b": "1_0"}, "data.b"),
        ({"b": ""}, "data.b"),
        ({"s": 5}, "data.s"),
        ({"E": "x"}, "data.E"),
    ],
)
def test_a_book_that_cannot_be_believed_is_refused_and_names_the_field(change, field):
    with pytest.raises(DecodeError) as caught:
        FrameDecoder().decode(combined("btcusdt@bookTicker", {**BOOK, **change}))
    assert caught.value.field == field
    assert caught.value.where == "btcusdt@bookTicker"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"o": "0"}, "k.o"),
        ({"h": "NaN"}, "k.h"),
        ({"l": "-5"}, "k.l"),
        ({"c": "Infinity"}, "k.c"),
        ({"h": "83870"}, "k.h"),
        ({"l": "83890"}, "k.h"),
        ({"v": "-1"}, "k.v"),
        ({"Q": "NaN"}, "k.Q"),
        ({"n": -1}, "k.n"),
        ({"T": 59999}, "k.T"),
        ({"x": None}, "data.k.x"),
    ],
)
def test_a_bar_that_cannot_be_believed_is_refused_and_names_the_field(change, field):
    with pytest.raises(DecodeError) as caught:
        FrameDecoder().decode(combined("btcusdt@kline_1m", {**KLINE, "k": {**KLINE["k"], **change}}))
    assert caught.value.field == field


@pytest.mark.parametrize("frame", [combined("btcusdt@bookTicker", BOOK), combined("btcusdt@kline_1m", KLINE)])
def test_a_frame_cut_anywhere_is_refused(frame):
    decoder = FrameDecoder()
    for end in range(len(frame)):
        with pytest.raises(DecodeError):
            decoder.decode(frame[:end])


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"<html>", b"null", b"5", b'"x"', b"{}", b"[5]", b"[null]", b"\xff\xfe\x00", b'{"stream":"a@bookTicker"}',
        b'{"stream":"a@bookTicker","data":5}', b'{"stream":"a@bookTicker","data":null}',
        b'{"stream":"\xff@kline_1m","data":{}}',
        b'{"stream":5,"data":{}}', b'{"stream":"a@kline_1m","data":{"k":5}}', b"[" * 5000, b'{"a":' * 5000,
        b'{"stream":"a\\"b@bookTicker","data":{}}', b'{"id":1}', b'{"result":{"a":1},"id":1}',
    ],
)  # fmt: skip
def test_frames_that_are_nothing_known_are_refused(frame):
    with pytest.raises(DecodeError):
        FrameDecoder().decode(frame)


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        ({"result": None, "id": 1}, ControlReply(1, None, None, "")),
        ({"id": "3f-uuid", "result": None}, ControlReply("3f-uuid", None, None, "")),
        ({"result": ["a@kline_5m", "b@depth"], "id": 3}, ControlReply(3, ("a@kline_5m", "b@depth"), None, "")),
        ({"result": [], "id": 3}, ControlReply(3, (), None, "")),
        ({"code": 2, "msg": "Invalid request"}, ControlReply(None, None, 2, "Invalid request")),
        ({"error": {"code": 3, "msg": "Invalid JSON"}, "id": 9}, ControlReply(9, None, 3, "Invalid JSON")),
    ],
)
def test_both_shapes_of_control_replies_are_read(frame, reply):
    assert FrameDecoder().decode(compact(frame)) == reply
