import json
import math

from hypothesis import example, given
from hypothesis import strategies as st

from exchange.simulator.recorded.wire import BarSeen, BookSeen, FrameReader, MarkSeen, TradeSeen

BOOK = {"e": "bookTicker", "E": 5, "s": "BTCUSDT", "b": "1.5", "B": "2", "a": "1.6", "A": "3"}
MARK = {"e": "markPriceUpdate", "E": 5, "s": "BTCUSDT", "p": "1.5", "i": "1.4", "r": "0.0001", "T": 9}
TRADE = {"e": "aggTrade", "E": 5, "s": "BTCUSDT", "a": 7, "p": "1.5", "q": "2", "f": 70, "l": 72, "T": 4, "m": True}
BAR = {"t": 60_000, "i": "1m", "o": "2", "h": "3", "l": "1", "c": "2", "v": "1", "q": "2", "n": 3, "V": "1", "Q": "1",
       "x": True}  # fmt: skip
KLINE = {"e": "kline", "E": 60_005, "s": "BTCUSDT", "k": BAR}


def frame(data):
    return json.dumps({"stream": "btcusdt@x", "data": data}, separators=(",", ":")).encode()


def read(data):
    reader = FrameReader({"BTCUSDT": 0})
    return reader.read(data), reader.left_out


def test_each_kind_of_frame_says_what_it_said():
    assert read(frame(BOOK)) == ([BookSeen(5, 0, 1.5, 2.0, 1.6, 3.0)], 0)
    assert read(frame(MARK)) == ([MarkSeen(5, 0, 1.5, 1.4, 0.0001, 9)], 0)
    assert read(frame(TRADE)) == ([TradeSeen(5, 0, 4, 1.5, 2.0, True, 7, 9)], 0)
    assert read(frame(KLINE)) == ([BarSeen(60_005, 0, "1m", 60_000, (2, 3, 1, 2, 1, 2, 3, 1, 1), True)], 0)
    assert read(frame([MARK, MARK | {"s": "OTHERUSD"}])) == ([MarkSeen(5, 0, 1.5, 1.4, 0.0001, 9)], 0)


def test_answers_to_subscriptions_and_other_symbols_are_no_fault():
    assert read(b'{"result":null,"id":1}') == ([], 0)
    assert read(frame(BOOK | {"s": "OTHERUSDT"})) == ([], 0)


poison = st.one_of(
    st.sampled_from(
        ["NaN", "Infinity", "-Infinity", "-1", "0", "1e308", "1e999", "", None, 2**64, -1, 10**400, [], {}]
    ),
    st.floats(),
    st.text(max_size=5),
)


@given(st.sampled_from([BOOK, MARK, TRADE, KLINE]), st.data())
def test_whatever_stands_in_a_field_a_frame_is_read_soundly_or_left_out(row, data):
    field = data.draw(st.sampled_from(sorted(row)))
    value = data.draw(poison)
    changed = row | {field: value}
    if row is KLINE and data.draw(st.booleans()):
        changed = row | {"k": BAR | {data.draw(st.sampled_from(sorted(BAR))): value}}
    seen, _ = read(frame(changed))
    for one in seen:
        values = [*one[2:-2], *one.bar] if isinstance(one, BarSeen) else one[2:]
        for value in values:
            assert isinstance(value, str) or math.isfinite(value)
            assert not isinstance(value, int) or 0 <= value < 2**62


@given(st.binary(max_size=200))
@example(b'{"stream"')
@example(b'{"stream":"x","data":' + b"[" * 5000)
@example(b'{"stream":"\xff","data":{"e":"bookTicker"}}')
def test_no_bytes_bring_the_reader_down(data):
    read(data)
    read(b'{"stream"' + data)
