"""Panel 3: the virtual book: open positions by urgency, the leaderboard, ended ones, and the event counters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from engine.snapshot import ClosedRow, VirtualRow
from tui import numbers, texts
from tui.lines import BLANK, Line, Span, bar, left, right
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.positions import side, side_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.snapshot import Snapshot
    from tui.filtering import FieldValue
    from tui.view import View

STRATEGY_SHORT = {"ict": "ict", "self_learning": "learn", "hybrid": "hybrid"}
_COUNTERS = (
    ("created", "created"),
    ("tp_approaching", "TP near"),
    ("tp_triggered", "TP hit"),
    ("sl_approaching", "SL near"),
    ("sl_triggered", "SL hit"),
    ("expired", "expired"),
    ("manual_close", "manual"),
    ("closed", "closed"),
)


class VirtualTable(LiveTable[VirtualRow]):
    """Open virtual positions."""

    number = "3"
    title = "Virtual"
    period = 0.5
    natural_order = "most urgent first"
    fields: ClassVar[Mapping[str, type]] = {
        **dict.fromkeys(("symbol", "id", "side", "strat", "event"), str),
        **dict.fromkeys(("pnl", "r", "tp", "sl", "lev", "max", "min"), float),
    }

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="virtual")
        self._now = 0
        self.columns = self._columns()

    def source(self) -> Sequence[VirtualRow]:
        """Return the open virtual positions, most urgent first."""
        self._now = self.view.now_ms
        return self.view.shown.virtual if self.view.shown else ()

    def key_of(self, row: VirtualRow) -> str:
        """Return the position id."""
        return row.position_id

    def empty_text(self) -> str:
        """Return why the table is empty."""
        if self.view.shown is None:
            return texts.WAITS_FOR_ENGINE
        return texts.NOTHING_MATCHES if self.filter_text else texts.NO_VIRTUAL

    def heading(self) -> Line:
        """Return the number open and the share of wins over all strategies."""
        snapshot = self.view.shown
        if snapshot is None:
            return BLANK
        wins = sum(standing.wins for standing in snapshot.standings)
        ended = wins + sum(standing.losses for standing in snapshot.standings)
        won = f"   win {numbers.percent(wins / ended)} of {ended}" if ended else "   none ended yet"
        return ((f"{len(snapshot.virtual)} open", "accent"), (won, "dim"))

    def field_values(self, row: VirtualRow) -> Mapping[str, FieldValue]:
        """Return the filter fields."""
        return {
            "symbol": row.symbol,
            "id": row.position_id,
            "side": row.direction,
            "strat": row.strategy,
            "event": row.last_event,
            "pnl": row.pnl_percent,
            "r": row.pnl_r,
            "tp": row.progress_tp,
            "sl": row.progress_sl,
            "lev": row.leverage,
            "max": row.max_percent,
            "min": row.min_percent,
        }

    def tail(self, width: int, height: int) -> list[Line]:
        """Return leaderboard, ended positions and counters, as far as the height allows."""
        snapshot = self.view.shown
        if snapshot is None or height < 10:
            return []
        rule: Line = (("─" * width, "frame"),)
        lines: list[Line] = [rule]
        if height >= 15:
            lines += _leaderboard(snapshot, width)
        if height >= 19:
            lines += [_closed(row, self._now, width) for row in snapshot.closed[: 3 if height < 30 else 8]]
        return [*lines, *_counters(snapshot, width, 1 if height < 15 else 2)]

    def _columns(self) -> Sequence[Column[VirtualRow]]:
        c = Column[VirtualRow]
        return (
            c("symbol", "Symbol", 12, lambda r: (r.symbol, "text"), 0, "left",
              sort=lambda r: r.symbol, descending=False),
            c("side", "Side", 6, lambda r: side(r.direction), 0, "left", sort=lambda r: r.direction, descending=False),
            c("pnl", "PnL%", 7, lambda r: _signed(r.pnl_percent), 0, sort=lambda r: r.pnl_percent),
            c("r", "R", 5, lambda r: _signed(r.pnl_r), 3, sort=lambda r: r.pnl_r),
            c("way", "Way", 13, _way, 0, "left", sort=lambda r: max(r.progress_tp, r.progress_sl)),
            c("event", "Event", 7, self._event, 2, "left", sort=lambda r: float(r.last_event_ms)),
            c("strat", "By", 6, lambda r: (STRATEGY_SHORT.get(r.strategy, r.strategy), "dim"), 4, "left",
              sort=lambda r: r.strategy, descending=False),
            c("age", "Age", 5, lambda r: (numbers.age(self._now, r.opened_ms), "dim"), 5,
              sort=lambda r: float(r.opened_ms)),
            c("max", "Max", 6, lambda r: (numbers.signed(r.max_percent), "dim"), 7, sort=lambda r: r.max_percent),
            c("min", "Min", 6, lambda r: (numbers.signed(r.min_percent), "dim"), 8, sort=lambda r: r.min_percent),
            c("lev", "Lev", 5, lambda r: (numbers.factor(r.leverage), "dim"), 9, sort=lambda r: r.leverage),
            c("eta", "ETA", 6, lambda r: (numbers.span(r.eta_s), "dim"), 10, sort=lambda r: r.eta_s, descending=False),
            c("price", "Price", 10, lambda r: (numbers.price(r.price, r.decimals), "dim"), 11),
            c("entry", "Entry", 10, lambda r: (numbers.price(r.entry, r.decimals), "dim"), 12),
            c("sl", "SL", 10, lambda r: (numbers.price(r.stop, r.decimals), "dim"), 13),
            c("tp", "TP", 10, lambda r: (numbers.price(r.target, r.decimals), "dim"), 13),
            c("look", "Look", 5, lambda r: (numbers.factor(r.tier_s) + "s", "dim"), 14, sort=lambda r: r.tier_s),
            c("id", "Id", 10, lambda r: (r.position_id, "faint"), 15, "left", grows=True),
        )  # fmt: skip

    def _event(self, row: VirtualRow) -> Span:
        return _EVENT_SHORT.get(row.last_event, row.last_event), _EVENT_STYLE.get(row.last_event, "dim")


_EVENT_SHORT = {
    "created": "created",
    "price_updated": "price",
    "max_pnl_updated": "new max",
    "min_pnl_updated": "new min",
    "tp_approaching": "TP near",
    "sl_approaching": "SL near",
    "tp_triggered": "TP hit",
    "sl_triggered": "SL hit",
    "manual_close": "manual",
}
_EVENT_STYLE = {"tp_approaching": "up", "sl_approaching": "down", "tp_triggered": "up", "sl_triggered": "down"}


def _signed(value: float) -> Span:
    return numbers.signed(value), side_style(value) if math.isfinite(value) else "faint"


def _way(row: VirtualRow) -> Span:
    to_target = row.progress_tp >= row.progress_sl
    progress = row.progress_tp if to_target else row.progress_sl
    filled = bar(progress, 5, "")
    text = f"{'TP' if to_target else 'SL'} {filled[0][0]}{filled[1][0]} {round(progress * 100):3d}%"
    return text, ("up" if to_target else "down") if progress > 0.5 else "dim"


def _leaderboard(snapshot: Snapshot, width: int) -> list[Line]:
    wide = width >= 64
    sizes = (("Open", 6), ("Ended", 7), ("W/L", 9), ("Win~", 6), ("Mean R", 8), ("Total R", 9), ("Equity", 9))
    shown = sizes if wide else tuple(size for size in sizes if size[0] not in {"Ended", "Mean R", "Equity"})
    lines: list[Line] = [((" " + left("Strategy", 13), "dim"), *((right(name, size), "dim") for name, size in shown))]
    best = max((standing.total_r for standing in snapshot.standings), default=0.0)
    for standing in snapshot.standings:
        leads = standing.total_r == best and standing.closed > 0
        cells_of: dict[str, Span] = {
            "Open": (str(standing.open), "text"),
            "Ended": (str(standing.closed), "text"),
            "W/L": (f"{standing.wins}/{standing.losses}", "text"),
            "Win~": (numbers.percent(standing.win_rate_shrunk), "text"),
            "Mean R": (numbers.signed(standing.mean_r), side_style(standing.mean_r)),
            "Total R": (numbers.signed(standing.total_r), side_style(standing.total_r)),
            "Equity": (numbers.price(standing.equity, 0), "text"),
        }
        spans = [(right(cells_of[name][0], size), cells_of[name][1]) for name, size in shown]
        name_span = (left(standing.strategy, 13), "strong" if leads else "text")
        lines.append((("*" if leads else " ", "key"), name_span, *spans))
    return lines


def _closed(row: ClosedRow, now: int, width: int) -> Line:
    return (
        (" " + left(row.symbol, 12), "dim"),
        (left(side(row.direction)[0], 7), "dim"),
        (right(numbers.signed(row.pnl_percent) + "%", 8) if width >= 50 else "", side_style(row.pnl_r)),
        (right(numbers.signed(row.pnl_r) + "R", 7), side_style(row.pnl_r)),
        ("  " + left(_EVENT_SHORT.get(row.cause, row.cause), 8), "dim"),
        (left(STRATEGY_SHORT.get(row.strategy, row.strategy), 7) if width >= 50 else "", "dim"),
        (right(numbers.age(now, row.closed_ms), 4), "faint"),
        ("  " + row.reason if width > 70 else "", "faint"),
    )


def _counters(snapshot: Snapshot, width: int, most: int) -> list[Line]:
    counts = dict(snapshot.event_counts)
    lines: list[Line] = []
    spans: list[Span] = [(" events ", "dim")]
    used = 8
    for name, title in _COUNTERS:
        text = f"{title} {counts.get(name, 0)}  "
        if used + len(text) > width:
            lines.append(tuple(spans))
            spans, used = [(" ", "dim")], 1
        spans += [(f"{title} ", "dim"), (f"{counts.get(name, 0)}  ", "text")]
        used += len(text)
    return [*lines, tuple(spans)][:most]
