"""`perpdesk` and `perpdesk --headless`: the desk itself."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import ConfigError
from config.options import RunOptions
from config.paths import prepare_directory
from engine.adapters.lock import DeskLock, LockHeldError
from engine.adapters.process import close_process
from tui.desk_start import configuration, paths_of
from tui.exit_codes import ExitCode
from tui.talk import say

if TYPE_CHECKING:
    from tui.arguments import GlobalOptions


def run_desk(options: GlobalOptions) -> int:
    """Run the workstation, or the engine alone, until it ends; return the exit code. Raises ConfigError."""
    close_process()
    if options.record_inputs and not options.headless:
        raise ConfigError("--record-inputs: only a desk without a screen is recorded; add --headless")
    loaded = configuration(options)
    paths = paths_of(loaded)
    prepare_directory(paths.data)
    try:
        lock = DeskLock(paths.lock_file)
    except LockHeldError as error:
        say(str(error))
        return ExitCode.LOCK_HELD
    except OSError as error:
        raise ConfigError(f"{paths.lock_file} cannot be locked: {error.strerror}; check what it is") from None
    run = RunOptions(
        paths,
        json=options.json,
        duration=options.duration,
        read_only=options.read_only,
        verbose=options.verbose,
        record_inputs=Path(options.record_inputs) if options.record_inputs else None,
    )
    # The screen's toolkit must never be imported by a headless run, so the module is chosen by name.
    module = importlib.import_module("engine.headless" if options.headless else "tui.workstation")
    try:
        return int(module.run(loaded, run))
    finally:
        lock.release()
