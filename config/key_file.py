"""Reads the private key of an Ed25519 or RSA API key from a file of its own."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from config.secret import PEM_START, Secret

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1 << 16


def read_private_key(path: Path, where: str) -> Secret:
    """Return the PEM text of a private key. `where` is the setting that names the file, for the operator.

    Symbolic links are not followed. Raises ConfigError, never showing any of the text, for a file that is missing,
    readable by others, too large, or no PEM text.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be opened: {error.strerror}"
        raise ConfigError(f"the private key file {path} ({where}) {reason}; name a regular file") from None
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    fault = ""
    if not stat.S_ISREG(status.st_mode):
        fault = "is not a regular file"
    elif mode & 0o077:
        fault = f"has mode {mode:04o}, so others can read it; run `chmod 600 {path}`"
    if fault:
        os.close(descriptor)
        raise ConfigError(f"the private key file {path} ({where}) {fault}")
    with os.fdopen(descriptor, "rb") as handle:
        data = handle.read(MAX_BYTES + 1)
    text = data.strip()
    if len(data) > MAX_BYTES or not text.startswith(PEM_START.encode()) or not text.isascii():
        raise ConfigError(
            f"{path} ({where}) is no PEM text that begins with {PEM_START}PRIVATE KEY-----; "
            "name the file the private key was written to"
        )
    return Secret(text.decode())
