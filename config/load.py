"""Puts the sources together: default < file < environment < command line, each value with its origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from config.catalogue import catalogue
from config.credentials import find_credentials
from config.errors import ConfigError, CredentialsError
from config.origin import Given, Origin, Source
from config.settings import Settings
from config.sources import from_environment, from_file
from config.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from config.secret import Credentials

SECRETS_FILE = "secrets.toml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A complete configuration. There is no partial one: loading raises or returns all of it."""

    settings: Settings
    origins: Mapping[str, Origin]
    """Origin of every setting, by dotted path."""
    credentials: Credentials | None
    warnings: tuple[str, ...]
    """Sentences the operator should see."""
    config_file: Path
    """The file that was looked for; keyboard changes are written to it."""
    file_exists: bool


def load(
    config_file: Path,
    environ: Mapping[str, str],
    command_line: Mapping[str, tuple[object, str]] | None = None,
    *,
    required: bool = False,
) -> Loaded:
    """Load `config_file` (with `secrets.toml` beside it), the environment and the command line.

    `command_line` maps a dotted path to its typed value and the option it was given with. `required` makes a missing
    file an error. Raises ConfigError with every fault found.
    """
    file = read_toml(config_file, required=required)
    try:
        secrets = read_toml(config_file.with_name(SECRETS_FILE), required=False)
    except ConfigError as error:
        raise CredentialsError(*error.faults) from None
    given: dict[str, Given] = {}
    if file is not None:
        given |= from_file(file)
    if secrets is not None and (stray := from_file(secrets)):
        raise ConfigError(
            *(f"{path} ({one.origin}) is no secret; move it to {config_file}" for path, one in stray.items())
        )
    given |= from_environment(environ)
    for path, (value, option) in (command_line or {}).items():
        given[path] = Given(value, Origin(Source.COMMAND_LINE, option))
    _derive_venue(given)
    settings = validate(given)
    credentials, warnings = find_credentials(
        [one for one in (secrets, file) if one is not None], environ, settings.exchange.keyring
    )
    origins = {path: given[path].origin if path in given else Origin(Source.DEFAULT) for path in catalogue()}
    return Loaded(settings, origins, credentials, warnings, config_file, file is not None)


def validate(given: Mapping[str, Given]) -> Settings:
    """Return the settings made of `given` values and defaults. Raises ConfigError with every fault."""
    document: dict[str, object] = {}
    for path, one in given.items():
        *parents, leaf = path.split(".")
        table = document
        for parent in parents:
            inner = table.setdefault(parent, {})
            assert isinstance(inner, dict)
            table = inner
        table[leaf] = one.value
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigError(*dict.fromkeys(_fault(detail, given) for detail in error.errors(include_url=False))) from None


def _fault(detail: ErrorDetails, given: Mapping[str, Given]) -> str:
    """Return one fault as a sentence with key, value, origin and what is allowed."""
    words = [str(part) for part in detail["loc"]]
    path = next((".".join(words[:end]) for end in range(len(words), 0, -1) if ".".join(words[:end]) in catalogue()), "")
    reason = detail["msg"].removeprefix("Value error, ")
    if not path:
        inside = [f"{key} = {one.value!r} ({one.origin})" for key, one in given.items() if key in reason]
        return f"{reason}; given: {', '.join(inside)}"
    allowed = reason if detail["type"] == "value_error" else f"must be {catalogue()[path].allowed}"
    return f"{path} = {given[path].value!r} ({given[path].origin}) is refused: {allowed}"


def _derive_venue(given: dict[str, Given]) -> None:
    """Let BINANCE_TESTNET choose the venue where none is given, and refuse a contradiction.

    Existing deployments know only that name: true is the demo venue, false the live one.
    """
    testnet = given.get("exchange.testnet")
    if testnet is None or not isinstance(testnet.value, bool):
        return
    venue = given.get("exchange.venue")
    if venue is None:
        value = "demo" if testnet.value else "live"
        given["exchange.venue"] = Given(
            value, testnet.origin._replace(where=f"{testnet.origin.where} (exchange.testnet)")
        )
    elif venue.value == "live" and testnet.value:
        raise ConfigError(
            f"exchange.venue = 'live' ({venue.origin}) contradicts exchange.testnet = True ({testnet.origin}); "
            "remove one of them"
        )
