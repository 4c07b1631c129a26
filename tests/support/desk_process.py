"""The program in processes of its own: how end-to-end tests start it, read it and look into its journal."""

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("perpdesk"))
SMALL = {"TOP_LIQUIDITY_SYMBOLS": "40", "MIN_CONFIDENCE": "0.2"}
QUICK = {"CYCLE_INTERVAL": "10"}
"""At the simulator's speed a cycle every half second: for tests that wait for the desk to do something again."""


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BINANCE_", "PERPDESK_"))}
    return kept | SMALL | more


@contextlib.contextmanager
def headless(folder, *more, settings=SMALL, **popen):
    """Run a desk without a screen; one that a failing test leaves behind is killed, since it would never end itself."""
    with subprocess.Popen(
        [PROGRAM, "--headless", "--json", "--data-dir", str(folder), "--sim-symbols", "40", *more],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **popen,
    ) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGCONT)
            process.kill()
            raise


def run(*arguments, **more):
    """Run a command of the program to its end."""
    return subprocess.run(
        [PROGRAM, *arguments], env=environment(**more), capture_output=True, text=True, timeout=120, check=False
    )


def cycles_until(process, wanted, seconds=90):
    """Read cycle lines until one satisfies `wanted`; a generous limit, since machines are shared."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        cycle = json.loads(line)
        if wanted(cycle):
            return cycle
    raise AssertionError("no such cycle in time")


def journal_bytes(folder):
    """Return how long the journal is by now."""
    return sum(path.stat().st_size for path in Path(folder, "journal").glob("*.log"))


def wait_for_growth(folder, process, beyond, seconds=60):
    """Wait until the journal of a running program is longer than `beyond`; return its length."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the program ended with {process.returncode}"
        size = journal_bytes(folder)
        if size > beyond:
            return size
        time.sleep(0.1)
    raise AssertionError(f"the journal did not grow beyond {beyond} bytes within {seconds} s")


class BareTerminal:
    """A pseudo-terminal without anything behind it, and a program in it.

    With `session` the terminal is the controlling one of a session that the program leads, as in a terminal window
    that was opened for it; else the program is a job of the test's own session, which a stop signal can stop.
    """

    def __init__(self, command, environment, *, session, size=(40, 120)):
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, size)
        self.process = subprocess.Popen(
            command,
            env=environment | {"TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=session,
            process_group=None if session else 0,
            preexec_fn=_take_terminal if session else None,  # noqa: PLW1509 - nothing but one system call
        )
        os.close(slave)
        self._reading = threading.Event()
        self._closed = False
        self._reading.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.shown = b""

    def _read(self):
        while not self._closed:
            self._reading.wait()
            with contextlib.suppress(OSError):
                if select.select([self._master], [], [], 0.05)[0] and self._reading.is_set():
                    self.shown += os.read(self._master, 65536)

    def stop_reading(self):
        """Let the terminal hang: it takes nothing any more."""
        self._reading.clear()

    def hang_up(self):
        """Close the terminal, as the end of a connection or of its window does."""
        self._closed = True
        self._reading.set()
        self._reader.join()
        os.close(self._master)

    def stop(self):
        """End what is left; a test that failed must not leave a desk behind."""
        if not self._closed:
            self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
