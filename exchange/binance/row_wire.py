"""Lists over all symbols, judged row by row: one poisoned row is left out and reported instead of blinding the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from exchange.bad_input import SAMPLE_BYTES
from exchange.binance.json_strict import as_decode_error, decode
from exchange.errors import DecodeError

Refused = Callable[[DecodeError], None]
W = TypeVar("W")
M = TypeVar("M")

_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(dict[str, Any])


def lenient(kind: type[W]) -> msgspec.json.Decoder[W]:
    """Return a decoder that reads decimal strings as numbers; inside a string only a JSON number counts as one."""
    return msgspec.json.Decoder(kind, strict=False)


def rows(body: bytes, where: str) -> list[msgspec.Raw]:
    """Split an array, or a bare object taken as an array of one, into undecoded rows."""
    if body.lstrip()[:1] == b"{":
        decode(_ANY, body, where)
        return [msgspec.Raw(body)]
    return decode(_RAW_ROWS, body, where)


def typed(decoder: msgspec.json.Decoder[W], raw: bytes | msgspec.Raw, where: str) -> W:
    """Decode one row. Raises DecodeError."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise as_decode_error(error, where, bytes(raw)) from error


def each_row(
    raws: list[msgspec.Raw],
    decoder: msgspec.json.Decoder[W],
    build: Callable[[W, str], M | None],
    where: str,
    refused: Refused,
) -> tuple[M, ...]:
    """Build the rows that are sound and hand the others to `refused`; an answer without any sound row is an error."""
    if not raws:
        raise DecodeError(where, "", "an empty list: the data is unavailable")
    built: list[M] = []
    errors: list[DecodeError] = []
    for raw in raws:
        try:
            row = build(typed(decoder, raw, where), where)
        except DecodeError as error:
            error.sample = bytes(raw)[:SAMPLE_BYTES]
            errors.append(error)
            continue
        if row is not None:
            built.append(row)
    if len(errors) == len(raws):
        raise errors[0]
    for found in errors:
        refused(found)
    return tuple(built)
