"""Where files live, and the checks before anything is written there."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import platformdirs

from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION: Final = "perpdesk"
CONFIG_NAME: Final = "config.toml"


class ConfigPlace(NamedTuple):
    """The configuration file of a start."""

    path: Path
    required: bool
    """True when the operator named the file, so that its absence is an error."""


def find_config(config: str | None, data_dir: str | None, environ: Mapping[str, str]) -> ConfigPlace:
    """Return the configuration file: `--config`, PERPDESK_CONFIG, a named data directory's own, else the user's.

    A data directory named on the command line or in the environment makes a desk of its own, with its own file.
    """
    if named := config or environ.get("PERPDESK_CONFIG"):
        return ConfigPlace(_absolute(named), required=True)
    if own := data_dir or environ.get("PERPDESK_DATA_DIR"):
        return ConfigPlace(_absolute(own) / CONFIG_NAME, required=False)
    return ConfigPlace(platformdirs.user_config_path(APPLICATION) / CONFIG_NAME, required=False)


class DeskPaths(NamedTuple):
    """The folders of one desk."""

    data: Path

    @property
    def log_file(self) -> Path:
        """Return the log of the program's own faults and notes."""
        return self.data / "perpdesk.log"

    @property
    def view_file(self) -> Path:
        """Return the indexed view of the journal."""
        return self.data / "journal.sqlite"

    @property
    def lock_file(self) -> Path:
        """Return the file whose lock makes one desk the only writer."""
        return self.data / "desk.lock"


def lock_folder() -> Path:
    """Return the folder of the locks that hold over all data directories of this user."""
    return platformdirs.user_state_path(APPLICATION) / "locks"


def desk_paths(data_dir: str) -> DeskPaths:
    """Return the paths below the configured data directory, or below the platform's place when it is empty."""
    return DeskPaths(_absolute(data_dir) if data_dir else platformdirs.user_data_path(APPLICATION))


def prepare_directory(path: Path) -> None:
    """Create a private directory (0700) or check that the existing one is private, real and writable.

    Raises ConfigError with the remedy.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise ConfigError(
            f"data directory {path} cannot be created: {error.strerror}; choose another with --data-dir"
        ) from None
    if stat.S_ISLNK(status.st_mode):
        raise ConfigError(f"data directory {path} is a symbolic link; name the directory it points to with --data-dir")
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"data directory {path} is not a directory; choose another with --data-dir")
    if status.st_uid != os.geteuid():
        raise ConfigError(f"data directory {path} belongs to another user; choose another with --data-dir")
    if status.st_mode & 0o077:
        raise ConfigError(
            f"data directory {path} has mode {stat.S_IMODE(status.st_mode):04o}, so others can look into it; "
            f"run `chmod 700 {path}`"
        )
    _prove_writable(path)


def _prove_writable(path: Path) -> None:
    probe = path / ".write-probe"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.close(descriptor)
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"data directory {path} cannot be written: {error.strerror}; give it rights or name another with --data-dir"
        ) from None


def loose_modes(path: Path) -> tuple[str, ...]:
    """Return a sentence for each file or folder below `path` that others may read, or that is a symbolic link."""
    found = []
    for folder, folders, files in os.walk(path, followlinks=False):
        for name in sorted([*folders, *files]):
            entry = Path(folder) / name
            mode = entry.lstat().st_mode
            if stat.S_ISLNK(mode):
                found.append(f"{entry} is a symbolic link")
            elif mode & 0o077:
                found.append(f"{entry} has mode {stat.S_IMODE(mode):04o}")
    return tuple(found)


def _absolute(text: str) -> Path:
    return Path(text).expanduser().absolute()
