"""A seeded walk inside a recorded bar: from open through high and low to close, with the bar's volume and trades.

Works on a bar of all symbols at once. Prices are whole ticks, volumes whole lots; shapes are [SLOTS, steps, symbols]
unless said otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exchange.simulator.bar_ring import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    QUOTE,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
)
from exchange.simulator.minute_path import SLOTS, Flags, carry
from exchange.simulator.price_grid import Floats, Grids


class TickBar(NamedTuple):
    """One bar of every symbol in whole ticks and lots, one entry each."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    lots: Floats
    trades: Floats
    bought: Floats
    """Lots whose aggressor bought."""


def tick_bar(bar: Floats, grids: Grids) -> TickBar:
    """Turn a bar [FIELDS, ..., symbols] into whole ticks and lots; leading axes join the symbols."""
    opened, high, low, close = (grids.price.steps(bar[field]).ravel() for field in (OPEN, HIGH, LOW, CLOSE))
    return TickBar(
        open=opened,
        high=high,
        low=low,
        close=close,
        lots=grids.lot.steps(bar[VOLUME]).ravel(),
        trades=bar[TRADES].ravel(),
        bought=grids.lot.steps(bar[TAKER_BASE]).ravel(),
    )


class Walk(NamedTuple):
    """The trades inside the bar, and the price between them."""

    ticks: Floats
    trading: Flags
    lots: Floats
    counts: Floats
    buying: Flags
    fair: Floats
    """In ticks after each step, [steps, symbols]."""


def walk(bar: TickBar, steps: int, draw: np.random.Generator) -> Walk:
    """Walk the bar in `steps` steps; lots and trades add up to the bar's, the path touches high and low.

    A bar without volume has no trade. Where a bar holds fewer lots or trades than prices it must show, the rest of
    these prices carry no lots.
    """
    symbols = len(bar.open)
    columns = np.arange(symbols)
    extremes = np.sort((draw.random((2, symbols)) * steps).astype(np.int64), axis=0)
    # Three bars in four visit the far side first: a rising bar dips before it climbs.
    high_first = (bar.close < bar.open) ^ (draw.random(symbols) < 0.25)
    first = np.where(high_first, bar.high, bar.low)
    second = np.where(high_first, bar.low, bar.high)
    path = _between(bar, extremes, first, second, steps, draw)

    start, end = path[:-1], path[1:]
    inner = draw.random((2, steps, symbols))
    ticks = np.stack([start, start + (end - start) * inner[0], start + (end - start) * inner[1], end])
    ticks = np.clip(np.rint(ticks), bar.low, bar.high)
    must = np.zeros((SLOTS, steps, symbols), dtype=bool)
    for slot, step, price in (
        (0, np.zeros(symbols, dtype=np.int64), bar.open),
        (1, extremes[0], first),
        (2, extremes[1], second),
        (3, np.full(symbols, steps - 1), bar.close),
    ):
        ticks[slot, step, columns] = price
        must[slot, step, columns] = True
    alive = bar.lots > 0
    must &= alive
    rate = np.clip(bar.trades / steps, 0.25, 4.0)
    size = np.minimum(draw.poisson(rate, (steps, symbols)), SLOTS)
    wanted = ((np.arange(SLOTS)[:, None, None] >= SLOTS - size) & alive) | must
    sharing = _within(wanted, must, np.minimum(bar.lots, bar.trades), draw)
    trading = sharing | must
    trading[-1] |= trading.any(axis=0)
    # Without a trade count the lots still have to be traded.
    sharing[-1, -1] |= alive & ~sharing.any(axis=(0, 1))
    lots = _share_out(sharing, bar.lots, draw)
    counts = _share_out(sharing, np.maximum(bar.trades, sharing.sum(axis=(0, 1))), draw)
    share = bar.bought / np.maximum(bar.lots, 1.0)
    return Walk(
        ticks=ticks,
        trading=trading,
        lots=lots,
        counts=counts,
        buying=draw.random(ticks.shape) < share,
        fair=end,
    )


def _between(
    bar: TickBar,
    extremes: npt.NDArray[np.int64],
    first: Floats,
    second: Floats,
    steps: int,
    draw: np.random.Generator,
) -> Floats:
    """Return a random path [steps + 1, symbols] through open, both extremes and close that stays inside the bar."""
    symbols = len(bar.open)
    columns = np.arange(symbols)
    nodes = np.stack([np.zeros(symbols, dtype=np.int64), extremes[0], extremes[1], np.full(symbols, steps)])
    levels = np.stack([bar.open, first, second, bar.close])
    places = np.arange(steps + 1)[:, None]
    segment = (places >= nodes[1]).astype(np.int64) + (places >= nodes[2])
    begin, end = nodes[segment, columns], nodes[segment + 1, columns]
    share = (places - begin) / np.maximum(end - begin, 1)
    height = bar.high - bar.low
    noise = np.cumsum(draw.standard_normal((steps + 1, symbols)), axis=0) * (0.5 * height / np.sqrt(steps))
    noise -= noise[begin, columns] * (1.0 - share) + noise[end, columns] * share
    path = levels[segment, columns] * (1.0 - share) + levels[segment + 1, columns] * share + noise
    # Fold what leaves the bar back into it: clipping would pin the path to the extremes.
    folded = np.mod(path - bar.low, np.maximum(2.0 * height, 1e-9))
    path = bar.low + height - np.abs(folded - height)
    path[0], path[-1] = bar.open, bar.close
    whole: Floats = path
    return whole


def _within(wanted: Flags, must: Flags, limit: Floats, draw: np.random.Generator) -> Flags:
    """Keep at most `limit` of the wanted trades per symbol, those that must be first."""
    over = np.nonzero(wanted.sum(axis=(0, 1)) > limit)[0]
    if not len(over):
        return wanted
    kept = wanted.copy()
    cells = wanted[:, :, over].reshape(-1, len(over))
    score = draw.random(cells.shape) + np.where(must[:, :, over].reshape(cells.shape), 0.0, 1.0)
    score[~cells] = np.inf
    rank = np.argsort(np.argsort(score, axis=0), axis=0)
    kept[:, :, over] = (cells & (rank < limit[over])).reshape(*wanted.shape[:2], len(over))
    return kept


def _share_out(sharing: Flags, total: Floats, draw: np.random.Generator) -> Floats:
    """Deal whole numbers that add up to `total` over the sharing cells, at least one each."""
    steps, symbols = sharing.shape[1:]
    # Time order: a cell's number is the growth of the rounded running sum, so nothing is lost.
    cells = sharing.transpose(1, 0, 2).reshape(-1, symbols)
    weight = np.cumsum(draw.standard_exponential(cells.shape) * cells, axis=0)
    rest = np.maximum(total - cells.sum(axis=0), 0.0)
    running = np.floor(weight / np.maximum(weight[-1], 1e-300) * rest)
    dealt = np.diff(running, axis=0, prepend=0.0) + cells
    shared: Floats = dealt.reshape(steps, SLOTS, symbols).transpose(1, 0, 2)
    return shared


def minutes_inside(series: Floats, grids: Grids, parts: int, draw: np.random.Generator) -> Floats:
    """Walk every bar of a series [FIELDS, symbols, n] in `parts` parts; return those as bars of their own."""
    symbols, count = series.shape[1:]
    path = walk(tick_bar(series.transpose(0, 2, 1), grids), parts, draw)
    # Bars and parts in one time axis, symbols last: [SLOTS, n * parts, symbols].
    ticks, lots, counts = (
        values.reshape(SLOTS, parts, count, symbols).swapaxes(1, 2).reshape(SLOTS, -1, symbols)
        for values in (path.ticks, path.lots, path.counts)
    )
    trading, buying = (
        flags.reshape(SLOTS, parts, count, symbols).swapaxes(1, 2).reshape(SLOTS, -1, symbols)
        for flags in (path.trading, path.buying)
    )
    price, quantity = grids.price.value(ticks), grids.lot.value(lots)
    bought = np.where(buying, quantity, 0.0)
    bars: Floats = np.empty((FIELDS, count * parts, symbols))
    active = trading[-1]
    bars[CLOSE] = carry(price[-1], active, series[OPEN, :, 0])
    first = np.take_along_axis(price, np.argmax(trading, axis=0)[None], axis=0)[0]
    bars[OPEN] = np.where(active, first, bars[CLOSE])
    bars[HIGH] = np.where(active, np.where(trading, price, -np.inf).max(axis=0), bars[CLOSE])
    bars[LOW] = np.where(active, np.where(trading, price, np.inf).min(axis=0), bars[CLOSE])
    for field, values in (
        (VOLUME, quantity),
        (QUOTE, quantity * price),
        (TRADES, counts),
        (TAKER_BASE, bought),
        (TAKER_QUOTE, bought * price),
    ):
        bars[field] = values.sum(axis=0)
    return bars.transpose(0, 2, 1)
