"""The payload of the book streams: changes of the whole book, and the best levels of it.

Levels of a change stand in no promised order and may cross for the moment: only the book they belong to can tell.
"""

from __future__ import annotations

import msgspec

from exchange.binance.json_strict import BEYOND, not_negative, positive, symbol_name
from exchange.errors import DecodeError
from exchange.market_data import DepthSnapshot, DepthUpdate

COIN_MARGINED = 2
_ABSENT = -2
_Levels = list[tuple[float, float]]


class DepthRow(msgspec.Struct, gc=False):
    """`<symbol>@depth` and `<symbol>@depth<levels>`."""

    e: str
    E: int
    s: str
    U: int
    u: int
    pu: int
    b: _Levels
    a: _Levels
    T: int = _ABSENT
    ps: str = ""
    st: int = _ABSENT


def depth_keys(row: DepthRow) -> int:
    """Return how many documented keys the row had."""
    return 8 + (row.T != _ABSENT) + (row.ps != "") + (row.st != _ABSENT)


def depth_change(row: DepthRow, where: str) -> DepthUpdate | None:
    """Return the change; None for a COIN-M contract."""
    if row.st == COIN_MARGINED:
        return None
    _check(row, where)
    return DepthUpdate(row.s, row.U, row.u, row.pu, tuple(row.b), tuple(row.a), row.E)


def depth_top(row: DepthRow, where: str) -> DepthSnapshot | None:
    """Return the best levels; they must be ordered, best first, and not crossed."""
    if row.st == COIN_MARGINED:
        return None
    _check(row, where)
    for side, levels, sign in (("b", row.b, -1.0), ("a", row.a, 1.0)):
        for number in range(1, len(levels)):
            if (levels[number][0] - levels[number - 1][0]) * sign <= 0:
                raise DecodeError(where, f"{side}[{number}][0]", "levels are unordered")
    if row.b and row.a and row.b[0][0] >= row.a[0][0]:
        raise DecodeError(where, "b[0][0]", f"the book is crossed: {row.b[0][0]} is not below {row.a[0][0]}")
    return DepthSnapshot(row.s, row.u, tuple(row.b), tuple(row.a), row.E)


def _check(row: DepthRow, where: str) -> None:
    symbol_name(row.s, where, "s")
    if not 0 <= row.pu < row.u or row.u < row.U:
        raise DecodeError(where, "u", f"ids {row.pu} before, {row.U} to {row.u} are no sequence")
    for side, levels in (("b", row.b), ("a", row.a)):
        for number, (price, quantity) in enumerate(levels):
            if not (0.0 < price < BEYOND and 0.0 <= quantity < BEYOND):
                positive(price, where, f"{side}[{number}][0]")
                not_negative(quantity, where, f"{side}[{number}][1]")
        if len({price for price, _ in levels}) != len(levels):
            raise DecodeError(where, side, "a price stands there twice")
