"""Panel 2: live positions as the exchange reports them, with their last life-cycle event."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine.snapshot import PositionRow
from tui import glyphs, numbers, texts
from tui.widgets.live_table import Column, LiveTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.filtering import FieldValue
    from tui.lines import Line, Span
    from tui.view import View


class PositionsTable(LiveTable[PositionRow]):
    """Live positions."""

    number = "2"
    title = "Positions"
    period = 0.5
    natural_order = "as opened"
    fields: ClassVar[Mapping[str, type]] = {
        **dict.fromkeys(("symbol", "side", "event"), str),
        **dict.fromkeys(("pnl", "pct", "lev", "qty"), float),
    }

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="positions")
        self.columns = _COLUMNS

    def source(self) -> Sequence[PositionRow]:
        """Return the live positions."""
        return self.view.shown.positions if self.view.shown else ()

    def key_of(self, row: PositionRow) -> str:
        """Return symbol and side: in hedge mode both sides may be open."""
        return f"{row.symbol} {row.direction}"

    def empty_text(self) -> str:
        """Return why the table is empty."""
        if self.view.shown is None:
            return texts.WAITS_FOR_ENGINE
        if self.filter_text:
            return texts.NOTHING_MATCHES
        return texts.NO_POSITIONS_LIVE if self.view.shown.trading == "LIVE" else texts.NO_POSITIONS

    def heading(self) -> Line:
        """Return count and open result."""
        rows = self.source()
        if not rows:
            return (("0", "dim"),)
        total = sum(row.pnl for row in rows)
        return ((f"{len(rows)}", "accent"), ("   uPnL ", "dim"), (numbers.signed(total), side_style(total)))

    def field_values(self, row: PositionRow) -> Mapping[str, FieldValue]:
        """Return the filter fields."""
        return {
            "symbol": row.symbol,
            "side": row.direction,
            "event": row.last_event,
            "pnl": row.pnl,
            "pct": row.pnl_percent,
            "lev": row.leverage,
            "qty": row.quantity,
        }


def side_style(value: float) -> str:
    """Return the style of a signed amount."""
    return "up" if value > 0 else "down" if value < 0 else "dim"


def side(direction: str) -> Span:
    """Return the side of a position as arrow and word."""
    up = direction == "LONG"
    return f"{glyphs.UP if up else glyphs.DOWN}{direction}", "up" if up else "down"


_C = Column[PositionRow]
_COLUMNS: Sequence[Column[PositionRow]] = (
    _C("symbol", "Symbol", 12, lambda r: (r.symbol, "strong"), 0, "left", sort=lambda r: r.symbol, descending=False),
    _C("side", "Side", 6, lambda r: side(r.direction), 0, "left", sort=lambda r: r.direction, descending=False),
    _C("pnl", "uPnL", 8, lambda r: (numbers.signed(r.pnl), side_style(r.pnl)), 0, sort=lambda r: r.pnl),
    _C("pct", "%", 6, lambda r: (numbers.signed(r.pnl_percent), side_style(r.pnl)), 0, sort=lambda r: r.pnl_percent),
    _C("mark", "Mark", 10, lambda r: (numbers.price(r.mark, r.decimals), "text"), 3),
    _C("lev", "Lev", 5, lambda r: (numbers.factor(r.leverage) + "x", "text"), 1, sort=lambda r: r.leverage),
    _C("qty", "Qty", 9, lambda r: (f"{r.quantity:g}", "text"), 4, sort=lambda r: r.quantity),
    _C("entry", "Entry", 10, lambda r: (numbers.price(r.entry, r.decimals), "dim"), 5),
    _C("sl", "SL", 10, lambda r: (numbers.price(r.stop, r.decimals), "dim"), 6),
    _C("tp", "TP", 10, lambda r: (numbers.price(r.target, r.decimals), "dim"), 7),
    _C("liq", "Liq", 10, lambda r: (numbers.price(r.liquidation, r.decimals), "dim"), 8),
    _C("event", "Event", 12, lambda r: (r.last_event, "dim"), 9, "left", grows=True),
)
