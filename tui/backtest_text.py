"""A replay's figures as text: equity and distribution of R drawn with plotext, one line per strategy."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import plotext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.backtest.results import Summary

WIDTH, HEIGHT = 100, 15
HEADS = (
    ("strategy", 14),
    ("trades", 7),
    ("won", 7),
    ("mean R", 8),
    ("total R", 9),
    ("PF", 6),
    ("net USDT", 11),
    ("drawdown", 10),
    ("long", 6),
    ("hours", 7),
    ("target", 7),
    ("stop", 6),
    ("expired", 8),
    ("other", 6),
)


def told(summary: Summary) -> Iterator[str]:
    """Yield the lines of the terminal summary."""
    yield (
        f"{summary.cycles:,} cycles with something to decide, {summary.trades:,} trades; balance of all strategies "
        f"{summary.start_balance:,.0f} to {summary.end_balance:,.2f} USDT, "
        f"drawdown {summary.max_drawdown:,.2f} USDT ({summary.max_drawdown_percent:.1f} %) of the closed balance, "
        f"{summary.marked_drawdown:,.2f} USDT ({summary.marked_drawdown_percent:.1f} %) with open positions"
    )
    if len(summary.marked_equity) > 1:
        yield from _equity(summary)
    if summary.trades:
        yield from _distribution(summary)
    yield ""
    yield "".join(f"{name:>{width}}" if number else f"{name:<{width}}" for number, (name, width) in enumerate(HEADS))
    for one in summary.strategies:
        cells = (
            one.strategy,
            f"{one.trades:,}",
            _number(100 * one.win_rate, "{:.1f} %"),
            _number(one.mean_r, "{:+.2f}"),
            _number(one.total_r, "{:+.1f}"),
            _number(one.profit_factor, "{:.2f}"),
            f"{one.net:+,.2f}",
            f"{one.marked_drawdown:,.2f}",
            f"{100 * one.longs / one.trades:.0f} %" if one.trades else "-",
            _number(one.mean_hours, "{:.1f}"),
            f"{one.targets:,}",
            f"{one.stops:,}",
            f"{one.expired:,}",
            f"{one.others:,}",
        )
        yield "".join(
            f"{cell:>{width}}" if number else f"{cell:<{width}}"
            for number, (cell, (_, width)) in enumerate(zip(cells, HEADS, strict=True))
        )
    yield ""
    yield f"hash {summary.hash}"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else form.format(value)


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def _begin() -> Any:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(WIDTH, HEIGHT)
    return plotext


def _built(plot: Any) -> Iterator[str]:
    text: str = plot.build()
    plot.clear_figure()
    coloured = sys.stdout.isatty()
    yield ""
    for line in text.splitlines():
        yield line if coloured else plotext.uncolorize(line)


def _equity(summary: Summary) -> Iterator[str]:
    plot = _begin()
    days = [time / 86_400_000 for time, _ in summary.marked_equity]
    plot.plot(days, [value for _, value in summary.marked_equity], marker="braille")
    ticks = [days[round(k * (len(days) - 1) / 4)] for k in range(5)]
    plot.xticks(ticks, [_day(int(tick * 86_400_000)) for tick in ticks])
    plot.title("equity with open positions at the end of each day, USDT")
    yield from _built(plot)


def _distribution(summary: Summary) -> Iterator[str]:
    plot = _begin()
    plot.bar([name for name, _ in summary.r_histogram], [count for _, count in summary.r_histogram], width=0.8)
    plot.title("trades by result in R")
    yield from _built(plot)
