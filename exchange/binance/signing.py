"""Parameters as they are sent, and the signature over exactly those bytes.

The venue verifies the received bytes and not a re-encoded form, so encoding comes first, then the signature, and the
signature is the last parameter.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from exchange.binance.key_kinds import signer_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Text that percent-encoding leaves as it is: nearly every value, and asking costs a tenth of encoding."""

Value = str | int | Decimal | bool
Params = tuple[tuple[str, Value | None], ...]
"""Names and values in the order of sending; a value of None leaves the parameter out."""


class Credentials:
    """An API key with its secret or private key, which cannot be printed, copied out or serialised; it only signs."""

    __slots__ = ("_signer", "key")

    def __init__(self, key: str, secret: str) -> None:
        """Take the key and its HMAC secret, or the PEM text of its Ed25519 or RSA private key; the kind is detected.

        Raises ValueError with the remedy when one of them cannot be used.
        """
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            message = "the API key is empty or holds blanks or characters outside ASCII; copy it again from the venue"
            raise ValueError(message)
        self.key = key
        self._signer = signer_of(secret)

    @property
    def kind(self) -> str:
        """Return `HMAC`, `Ed25519` or `RSA`."""
        return self._signer.kind

    def sign(self, payload: bytes) -> str:
        """Return the signature of `payload`: lower-case hex of HMAC-SHA256, base64 of the other kinds."""
        return self._signer.sign(payload)

    def url_signature(self, payload: bytes) -> bytes:
        """Return the signature as the last value of a query; base64 is percent-encoded."""
        signature = self._signer.sign(payload)
        return (signature if self._signer.kind == "HMAC" else quote(signature, safe="")).encode()

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
    parts = []
    for name, value in params:
        if value is not None:
            text = text_of(value)
            parts.append(f"{name}={text if _PLAIN(text) else quote(text, safe='')}")
    return "&".join(parts).encode()


def signed_query(
    params: Iterable[tuple[str, Value | None]], credentials: Credentials, timestamp_ms: int, recv_window_ms: int
) -> bytes:
    """Return the query string with recvWindow, timestamp and, last, the signature over all before it."""
    payload = encode((*params, ("recvWindow", recv_window_ms), ("timestamp", timestamp_ms)))
    return payload + b"&signature=" + credentials.url_signature(payload)
