"""`perpdesk config show|set|init`: every value with where it came from."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from config.atomic import write_atomically
from config.catalogue import catalogue
from config.errors import ConfigError
from config.load import SECRETS_FILE
from config.paths import find_config, prepare_directory
from config.secret import MASK
from config.template import template
from config.writeback import typed_value, write_back
from tui.desk_start import configuration, paths_of
from tui.talk import put, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.load import Loaded
    from tui.arguments import GlobalOptions


def show(options: GlobalOptions) -> int:
    """Print every setting with its value and origin."""
    loaded = configuration(options)
    if options.json:
        document = {
            "config_file": str(loaded.config_file),
            "config_file_exists": loaded.file_exists,
            "data_dir": str(paths_of(loaded).data),
            "settings": [
                {"key": key, "value": value, "origin": origin, "environment": env}
                for key, value, origin, env in _rows(loaded)
            ],
        }
        put(msgspec.json.encode(document).decode())
        return 0
    say(f"configuration file {loaded.config_file}{'' if loaded.file_exists else ' (does not exist)'}")
    say(f"data directory {paths_of(loaded).data}")
    for key, value, origin, _ in _rows(loaded):
        put(f"{key:36} {_text(value):24} {origin}")
    return 0


def change(options: GlobalOptions, key: str, text: str) -> int:
    """Write one setting into the configuration file."""
    loaded = configuration(options)
    key = key.lower()
    value = None if text.lower() in {"default", "none"} else typed_value(key, text)
    written = write_back(loaded.config_file, {key: value}, loaded.origins)
    for note in written.notes:
        say(f"note: {note}")
    say(f"{key} is now {'the default' if value is None else _text(value)} in {written.path}")
    return 0


def init(options: GlobalOptions, *, force: bool) -> int:
    """Write the commented configuration file."""
    path = find_config(options.config, options.data_dir, os.environ).path
    if (path.exists() or path.is_symlink()) and not force:
        raise ConfigError(f"{path} exists already; use --force to replace it, its old text is then kept beside it")
    if not path.parent.exists():
        prepare_directory(path.parent)
    try:
        if path.exists():
            path.rename(path.with_name(path.name + ".old"))
        write_atomically(path, template().encode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    say(f"wrote {path}; API keys belong into {path.with_name(SECRETS_FILE)} (mode 0600)")
    return 0


def _rows(loaded: Loaded) -> Iterator[tuple[str, object, str, str]]:
    for path, setting in catalogue().items():
        value: object = loaded.settings
        for part in path.split("."):
            value = getattr(value, part)
        yield path, value, str(loaded.origins[path]), setting.env
    credentials = loaded.credentials
    origin = credentials.origin if credentials is not None else "not given"
    for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET"):
        yield name.lower(), None if credentials is None else MASK, origin, name


def _text(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(map(str, value))
        case float() | Decimal():
            return f"{value:.12g}"
        case _:
            return str(value)
