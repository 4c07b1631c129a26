import json

import pytest

from exchange.binance.streams_wire import FrameDecoder
from exchange.errors import DecodeError
from exchange.market_data import DepthSnapshot, DepthUpdate

DATA = {
    "e": "depthUpdate", "E": 7, "T": 6, "s": "BTCUSDT", "ps": "BTCUSDT", "U": 157, "u": 160, "pu": 149,
    "b": [["100.0", "10"], ["99.0", "0"]], "a": [["101.0", "1.5"], ["102.0", "1"]], "st": 1,
}  # fmt: skip


def decode(stream="btcusdt@depth@100ms", **changes):
    frame = {"stream": stream, "data": {**DATA, **changes}}
    return FrameDecoder().decode(json.dumps(frame, separators=(",", ":")).encode())


def test_a_change_keeps_its_ids_and_levels():
    expected = DepthUpdate("BTCUSDT", 157, 160, 149, ((100.0, 10.0), (99.0, 0.0)), ((101.0, 1.5), (102.0, 1.0)), 7)
    assert decode() == expected
    raw = {key: value for key, value in DATA.items() if key not in ("st", "ps", "T")}
    assert FrameDecoder().decode(json.dumps(raw).encode()) == expected


def test_the_best_levels_are_a_snapshot():
    top = decode("btcusdt@depth5", b=[["100.0", "10"], ["99.0", "1"]])
    assert top == DepthSnapshot("BTCUSDT", 160, ((100.0, 10.0), (99.0, 1.0)), ((101.0, 1.5), (102.0, 1.0)), 7)
    assert decode("btcusdt@depth20@100ms") is not None
    with pytest.raises(DecodeError, match="unordered"):
        decode("btcusdt@depth5", b=[["99", "1"], ["100", "1"]])
    with pytest.raises(DecodeError, match="crossed"):
        decode("btcusdt@depth5", b=[["101", "1"]])


def test_a_coin_margined_book_is_left_out():
    assert decode(st=2) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"b": [["NaN", "1"]]},
        {"a": [["-1", "1"]]},
        {"a": [["0", "1"]]},
        {"b": [["1", "Infinity"]]},
        {"b": [["1", "-1"]]},
        {"b": [["1e400", "1"]]},
        {"b": [["1"]]},
        {"b": [["1", "1"], ["1.0", "2"]]},
        {"b": None},
        {"u": 100},
        {"pu": 160},
        {"pu": -1},
        {"U": "x"},
    ],
)
def test_a_change_that_cannot_be_is_refused(changes):
    with pytest.raises(DecodeError):
        decode(**changes)


@pytest.mark.parametrize("name", ["E", "s", "U", "u", "pu", "b", "a"])
def test_a_missing_field_is_refused_by_name(name):
    data = {key: value for key, value in DATA.items() if key != name}
    with pytest.raises(DecodeError, match=f"`{name}`"):
        FrameDecoder().decode(json.dumps({"stream": "x@depth", "data": data}, separators=(",", ":")).encode())


def test_a_repeated_key_is_refused():
    frame = json.dumps({"stream": "x@depth", "data": DATA}, separators=(",", ":"))
    with pytest.raises(DecodeError, match="twice"):
        FrameDecoder().decode(frame.replace('"pu":149', '"pu":149,"pu":150').encode())
