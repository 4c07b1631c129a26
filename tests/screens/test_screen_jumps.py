"""Jump mode, the trading switch, the palette as the list of all actions, and what narrow screens must not cut."""

from __future__ import annotations

import pytest
from desk_driver import MEDIUM, NARROW, WIDE
from fake_port import FakePort, snapshot

from engine.commands import SetTrading
from engine.events import EventKind, Severity
from tui.keys import BY_ID, KEYS
from tui.palette_provider import DeskProvider
from tui.screens.confirm import ConfirmScreen
from tui.screens.jump import PANELS, JumpScreen


@pytest.mark.parametrize(("letter", "panel"), PANELS.items())
async def test_g_and_a_letter_jump_to_the_panel(running, letter, panel):
    async with running(NARROW) as desk:
        await desk.press("g")
        assert f"{letter} {panel}" in desk.box()
        await desk.press(letter)
        assert desk.visible() == {panel}
        assert desk.app.screen is desk.app.desk


async def test_g_and_a_symbol_put_the_cursor_on_it_while_it_is_typed(running):
    async with running() as desk:
        await desk.press("3", "g", "t")
        await desk.type("sol")
        assert desk.app.desk.signals.cursor_key == "SOLUSDT"
        assert desk.app.view.symbol == "SOLUSDT"
        await desk.press("enter")
        assert desk.app.desk.active == "signals"
        assert "> " in next(line for line in desk.text("signals").splitlines() if "SOLUSDT" in line)


async def test_a_capital_or_a_digit_begins_a_symbol_at_once(running):
    async with running() as desk:
        await desk.press("g", "X")
        assert desk.app.desk.signals.cursor_key == "XRPUSDT"
        await desk.press("enter", "g", "1")
        assert desk.app.desk.signals.cursor_key.startswith("1000")


async def test_an_exact_name_wins_over_a_longer_one_that_begins_alike(running, port: FakePort):
    async with running() as desk:
        await desk.press("g", "t")
        await desk.type("shib")
        assert desk.app.desk.signals.cursor_key == "1000SHIBUSDT", "a name may also contain what is typed"
        await desk.press("ctrl+u")
        await desk.type("ETH")
        assert desk.app.desk.signals.cursor_key == "ETHUSDT"


async def test_leaving_a_jump_brings_panel_and_cursor_back(running):
    async with running() as desk:
        before = desk.app.desk.signals.cursor_key
        await desk.press("5", "g", "t")
        await desk.type("doge")
        await desk.press("escape")
        assert desk.app.desk.active == "breaker"
        assert desk.app.desk.signals.cursor_key == before


async def test_a_symbol_that_is_not_there_is_said_and_enter_does_not_take_it(running):
    async with running() as desk:
        before = desk.app.desk.signals.cursor_key
        await desk.press("g", "t")
        await desk.type("zzz")
        assert "no symbol of the table begins with or contains this" in desk.box()
        await desk.press("enter")
        assert isinstance(desk.app.screen, JumpScreen)
        await desk.press("escape")
        assert desk.app.desk.signals.cursor_key == before
        await desk.press("slash")
        await desk.type("sig:long")
        await desk.press("enter", "g", "t")
        await desk.type("zzz")
        assert "the filter sig:long hides some" in desk.box()


async def test_a_letter_without_a_panel_says_so(running):
    async with running() as desk:
        await desk.press("g", "z")
        assert desk.app.screen is desk.app.desk
        assert "no panel has this letter" in desk.text("notice")
        assert not desk.app.desk.zoomed


async def test_trading_live_wants_the_word_and_shows_what_the_desk_answers(running, port: FakePort):
    port.refuse = "this version sends no orders"
    async with running() as desk:
        await desk.press("T")
        assert isinstance(desk.app.screen, ConfirmScreen)
        assert "Trading is on paper now" in desk.box()
        await desk.press("enter")
        assert port.sent == [], "enter alone confirms nothing"
        await desk.type("LIVE")
        await desk.press("enter")
        assert port.sent == [SetTrading(live=True)]
        assert "refused: trading live: this version sends no orders" in desk.text("notice")


async def test_trading_goes_off_at_once(running, port: FakePort):
    port.latest = snapshot(trading="LIVE", environment="live")
    async with running() as desk:
        await desk.press("T")
        assert port.sent == [SetTrading(live=False)]


MOVES = {"move.down", "move.up", "move.page_down", "move.page_up", "move.home", "move.end", "back", "palette"}


async def test_every_action_has_a_palette_entry_with_its_key_and_a_help_line(running, port: FakePort):
    async with running((200, 60)) as desk:
        found = set()
        for digit in ("1", "3"):
            await desk.press(digit)
            found |= {entry.binding for entry in DeskProvider(desk.app.desk).entries()}
        assert {key.id for key in KEYS} - found == MOVES, "moving about needs no palette"
        await desk.press("question_mark")
        shown = " ".join(desk.box().split())
        for key in KEYS:
            assert key.help.split(" ")[0] in shown
        assert "disarm at once; arm: typed LIVE" in shown
        assert "jump: then a panel's letter, or a symbol" in shown


async def test_commands_run_from_the_palette_come_first_the_next_time(running):
    async with running(WIDE) as desk:
        await desk.press("colon")
        await desk.pilot.pause()
        await desk.type("red-up")
        await desk.pilot.pause(0.3)
        await desk.press("enter")
        await desk.pilot.pause(0.3)
        assert desk.app.view.palette.theme == "red-up"
        assert desk.app.desk.recent == ["theme red-up"]
        await desk.press("ctrl+t")
        hits = [hit async for hit in DeskProvider(desk.app.desk).discover()]
        assert "theme red-up" in str(hits[0].prompt)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_palette_has_no_emoji_and_obeys_ascii(running, ascii_only):
    async with running(MEDIUM, ascii_only=ascii_only) as desk:
        await desk.press("colon")
        await desk.pilot.pause(0.3)
        strips = desk.app.screen._compositor.render_strips(desk.app.size)
        text = "\n".join(strip.text for strip in strips)
        assert "type a command" in text
        assert "halt new entries" in text or "panel" in text
        assert max(map(ord, text)) < 0x1F000
        if ascii_only:
            assert text.isascii()


async def test_a_filter_is_named_on_a_narrow_terminal_too(running):
    async with running(NARROW) as desk:
        await desk.press("slash")
        await desk.type("sig:long")
        assert "fields:" in desk.box()
        assert "spr" in desk.box(), "the help is wrapped, not cut"
        await desk.press("enter")
        rows = len(desk.app.desk.signals.rows)
        assert f"filter {rows}/200" in desk.text("tabs")


async def test_the_digest_shows_whole_positions_or_none(running, port: FakePort):
    virtual = port.latest.virtual
    port.latest = snapshot(positions=())
    for width in range(60, 100, 3):
        async with running((width, 24)) as desk:
            line = desk.text("digest").splitlines()[1].rstrip()
            assert "…" not in line
            assert line.endswith("%")
            assert line.startswith(f" {len(virtual)} virtual")


async def test_long_events_are_wrapped_in_their_panel(running, port: FakePort):
    words = " ".join(f"word{number}" for number in range(40))
    async with running(NARROW) as desk:
        port.emit(EventKind.SYSTEM, Severity.INFO, words)
        await desk.press("7")
        shown = " ".join(desk.text("events").split())
        assert words in shown


async def test_a_list_that_does_not_fit_says_how_much_there_is(running):
    async with running(NARROW) as desk:
        await desk.press("question_mark")
        assert "1-20 of " in desk.box()
        await desk.press("pagedown")
        assert "11-30 of " in desk.box()


async def test_the_halt_key_is_called_resume_once_entries_are_halted(running, port: FakePort):
    async with running() as desk:
        assert "H halt" in desk.text("keys")
        port.latest = snapshot(seq=2, entries="halted by operator")
        await desk.settle()
        assert "H resume" in desk.text("keys")


async def test_zoom_gives_the_detail_the_whole_screen(running):
    async with running(WIDE) as desk:
        await desk.press("enter")
        assert desk.visible() == {"detail", "chart"}
        await desk.press("z")
        assert desk.visible() == {"detail"}


async def test_keys_of_the_table_are_bound_once():
    pressed = [name for key in KEYS for name in key.keys.split(",")]
    assert len(pressed) == len(set(pressed))
    assert set(BY_ID) == {key.id for key in KEYS}


@pytest.mark.parametrize("width", range(60, 130, 7))
async def test_the_gain_never_stands_without_the_equity_it_belongs_to(running, port: FakePort, width):
    port.latest = snapshot(entries="halted by operator")
    async with running((width, 24)) as desk:
        top = desk.text("top")
        assert ("+12.50" in top) <= ("eq 10 012.50" in top)
        assert "ENTRIES HALTED" in top


@pytest.mark.parametrize("keys", [("T",), ("X",), ("q",), ("B", "enter"), ("B", "down", "enter"), ("B", "3", "enter")])
async def test_what_is_typed_stays_in_sight_on_the_smallest_terminal(running, keys):
    async with running((60, 16)) as desk:
        await desk.press(*keys)
        await desk.type("abc")
        assert "> abc_" in desk.box()


@pytest.mark.parametrize("key", ["M", "L"])
async def test_lists_on_the_smallest_terminal_cut_no_word(running, key):
    async with running((60, 16)) as desk:
        await desk.press(key)
        assert "…" not in desk.box()
        assert "after restart" in desk.box() or "re-weighs" in desk.box() or "takes effect" in desk.box()


async def test_every_flag_can_be_read_with_its_notes_on_the_smallest_terminal(running, port: FakePort):
    flags = port.latest.flags
    async with running((60, 16)) as desk:
        await desk.press("L")
        for flag in flags:
            cursor = next(line for line in desk.box().splitlines() if "> " in line)
            assert flag.name in cursor
            assert flag.effect[:20] in desk.box()
            assert "rung:" in desk.box()
            await desk.press("j")


@pytest.mark.parametrize("size", [(60, 16), NARROW, MEDIUM])
async def test_the_life_of_a_position_is_whole_at_any_width(running, size):
    async with running(size) as desk:
        await desk.press("3", "enter")
        assert "esc back" in (desk.text("tabs") if size[0] < 100 else desk.text("detail"))
        seen = ""
        for _ in range(6):
            seen += desk.text("detail")
            await desk.press("pagedown")
        assert "…" not in seen
        for words in ("stop ", "target ", "1204 looks", "ETA"):
            assert words in seen
