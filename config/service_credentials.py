"""Credentials a service manager hands over: files in the folder $CREDENTIALS_DIRECTORY (systemd LoadCredential=)."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from config.errors import CredentialsError
from config.key_file import MAX_BYTES, read_private
from config.secret import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_ENV: Final = "CREDENTIALS_DIRECTORY"
NAMES: Final = MappingProxyType(
    {"binance_api_key": "key", "binance_api_secret": "secret", "binance_private_key": "secret"}
)
"""Names of the credentials with the half each one is; the last is a PEM text."""
_FORBIDDEN: Final = 0o037
"""The manager gives a user other than root access by an ACL, whose mask shows as the group's right to read."""


def read_service(environ: Mapping[str, str]) -> list[tuple[str, str, object]]:
    """Return (name, half, secret) of each credential that was handed over. Raises CredentialsError."""
    folder = environ.get(FOLDER_ENV, "")
    if not folder:
        return []
    found: list[tuple[str, str, object]] = []
    for name, half in NAMES.items():
        path = Path(folder) / name
        if not path.is_symlink() and not path.exists():
            continue
        data = read_private(path, f"the service credential {path}", _FORBIDDEN)
        if len(data) > MAX_BYTES:
            raise CredentialsError(f"the service credential {path} is larger than 64 KiB; it is no key")
        found.append((name, half, hide(data.decode("utf-8", "replace"))))
    return found
