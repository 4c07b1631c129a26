"""Writes changes of settings into the configuration file, keeping comments where the file is ours."""

from __future__ import annotations

import fcntl
import os
import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import tomli_w

from config.atomic import write_atomically
from config.catalogue import catalogue, read_text
from config.errors import ConfigError
from config.load import validate
from config.nearest import nearest
from config.origin import Given, Origin, Source
from config.paths import prepare_directory
from config.sources import from_file
from config.template import HEADER, toml_line
from config.toml_file import key_lines, parse_toml, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from config.toml_file import TomlFile

BACKUP_SUFFIX: Final = ".before-perpdesk"
_TAIL_COMMENT: Final = re.compile(r"""^(?:[^"'#]|"[^"]*"|'[^']*')*?(\s+#.*)$""")


@dataclass(frozen=True, slots=True)
class Written:
    """What a write-back did."""

    path: Path
    notes: tuple[str, ...]
    """Sentences for the operator: what wins at the next start, what was kept aside."""


def typed_value(path: str, text: str) -> object:
    """Return the typed value of a setting given as text. Raises ConfigError for an unknown key or a wrong text."""
    setting = catalogue().get(path.lower())
    if setting is None:
        raise ConfigError(f"unknown key {path}; the nearest known key is {nearest(path, catalogue())}")
    try:
        return read_text(setting, text)
    except ValueError:
        raise ConfigError(f"{setting.path} = {text!r} is refused: must be {setting.allowed}") from None


def write_back(
    config_file: Path, changes: Mapping[str, object], origins: Mapping[str, Origin] | None = None
) -> Written:
    """Write settings (dotted path to typed value, None to go back to the default) into the file, all or none.

    The file is read anew under a lock, checked with the changes, and replaced atomically with mode 0600. `origins` are
    those of the running desk: a change that the environment or the command line overrides is reported, never hidden.
    Raises ConfigError when the file is damaged, busy, not writable, or a value is refused; it is then unchanged.
    """
    known = catalogue()
    for path in changes:
        if path not in known:
            raise ConfigError(f"unknown key {path}; the nearest known key is {nearest(path, known)}")
    with _locked(config_file):
        file = read_toml(config_file, required=False)
        given = from_file(file) if file is not None else {}
        asked = Origin(Source.COMMAND_LINE, "this change")
        kept = {path: one for path, one in given.items() if path not in changes}
        validate(kept | {path: Given(value, asked) for path, value in changes.items() if value is not None})
        notes = [_winner(path, origins[path]) for path in changes if _wins(path, origins)] if origins else []
        text = _edited(file, changes)
        if text is None:
            text = _rewritten(file, changes)
            if file is not None:
                backup = config_file.with_name(config_file.name + BACKUP_SUFFIX)
                _write(backup, file.text)
                notes.append(f"comments of {config_file} could not be kept; the file as it was is {backup}")
        _write(config_file, text)
    return Written(config_file, tuple(notes))


def _wins(path: str, origins: Mapping[str, Origin]) -> bool:
    return origins[path].source > Source.FILE


def _winner(path: str, origin: Origin) -> str:
    return f"{path} is written to the file, but the {origin} gives it too and wins at the next start with it"


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; nothing was changed") from None


@contextmanager
def _locked(config_file: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two writers never mix; never waits."""
    folder = config_file.parent
    if not folder.exists():
        prepare_directory(folder)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be opened: {error.strerror}; nothing was changed") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{config_file} is being changed by another process; try again") from None
        yield
    finally:
        os.close(descriptor)


def _edited(file: TomlFile | None, changes: Mapping[str, object]) -> str | None:
    """Return the text with single lines changed, None when the file is not ours or a line cannot be changed alone."""
    if file is None:
        return _fresh(changes)
    if not file.text.startswith(HEADER):
        return None
    lines = file.text.splitlines()
    spelled = {one_path: key for key in file.values for one_path in from_file_key(key)}
    for path, value in changes.items():
        _edit_line(lines, path, spelled.get(path, path), value)
    text = "\n".join(lines) + "\n"
    return text if _says(text, file, changes) else None


def from_file_key(key: str) -> tuple[str, ...]:
    """Return the path a file's key stands for, as a tuple of none or one."""
    folded = key.lower()
    if folded in catalogue():
        return (folded,)
    leaf = folded.rpartition(".")[2].upper()
    return tuple(setting.path for setting in catalogue().values() if setting.env == leaf)


def _edit_line(lines: list[str], path: str, spelled: str, value: object) -> None:
    """Change, add or comment out the one line of a setting."""
    table, _, leaf = spelled.rpartition(".")
    active = key_lines("\n".join(lines)).get(spelled)
    if active is not None:
        old = lines[active - 1]
        comment = _TAIL_COMMENT.match(old)
        new = f"# {old.lstrip()}" if value is None else toml_line(leaf, value) + (comment[1] if comment else "")
        lines[active - 1] = new
        return
    if value is None:
        return
    table, _, leaf = path.rpartition(".")
    start, end = _section(lines, table)
    shown = re.compile(rf"^\s*#\s*{re.escape(leaf)}\s*=")
    for index in range(start, end):
        if shown.match(lines[index]):
            lines[index] = toml_line(leaf, value)
            return
    if table and start == 0:
        lines += ["", f"[{table}]"]
        end = len(lines)
    lines.insert(end if table and start == 0 else start, toml_line(leaf, value))


def _section(lines: list[str], table: str) -> tuple[int, int]:
    """Return the half-open range of lines below a table's header; (0, 0) when there is none."""
    heads = [index for index, line in enumerate(lines) if re.match(r"^\s*\[", line)]
    if not table:
        end = heads[0] if heads else len(lines)
        first = next((index for index in range(end) if not lines[index].startswith("#")), end)
        return first, end
    for head in heads:
        if re.match(rf"^\s*\[\s*{re.escape(table)}\s*\]", lines[head]):
            return head + 1, next((other for other in heads if other > head), len(lines))
    return 0, 0


def _says(text: str, file: TomlFile, changes: Mapping[str, object]) -> bool:
    """Tell whether an edited text holds exactly the old values with the changes."""
    try:
        values = parse_toml(text, file.path)
    except ConfigError:
        return False
    before = {path: file.values[key] for key in file.values for path in from_file_key(key)}
    after = {path: values[key] for key in values for path in from_file_key(key)}
    wanted = {path: _plain(value) for path, value in (before | dict(changes)).items() if value is not None}
    return {path: _plain(value) for path, value in after.items()} == wanted


def _plain(value: object) -> object:
    """Return a value as TOML reads it back."""
    return tomllib.loads(toml_line("x", tuple(value) if isinstance(value, list) else value))["x"]


def _fresh(changes: Mapping[str, object]) -> str:
    lines = [HEADER, ""]
    for path, value in changes.items():
        _edit_line(lines, path, path, value)
    return "\n".join(lines) + "\n"


def _rewritten(file: TomlFile | None, changes: Mapping[str, object]) -> str:
    """Return the whole document written anew, with our header, without the old comments."""
    document = tomllib.loads(file.text) if file is not None else {}
    spelled = {path: key for key in (file.values if file is not None else ()) for path in from_file_key(key)}
    for path, value in changes.items():
        *parents, leaf = spelled.get(path, path).split(".")
        table = document
        for parent in parents:
            table = table.setdefault(parent, {})
        if value is None:
            table.pop(leaf, None)
        else:
            table[leaf] = list(value) if isinstance(value, tuple) else value
    return HEADER + "\n" + tomli_w.dumps(document)
