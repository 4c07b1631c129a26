"""What must hold for any bytes on the private stream."""

import json
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.account_events import AccountUpdate, KeyExpired, OrderUpdate
from exchange.binance.user_rows import USER_KINDS
from exchange.binance.user_wire import UserDecoder
from exchange.errors import DecodeError

WEIRD = st.one_of(
    st.sampled_from(["", "0", "-0", "NaN", "sNaN", "Infinity", "-inf", "1e308", "1e-400", "1_0", " 1", "0x10"]),
    st.decimals(min_value=-10, max_value=10, places=3).map(str),
    st.none(), st.booleans(), st.integers(), st.lists(st.integers(), max_size=2), st.text(max_size=5),
)  # fmt: skip
ORDER = {
    "s": "BTCUSDT", "c": "a", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "2", "p": "1", "ap": "0", "x": "TRADE",
    "X": "FILLED", "i": 1, "l": "1", "z": "1", "L": "3", "T": 1, "t": 5, "m": False, "R": False, "ps": "BOTH",
    "rp": "0", "n": "0.1", "N": "USDT", "sp": "0", "V": "NONE",
}  # fmt: skip
POSITION = {"s": "BTCUSDT", "pa": "1", "ep": "2", "cr": "0", "up": "0", "mt": "cross", "iw": "0", "ps": "BOTH"}


def decode(frame):
    try:
        return UserDecoder().decode(json.dumps(frame).encode())
    except DecodeError:
        return None


def sane(value):
    return value.is_finite() and abs(value) < Decimal(10) ** 31


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(ORDER)), WEIRD, max_size=3))
def test_an_order_update_is_refused_or_believable(changes):
    update = decode({"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": ORDER | changes})
    if update is None:
        return
    assert isinstance(update, OrderUpdate)
    assert update.side in ("BUY", "SELL")
    assert update.position_side in ("BOTH", "LONG", "SHORT")
    assert update.symbol.isprintable()
    assert update.symbol
    amounts = (update.quantity, update.price, update.average, update.last_quantity, update.filled, update.last_price)
    assert all(sane(amount) and amount >= 0 for amount in amounts)
    assert sane(update.commission)
    assert sane(update.realised)
    assert update.last_quantity <= update.filled
    if update.trade is not None:
        assert update.last_price > 0


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(POSITION)), WEIRD, max_size=3))
def test_a_position_patch_is_refused_or_believable(changes):
    update = decode({"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": {"m": "ORDER", "B": [], "P": [POSITION | changes]}})
    if update is None:
        return
    assert isinstance(update, AccountUpdate)
    (row,) = update.positions
    assert row.side in ("BOTH", "LONG", "SHORT")
    assert sane(row.quantity)
    assert row.entry > 0 or not row.quantity


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*USER_KINDS, "GRID_UPDATE", "NEWS"]),
    st.recursive(
        WEIRD, lambda inner: st.dictionaries(st.sampled_from(["s", "o", "a", "p", "B", "P", "E", "T", "ac"]), inner)
    ),
    st.booleans(),
)
def test_any_document_is_an_event_or_a_refusal_and_nothing_else(name, content, wrapped):
    inner = {"E": 1, "T": 1, "o": content, "a": content, "p": content, "ac": content, "e": name}
    result = decode({"stream": "k", "data": inner} if wrapped else inner)
    assert result is None or isinstance(result, msgspec.Struct)
    if result is not None and not isinstance(result, KeyExpired):
        assert hash(result) == hash(decode(inner)), "the merge compares events"


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_noise_is_refused(noise):
    for raw in (noise, b'{"e":"ORDER_TRADE_UPDATE","o":' + noise, b'{"stream":"k","data":' + noise + b"}"):
        try:
            result = UserDecoder().decode(raw)
        except DecodeError:
            continue
        assert result is None
