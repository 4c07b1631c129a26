"""A replay as one HTML file: figures, equity, and trades on their candles as inline SVG; it needs nothing else."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from engine.backtest.history import BAR_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.backtest.history import History, Series
    from engine.backtest.results import Summary
    from engine.replay import Trade

MOST_TRADES = 120
"""Trades drawn; with more of them the same number from the best, the worst and the last."""
AROUND = 24
"""5m bars shown before the entry and after the exit."""
MOST_BARS = 160
WIDTH, HEIGHT = 640, 220
STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1340px; padding: 0 1rem;
  background: #101418; color: #d8dee4 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #2a323a }
td:first-child, th:first-child { text-align: left } svg { background: #151b21; width: 100%; height: auto }
.trades { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-size: 12px } .up { stroke: #3fb68b; fill: #3fb68b }
.down { stroke: #e0605e; fill: #e0605e } .level { stroke-dasharray: 4 3 } .line { fill: none; stroke: #6cb2eb }
"""


def report(summary: Summary, trades: Sequence[Trade], history: History) -> str:
    """Return the whole document."""
    series = {one.symbol: one for one in history.series}
    chosen = chosen_trades(trades)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>perpdesk backtest</title>',
        f"<style>{STYLE}</style></head><body><h1>Backtest</h1>",
        (
            f"<p>{summary.bars:,} bars, {_moment(summary.first_ms)} to {_moment(summary.last_ms)} UTC; "
            f"{summary.trades:,} trades; balance {summary.start_balance:,.0f} to {summary.end_balance:,.2f} USDT, "
            f"drawdown {summary.max_drawdown:,.2f} USDT ({summary.max_drawdown_percent:.1f} %) of the closed balance, "
            f"{summary.marked_drawdown:,.2f} USDT ({summary.marked_drawdown_percent:.1f} %) with open positions.<br>"
            f"hash <code>{summary.hash}</code></p>"
        ),
        "<h2>Equity with open positions</h2>",
        _equity(summary.marked_equity),
        "<h2>Strategies</h2>",
        _strategies(summary),
        "<h2>Results in R</h2>",
        _histogram(summary.r_histogram),
        f'<h2>Trades</h2><p>{len(chosen)} of {len(trades):,} are drawn.</p><div class="trades">',
        *(_trade(trade, series[trade.symbol]) for trade in chosen),
        "</div></body></html>",
    ]
    return "\n".join(parts)


def chosen_trades(trades: Sequence[Trade]) -> list[Trade]:
    """Return the trades to draw, in order of their entry."""
    if len(trades) <= MOST_TRADES:
        return sorted(trades, key=lambda trade: (trade.opened_ms, trade.position_id))
    third = MOST_TRADES // 3
    ranked = sorted(trades, key=lambda trade: (trade.r, trade.position_id))
    kept = {trade.position_id: trade for trade in (*ranked[:third], *ranked[-third:], *trades[-third:])}
    return sorted(kept.values(), key=lambda trade: (trade.opened_ms, trade.position_id))


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _svg(content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{content}</svg>'


def _equity(points: Sequence[tuple[int, float]]) -> str:
    if len(points) < 2:
        return "<p>Too few trades for a curve.</p>"
    times = np.array([time for time, _ in points], np.float64)
    values = np.array([value for _, value in points])
    x = (times - times[0]) / (times[-1] - times[0]) * (WIDTH - 20) + 10
    span = max(float(np.ptp(values)), 1e-9)
    y = HEIGHT - 15 - (values - values.min()) / span * (HEIGHT - 30)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return _svg(f'<polyline class="line" points="{line}"/>') + (
        f"<p>{values.min():,.0f} to {values.max():,.0f} USDT, {_moment(points[0][0])} to {_moment(points[-1][0])}</p>"
    )


def _strategies(summary: Summary) -> str:
    heads = ("strategy", "trades", "won", "mean R", "total R", "net USDT", "drawdown", "targets", "stops", "expired")
    rows = "".join(
        f"<tr><td>{escape(one.strategy)}</td><td>{one.trades:,}</td><td>{_number(100 * one.win_rate, '.1f')} %</td>"
        f"<td>{_number(one.mean_r, '+.2f')}</td><td>{one.total_r:+.1f}</td><td>{one.net:+,.2f}</td>"
        f"<td>{one.marked_drawdown:,.2f}</td><td>{one.targets:,}</td><td>{one.stops:,}</td><td>{one.expired:,}</td></tr>"
        for one in summary.strategies
    )
    return f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{rows}</table>"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _histogram(counts: Sequence[tuple[str, int]]) -> str:
    most = max((count for _, count in counts), default=0) or 1
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{count:,}</td><td><svg style='width:20rem' viewBox='0 0 100 4'>"
        f"<rect class='up' width='{100 * count / most:.1f}' height='4'/></svg></td></tr>"
        for name, count in counts
    )
    return f"<table>{rows}</table>"


def _trade(trade: Trade, series: Series) -> str:
    """Return one trade on its candles: entry, stop and target as lines, its life between two marks."""
    begin = int(np.searchsorted(series.open_time, trade.opened_ms - BAR_MS))
    end = int(np.searchsorted(series.open_time, trade.closed_ms - BAR_MS))
    first, last = max(0, begin - AROUND), min(len(series.open_time), end + AROUND + 1)
    step = max(1, math.ceil((last - first) / MOST_BARS))
    cuts = np.arange(first, last, step)
    high = np.maximum.reduceat(series.high[first:last], cuts - first)
    low = np.minimum.reduceat(series.low[first:last], cuts - first)
    opened, close = series.open[cuts], series.close[np.minimum(cuts + step, last) - 1]
    top = max(float(high.max()), trade.entry, trade.stop, trade.target)
    bottom = min(float(low.min()), trade.entry, trade.stop, trade.target)
    width = (WIDTH - 20) / len(cuts)

    def across(bar: int) -> float:
        return 10 + (bar - first) / step * width + width / 2

    def down(price: float) -> float:
        return 10 + (top - price) / max(top - bottom, 1e-12) * (HEIGHT - 20)

    drawn = list(_candles(opened, high, low, close, width, down))
    for price, shade in ((trade.entry, "line"), (trade.stop, "down level"), (trade.target, "up level")):
        drawn.append(
            f'<line class="{shade}" x1="{across(begin):.1f}" x2="{across(end):.1f}" '
            f'y1="{down(price):.1f}" y2="{down(price):.1f}"/>'
        )
    for bar, price in ((begin, trade.entry), (end, trade.exit)):
        drawn.append(f'<circle class="line" cx="{across(bar):.1f}" cy="{down(price):.1f}" r="4"/>')
    told = (
        f"{trade.position_id} {trade.symbol} {trade.direction} ({trade.strategy}), {_moment(trade.opened_ms)} to "
        f"{_moment(trade.closed_ms)}: {trade.entry:g} to {trade.exit:g}, {trade.r:+.2f} R, {trade.net:+,.2f} USDT, "
        f"{trade.cause}" + (f" ({trade.reason})" if trade.reason else "")
    )
    return f"<figure>{_svg(''.join(drawn))}<figcaption>{escape(told)}</figcaption></figure>"


def _candles(
    opened: np.ndarray[tuple[int], np.dtype[np.float64]],
    high: np.ndarray[tuple[int], np.dtype[np.float64]],
    low: np.ndarray[tuple[int], np.dtype[np.float64]],
    close: np.ndarray[tuple[int], np.dtype[np.float64]],
    width: float,
    down: Callable[[float], float],
) -> Iterator[str]:
    for number, (o, h, lo, c) in enumerate(zip(opened, high, low, close, strict=True)):
        x = 10 + number * width + width / 2
        shade = "up" if c >= o else "down"
        body = max(abs(down(o) - down(c)), 0.6)
        yield (
            f'<g class="{shade}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{down(h):.1f}" y2="{down(lo):.1f}"/>'
            f'<rect x="{x - width * 0.35:.1f}" y="{min(down(o), down(c)):.1f}" width="{width * 0.7:.1f}" '
            f'height="{body:.1f}"/></g>'
        )
