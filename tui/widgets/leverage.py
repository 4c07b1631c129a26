"""Panel 4: the newest leverage decision with every input and cap, and the ones before it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.lines import Line, Span, crop, flow, left, right, wrapped
from tui.widgets.pane import Pane
from tui.widgets.positions import side

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.snapshot import LeverageRow
    from tui.view import View


SIZED = "sized"
WHOM = {"account": "for the account", "virtual": "for the virtual book"}


class LeveragePane(Pane):
    """Leverage decisions, newest first; the one about the selected symbol is explained, else the newest."""

    number = "4"
    title = "Leverage"
    period = 1.0

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="leverage")

    def heading(self) -> Line:
        """Return how many decisions could not lead to an order."""
        rows = self.view.shown.leverage if self.view.shown else ()
        refused = sum(row.outcome != SIZED for row in rows)
        return ((f"last {len(rows)} decisions", "dim"), (f"   {refused} without size", "warn" if refused else "dim"))

    def content(self, width: int) -> list[Line]:
        """Return the explained decision and one line for each of the others."""
        snapshot = self.view.shown
        if snapshot is None:
            return [((" " + texts.WAITS_FOR_ENGINE, "dim"),)]
        if not snapshot.leverage:
            return [((" " + texts.NO_LEVERAGE, "dim"),)]
        rows = snapshot.leverage
        explained = next((row for row in rows if row.symbol == self.view.symbol), rows[0])
        return [*explain(explained, width), (("─" * width, "frame"),), *(_line(row, width) for row in rows)]


def explain(row: LeverageRow, width: int, *, limits: bool = True) -> list[Line]:
    """Return a decision as lines: the formula with its numbers, every cap with the binding one marked, the size.

    `limits` adds what every size limit allowed.
    """
    mark, style = side(row.direction)
    lines: list[Line] = [
        (
            (f" {row.symbol} ", "strong"),
            (mark, style),
            (f"  {row.strategy}", "dim"),
            (f" {WHOM[row.purpose]}" if row.purpose in WHOM else "", "dim"),
            (f"  {numbers.factor(row.leverage)}x", "strong"),
            (f" (exchange {row.exchange_leverage}x)", "dim"),
            ("  sized" if row.outcome == SIZED else "  no size", "ok" if row.outcome == SIZED else "warn"),
        )
    ]
    if row.outcome != SIZED:
        lines += [((" ", "text"), *part) for part in wrapped(row.outcome, width - 2, "warn", "  ")]
    formula = (
        f"raw {numbers.factor(row.raw, 2)} = {row.base:g} x (1 + 11 x ({numbers.share(row.win_rate)} - .55)/.15)"
        f" x ({numbers.share(row.confidence)}/.50)   won {row.wins} of {row.trades}, {row.live_trades} live"
    )
    lines += [((" ", "text"), *part) for part in wrapped(formula, width - 2, "text", "  ")]
    lines += flow(" caps  ", _marked(row.caps, row.binding, numbers.factor), width)
    decided: Span = ("the formula decided" if row.binding == "formula" else f"{row.binding} decided", "key")
    size = (
        f"margin {numbers.price(row.margin, 2)}",
        f"notional {numbers.price(row.notional, 2)}",
        f"qty {row.quantity:g}",
        f"risk {numbers.factor(row.risk_percent, 2)}% of equity",
    )
    lines += flow(" size  ", [decided, *((text, "text") for text in size)], width)
    if limits and row.limits:
        lines += flow(" most  ", _marked(row.limits, row.size_binding, lambda most: f"{most:.6g}"), width)
    return lines + (flow(" with  ", _standing(row), width) if row.purpose else [])


def _marked(named: tuple[tuple[str, float], ...], binding: str, show: Callable[[float], str]) -> list[Span]:
    """Return every bound with its value, the one that decided with a star."""
    return [
        (f"{'*' if name == binding else ''}{name} {show(value)}", "key" if name == binding else "dim")
        for name, value in named
    ]


def _standing(row: LeverageRow) -> list[Span]:
    """Return how the account stood when the size was decided."""
    pieces: list[Span] = [
        (f"entry {row.entry:g}", "text"),
        (f"stop {row.stop:g}", "text"),
        (f"equity {numbers.price(row.equity, 2)}", "text"),
        (f"margin in use {numbers.price(row.margin_used, 2)}", "text"),
    ]
    if row.protection:
        calm = row.protection == "NORMAL"
        pieces.append((f"protection {row.protection} x{numbers.factor(row.factor, 2)}", "dim" if calm else "warn"))
    if row.group:
        shared = f"budget shared with {', '.join(row.group)}: {numbers.price(row.group_risk, 2)} taken"
        pieces.append((shared, "warn"))
    if row.size_binding == "minimum":
        pieces.append(("raised to the exchange's minimum", "warn"))
    if row.warning:
        pieces.append((row.warning, "warn"))
    return pieces


def _line(row: LeverageRow, width: int) -> Line:
    mark, style = side(row.direction)
    margin = numbers.price(row.margin, 1) if math.isfinite(row.margin) else numbers.NONE
    return (
        (f" {numbers.clock(row.time)} ", "faint"),
        (left(row.symbol, 13), "text"),
        (left(mark, 7), style),
        (right(numbers.factor(row.leverage) + "x", 6), "text"),
        ("  " + left(row.binding, 14), "dim"),
        (right(margin, 9), "dim"),
        ("  " + crop(row.outcome, max(6, width - 62)), "ok" if row.outcome == SIZED else "warn"),
    )
