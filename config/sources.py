"""Reads what a file and the environment give, and refuses names nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from config.catalogue import by_env, catalogue, read_text, tables
from config.errors import ConfigError
from config.nearest import edit_distance, nearest
from config.origin import Given, Origin, Source
from config.secret import SECRET_ENV, SECRET_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.toml_file import TomlFile

OTHER_ENV: Final = frozenset({"PERPDESK_CONFIG"})
"""Names the desk reads that are no settings."""
OWN_PREFIXES: Final = (
    "PERPDESK_",
    "ENABLE_",
    "VIRTUAL_POSITION_",
    "LIQUIDITY_",
    "REGIME_PREDICTION_",
    "DYNAMIC_FEATURE_",
    "BATCH_PREDICTION_",
)
GENERIC_ENV: Final = frozenset({"LOG_LEVEL", "MAX_WORKERS"})
"""Names so common that a similar one (LOGLEVEL) belongs to somebody else."""


def from_file(file: TomlFile) -> dict[str, Given]:
    """Return the settings a file gives, by path; secrets are left to `config.credentials`.

    Keys are taken as dotted paths or as environment names, in any case. Raises ConfigError for unknown keys and for a
    setting given twice under two names.
    """
    given: dict[str, Given] = {}
    faults: list[str] = []
    for key, value in file.values.items():
        if key.lower() in SECRET_KEYS:
            continue
        path = _path_of(key)
        if path is None:
            faults.append(_unknown_key(key, file))
        elif path in given:
            faults.append(f"{path} is given twice: {given[path].origin.where} and {file.where(key)}; keep one of them")
        else:
            given[path] = Given(_fold_choice(path, value), Origin(Source.FILE, file.where(key)))
    if faults:
        raise ConfigError(*faults)
    return given


def from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """Return the settings the environment gives, by path. Empty variables count as unset.

    Raises ConfigError for a name of ours that is unknown and for a text of the wrong kind. Variables of other programs
    are never complained about.
    """
    given: dict[str, Given] = {}
    faults: list[str] = []
    for name, text in sorted(environ.items()):
        setting = by_env().get(name)
        if setting is None:
            if fault := _unknown_variable(name):
                faults.append(fault)
        elif text.strip():
            try:
                given[setting.path] = Given(read_text(setting, text), Origin(Source.ENVIRONMENT, name))
            except ValueError:
                faults.append(f"{setting.path} = {text!r} (environment {name}) is refused: must be {setting.allowed}")
    if faults:
        raise ConfigError(*faults)
    return given


def _path_of(key: str) -> str | None:
    folded = key.lower()
    if folded in catalogue():
        return folded
    table, _, leaf = folded.rpartition(".")
    setting = by_env().get(leaf.upper())
    if setting is not None and table in {"", setting.path.rpartition(".")[0]}:
        return setting.path
    return None


def _fold_choice(path: str, value: object) -> object:
    """Take a choice in any case, as the environment does."""
    setting = catalogue()[path]
    return read_text(setting, value) if setting.choices and setting.kind is str and isinstance(value, str) else value


def _unknown_key(key: str, file: TomlFile) -> str:
    if key.lower() in tables():
        return f"{key} in {file.where(key)} is a table; write [{key.lower()}] and its keys below it"
    known = [*catalogue(), *SECRET_KEYS]
    if "." not in key:
        known += [name.lower() for name in by_env()]
    return (
        f"unknown key {key} in {file.where(key)}; the nearest known key is {nearest(key, known)}: "
        "correct it or remove the line (`perpdesk config show` lists all keys)"
    )


def _unknown_variable(name: str) -> str | None:
    """Return the fault of a variable that was meant for us, None for another program's."""
    known = [*by_env(), *SECRET_ENV, *OTHER_ENV]
    if name in known:
        return None
    ours = name.startswith(OWN_PREFIXES)
    if not ours:
        ours = any(
            abs(len(name) - len(other)) <= 2 and edit_distance(name, other) <= 2
            for other in known
            if other not in GENERIC_ENV
        )
    if not ours:
        return None
    return (
        f"unknown environment variable {name}; the nearest known name is {nearest(name, known)}: correct it or unset it"
    )
