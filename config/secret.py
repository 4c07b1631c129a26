"""Values that may be used but never shown."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NoReturn, SupportsIndex, final

if TYPE_CHECKING:
    from collections.abc import Mapping

MASK: Final = "***"
PEM_START: Final = "-----BEGIN "
SECRET_ENV: Final = MappingProxyType(
    {
        "BINANCE_API_KEY": "key",
        "BINANCE_API_SECRET": "secret",
        "BINANCE_SECRET_KEY": "secret",
        "BINANCE_PRIVATE_KEY_FILE": "file",
    }
)
"""Environment names of the two halves of the credentials; the second may stand in a file of its own."""
SECRET_KEYS: Final = MappingProxyType(
    {
        **{name.lower(): half for name, half in SECRET_ENV.items()},
        **{f"exchange.{name.lower()}": half for name, half in SECRET_ENV.items()},
        "exchange.api_key": "key",
        "exchange.api_secret": "secret",
        "exchange.private_key_file": "file",
    }
)
"""File keys of the two halves of the credentials."""


@final
class Secret:
    """A text that prints as `***` and leaves the process only through `reveal`.

    It refuses pickling, copying and every encoder that asks an object for its parts, has no `__dict__`, and compares in
    constant time. Only the request signer calls `reveal`.
    """

    __slots__ = ("__text",)
    __hash__ = None  # type: ignore[assignment]  # a hash would let a dictionary of guesses find the text

    def __init__(self, text: str) -> None:
        """Hold `text`; empty text is no secret and raises ValueError."""
        if not text:
            raise ValueError("a secret cannot be empty")
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.reveal().encode())

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is never serialised")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")

    def __copy__(self) -> NoReturn:
        raise TypeError("a secret is never copied")

    def __deepcopy__(self, memo: Mapping[int, object]) -> NoReturn:
        raise TypeError("a secret is never copied")


class UnusableSecret:
    """Stands for a secret of the wrong form, so that not even a refused one is shown."""

    def __repr__(self) -> str:
        return MASK


def hide(value: object) -> Secret | UnusableSecret | None:
    """Wrap a secret as soon as it is read: None when it is empty, UnusableSecret when no key has this form.

    A private key in PEM form is the only text that may have lines and blanks.
    """
    if not isinstance(value, str):
        return UnusableSecret()
    text = value.strip()
    if not text:
        return None
    usable = text.isascii() and ((text.isprintable() and " " not in text) or text.startswith(PEM_START))
    return Secret(text) if usable else UnusableSecret()


@dataclass(frozen=True, slots=True)
class Credentials:
    """One API key with its secret, and where both came from."""

    key: Secret
    secret: Secret
    origin: str
    """File or environment, for the operator; never the values."""
