"""The story behind a row: why a signal stands (or does not), or the life of a virtual position."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.snapshot import PositionDetail, SignalDetail
from tui import numbers
from tui.lines import BLANK, Line, Span, bar, fit, flow, left, line_cells, right, wrapped
from tui.widgets.leverage import explain
from tui.widgets.pane import Pane
from tui.widgets.positions import side, side_style

if TYPE_CHECKING:
    from engine.snapshot import LifeEvent, StepRow, StrategyCard
    from tui.view import View

_COLUMNS_FROM = 96
"""Width from which the scores stand beside the provenance."""
_SCORES_WIDTH = 38
_EXTREMES_FROM = 74
"""Width from which a life shows its largest gain and loss so far."""
_PRICES = ("ema", "bb_mid", "bb_upper", "bb_lower", "vwap")
"""Indicators that are prices and are shown with the symbol's own decimals."""


class DetailPane(Pane):
    """Opens with enter, closes with esc; asked for again every two seconds while open."""

    title = "Why"
    period = 1.0

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="detail")

    def heading(self) -> Line:
        """Return what the story is about."""
        detail = self.view.detail
        if detail is None:
            return ()
        if isinstance(detail, SignalDetail):
            age = numbers.age(self.view.now_ms, detail.time)
            named = f"signal {detail.signal_id}" if detail.signal_id else "no signal now"
            return ((detail.symbol, "strong"), (f"   {named}   seen {age} ago", "dim"))
        return ((detail.symbol, "strong"), (f"   {detail.position_id}", "dim"))

    def footing(self) -> str:
        """Return the keys."""
        return "j k scroll   esc back"

    def content(self, width: int) -> list[Line]:
        """Return the story as lines."""
        detail = self.view.detail
        if detail is None:
            return [((" " + self.view.detail_note, "dim"),)]
        head: list[Line] = [] if self.framed else [((" ", "text"), *self.heading())]
        if isinstance(detail, PositionDetail):
            return head + life_lines(detail, width)
        return head + signal_lines(detail, width)


def signal_lines(detail: SignalDetail, width: int) -> list[Line]:
    """Return all strategies' cards, the leverage terms and the indicators."""
    lines: list[Line] = []
    for card in detail.cards:
        lines += _card(card, detail.decimals, width)
        lines.append(BLANK)
    if detail.leverage is not None:
        lines.append(_rule("leverage", width))
        lines += [*explain(detail.leverage, width, limits=False), BLANK]
    return lines + _indicators(detail, width)


def _rule(title: str, width: int, extra: Line = ()) -> Line:
    start: Line = ((" ", "text"), (title, "title-active"), (" ", "text"), *extra)
    return (*start, (" " + "─" * max(0, width - line_cells(start) - 2), "frame"))


def _card(card: StrategyCard, decimals: int, width: int) -> list[Line]:
    state_style = {"accepted": "ok", "candidate": "key"}.get(card.state, "dim")
    extra: list[Span] = [(f"{card.state.upper()} ", state_style)]
    if card.direction:
        mark, style = side(card.direction)
        extra += [(f"{mark} ", style), (f"{card.pattern} ", "dim")]
    lines = [_rule(card.strategy, width, tuple(extra))]
    if card.reason:
        lines += [((" ", "text"), *part) for part in wrapped(card.reason, width - 3, "warn", "  ")]
    if card.asked:
        lines += [((" ", "text"), *part) for part in wrapped(card.asked, width - 3, "dim", "  ")]
    if card.direction:
        targets = " / ".join(numbers.price(target, decimals) for target in card.targets)
        terms: list[Span] = [
            (f"entry {numbers.price(card.entry, decimals)}", "text"),
            (f"stop {numbers.price(card.stop, decimals)}", "down"),
            (f"target {targets}", "up"),
            (f"R:R {numbers.factor(card.reward_risk, 2)}", "text"),
            (f"confidence {numbers.share(card.confidence)}", "strong"),
            (f"E[R] {numbers.signed(card.expected_r)}", "text"),
        ]
        if card.expires:
            terms.append((f"until {numbers.clock_short(card.expires)}", "dim"))
        lines += flow(" ", terms, width)
    scores = _scores(card)
    if width < _COLUMNS_FROM:
        return [*lines, *_provenance(card.provenance, decimals, width - 2), *scores]
    return lines + _beside(_provenance(card.provenance, decimals, width - _SCORES_WIDTH - 3), scores, width)


def _beside(first: list[Line], second: list[Line], width: int) -> list[Line]:
    split = width - _SCORES_WIDTH - 1
    out: list[Line] = []
    for at in range(max(len(first), len(second))):
        start = fit(first[at] if at < len(first) else BLANK, split)
        out.append((*start, *(second[at] if at < len(second) else BLANK)))
    return out


def _provenance(steps: tuple[StepRow, ...], decimals: int, width: int) -> list[Line]:
    lines: list[Line] = []
    for place, step in enumerate(steps, 1):
        where = step.frame
        if step.known:
            where += f" known {numbers.clock_short(step.known)}"
        if step.level and numbers.price(step.level, decimals) not in step.text:
            where += f" at {numbers.price(step.level, decimals)}"
        lead = f" {place} {left(step.step, 13)}"
        text = step.text + (f"  ({where.strip()})" if where.strip() else "")
        parts = wrapped(text, width - len(lead), "text")
        lines.append(((lead, "accent"), *parts[0]))
        lines += [((" " * len(lead), "text"), *part) for part in parts[1:]]
    return lines


def _scores(card: StrategyCard) -> list[Line]:
    lines: list[Line] = [
        ((" " + left(name, 17), "dim"), *bar(value, 10, "key"), (right(numbers.share(value), 5), "text"))
        for name, value in card.sub_scores
    ]
    for name, value, passed in card.quality:
        style = "ok" if passed else "warn"
        lines.append(
            (
                (" " + left(name, 17), "dim"),
                *bar(value, 10, style),
                (right(numbers.share(value), 5), "text"),
                (" pass" if passed else " FAIL", style),
            )
        )
    return lines


def _indicators(detail: SignalDetail, width: int) -> list[Line]:
    if not detail.indicators:
        return []
    frames: dict[str, dict[str, float]] = {}
    for frame, name, value in detail.indicators:
        frames.setdefault(frame, {})[name] = value
    names = list(dict.fromkeys(name for _, name, _ in detail.indicators))
    lines = [_rule("indicators", width), ((left("", 18) + "".join(right(frame, 13) for frame in frames), "dim"),)]
    for name in names:
        found = [values.get(name, math.nan) for values in frames.values()]
        is_price = name.startswith(_PRICES)
        texts = [numbers.price(value, detail.decimals) if is_price else _value(value) for value in found]
        row = "".join(right(text, 13) for text in texts)
        lines.append(((" " + left(name, 17), "dim"), (row, "text")))
    return lines


def _value(value: float) -> str:
    if not math.isfinite(value):
        return numbers.NONE
    return numbers.price(value, 2) if abs(value) >= 1 else f"{value:.5f}"


def life_lines(detail: PositionDetail, width: int) -> list[Line]:
    """Return the life of a virtual position; on narrow panels without the extremes, the reason under its event."""
    mark, style = side(detail.direction)
    terms: list[Span] = [
        (f"entry {numbers.price(detail.entry, detail.decimals)}", "text"),
        (f"stop {numbers.price(detail.stop, detail.decimals)}", "down"),
        (f"target {numbers.price(detail.target, detail.decimals)}", "up"),
        (f"{detail.looks} looks without news", "dim"),
    ]
    extremes = width >= _EXTREMES_FROM
    lines: list[Line] = [
        ((f" {detail.symbol} ", "strong"), (mark, style), (f"  {detail.strategy}", "text")),
        *flow(" ", terms, width),
        BLANK,
        ((_LIFE_HEAD + (_EXTREMES_HEAD if extremes else "") + right("ETA", 6), "dim"),),
    ]
    for event in detail.life:
        lines += _life_event(event, detail.decimals, width, extremes=extremes)
    return lines


_LIFE_HEAD = " " + left("Time", 9) + left("Event", 17) + right("Price", 12) + right("PnL%", 8) + right("R", 7)
_EXTREMES_HEAD = right("Max", 7) + right("Min", 7)
_LIFE_INDENT = 10


def _life_event(event: LifeEvent, decimals: int, width: int, *, extremes: bool) -> list[Line]:
    bounds = right(numbers.signed(event.max_percent), 7) + right(numbers.signed(event.min_percent), 7)
    line: Line = (
        (" " + left(numbers.clock(event.time), 9), "faint"),
        (left(event.event, 17), "text"),
        (right(numbers.price(event.price, decimals), 12), "text"),
        (right(numbers.signed(event.pnl_percent), 8), side_style(event.pnl_percent)),
        (right(numbers.signed(event.pnl_r), 7), side_style(event.pnl_r)),
        (bounds if extremes else "", "dim"),
        (right(numbers.span(event.eta_s), 6), "dim"),
    )
    if not event.reason:
        return [line]
    if line_cells(line) + line_cells(((event.reason, ""),)) + 2 <= width:
        return [(*line, ("  " + event.reason, "dim"))]
    under = wrapped(event.reason, width - _LIFE_INDENT, "dim")
    return [line, *(((" " * _LIFE_INDENT, "dim"), *part) for part in under)]
