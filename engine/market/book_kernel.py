"""Reads book tops from the text of their frames, straight into columns.

Compiled, because they are nine in ten frames of a busy market. It takes a frame only where every byte is what the venue
usually sends: the known keys, each once, plain strings, numbers that a double holds exactly as the decimal says, a book
that is not crossed, a symbol that is a member. Any other frame is left alone for the typed decoder, which knows what to
refuse and why. So a frame means the same on both ways.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Text = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int32]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# One file holds all of it: numba's disk cache watches the file of the function it has cached.
# The interpreter lock is kept: a call takes a tenth of a millisecond, getting the lock back can take five times that.
# As calls the helpers that return several values would cost half as much again as the whole.
_inner: Any = njit(error_model="numpy", inline="always")
_entry: Any = njit(error_model="numpy", cache=True)

PAD = bytes(64)
"""Must follow the last frame: no text goes on over a zero, so no scan leaves the buffer."""
TABLE = 2_048
"""Places of the symbol table, a power of two and some times the members."""
NAME_BYTES = 48

_HEAD = np.frombuffer(b'{"stream":"', np.uint8)
_JOINT = np.frombuffer(b'@bookTicker","data":{', np.uint8)
_STREAM_TAIL = 11
_EVENT = np.frombuffer(b'"bookTicker"', np.uint8)
_POWERS = 10.0 ** np.arange(23)
_EXACT = 2**53
_QUOTE, _BACKSLASH, _COLON, _COMMA, _CLOSE = 34, 92, 58, 44, 125
_DOT, _ZERO, _NINE = 46, 48, 57
_E, _S, _P, _SMALL_A, _SMALL_B, _SMALL_T = 69, 115, 112, 97, 98, 116
_PS, _ST = 256, 257
_DECIMAL, _WHOLE, _STRING, _EVENT_NAME = 1, 2, 3, 4
# Key, kind of its value; the seven without which there is no book top come first.
_KEYS = (
    (ord("b"), _DECIMAL),
    (ord("B"), _DECIMAL),
    (ord("a"), _DECIMAL),
    (ord("A"), _DECIMAL),
    (ord("E"), _WHOLE),
    (ord("s"), _STRING),
    (ord("e"), _EVENT_NAME),
    (ord("T"), _WHOLE),
    (ord("u"), _WHOLE),
    (_PS, _STRING),
    (_ST, _WHOLE),
)
_NEEDED = 0b1111111
_KINDS = np.zeros(_ST + 1, np.int64)
_PLACES = np.zeros(_ST + 1, np.int64)
for _place, (_name, _kind) in enumerate(_KEYS):
    _KINDS[_name], _PLACES[_name] = _kind, _place


@_inner
def _follows(data: Text, at: int, text: Text) -> bool:
    for place in range(text.size):  # noqa: SIM110 - the compiler knows no generators
        if data[at + place] != text[place]:
            return False
    return True


@_inner
def _string_end(data: Text, at: int) -> int:
    """Return the place of the quote that ends a plain ASCII string, -1 where the string is anything else."""
    while True:
        byte = data[at]
        if byte == _QUOTE:
            return at
        if byte < 32 or byte >= 127 or byte == _BACKSLASH:
            return -1
        at += 1


@_inner
def _integer(data: Text, at: int) -> tuple[int, int]:
    """Return a whole number of at most 18 digits and the place after it; the place is -1 where there is none."""
    value = 0
    start = at
    while _ZERO <= data[at] <= _NINE:
        value = value * 10 + (data[at] - _ZERO)
        at += 1
        if at - start > 18:
            return 0, -1
    if at == start or (data[start] == _ZERO and at - start > 1):
        return 0, -1
    return value, at


@_inner
def _decimal(data: Text, at: int) -> tuple[float, int]:  # noqa: C901, PLR0911 - one pass over one text
    """Return a quoted decimal and the place after its closing quote; the place is -1 where it is anything else.

    Up to 2^53 the digits are a double, and so are powers of ten up to the 22nd: their quotient is rounded once, which
    is the nearest double to the decimal.
    """
    if data[at] != _QUOTE:
        return 0.0, -1
    at += 1
    start = at
    digits = 0
    behind = -1
    while True:
        byte = data[at]
        if byte == _QUOTE:
            break
        if byte == _DOT:
            if behind >= 0 or at == start:
                return 0.0, -1
            behind = 0
        elif _ZERO <= byte <= _NINE:
            digits = digits * 10 + (byte - _ZERO)
            if digits > _EXACT:
                return 0.0, -1
            if behind >= 0:
                behind += 1
        else:
            return 0.0, -1
        at += 1
    if at == start or behind == 0 or behind > 22:
        return 0.0, -1
    if data[start] == _ZERO and at - start > 1 and data[start + 1] != _DOT:
        return 0.0, -1
    return digits / _POWERS[max(behind, 0)], at + 1


@_inner
def _same(data: Text, at: int, end: int, other: int, other_end: int) -> bool:
    if end - at != other_end - other:
        return False
    for place in range(end - at):  # noqa: SIM110 - the compiler knows no generators
        if data[at + place] != data[other + place]:
            return False
    return True


@_inner
def _hash(data: Text, at: int, end: int) -> int:
    value = 0
    for place in range(at, end):
        value = (value * 31 + data[place]) & 0x3FFFFFFF
    return value


@_entry
def enter_name(data: Text, size: int, slot: int, table: Integers, names: Text, sizes: Integers) -> None:
    """Enter the symbol of a slot, `data[:size]` in UTF-8, into the table."""
    place = _hash(data, 0, size) & (TABLE - 1)
    while table[place] >= 0:
        place = (place + 1) & (TABLE - 1)
    table[place] = slot
    names[slot, :size] = data[:size]
    sizes[slot] = size


@_inner
def _slot(data: Text, at: int, end: int, table: Integers, names: Text, sizes: Integers) -> int:
    """Return the slot of a symbol, -1 for a stranger."""
    place = _hash(data, at, end) & (TABLE - 1)
    while table[place] >= 0:
        slot = int(table[place])
        if sizes[slot] == end - at:
            equal = True
            for byte in range(end - at):
                if names[slot, byte] != data[at + byte]:
                    equal = False
                    break
            if equal:
                return slot
        place = (place + 1) & (TABLE - 1)
    return -1


@_inner
def _key(data: Text, at: int) -> tuple[int, int]:
    """Return the key that begins here, a letter or one of the pairs, and the place of its value; -1, -1 for others."""
    if data[at] != _QUOTE:
        return -1, -1
    key = int(data[at + 1])
    at += 2
    if key == _P and data[at] == _S:
        key, at = _PS, at + 1
    elif key == _S and data[at] == _SMALL_T:
        key, at = _ST, at + 1
    if data[at] != _QUOTE or data[at + 1] != _COLON:
        return -1, -1
    return key, at + 2


@_inner
def _value(data: Text, at: int, key: int) -> tuple[int, float, int, int]:
    """Return the key's bit, its decimal, its whole number, and the place after the value; bit 0 where it is not sound.

    Of the kind of contract only 1 (USD-M) is taken: the decoder leaves out the others.
    """
    decimal, whole, after = 0.0, 0, -1
    kind = _KINDS[key]
    if kind == _DECIMAL:
        decimal, after = _decimal(data, at)
    elif kind == _WHOLE:
        whole, after = _integer(data, at)
        if key == _ST and whole != 1:
            after = -1
    elif kind == _STRING:
        after = _string_end(data, at + 1) + 1 if data[at] == _QUOTE else -1
    elif kind == _EVENT_NAME and _follows(data, at, _EVENT):
        after = at + _EVENT.size
    return (1 << _PLACES[key], decimal, whole, after) if after > 0 else (0, 0.0, 0, -1)


@_inner
def _take(  # noqa: C901, PLR0911, PLR0912 - one pass over one text
    data: Text,
    at: int,
    end: int,
    table: Integers,
    names: Text,
    sizes: Integers,
    bids: Floats,
    asks: Floats,
    times: Times,
) -> bool:
    if not _follows(data, at, _HEAD):
        return False
    at = _string_end(data, at + _HEAD.size) - _STREAM_TAIL
    if at < 0 or not _follows(data, at, _JOINT):
        return False
    at += _JOINT.size
    seen = symbol = symbol_end = pair = pair_end = time = 0
    bid = ask = 0.0
    while True:
        key, at = _key(data, at)
        if at < 0:
            return False
        bit, decimal, whole, after = _value(data, at, key)
        if bit == 0 or seen & bit:
            return False
        seen |= bit
        if key == _SMALL_B:
            bid = decimal
        elif key == _SMALL_A:
            ask = decimal
        elif key == _E:
            time = whole
        elif key == _S:
            symbol, symbol_end = at + 1, after - 1
        elif key == _PS:
            pair, pair_end = at + 1, after - 1
        at = after
        if data[at] == _CLOSE:
            break
        if data[at] != _COMMA:
            return False
        at += 1
    if seen & _NEEDED != _NEEDED or data[at + 1] != _CLOSE or at + 2 != end or not 0.0 < bid < ask:
        return False
    if pair_end and not _same(data, pair, pair_end, symbol, symbol_end):
        return False
    slot = _slot(data, symbol, symbol_end, table, names, sizes)
    if slot < 0:
        return False
    if time >= times[slot]:
        bids[slot], asks[slot], times[slot] = bid, ask, time
    return True


@_entry
def read_books(
    data: Text,
    ends: Times,
    table: Integers,
    names: Text,
    sizes: Integers,
    bids: Floats,
    asks: Floats,
    times: Times,
    taken: Flags,
) -> int:
    """Take every frame that is a usual book top; mark it in `taken` and return how many there were.

    `data` holds the frames one after the other and then `PAD`, `ends` the place after each. An older book than the one
    in the columns is taken and changes nothing.
    """
    count = 0
    start = 0
    for number in range(ends.size):
        end = ends[number]
        taken[number] = _take(data, start, end, table, names, sizes, bids, asks, times)
        count += taken[number]
        start = end
    return count
