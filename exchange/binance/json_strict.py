"""JSON decoding that refuses what a lenient parser lets pass, with errors that name the field.

msgspec checks types and shapes. Two things are added: repeated keys (it would keep the last) and numbers that are no
numbers. Decimal strings become numbers; unknown fields are accepted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from exchange.errors import DecodeError

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")

BEYOND = 1e18
"""No price or amount reaches this; what claims to is poison, finite or not."""


class _RepeatedKeyError(ValueError):
    """An object holds one key twice; the text is the key."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)
    return found


_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)


def _scan(body: bytes, where: str, decoder: json.JSONDecoder) -> None:
    try:
        decoder.decode(body.decode())
    except _RepeatedKeyError as error:
        raise DecodeError(where, str(error)[:64], "the key appears twice in one object") from error
    except (ValueError, RecursionError) as error:
        raise DecodeError(where, "", f"not JSON: {error}") from error


def refuse_repeated_keys(body: bytes, where: str) -> None:
    """Raise DecodeError when an object in the document repeats a key."""
    if b":" in body:
        _scan(body, where, _UNIQUE)


def key_counts(body: bytes, where: str) -> dict[str, int]:
    """Return how many objects of the document carry each key. Raises DecodeError when one repeats a key."""
    counts: dict[str, int] = {}

    def count(pairs: list[tuple[str, Any]]) -> None:
        for key in _unique(pairs):
            counts[key] = counts.get(key, 0) + 1

    _scan(body, where, json.JSONDecoder(object_pairs_hook=count))
    return counts


def as_decode_error(error: Exception, where: str, body: bytes) -> DecodeError:
    """Turn a decoder's complaint into the tree's error: field from its JSON path, reason from its text."""
    text = str(error)
    reason, _, path = text.partition(" - at `")
    if body.lstrip()[:1] == b"<":
        reason = "HTML or XML instead of JSON"
    return DecodeError(where, path.rstrip("`").removeprefix("$").lstrip("."), reason)


def decode(decoder: msgspec.json.Decoder[T], body: bytes, where: str) -> T:
    """Decode one answer body, repeated keys refused. Raises DecodeError."""
    try:
        value = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise as_decode_error(error, where, body) from error
    refuse_repeated_keys(body, where)
    return value


_NAME_BOUND = 64


def symbol_name(text: str, where: str, field: str) -> str:
    """Return the name of a symbol or asset, non-ASCII letters allowed.

    Raises DecodeError for an empty or overlong one and for blanks, control and direction-changing characters.
    """
    if text.isalnum() and len(text) <= _NAME_BOUND:
        return text
    if not text or len(text) > _NAME_BOUND or not text.isprintable() or " " in text:
        shown = text[:24].encode("unicode_escape").decode()
        raise DecodeError(where, field, f"'{shown}' is no name of a symbol or asset")
    return text


def positive(value: float, where: str, field: str) -> float:
    """Return a price; DecodeError unless it is above zero and of plausible size."""
    if not 0.0 < value < BEYOND:
        raise DecodeError(where, field, f"{value} is no price: it must be finite, of plausible size and above zero")
    return value


def not_negative(value: float, where: str, field: str) -> float:
    """Return an amount; DecodeError unless it is at least zero and of plausible size."""
    if not 0.0 <= value < BEYOND:
        raise DecodeError(where, field, f"{value} is no amount: it must be finite, of plausible size and not negative")
    return value


def finite(value: float, where: str, field: str) -> float:
    """Return a number; DecodeError when it is not finite and of plausible size."""
    if not -BEYOND < value < BEYOND:
        raise DecodeError(where, field, f"{value} is not a finite number of plausible size")
    return value


_EXPONENT_BOUND = 30


def money(value: Decimal, where: str, field: str, *, minimum: int | None = None, above: int | None = None) -> Decimal:
    """Return a decimal; DecodeError unless it is finite, of sane magnitude and within the bound given."""
    if not value.is_finite() or abs(value.adjusted()) > _EXPONENT_BOUND:
        raise DecodeError(where, field, f"{value} is not a finite number of plausible size")
    if minimum is not None and value < minimum:
        raise DecodeError(where, field, f"{value} is below {minimum}")
    if above is not None and value <= above:
        raise DecodeError(where, field, f"{value} must be above {above}")
    return value
