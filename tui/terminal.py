"""A terminal may hang, vanish or stop; the screen then loses frames, never time.

Textual's own writer blocks its loop once 30 writes wait for a paused console, and joins that thread without a limit at
the end; its input thread spins on an empty read once the terminal is gone. These classes replace both. They rest on
private names of textual 8.2 (the version is pinned; a test of its own fails when the names move).
"""

from __future__ import annotations

import codecs
import os
import queue
import selectors
import signal
from typing import IO, Final

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

STOP_WAIT_S: Final = 1.0
BUSY_WRITES: Final = 4
"""With more writes than this waiting, frames are left out."""
_READ_BYTES: Final = 4096
_SELECT_S: Final = 0.1


class TerminalGone(Message):
    """The terminal was closed: its input ended or failed."""


class SafeWriter(WriterThread):
    """A writer that drops what the terminal does not take, and never waits for it."""

    def __init__(self, file: IO[str]) -> None:
        super().__init__(file)
        self.dropped = 0
        self.broken = False

    def write(self, text: str) -> None:
        """Queue `text`, or count it as dropped."""
        if self.broken:
            return
        try:
            self._queue.put_nowait(text)
        except queue.Full:
            self.dropped += 1

    @property
    def waiting(self) -> int:
        """Return the number of writes that wait."""
        return self._queue.qsize()

    def run(self) -> None:
        """Write until stopped; a terminal that went away ends the thread quietly."""
        try:
            super().run()
        except (OSError, ValueError):
            self.broken = True

    def stop(self) -> None:
        """End the thread; wait one second for what is queued and then leave it behind (it is a daemon)."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self.broken = True
        self.join(STOP_WAIT_S)


class SafeDriver(LinuxDriver):
    """The Linux driver with the safe writer, and an input thread that ends when its terminal does."""

    @property
    def writer(self) -> SafeWriter | None:
        """Return the writer, None before the application mode began."""
        return self._writer_thread if isinstance(self._writer_thread, SafeWriter) else None

    def start_application_mode(self) -> None:
        """Start as the base class does, with the safe writer in the place of its own."""
        linux_driver.WriterThread = SafeWriter  # type: ignore[attr-defined] # constructed there by this name
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # The base class stops the process on this signal, and the engine would stop with its screen.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)

    def mouse(self, *, on: bool) -> None:
        """Take the mouse, or give it back to the terminal (for selecting and copying)."""
        if on:
            self._enable_mouse_support()
        else:
            self._disable_mouse_support()

    def run_input_thread(self) -> None:
        """Read keys until told to stop; report the end of the terminal instead of spinning on it."""
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_SELECT_S):
                    try:
                        data = os.read(self.fileno, _READ_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        self.send_message(TerminalGone())
                        return
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
