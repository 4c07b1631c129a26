"""Frames are left out while the terminal is behind, and one whole repaint follows once it has caught up."""

from __future__ import annotations

import re

import msgspec
import pytest
from desk_driver import MEDIUM
from fake_port import FakePort, snapshot
from textual.app import App

from tui.terminal import BUSY_WRITES


class Writer:
    """What the application asks of the driver's writer."""

    def __init__(self) -> None:
        self.waiting = 0
        self.broken = False


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def frames(monkeypatch):
    """Collects what reaches the terminal, as text."""
    shown: list[str] = []
    real = App._display

    def display(app, screen, renderable) -> None:
        if renderable is not None:
            shown.append(renderable.render_segments(app.console))
        real(app, screen, renderable)

    monkeypatch.setattr(App, "_display", display)
    return shown


@pytest.fixture
def slow(running, writer, monkeypatch):
    def run(**options):
        desk = running(MEDIUM, **options)
        monkeypatch.setattr(desk.app, "_writer", lambda: writer)
        return desk

    return run


def moved(port: FakePort, seq: int) -> None:
    """Let every row's price move."""
    rows = tuple(msgspec.structs.replace(row, last=row.last * (1 + seq / 100)) for row in port.latest.signals)
    port.latest = snapshot(seq=seq, signals=rows)


async def test_frames_are_left_out_while_writes_wait_and_the_desk_is_read_all_the_same(slow, port, writer, frames):
    async with slow() as desk:
        frames.clear()
        writer.waiting = BUSY_WRITES + 1
        moved(port, 2)
        await desk.settle()
        assert frames == []
        assert desk.app.frames_skipped > 0
        assert desk.app.view.shown.seq == 2, "only the picture waits"


async def test_as_many_writes_as_a_quick_terminal_has_waiting_leave_nothing_out(slow, port, writer, frames):
    async with slow() as desk:
        frames.clear()
        writer.waiting = BUSY_WRITES
        moved(port, 2)
        await desk.settle()
        assert frames
        assert desk.app.frames_skipped == 0


async def test_the_whole_screen_is_painted_once_when_the_terminal_has_caught_up(slow, port, writer, frames):
    async with slow() as desk:
        writer.waiting = BUSY_WRITES + 1
        moved(port, 2)
        await desk.settle()
        writer.waiting = 1
        frames.clear()
        desk.app._catch_up()
        await desk.pilot.pause()
        assert desk.app._behind, "a writer that still has something is not asked for more"
        writer.waiting = 0
        desk.app._catch_up()
        await desk.pilot.pause()
        painted = max(frames, key=len)
        for words in ("1 Signals", "7 Events", "ETHUSDT", "3 Virtual", "/ filter"):
            assert words in _plain(painted), "also what did not change is painted"
        count = len(frames)
        desk.app._catch_up()
        await desk.pilot.pause()
        assert len(frames) == count, "once"


async def test_frames_left_out_are_told_once_the_terminal_is_back(slow, port, writer):
    async with slow() as desk:
        writer.waiting = BUSY_WRITES + 1
        moved(port, 2)
        await desk.settle()
        writer.waiting = 0
        skipped = desk.app.frames_skipped
        desk.app._catch_up()
        await desk.settle()
        assert f"the terminal was slow: {skipped} frames left out" in desk.text("notice")


async def test_a_question_over_the_panels_is_painted_with_them_when_the_terminal_catches_up(slow, port, writer, frames):
    async with slow() as desk:
        await desk.press("X")
        writer.waiting = BUSY_WRITES + 1
        await desk.type("CL")
        writer.waiting = 0
        frames.clear()
        desk.app._catch_up()
        await desk.pilot.pause()
        painted = _plain(max(frames, key=len))
        assert "> CL" in painted
        assert "ETHUSDT" in painted


async def test_a_broken_terminal_is_left_alone(slow, port, writer, frames):
    async with slow() as desk:
        writer.broken = True
        frames.clear()
        moved(port, 2)
        await desk.settle()
        desk.app._catch_up()
        await desk.settle()
        assert frames == []


async def test_a_terminal_that_was_never_behind_is_not_repainted(slow, writer, frames):
    async with slow() as desk:
        frames.clear()
        desk.app._catch_up()
        await desk.pilot.pause()
        assert frames == []


def _plain(painted: str) -> str:
    """Return what was painted without escape sequences, runs of blanks as one."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", painted).split())
