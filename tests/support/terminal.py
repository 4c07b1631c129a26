"""A real terminal for end-to-end tests: one private tmux server per test, never the operator's own."""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

CONF = """
set -g default-terminal "tmux-256color"
set -ga terminal-overrides ",*:Tc"
set -g status off
set -g remain-on-exit on
"""


def available():
    return shutil.which("tmux") is not None


class Terminal:
    def __init__(self, folder: Path, name: str, size=(120, 40)):
        self.server = f"perpdesk-{name}-{os.getpid()}"  # two runs of the tests must not share a server
        self.conf = folder / "tmux.conf"
        self.conf.write_text(CONF, encoding="utf-8")
        self.size = size

    def _tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-L", self.server, *arguments], capture_output=True, text=True, check=False, timeout=20
        )
        if done.returncode:
            raise AssertionError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def start(self, command, environment):
        # pytest sets COLUMNS and LINES, which a screen would believe more than its terminal.
        given = (f"{key}={value}" for key, value in environment.items() if key not in {"COLUMNS", "LINES"})
        words = ["env", "-u", "COLUMNS", "-u", "LINES", *given, *command]
        columns, rows = self.size
        self._tmux("-f", str(self.conf), "new-session", "-d", "-x", str(columns), "-y", str(rows), shlex.join(words))

    def screen(self):
        return self._tmux("capture-pane", "-p")

    def coloured(self):
        """The screen with its colours, as the terminal shows it."""
        return self._tmux("capture-pane", "-p", "-e", "-N")

    def keys(self, *keys):
        for key in keys:
            self._tmux("send-keys", key)

    def escape(self, shown):
        """Press Escape and wait until what was shown is gone: a key right behind it would be read with Alt."""
        self.keys("Escape")
        end = time.monotonic() + 30
        while re.search(shown, self.screen()):
            if time.monotonic() > end:
                raise AssertionError(f"Escape did not close {shown}:\n{self.screen()}")
            time.sleep(0.2)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait(self, pattern, seconds=60, pause=0.2):
        """Wait until the screen matches; the limit is generous because machines are shared."""
        return self.wait_any([pattern], seconds, pause)

    def wait_any(self, patterns, seconds=60, pause=0.2):
        end = time.monotonic() + seconds
        while True:
            shown = self.screen()
            for pattern in patterns:
                if re.search(pattern, shown):
                    return shown
            if time.monotonic() > end:
                raise AssertionError(f"the screen never showed {patterns} within {seconds} s:\n{shown}")
            time.sleep(pause)

    def wait_dead(self, seconds=30):
        """Wait for the program's end and return its exit status.

        tmux 3.3 sometimes misses the death of its child and leaves it unreaped: the kernel then still knows the status.
        """
        pid = self.pid()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            dead, status = self._tmux("display-message", "-p", "#{pane_dead},#{pane_dead_status}").strip().split(",")
            if dead == "1" and status:
                return int(status)
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                if dead == "1" and fields[0] == "Z":
                    return os.waitstatus_to_exitcode(int(fields[-1]))
            time.sleep(0.2)
        raise AssertionError(f"the program did not end within {seconds} s:\n{self.screen()}")

    def pid(self):
        return int(self._tmux("display-message", "-p", "#{pane_pid}").strip())

    def stop(self):
        """End the program, which outlives its terminal by design, and the server."""
        with contextlib.suppress(AssertionError, OSError):
            if self._tmux("display-message", "-p", "#{pane_dead}").strip() != "1":
                os.kill(self.pid(), signal.SIGTERM)
                self.wait_dead()
        subprocess.run(["tmux", "-L", self.server, "kill-server"], capture_output=True, check=False, timeout=20)
