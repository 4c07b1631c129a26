"""Reads files that hold a secret, and only when nobody else can: regular, no symbolic link, closed to others."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from config.errors import CredentialsError
from config.secret import PEM_START, Secret

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 16
OPEN_TO_OTHERS: Final = 0o077


def read_private_key(path: Path, where: str) -> Secret:
    """Return the PEM text of a private key. `where` is the setting that names the file, for the operator.

    Raises CredentialsError, never showing any of the text, for a file that is missing, readable by others, too large,
    or no PEM text.
    """
    data = read_private(path, f"the private key file {path} ({where})")
    text = data.strip()
    if len(data) > MAX_BYTES or not text.startswith(PEM_START.encode()) or not text.isascii():
        raise CredentialsError(
            f"{path} ({where}) is no PEM text that begins with {PEM_START}PRIVATE KEY-----; "
            "name the file the private key was written to"
        )
    return Secret(text.decode())


def read_private(path: Path, name: str, forbidden: int = OPEN_TO_OTHERS) -> bytes:
    """Return at most MAX_BYTES + 1 bytes of a file; `name` is how messages call it, `forbidden` the modes refused.

    Symbolic links are not followed. Raises CredentialsError with the remedy.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be opened: {error.strerror}"
        raise CredentialsError(f"{name} {reason}; name a regular file") from None
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    fault = ""
    if not stat.S_ISREG(status.st_mode):
        fault = "is not a regular file"
    elif mode & forbidden:
        fault = f"has mode {mode:04o}, so others can read it; run `chmod 600 {path}`"
    if fault:
        os.close(descriptor)
        raise CredentialsError(f"{name} {fault}")
    with os.fdopen(descriptor, "rb") as handle:
        return handle.read(MAX_BYTES + 1)
