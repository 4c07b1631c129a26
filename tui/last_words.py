"""What a failing run tells the operator, and what it leaves in the log."""

from __future__ import annotations

import os
import re
import sys
import traceback
from typing import TYPE_CHECKING

from config.errors import ConfigError, CredentialsError
from config.paths import desk_paths
from tui.commands_journal import JournalQuestionError
from tui.exit_codes import ExitCode
from tui.log_file import append
from tui.talk import say

if TYPE_CHECKING:
    from collections.abc import Sequence


def last_words(error: Exception, words: Sequence[str]) -> int:
    """Explain an exception and return the exit code it stands for."""
    if isinstance(error, ConfigError):
        for fault in error.faults:
            say(fault)
        return ExitCode.CREDENTIALS if isinstance(error, CredentialsError) else ExitCode.CONFIG
    if isinstance(error, JournalQuestionError):
        say(str(error))
        return ExitCode.USAGE
    report = "".join(traceback.format_exception(error))
    where = _log(report, words)
    say(f"stopped by a fault of its own ({type(error).__name__}); {where}")
    if sum(word.count("v") for word in words if re.fullmatch(r"-v+", word)) >= 2:
        sys.stderr.write(report)
    return ExitCode.INTERNAL


def _log(report: str, words: Sequence[str]) -> str:
    """Append the traceback (code and lines, no values) to the log and say where it is."""
    named = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "--data-dir"), "")
    path = desk_paths(named or os.environ.get("PERPDESK_DATA_DIR", "")).log_file
    try:
        append(path, report)
    except OSError as refused:
        return f"its log {path} cannot be written ({refused.strerror}); repeat with -v -v to see more"
    return f"the details are in {path}"
