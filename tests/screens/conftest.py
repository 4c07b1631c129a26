"""Shared pieces of the screen tests: a fake clock and an application on the fake port."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"
sys.path.insert(0, str(Path(__file__).resolve().parent))

from desk_driver import MEDIUM, Running
from fake_port import START_MS, FakePort, rich_port

from tui.app import PerpdeskApp


class Clocks:
    """Desk and process clock, moved by hand."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.mono = 1000.0

    def advance(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
        self.mono += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def port() -> FakePort:
    return rich_port()


@pytest.fixture
def make_app(port, clocks, tmp_path):
    def make(**options) -> PerpdeskApp:
        return PerpdeskApp(
            options.pop("port", port),
            lambda: clocks.now_ms,
            monotonic=lambda: clocks.mono,
            write_folder=tmp_path,
            **options,
        )

    return make


@pytest.fixture
def running(make_app):
    def run(size=MEDIUM, **options):
        return Running(make_app(**options), size)

    return run
