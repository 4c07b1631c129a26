"""One configuration file: its text, its values, and the line of each key."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from config.errors import ConfigError
from config.secret import SECRET_KEYS, hide

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES: Final = 1 << 20
_HEADER: Final = re.compile(r"^\s*\[\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\s*(?:#.*)?$")
_KEY: Final = re.compile(r"^\s*([A-Za-z0-9_.\-\" ]+?)\s*=")
_BLANKS: Final = re.compile(r"[\s\"]")


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A parsed file. Its text, which may hold secrets, never shows in a representation."""

    path: Path
    text: str = field(repr=False)
    values: Mapping[str, object]
    """Leaves by dotted path, spelled as in the file; secrets are wrapped."""
    lines: Mapping[str, int]
    """Line of each leaf, counted from 1; a key the scanner does not see is missing."""
    mode: int
    """Permission bits."""

    def where(self, path: str) -> str:
        """Return file and, where known, line of a key, for a message."""
        line = self.lines.get(path)
        return f"{self.path} line {line}" if line else str(self.path)


def read_toml(path: Path, *, required: bool) -> TomlFile | None:
    """Read a file; None when it does not exist and is not required.

    Symbolic links are not followed. Raises ConfigError for a missing required file, one that cannot be read, is no
    UTF-8, is larger than 1 MiB, or is no valid TOML (with line and column).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        if required:
            raise ConfigError(
                f"configuration file {path} does not exist; create it with `perpdesk config init` or leave --config out"
            ) from None
        return None
    except OSError as error:
        reason = "is a symbolic link" if path.is_symlink() else f"cannot be opened: {error.strerror}"
        raise ConfigError(f"configuration file {path} {reason}; give a regular file") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ConfigError(f"configuration file {path} is not a regular file")
    with os.fdopen(descriptor, "rb") as handle:
        data = handle.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ConfigError(f"configuration file {path} is larger than 1 MiB; it does not look like one of ours")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"configuration file {path} is not UTF-8 text (byte {error.start})") from None
    return TomlFile(path, text, parse_toml(text, path), key_lines(text), stat.S_IMODE(status.st_mode))


def parse_toml(text: str, path: Path) -> dict[str, object]:
    """Return the leaves of a TOML text by dotted path. Raises ConfigError with line and column."""
    try:
        return flatten(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        lines = text.splitlines() or [""]
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end of the file"
        reason = str(error).replace("at end of document", end)
        raise ConfigError(
            f"configuration file {path} is not valid TOML: {reason}; nothing of it was applied, mend that line"
        ) from None


def flatten(document: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return the leaves of nested tables by dotted path."""
    leaves: dict[str, object] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            path = prefix + key
            leaves[path] = hide(value) if path.lower() in SECRET_KEYS else value
    return leaves


def key_lines(text: str) -> dict[str, int]:
    """Return the line of each `key = value`, by dotted path; text inside multi-line strings is not looked at."""
    found: dict[str, int] = {}
    table = ""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if line.count(fence) % 2 else fence
            continue
        if header := _HEADER.match(line):
            table = _BLANKS.sub("", header[1]) + "."
        elif key := _KEY.match(line):
            found.setdefault(table + _BLANKS.sub("", key[1]), number)
            fence = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
    return found
