"""Every key of the desk screen, pressed as an operator would."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from desk_driver import MEDIUM, NARROW, WIDE
from fake_port import START_MS, FakePort, snapshot

from engine.commands import (
    AskChart,
    BypassBreaker,
    CloseAllVirtual,
    CloseVirtual,
    Halt,
    Rearm,
    ResetBreaker,
    Resume,
    SetFlag,
    SetMode,
)
from engine.events import EventKind, Severity
from engine.port import LocalPort
from tui.app import LeaveCause, PerpdeskApp
from tui.keys import BY_ID
from tui.screens.confirm import ConfirmScreen
from tui.screens.filter import FilterScreen
from tui.screens.help import HelpScreen

FREE = BY_ID["help"]


async def test_digits_show_each_panel_on_a_narrow_terminal(running):
    async with running(NARROW) as desk:
        names = ("signals", "positions", "virtual", "leverage", "breaker", "models", "events", "chart")
        for digit, name in enumerate(names, 1):
            await desk.press(str(digit))
            assert desk.visible() == {name}
            assert f"[{digit} " in desk.text("tabs")


async def test_tab_walks_through_all_panels_and_shift_tab_goes_back(running):
    async with running(NARROW) as desk:
        await desk.press("tab")
        assert desk.visible() == {"positions"}
        await desk.press("shift+tab", "shift+tab")
        assert desk.visible() == {"chart"}


async def test_medium_terminal_shows_one_lower_panel_that_its_digit_chooses(running):
    async with running(MEDIUM) as desk:
        assert "leverage" in desk.visible()
        await desk.press("6")
        assert desk.visible() == {"signals", "positions", "virtual", "events", "models"}


async def test_wide_terminal_shows_all_panels(running):
    async with running(WIDE) as desk:
        assert len(desk.visible()) == 8


async def test_zoom_fills_the_screen_and_escape_brings_the_others_back(running):
    async with running(WIDE) as desk:
        await desk.press("z")
        assert desk.visible() == {"signals"}
        assert "Why not" in desk.text("signals")
        await desk.press("escape")
        assert len(desk.visible()) == 8


async def test_cursor_moves_by_letters_arrows_pages_and_edges_and_chart_follows(running):
    async with running() as desk:
        signals = desk.app.desk.signals
        first = signals.cursor_key
        await desk.press("j")
        second = signals.cursor_key
        await desk.press("down", "k")
        assert signals.cursor_key == second != first
        assert desk.app.view.symbol == second
        await desk.press("up")
        assert signals.cursor_key == first
        await desk.press("end")
        last = signals.cursor_key
        await desk.press("pageup", "pagedown")
        assert signals.cursor_key == last
        await desk.press("g", "g")
        assert signals.cursor_key == first
        await desk.press("G")
        assert signals.cursor_key == last
        await desk.press("home")
        assert signals.cursor_key == first


async def test_sort_walks_columns_and_reverses(running):
    async with running() as desk:
        await desk.press("o")
        assert "sort #" in desk.text("notice")
        assert desk.app.desk.signals.rows[0].rank == 1
        await desk.press("O")
        assert desk.app.desk.signals.rows[0].rank == 200


async def test_filter_applies_while_typed_and_says_what_is_wrong(running):
    async with running() as desk:
        await desk.press("slash")
        assert isinstance(desk.app.screen, FilterScreen)
        await desk.type("sig:long conf>.7")
        rows = desk.app.desk.signals.rows
        assert rows
        assert all(row.direction == "LONG" and row.confidence > 0.7 for row in rows)
        await desk.type(" cnf>1")
        assert "did you mean conf" in desk.box()
        await desk.press("enter")
        assert isinstance(desk.app.screen, FilterScreen), "a wrong filter cannot be kept"
        for _ in range(6):
            await desk.press("backspace")
        await desk.press("enter")
        assert "filter sig:long conf>.7" in desk.text("signals")
        await desk.press("slash", "escape")
        assert len(desk.app.desk.signals.rows) == 200


async def test_pin_keeps_a_row_on_top(running):
    async with running() as desk:
        await desk.press("end", "space")
        pinned = desk.app.desk.signals.cursor_key
        assert desk.app.desk.signals.key_of(desk.app.desk.signals.rows[0]) == pinned
        await desk.press("space")
        assert desk.app.desk.signals.key_of(desk.app.desk.signals.rows[0]) != pinned


async def test_event_filter_walks_families(running, port: FakePort):
    async with running() as desk:
        await desk.press("f")
        assert "[signals]" in desk.text("events")
        assert "socket" not in desk.text("events")
        await desk.press("f", "f", "f")
        assert "[errors]" in desk.text("events")
        assert "market socket 2 closed" in desk.text("events")


async def test_brackets_change_the_time_frame_of_the_chart(running, port: FakePort):
    async with running() as desk:
        await desk.press("8", "right_square_bracket")
        assert "15m" in desk.text("chart")
        assert port.asked[-1] == AskChart(desk.app.view.symbol, "15m")
        await desk.press("left_square_bracket", "left_square_bracket")
        assert " 1h " in desk.text("chart")


async def test_freeze_holds_the_figures_and_says_so(running, port: FakePort):
    async with running() as desk:
        await desk.press("p")
        port.latest = snapshot(seq=2, mode="ict")
        await desk.settle()
        assert "FROZEN" in desk.text("top")
        assert "HYBRID" in desk.text("top")
        await desk.press("p")
        assert "FROZEN" not in desk.text("top")
        assert "ICT" in desk.text("top")


async def test_copy_puts_the_row_on_the_clipboard(running):
    async with running() as desk:
        await desk.press("y")
        assert "symbol=ETHUSDT" in desk.app.clipboard
        assert "copied" in desk.text("notice")


async def test_write_makes_a_file_of_all_rows(running, tmp_path):
    async with running() as desk:
        await desk.press("w")
        (path,) = tmp_path.glob("perpdesk-signals-*.tsv")
        lines = path.read_text().splitlines()
        assert len(lines) == 201
        assert lines[0].startswith("symbol\tsig")
        assert "200 rows written" in desk.text("notice")


async def test_write_into_a_missing_folder_says_so(running, tmp_path):
    async with running() as desk:
        desk.app.desk.write_folder = str(tmp_path / "missing")
        await desk.press("w")
        assert "cannot write" in desk.text("notice")


async def test_theme_changes_with_ctrl_t(running):
    async with running() as desk:
        await desk.press("ctrl+t")
        assert desk.app.view.palette.theme == "red-up"
        await desk.press("ctrl+t", "ctrl+t")
        assert desk.app.view.palette.theme == "normal"


async def test_help_lists_every_key_from_the_bindings(running):
    async with running(WIDE) as desk:
        await desk.press("question_mark")
        assert isinstance(desk.app.screen, HelpScreen)
        shown = desk.box()
        for words in ("panel 1: signals", "halt new entries", "close all of panel", "feature flags", "ctrl+t"):
            assert words in shown
        await desk.press("escape")
        assert desk.app.screen is desk.app.desk


async def test_keymap_moves_a_key_and_help_follows(running):
    async with running(keymap={"theme": "f5"}) as desk:
        await desk.press("f5")
        assert desk.app.view.palette.theme == "red-up"


async def test_palette_offers_only_what_is_true_now(running, port: FakePort):
    async with running(WIDE) as desk:
        await desk.press("colon")
        await desk.pilot.pause()
        names = [entry.name for entry in _palette_entries(desk.app)]
        assert "mode ict" in names
        assert "mode hybrid" not in names
        assert "reset the API breaker" not in names
        await desk.press("escape")
        assert desk.app.screen is desk.app.desk


def _palette_entries(app: PerpdeskApp):
    from tui.palette_provider import DeskProvider

    return DeskProvider(app.desk).entries()


async def test_mode_list_asks_y_when_positions_are_open(running, port: FakePort):
    async with running() as desk:
        await desk.press("M", "1", "enter")
        assert isinstance(desk.app.screen, ConfirmScreen)
        assert "2 live and 87 virtual" in desk.box()
        await desk.press("enter")
        assert port.sent == [], "enter alone confirms nothing"
        await desk.press("M", "1", "enter", "y")
        assert port.sent == [SetMode("ict")]
        assert "done: mode ict" in desk.text("notice")


async def test_mode_changes_without_question_when_nothing_is_open(running, port: FakePort):
    port.latest = snapshot(positions=(), virtual=())
    async with running() as desk:
        await desk.press("M", "1", "enter")
        assert port.sent == [SetMode("ict")]


async def test_flag_list_shows_provenance_and_switches(running, port: FakePort):
    async with running(WIDE) as desk:
        await desk.press("L")
        shown = desk.box()
        assert "default on" in shown
        assert "after restart" in shown
        assert "by screen" in shown
        await desk.press("j", "enter")
        assert port.sent == [SetFlag("ENABLE_INCREMENTAL_CACHE", value=False)]
        await desk.press("escape")
        assert desk.app.screen is desk.app.desk


async def test_halt_works_at_once_and_resume_wants_the_word(running, port: FakePort):
    async with running() as desk:
        await desk.press("H")
        assert port.sent == [Halt()]
        port.latest = snapshot(seq=2, entries="halted by operator")
        await desk.settle()
        assert "ENTRIES HALTED" in desk.text("top")
        await desk.press("H")
        await desk.type("RESUM")
        await desk.press("enter")
        assert port.sent == [Halt()]
        await desk.type("E")
        await desk.press("enter")
        assert port.sent == [Halt(), Resume()]


async def test_closing_one_names_symbol_price_and_what_does_not_happen(running, port: FakePort):
    async with running() as desk:
        await desk.press("x")
        assert "select a virtual position" in desk.text("notice")
        await desk.press("3", "x")
        shown = desk.box()
        assert "V0148" in shown
        assert "BTCUSDT SHORT" in shown
        assert "64 980.10" in shown
        assert "No order goes to the exchange" in shown
        await desk.press("y")
        assert port.sent == [CloseVirtual("V0148")]


async def test_closing_all_wants_the_word_and_says_how_many(running, port: FakePort):
    async with running() as desk:
        await desk.press("X")
        assert "87 virtual positions" in desk.box()
        await desk.type("CLOSE")
        await desk.press("enter")
        assert port.sent == [CloseAllVirtual()]


async def test_breaker_list_shows_causes_and_each_way_wants_its_word(running, port: FakePort):
    async with running() as desk:
        await desk.press("B")
        assert "timeout x2" in desk.box()
        await desk.press("enter")
        await desk.type("RESET")
        await desk.press("enter")
        await desk.press("B", "j", "enter")
        await desk.type("venue is back")
        await desk.press("enter")
        await desk.press("B", "3", "enter")
        await desk.type("REARM")
        await desk.press("enter")
        reset, bypass, rearm = port.sent
        assert isinstance(reset, ResetBreaker)
        assert bypass == BypassBreaker(60, "venue is back")
        assert isinstance(rearm, Rearm)


async def test_enter_opens_the_reasons_of_all_strategies_and_escape_closes(running):
    async with running(WIDE) as desk:
        await desk.press("enter")
        shown = desk.text("detail")
        for words in ("ict ACCEPTED", "self_learning NONE", "hybrid ACCEPTED", "swept by 0.31 ATR", "FAIL", "rsi14"):
            assert words in shown
        await desk.press("j", "j")
        assert desk.app.desk.panes["detail"].offset_lines == 0, "what fits does not scroll"
        await desk.press("escape")
        assert "detail" not in desk.visible()


async def test_enter_on_a_virtual_position_opens_its_life(running):
    async with running() as desk:
        await desk.press("3", "enter")
        assert "max_pnl_updated" in desk.text("detail")
        assert "1204 looks" in desk.text("detail")


async def test_quit_wants_the_word_while_something_is_open(running):
    async with running() as desk:
        await desk.press("q")
        assert "87 virtual" in desk.box()
        await desk.press("escape", "ctrl+c")
        assert isinstance(desk.app.screen, ConfirmScreen)
        await desk.press("escape", "ctrl+q")
        assert isinstance(desk.app.screen, ConfirmScreen), "ctrl+q asks like q"
        await desk.press("y")
        await desk.press("backspace")
        await desk.type("QUIT")
        await desk.pilot.press("enter")
        await desk.pilot.pause()
    assert desk.app.return_value.cause is LeaveCause.OPERATOR


async def test_quit_asks_y_when_nothing_is_open_and_reports_once(running, port: FakePort):
    told = []
    port.latest = snapshot(positions=(), virtual=())
    async with running(on_leave=told.append) as desk:
        await desk.press("q")
        await desk.pilot.press("y")
        await desk.pilot.pause()
    assert [left.cause for left in told] == [LeaveCause.OPERATOR]


async def test_read_only_screen_hides_and_refuses_what_changes(running, port: FakePort):
    async with running(WIDE, read_only=True) as desk:
        assert "read-only" in desk.text("top")
        assert "halt" not in desk.text("keys")
        for key in ("H", "X", "B", "M", "T"):
            await desk.press(key)
            assert desk.app.screen is desk.app.desk
            assert "read-only" in desk.text("notice")
        await desk.press("3", "x", "L", "enter", "escape")
        assert port.sent == []
        assert not [entry for entry in _palette_entries(desk.app) if BY_ID.get(entry.binding, FREE).changes]


async def test_a_screen_whose_engine_gives_the_commands_to_another_only_looks_until_it_gets_them(
    running, port: FakePort
):
    port.writes = False
    async with running(WIDE) as desk:
        assert "read-only" in desk.text("top")
        await desk.press("H")
        assert "read-only" in desk.text("notice")
        assert port.sent == []
        port.writes = True
        await desk.settle()
        assert "read-only" not in desk.text("top")
        await desk.press("H")
        assert len(port.sent) == 1


async def test_refused_command_shows_the_reason(running, port: FakePort):
    port.refuse = "protection holds entries until tomorrow"
    async with running() as desk:
        await desk.press("H")
        assert "refused: halt new entries: protection holds entries" in desk.text("notice")


async def test_unanswered_command_says_so_after_its_deadline(running, port: FakePort, clocks):
    port.hold = True
    async with running() as desk:
        await desk.press("H")
        assert "sent: halt new entries" in desk.text("notice")
        clocks.advance(11)
        await desk.settle()
        assert "has not answered for 10 s" in desk.text("notice")


async def test_unanswered_question_says_so(running, port: FakePort, clocks):
    port.speechless = True
    async with running() as desk:
        await desk.press("enter")
        clocks.advance(6)
        await desk.settle()
        assert "no answer from the engine" in desk.text("detail")


async def test_silent_engine_shows_stale_on_the_top_line(running, clocks):
    async with running() as desk:
        clocks.advance(12)
        await desk.settle()
        assert "STALE engine silent 12s" in desk.text("top")


async def test_silent_feed_shows_stale_though_the_engine_lives(running, port: FakePort, clocks):
    async with running() as desk:
        clocks.advance(9)
        port.latest = snapshot(seq=2, monotonic=clocks.mono, time=clocks.now_ms)
        await desk.settle()
        assert "STALE feed silent 9s" in desk.text("top")


async def test_before_the_first_snapshot_the_screen_says_what_it_waits_for(running, port: FakePort, clocks):
    port.latest = None
    async with running() as desk:
        clocks.advance(4)
        await desk.settle()
        assert "waiting for the first figures of the engine, 4s" in desk.text("top")
        await desk.press("H", "enter", "o", "slash", "escape", "tab")
        port.latest = snapshot(monotonic=clocks.mono)
        await desk.settle()
        await desk.press("1")
        assert "ETHUSDT" in desk.text("signals")


async def test_missing_events_are_shown_as_a_gap(running, port: FakePort):
    async with running() as desk:
        port.missed = 17
        port.emit(EventKind.SYSTEM, Severity.INFO, "after the gap")
        await desk.press("7")
        assert "17 events are missing here" in desk.text("events")


async def test_alert_recolours_the_top_line_and_rings_once(running, port: FakePort, monkeypatch):
    rung = []
    async with running(WIDE) as desk:
        monkeypatch.setattr(desk.app, "bell", lambda: rung.append(1))
        port.emit(EventKind.RISK, Severity.ALERT, "API breaker BLOCKED after 5 failures")
        await desk.settle()
        assert desk.app.desk.edges["top"].ground() == "danger"
        assert "API breaker BLOCKED" in desk.text("top")
        await desk.settle()
        assert rung == [1]


@pytest.mark.parametrize("size", [(60, 15), (59, 40), (40, 10)])
async def test_terminal_that_is_too_small_says_what_it_needs(running, size):
    async with running(size) as desk:
        text = desk.text("top")
        assert "60 columns and 16 rows" in text or "perpdesk needs" in text
        assert desk.visible() == set()
        await desk.press("j", "1", "enter", "escape")


@pytest.mark.parametrize("size", [(60, 16), (79, 20), (99, 60), (100, 30), (159, 45), (160, 36), (240, 70)])
async def test_no_line_is_wider_than_its_panel_at_any_size(running, size):
    async with running(size) as desk:
        for digit in "12345678":
            await desk.press(digit)
            for board in desk.app.desk.boards:
                if board.display:
                    for y in range(board.size.height):
                        assert board.render_line(y).cell_length == board.size.width


async def test_resizing_changes_the_form(running):
    async with running(WIDE) as desk:
        for size, form in ((NARROW, "narrow"), ((50, 12), "small"), (MEDIUM, "medium"), (WIDE, "wide")):
            await desk.pilot.resize_terminal(*size)
            await desk.settle()
            assert desk.app.desk.arrangement.form == form
        assert "ETHUSDT" in desk.text("signals")


async def test_hostile_and_wide_text_cannot_break_a_row(running, port: FakePort):
    row = msgspec.structs.replace(
        port.latest.signals[0], symbol="币安人生USDT", reason="\x1b[31mred\x07 \u202eevil [bold]x[/bold]\n"
    )
    port.latest = snapshot(signals=(row, *port.latest.signals[1:]))
    port.emit(EventKind.SYSTEM, Severity.INFO, "a\x1b]52;c;AAAA\x07b\r\nc \u202e[red]d")
    async with running(WIDE) as desk:
        await desk.press("z")
        text = desk.text("signals")
        assert "币安人生USDT" in text
        await desk.press("7")
        shown = text + desk.text("events")
        assert not set(shown) & set("\x1b\x07\r\u202e")
        assert "[red]d" in shown


async def test_ascii_screen_has_no_ambiguous_character(running):
    async with running(WIDE, ascii_only=True) as desk:
        await desk.press("enter")
        for board in desk.app.desk.boards:
            for y in range(board.size.height):
                assert board.render_line(y).text.isascii()
        await desk.press("escape", "question_mark")
        assert desk.box().isascii()


async def test_no_color_draws_falling_and_rising_bodies_in_different_shapes(running, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(WIDE) as desk:
        text = desk.text("chart")
        assert "░" in text
        assert "█" in text


async def test_mouse_goes_to_the_terminal_and_comes_back(running):
    async with running() as desk:
        await desk.press("f2")
        assert "the mouse belongs to the terminal" in desk.text("notice")
        await desk.press("f2")
        assert "the mouse belongs to perpdesk" in desk.text("notice")


async def test_click_makes_a_panel_active_and_chooses_its_row(running):
    async with running(MEDIUM) as desk:
        await desk.pilot.click("#virtual", offset=(5, 4))
        await desk.settle()
        assert desk.app.desk.active == "virtual"
        assert desk.app.desk.virtual.cursor_key == "V0146"


async def test_crash_of_the_screen_is_reported_with_its_traceback_and_without_locals(make_app, port: FakePort):
    told = []
    app = make_app(on_leave=told.append)

    async def crash() -> None:
        async with app.run_test(size=MEDIUM) as pilot:

            def broken() -> None:
                secret = 7
                secret / 0

            app.call_later(broken)
            await pilot.pause()
            await asyncio.sleep(0.05)

    with pytest.raises(ZeroDivisionError):
        await crash()
    assert [left.cause for left in told] == [LeaveCause.CRASHED]
    assert "ZeroDivisionError" in told[0].text
    assert "secret = 7" not in told[0].text


def test_unknown_theme_names_the_known_ones():
    with pytest.raises(ValueError, match="normal, red-up, blue-orange"):
        PerpdeskApp(LocalPort(), lambda: START_MS, theme="pink")
