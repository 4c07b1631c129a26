"""Parameters as they are sent, and the signature over exactly those bytes.

The venue verifies the received bytes and not a re-encoded form, so encoding comes first, then the signature, and the
signature is the last parameter.
"""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

Value = str | int | Decimal | bool
Params = tuple[tuple[str, Value | None], ...]
"""Names and values in the order of sending; a value of None leaves the parameter out."""


class Credentials:
    """An API key with its secret. The secret cannot be printed, copied out or serialised; it only signs."""

    __slots__ = ("_mac", "key")

    def __init__(self, key: str, secret: str) -> None:
        """Take both parts; ValueError when one is empty or holds other than printable ASCII."""
        for name, text in (("API key", key), ("API secret", secret)):
            if not text or not text.isascii() or not text.isprintable() or " " in text:
                message = (
                    f"the {name} is empty or holds blanks or characters outside ASCII; copy it again from the venue"
                )
                raise ValueError(message)
        self.key = key
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def sign(self, payload: bytes) -> str:
        """Return the HMAC-SHA256 of `payload` as lower-case hex."""
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest()

    def __repr__(self) -> str:
        return f"Credentials(key='{self.key[:4]}…', secret='***')"

    def __reduce__(self) -> NoReturn:
        message = "credentials are never serialised"
        raise TypeError(message)


def text_of(value: Value) -> str:
    """Return a value as the venue spells it: plain decimals without an exponent, lower-case booleans."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        if not value.is_finite():
            message = f"a parameter must be finite, not {value}"
            raise ValueError(message)
        return format(value, "f")
    return str(value)


def encode(params: Iterable[tuple[str, Value | None]]) -> bytes:
    """Percent-encode parameters in their order; None is left out. Text outside ASCII travels as UTF-8."""
    return "&".join(f"{name}={quote(text_of(value), safe='')}" for name, value in params if value is not None).encode()


def signed_query(
    params: Iterable[tuple[str, Value | None]], credentials: Credentials, timestamp_ms: int, recv_window_ms: int
) -> bytes:
    """Return the query string with recvWindow, timestamp and, last, the signature over all before it."""
    payload = encode((*params, ("recvWindow", recv_window_ms), ("timestamp", timestamp_ms)))
    return payload + b"&signature=" + credentials.sign(payload).encode()
