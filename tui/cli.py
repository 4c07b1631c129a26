"""The way in. The first line is on the screen before anything slow is imported."""

from __future__ import annotations

import sys

from tui.arguments import hoist
from tui.exit_codes import ExitCode
from tui.splash import splash


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code. No traceback reaches the operator unless -v is given twice."""
    given = sys.argv[1:] if arguments is None else arguments
    splash(given)
    words = hoist(given)
    try:
        from tui.command_tree import app

        app(words, prog_name="perpdesk")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.CLEAN if end.code is None else ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the last net: the operator gets one calm line, the log the rest
        from tui.last_words import last_words

        return last_words(error, words)
    return ExitCode.CLEAN


if __name__ == "__main__":
    sys.exit(main())
