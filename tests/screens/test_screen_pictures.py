"""Golden pictures: three sizes, and the states that must never be mistaken for one another."""

from __future__ import annotations

import msgspec
import pytest
from fake_port import FakePort, snapshot

SIZES = {"wide": (200, 50), "medium": (120, 40), "narrow": (80, 24)}


async def settle(pilot) -> None:
    await pilot.pause()
    pilot.app.turn()
    pilot.app.desk.redraw_all()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
def test_main_screen_looks_as_approved(snap_compare, make_app, size):
    assert snap_compare(make_app(), terminal_size=SIZES[size], run_before=settle)


@pytest.mark.parametrize("size", SIZES)
def test_signal_detail_looks_as_approved(snap_compare, make_app, size):
    async def open_detail(pilot) -> None:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        await settle(pilot)

    assert snap_compare(make_app(), terminal_size=SIZES[size], run_before=open_detail)


def test_question_before_closing_looks_as_approved(snap_compare, make_app):
    async def ask(pilot) -> None:
        await settle(pilot)
        await pilot.press("3", "x")
        await settle(pilot)

    assert snap_compare(make_app(), terminal_size=SIZES["medium"], run_before=ask)


def test_halted_live_desk_looks_as_approved(snap_compare, make_app, port: FakePort):
    port.latest = snapshot(trading="LIVE", environment="live", entries="halted by operator")
    assert snap_compare(make_app(), terminal_size=SIZES["narrow"], run_before=settle)


def test_stale_figures_look_as_approved(snap_compare, make_app, clocks):
    async def wait(pilot) -> None:
        await settle(pilot)
        clocks.advance(12)
        await settle(pilot)

    assert snap_compare(make_app(), terminal_size=SIZES["medium"], run_before=wait)


def test_colour_blind_theme_looks_as_approved(snap_compare, make_app):
    assert snap_compare(make_app(theme="blue-orange"), terminal_size=SIZES["narrow"], run_before=settle)


def test_ascii_screen_looks_as_approved(snap_compare, make_app):
    assert snap_compare(make_app(ascii_only=True), terminal_size=SIZES["medium"], run_before=settle)


def test_back_filling_looks_as_approved(snap_compare, make_app, port: FakePort):
    feed = msgspec.structs.replace(snapshot().feed, backfill_done=211)
    port.latest = snapshot(phase="back-filling", phase_text="candles of 3 frames", feed=feed, signals=())
    assert snap_compare(make_app(), terminal_size=SIZES["narrow"], run_before=settle)
