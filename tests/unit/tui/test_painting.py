"""Only changed rows are repainted, at most eight a turn, and no board starves."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "screens"))

from fake_port import START_MS, rich_port, snapshot

from tui.app import PerpdeskApp
from tui.painter import LOOKS_A_TURN, ROWS_A_TURN, Painter


@pytest.fixture
def app():
    return PerpdeskApp(rich_port(), lambda: START_MS, monotonic=lambda: 1000.0, paint_hz=0.01)


def with_prices(port, symbols):
    rows = tuple(
        msgspec.structs.replace(row, last=row.last * 1.01) if row.symbol in symbols else row
        for row in port.latest.signals
    )
    port.latest = snapshot(signals=rows)


async def test_only_rows_that_changed_are_repainted(app):
    async with app.run_test(size=(200, 50)) as pilot:
        app.turn()
        await pilot.pause()
        table = app.desk.signals
        table.redraw()
        regions = []
        plain_refresh = table.refresh

        def spy(*args, **options):
            regions.extend(args)
            return plain_refresh(*args, **options)

        table.refresh = spy
        before = table.repainted
        table.pull(1000)
        assert table.repainted == before, "nothing changed, nothing is painted"
        with_prices(app.view.port, {"LINKUSDT", "ICPUSDT"})
        app.view.poll()
        table.pull(1000)
        assert table.repainted == before + 2
        assert [region.height for region in regions] == [1, 1]
        assert all(region.x > 0 and region.x + region.width < 40 for region in regions), "only the changed cells"


async def test_a_turn_repaints_at_most_its_budget_and_the_rest_next_time(app):
    async with app.run_test(size=(200, 50)) as pilot:
        app.turn()
        await pilot.pause()
        table = app.desk.signals
        table.redraw()
        with_prices(app.view.port, {row.symbol for row in table.rows})
        app.view.poll()
        before = table.repainted
        assert table.pull(ROWS_A_TURN)
        assert table.repainted == before + ROWS_A_TURN
        while table.pull(ROWS_A_TURN):
            pass
        visible = table.size.height - 3
        assert table.repainted == before + visible


class FakeBoard:
    def __init__(self, period, changes=1):
        self.period, self.changes, self.repainted, self.display, self.turns = period, changes, 0, True, 0

    def pull(self, budget):
        self.turns += 1
        self.repainted += min(budget, self.changes)
        return False


def test_most_overdue_board_goes_first_and_none_starves():
    now = [0.0]
    boards = [FakeBoard(0.05), FakeBoard(0.25), FakeBoard(1.0), FakeBoard(0.5)]
    painter = Painter(boards, lambda: now[0])
    for _ in range(200):
        painter.turn()
        now[0] += 0.05
    assert all(board.turns >= 5 for board in boards)
    assert boards[0].turns > boards[1].turns > boards[3].turns > boards[2].turns


def test_no_board_looks_more_often_than_the_rate_setting_allows():
    now, quick, slow = [0.0], FakeBoard(0.05), FakeBoard(4.0)
    painter = Painter([quick, slow], lambda: now[0], least_period=1.0)
    for _ in range(200):
        painter.turn()
        now[0] += 0.05
    assert 9 <= quick.turns <= 10
    assert 2 <= slow.turns <= 3


def test_hidden_boards_get_no_turn_and_quiet_boards_let_others_pass():
    quiet, hidden, busy = FakeBoard(1, changes=0), FakeBoard(1), FakeBoard(1)
    hidden.display = False
    assert Painter([quiet, hidden, busy], lambda: 0.0).turn() == [quiet, busy]
    many = [FakeBoard(1, changes=0) for _ in range(9)]
    assert len(Painter(many, lambda: 0.0).turn()) == LOOKS_A_TURN


async def test_cursor_stays_with_its_row_when_the_order_changes(app):
    async with app.run_test(size=(200, 50)) as pilot:
        app.turn()
        await pilot.pause()
        table = app.desk.signals
        table.move(2)
        chosen = table.cursor_key
        app.view.port.latest = snapshot(signals=tuple(reversed(app.view.port.latest.signals)))
        app.view.poll()
        table.sort_next()
        assert table.cursor_key == chosen
        assert table.selected().symbol == chosen


async def test_unknown_values_stand_last_in_both_directions(app):
    async with app.run_test(size=(200, 50)) as pilot:
        app.turn()
        await pilot.pause()
        table = app.desk.signals
        table.sort_key = "conf"
        for turn_round in (table.redraw, table.sort_reverse):
            turn_round()
            table._source = None
            table.selected()
            known = [row.confidence == row.confidence for row in table.rows]
            assert known == sorted(known, reverse=True)
