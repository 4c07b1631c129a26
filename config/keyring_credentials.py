"""The API key in the keyring of the desktop or system, where the setting exchange.keyring names an entry.

The library is imported only then: asking a keyring may open a dialogue, and a server has none.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from config.errors import CredentialsError
from config.secret import hide

HALVES: Final = MappingProxyType({"api-key": "key", "api-secret": "secret"})
"""User names under the entry, with the half each one is."""


def read_keyring(entry: str) -> list[tuple[str, str, object]]:
    """Return (name, half, secret) of an entry, nothing for an empty name. Raises CredentialsError."""
    if not entry:
        return []
    try:
        import keyring  # noqa: PLC0415 - an optional package, wanted only here
    except ImportError:
        raise CredentialsError(
            f"exchange.keyring = {entry!r} needs the package keyring: install it (pip install 'perpdesk[keyring]'), "
            "or take the setting out and use a secrets.toml with mode 0600"
        ) from None
    try:
        texts = {user: keyring.get_password(entry, user) for user in HALVES}
    except Exception as error:  # noqa: BLE001 - each system's keyring fails in a way of its own
        raise CredentialsError(
            f"exchange.keyring = {entry!r}: the keyring cannot be read ({type(error).__name__}): unlock it, or take "
            "the setting out and use a secrets.toml with mode 0600"
        ) from None
    if not any(texts.values()):
        raise CredentialsError(
            f"exchange.keyring = {entry!r}: the keyring holds no such entry; store it with "
            f"`keyring set {entry} api-key` and `keyring set {entry} api-secret`"
        )
    return [(f"{entry} {user}", HALVES[user], hide(text or "")) for user, text in texts.items()]
