"""A terminal that stops reading costs frames, never time; one that goes away ends the screen."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import threading
import tty
from pathlib import Path

from textual.drivers._writer_thread import MAX_QUEUED_WRITES

from tui.terminal import SafeWriter

CHUNK = "x" * 20_000


def test_writer_drops_and_never_waits_when_the_pty_is_not_read():
    parent, child = pty.openpty()
    tty.setraw(child)
    writer = SafeWriter(os.fdopen(child, "w", encoding="utf-8"))
    writer.start()
    done = threading.Event()

    def flood_and_stop() -> None:
        for _ in range(MAX_QUEUED_WRITES * 3):
            writer.write(CHUNK)
        writer.stop()
        done.set()

    threading.Thread(target=flood_and_stop, daemon=True).start()
    try:
        assert done.wait(20), "a write or the stop waited for the terminal"
        assert writer.dropped > 0
        assert writer.waiting <= MAX_QUEUED_WRITES
        assert writer.is_alive(), "the thread hangs in its write; it is left behind"
    finally:
        os.close(parent)
        writer.join(20)
    assert not writer.is_alive()
    with contextlib.suppress(OSError):
        writer._file.close()


def test_writer_that_loses_its_terminal_is_broken_and_quiet():
    parent, child = pty.openpty()
    file = os.fdopen(child, "w", encoding="utf-8")
    writer = SafeWriter(file)
    writer.start()
    os.close(parent)
    for _ in range(100):
        writer.write(CHUNK)
        writer.join(0.05)
        if writer.broken:
            break
    assert writer.broken
    writer.write("more")
    writer.stop()
    assert not writer.is_alive()
    with contextlib.suppress(OSError):
        file.close()


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from fake_port import START_MS, rich_port
from tui.app import PerpdeskApp
app = PerpdeskApp(rich_port(), lambda: START_MS, monotonic=None)
app.run()
open({out!r}, "w").write(app.left.cause)
"""


def test_hang_up_ends_the_screen_and_says_why(tmp_path):
    root = Path(__file__).resolve().parents[3]
    out = tmp_path / "left"
    parent, child = pty.openpty()
    script = SCRIPT.format(folder=str(root / "tests" / "screens"), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", script], stdin=child, stdout=child, stderr=child, cwd=root)
    try:
        os.close(child)
        seen = b""
        while b"ETHUSDT" not in seen:
            assert select.select([parent], [], [], 20)[0], "the screen drew nothing"
            seen += os.read(parent, 65536)
        os.close(parent)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert out.read_text() == "terminal gone"
