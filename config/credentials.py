"""Finds the API key and its secret: in a keyring, as a service credential, in 0600 files, or in the environment.

The secret is an HMAC secret or the private key of an Ed25519 or RSA key, as PEM text or in a 0600 file of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from config.errors import CredentialsError
from config.key_file import OPEN_TO_OTHERS, read_private_key
from config.keyring_credentials import read_keyring
from config.secret import SECRET_ENV, SECRET_KEYS, Credentials, Secret, hide
from config.service_credentials import FOLDER_ENV, read_service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.toml_file import TomlFile


_OWN: Final = frozenset({FOLDER_ENV, "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""What a service manager gave to this process alone."""


def find_credentials(
    files: Sequence[TomlFile], environ: Mapping[str, str], keyring: str = ""
) -> tuple[Credentials | None, tuple[str, ...]]:
    """Return the credentials of the first source that has any, and warnings for the operator.

    The order is keyring (its entry's name, empty for none), service credential, files, environment. Both halves come
    from the same source, so a key never meets a foreign secret. Raises CredentialsError when a source has only one half
    or two different values for one, and when a file with secrets is readable by others.
    """
    found = [source for source in _sources(files, environ, keyring) if source is not None]
    if not found:
        return None, ()
    credentials, from_environment = found[0]
    warnings = []
    if from_environment:
        warnings.append(
            "the API key comes from the environment, which other processes of this user can read; "
            "a secrets.toml with mode 0600 is safer"
        )
    if len(found) > 1:
        others = ", ".join(other.origin for other, _ in found[1:])
        warnings.append(f"the API key of {credentials.origin} is used; {others} also gives one and is ignored")
    return credentials, tuple(warnings)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a child process that needs no key and does not speak for the service."""
    return {name: text for name, text in environ.items() if name not in SECRET_ENV and name not in _OWN}


def _sources(
    files: Sequence[TomlFile], environ: Mapping[str, str], keyring: str
) -> Iterator[tuple[Credentials, bool] | None]:
    for handed, origin in ((read_keyring(keyring), "the keyring"), (read_service(environ), "the service credentials")):
        credentials = _pair(handed, origin, Path.cwd())
        yield None if credentials is None else (credentials, False)
    for file in files:
        halves = [(key, SECRET_KEYS[key.lower()], value) for key, value in file.values.items() if _secret_key(key)]
        if halves and file.mode & OPEN_TO_OTHERS:
            raise CredentialsError(
                f"{file.path} holds secrets and has mode {file.mode:04o}, so others can read it; "
                f"run `chmod 600 {file.path}`"
            )
        credentials = _pair(halves, str(file.path), file.path.parent)
        yield None if credentials is None else (credentials, False)
    given = [(name, half, hide(environ.get(name, ""))) for name, half in SECRET_ENV.items()]
    credentials = _pair(given, "environment", Path.cwd())
    yield None if credentials is None else (credentials, True)


def _secret_key(key: str) -> bool:
    return key.lower() in SECRET_KEYS


def _pair(halves: Sequence[tuple[str, str, object]], origin: str, folder: Path) -> Credentials | None:
    found: dict[str, tuple[str, Secret]] = {}
    for name, half, value in halves:
        if value is None:
            continue
        if not isinstance(value, Secret):
            raise CredentialsError(
                f"{name} ({origin}) must be text in quotes, printable ASCII without blanks; copy it again"
            )
        if half in found and found[half][1] != value:
            raise CredentialsError(f"{found[half][0]} and {name} ({origin}) differ; keep one of them")
        found.setdefault(half, (name, value))
    if not found:
        return None
    if "file" in found:
        name, path = found.pop("file")
        if "secret" in found:
            raise CredentialsError(
                f"{found['secret'][0]} and {name} ({origin}) both give the secret half; keep one of them"
            )
        key_file = folder / Path(path.reveal()).expanduser()
        found["secret"] = (name, read_private_key(key_file, f"{name}, {origin}"))
    if missing := {"key", "secret"} - set(found):
        name = "BINANCE_API_KEY" if "key" in missing else "BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY_FILE)"
        other = next(iter(found.values()))[0]
        raise CredentialsError(f"{name} is missing beside {other} ({origin}); give both or neither")
    return Credentials(found["key"][1], found["secret"][1], origin)
