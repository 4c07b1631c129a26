"""One minute of every symbol, worked out at once: trades, running bars and quotes after each step.

A source drafts the minute as trades in four slots per step and symbol. Bars, ids, best prices and the tape all follow
from those trades, so candles can be rebuilt from the aggregate trades.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

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
from exchange.simulator.market import TRADE_ROW
from exchange.simulator.price_grid import Floats

if TYPE_CHECKING:
    from exchange.simulator.price_grid import Grids

SLOTS = 4
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


class Draft(NamedTuple):
    """A minute as a source draws it. Shapes [SLOTS, steps, symbols] unless said otherwise.

    A step with any trade has one in the last slot; slots follow one another in time.
    """

    ticks: Floats
    """Prices as whole tick counts."""
    trading: Flags
    """Which slots hold a trade."""
    lots: Floats
    """Whole lots traded; 0 where no trade, and in a replay also where a bar's volume was too small to share out."""
    counts: Floats
    """Single trades joined in the aggregate; at least 1 where `trading` and `lots` > 0."""
    buying: Flags
    """Whether the aggressor bought."""
    when: Floats
    """Place of a slot's trade inside its share of the step, in [0, 1), shape [steps, symbols]."""
    fair: Floats
    """Price between the trades, before rounding to ticks, shape [steps, symbols]."""
    spread_ticks: Floats
    """Whole ticks between best bid and ask, shape [steps, symbols]."""
    depth_lots: Floats
    """Lots at the best bid and ask, shape [2, steps, symbols]."""
    premium: Floats
    """Relative distance of the contract above its index, shape [symbols]."""


class MinuteSource(Protocol):
    """Draws one minute after the other."""

    def draft(self, open_ms: int, last_ticks: Floats) -> Draft | None:
        """Return the minute that opens at `open_ms`, or None when there is none left; called once per minute."""


class Ends(NamedTuple):
    """What a minute hands to the next one, one entry per symbol."""

    last_ticks: Floats
    bid_ticks: Floats
    ask_ticks: Floats
    last_id: Integers


class MinutePath(NamedTuple):
    """A minute after each of its steps; row k holds the state once step k is over."""

    running: Floats
    """The minute's bar so far, [FIELDS, steps, symbols]."""
    last: Floats
    bid: Floats
    ask: Floats
    bid_quantity: Floats
    ask_quantity: Floats
    mark: Floats
    index_price: Floats
    last_id: Integers
    trades: npt.NDArray[np.void]
    """Aggregate trades of the minute in time order (TRADE_ROW)."""
    trade_ends: Integers
    """Number of trades up to the end of each step, [steps]."""
    ends: Ends


def carry(values: Floats, valid: Flags, before: Floats) -> Floats:
    """Keep the newest valid row of every column, `before` where none was yet."""
    rows = np.arange(1, len(values) + 1)[:, None]
    newest = np.maximum.accumulate(np.where(valid, rows, 0), axis=0)
    stacked = np.concatenate([before[None], values])
    kept: Floats = np.take_along_axis(stacked, newest, axis=0)
    return kept


def _running_bars(draft: Draft, price: Floats, quantity: Floats, before: Floats, last: Floats) -> Floats:
    """Build the minute's bar after each step; flat at the last price until the first trade."""
    bars: Floats = np.empty((FIELDS, *last.shape))
    active = draft.trading[-1]
    begun = np.logical_or.accumulate(active, axis=0)
    entry = np.argmax(draft.trading, axis=0)
    step_open = np.take_along_axis(price, entry[None], axis=0)[0]
    first = np.argmax(active, axis=0)
    opened = np.take_along_axis(step_open, first[None], axis=0)
    bars[OPEN] = np.where(begun, opened, before)
    high = np.where(draft.trading, price, -np.inf).max(axis=0)
    low = np.where(draft.trading, price, np.inf).min(axis=0)
    bars[HIGH] = np.where(begun, np.maximum.accumulate(high, axis=0), before)
    bars[LOW] = np.where(begun, np.minimum.accumulate(low, axis=0), before)
    bars[CLOSE] = last
    bought = np.where(draft.buying, quantity, 0.0)
    np.cumsum(quantity.sum(axis=0), axis=0, out=bars[VOLUME])
    np.cumsum((quantity * price).sum(axis=0), axis=0, out=bars[QUOTE])
    np.cumsum(draft.counts.sum(axis=0), axis=0, out=bars[TRADES])
    np.cumsum(bought.sum(axis=0), axis=0, out=bars[TAKER_BASE])
    np.cumsum((bought * price).sum(axis=0), axis=0, out=bars[TAKER_QUOTE])
    return bars


def _tape(
    draft: Draft, open_ms: int, step_ms: int, price: Floats, quantity: Floats, before: Ends
) -> tuple[npt.NDArray[np.void], Integers]:
    """List the minute's trades in time order with their ids, and how many there are up to each step's end."""
    steps, symbols = draft.when.shape
    counts = draft.counts.transpose(1, 0, 2).reshape(-1, symbols)
    last_id = (before.last_id + np.cumsum(counts, axis=0).astype(np.int64)).reshape(steps, SLOTS, symbols)
    happened = (draft.lots > 0).transpose(1, 0, 2)
    step, slot, symbol = np.nonzero(happened)
    share = step_ms / SLOTS
    place = step * step_ms + ((slot + draft.when[step, symbol]) * share).astype(np.int64)
    # A place inside the minute fits 16 bits, which numpy sorts by radix, in linear time.
    order = np.argsort(place.astype(np.uint16), kind="stable")
    step, slot, symbol = step[order], slot[order], symbol[order]
    rows = np.empty(len(order), dtype=TRADE_ROW)
    rows["symbol"] = symbol
    rows["time"] = open_ms + place[order]
    rows["price"] = price[slot, step, symbol]
    rows["quantity"] = quantity[slot, step, symbol]
    rows["buyer_is_maker"] = ~draft.buying[slot, step, symbol]
    rows["last"] = last_id[step, slot, symbol]
    rows["first"] = rows["last"] - draft.counts[slot, step, symbol].astype(np.int64) + 1
    return rows, np.cumsum(np.count_nonzero(happened, axis=(1, 2)))


def work_out(draft: Draft, open_ms: int, step_ms: int, grids: Grids, before: Ends) -> MinutePath:
    """Turn a draft into everything the market shows during that minute."""
    price = grids.price.value(draft.ticks)
    quantity = grids.lot.value(draft.lots)
    active = draft.trading[-1]
    last_ticks = carry(draft.ticks[-1], active, before.last_ticks)
    last = grids.price.value(last_ticks)
    # The last aggressor's side of the book stands at the last price; the other side lies one spread away.
    bid_ticks = np.where(draft.buying[-1], draft.ticks[-1] - draft.spread_ticks, draft.ticks[-1])
    bid_ticks = np.maximum(bid_ticks, 1.0)
    ask_ticks = np.where(draft.buying[-1], draft.ticks[-1], draft.ticks[-1] + draft.spread_ticks)
    ask_ticks = np.maximum(ask_ticks, bid_ticks + 1.0)
    bid_ticks = carry(bid_ticks, active, before.bid_ticks)
    ask_ticks = carry(ask_ticks, active, before.ask_ticks)
    trades, trade_ends = _tape(draft, open_ms, step_ms, price, quantity, before)
    running = _running_bars(draft, price, quantity, grids.price.value(before.last_ticks), last)
    last_id = before.last_id + running[TRADES].astype(np.int64)
    depth = np.maximum(draft.depth_lots, 1.0)
    return MinutePath(
        running=running,
        last=last,
        bid=grids.price.value(bid_ticks),
        ask=grids.price.value(ask_ticks),
        bid_quantity=grids.lot.value(depth[0]),
        ask_quantity=grids.lot.value(depth[1]),
        mark=np.round(draft.fair, 8),
        index_price=np.round(draft.fair / (1.0 + draft.premium), 8),
        last_id=last_id,
        trades=trades,
        trade_ends=trade_ends,
        ends=Ends(last_ticks[-1], bid_ticks[-1], ask_ticks[-1], last_id[-1]),
    )
