"""What a replay amounts to: one hash, the equity, and figures per strategy."""

from __future__ import annotations

import hashlib
import itertools
from decimal import Decimal
from statistics import fmean, median
from typing import TYPE_CHECKING

import msgspec

from engine.backtest.marking import fall_of, mark
from engine.positions.lifecycle import EventName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.backtest.desk import Decision
    from engine.backtest.history import Series
    from engine.replay import Outcome, Trade

R_EDGES = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
ZERO = Decimal(0)


class StrategyFigures(msgspec.Struct, frozen=True):
    """One strategy's trades."""

    strategy: str
    trades: int
    wins: int
    win_rate: float
    """NaN where nothing was traded."""
    mean_r: float
    median_r: float
    total_r: float
    best_r: float
    worst_r: float
    profit_factor: float
    """Sum of gains over sum of losses in USDT."""
    net: Decimal
    drawdown: Decimal
    """Largest fall of its own closed balance from a peak, in USDT."""
    marked_drawdown: float
    """The same of its equity at every 5m close, open positions included."""
    longs: int
    mean_hours: float
    targets: int
    stops: int
    expired: int
    others: int


class Summary(msgspec.Struct, frozen=True):
    """A replay in figures."""

    hash: str
    bars: int
    ready_bars: int
    cycles: int
    looked: int
    decisions: int
    trades: int
    first_ms: int
    last_ms: int
    start_balance: Decimal
    end_balance: Decimal
    max_drawdown: Decimal
    """Of the closed balance, from a peak."""
    max_drawdown_percent: float
    marked_drawdown: float
    """Of the equity at every 5m close, open positions included, from a peak."""
    marked_drawdown_percent: float
    strategies: tuple[StrategyFigures, ...]
    r_histogram: tuple[tuple[str, int], ...]
    equity: tuple[tuple[int, float], ...]
    """(UTC ms, balance) at the last close of every day on which a trade closed."""
    marked_equity: tuple[tuple[int, float], ...]
    """(UTC ms, equity with open positions) at the end of every day from the first trade to the last."""


def hash_of(decisions: Iterable[Decision]) -> str:
    """Return one hash over all decisions and trades in their order."""
    digest = hashlib.sha256()
    for one in decisions:
        digest.update(one.digest)
    return digest.hexdigest()


def summarise(outcome: Outcome, series: Iterable[Series], strategies: Iterable[str] = ()) -> Summary:
    """Return the figures of a replay over these series; `strategies` are told of even where they traded nothing."""
    trades = sorted(outcome.trades, key=lambda trade: (trade.closed_ms, trade.position_id))
    names = sorted({trade.strategy for trade in trades} | {"ict", "self_learning", "hybrid", *strategies})
    net = sum((trade.net for trade in trades), ZERO)
    fall, share = drawdown(trades, outcome.start_balance)
    marked = mark(trades, series)
    start = float(outcome.start_balance)
    equity = marked.equity(start, names)
    marked_fall = fall_of(equity)
    return Summary(
        hash=hash_of(outcome.decisions),
        bars=outcome.bars,
        ready_bars=outcome.ready_bars,
        cycles=outcome.instants,
        looked=outcome.looked,
        decisions=len(outcome.decisions),
        trades=len(trades),
        first_ms=outcome.first_ms,
        last_ms=outcome.last_ms,
        start_balance=outcome.start_balance,
        end_balance=outcome.start_balance + net,
        max_drawdown=fall,
        max_drawdown_percent=share,
        marked_drawdown=marked_fall.usdt,
        marked_drawdown_percent=marked_fall.percent,
        strategies=tuple(
            figures(
                name,
                [trade for trade in trades if trade.strategy == name],
                outcome.start_balance,
                fall_of(marked.equity(start, (name,))).usdt,
            )
            for name in names
        ),
        r_histogram=histogram(trades),
        equity=daily(trades, outcome.start_balance),
        marked_equity=marked.days(equity),
    )


def figures(strategy: str, trades: Sequence[Trade], start: Decimal, marked_drawdown: float) -> StrategyFigures:
    """Return the figures of one strategy's trades, in order of their close."""
    nothing = float("nan")
    results = [trade.r for trade in trades]
    gains = sum((trade.net for trade in trades if trade.net > 0), ZERO)
    losses = -sum((trade.net for trade in trades if trade.net <= 0), ZERO)
    causes = [trade.cause for trade in trades]
    targets, stops = causes.count(EventName.TP_TRIGGERED.value), causes.count(EventName.SL_TRIGGERED.value)
    expired = causes.count(EventName.EXPIRED.value)
    wins = sum(1 for trade in trades if trade.net > 0)
    return StrategyFigures(
        strategy=strategy,
        trades=len(trades),
        wins=wins,
        win_rate=wins / len(trades) if trades else nothing,
        mean_r=fmean(results) if trades else nothing,
        median_r=median(results) if trades else nothing,
        total_r=sum(results),
        best_r=max(results, default=nothing),
        worst_r=min(results, default=nothing),
        profit_factor=float(gains / losses) if losses > 0 else nothing,
        net=gains - losses,
        drawdown=drawdown(trades, start)[0],
        marked_drawdown=marked_drawdown,
        longs=sum(1 for trade in trades if trade.direction.sign > 0),
        mean_hours=fmean((trade.closed_ms - trade.opened_ms) / 3_600_000 for trade in trades) if trades else nothing,
        targets=targets,
        stops=stops,
        expired=expired,
        others=len(trades) - targets - stops - expired,
    )


def drawdown(trades: Sequence[Trade], start: Decimal) -> tuple[Decimal, float]:
    """Return the largest fall of the closed balance from a peak, in USDT and in percent of that peak."""
    balance = peak = start
    worst, share = ZERO, 0.0
    for trade in trades:
        balance += trade.net
        peak = max(peak, balance)
        worst = max(worst, peak - balance)
        share = max(share, float((peak - balance) / peak * 100))
    return worst, share


def histogram(trades: Sequence[Trade]) -> tuple[tuple[str, int], ...]:
    """Return how many trades ended between which R."""
    names = [f"< {R_EDGES[0]:g}"]
    names += [f"{low:g} to {high:g}" for low, high in itertools.pairwise(R_EDGES)]
    names.append(f">= {R_EDGES[-1]:g}")
    counts = [0] * len(names)
    for trade in trades:
        counts[sum(1 for edge in R_EDGES if trade.r >= edge)] += 1
    return tuple(zip(names, counts, strict=True))


def daily(trades: Sequence[Trade], start: Decimal) -> tuple[tuple[int, float], ...]:
    """Return the closed balance at the end of every UTC day on which a trade closed."""
    balance = start
    points: dict[int, float] = {}
    for trade in trades:
        balance += trade.net
        points[trade.closed_ms // 86_400_000 * 86_400_000] = float(balance)
    return tuple(points.items())
