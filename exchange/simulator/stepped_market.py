"""A market that walks minute by minute over a source of drafts: the part that synthetic and replay share."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exchange.simulator.bar_ring import CLOSE, FIELDS, VOLUME
from exchange.simulator.funding import FundingClock
from exchange.simulator.market import MINUTE, TRADE_ROW, BarColumns, Columns, DayColumns, Listing
from exchange.simulator.minute_path import Ends, MinutePath, MinuteSource, work_out
from exchange.simulator.order_book import book_side
from exchange.simulator.price_grid import Grids
from exchange.simulator.trade_tape import TradeTape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.market_data import Candles
    from exchange.simulator.candle_store import CandleStore
    from exchange.simulator.price_grid import Floats

SMALLEST_STEP_MS = 100


class MarketError(ValueError):
    """A market cannot be built as asked; the text names the value and the remedy."""


def check_step(step_ms: int) -> None:
    """Raise MarketError unless whole steps fill a minute."""
    if step_ms < SMALLEST_STEP_MS or MINUTE % step_ms:
        raise MarketError(
            f"step_ms={step_ms}: a step must be at least {SMALLEST_STEP_MS} ms and divide {MINUTE} ms; "
            "take 250, 500, 1000, 5000, 10000 or 60000"
        )


class SteppedMarket:
    """Implements `exchange.simulator.market.Market` on a source of minutes.

    The market begins at the open of `store`'s unfinished minute and stands still once the source has no minute left.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        source: MinuteSource,
        store: CandleStore,
        ends: Ends,
        *,
        seed: int,
        step_ms: int,
    ) -> None:
        check_step(step_ms)
        self._listings = tuple(listings)
        self._source = source
        self._store = store
        self._seed = seed
        self._step_ms = step_ms
        self._grids = Grids.of([listing.instrument for listing in listings])
        self._tape = TradeTape(len(self._listings))
        self._now_ms = store.end_ms
        self._funding = FundingClock(np.array([listing.funding_hours for listing in listings]), store.end_ms)
        self._ends = ends
        self._cursor = 0
        self._pieces: list[npt.NDArray[np.void]] = []
        self._path = self._next_path()
        self._columns = self._standing(ends)

    def _standing(self, ends: Ends) -> Columns:
        """Describe the instant before the first step."""
        price = self._grids.price
        last = price.value(ends.last_ticks)
        rate, due = self._funding.rate(), self._funding.due(self._now_ms)
        lot = self._grids.lot.step
        return Columns(
            last=last,
            bid=price.value(ends.bid_ticks),
            bid_quantity=lot,
            ask=price.value(ends.ask_ticks),
            ask_quantity=lot.copy(),
            mark=last.copy(),
            index_price=last.copy(),
            funding_rate=rate,
            next_funding=due,
            changed=np.zeros(len(last), dtype=bool),
        )

    def _next_path(self) -> MinutePath | None:
        """Draw the minute that opens now."""
        draft = self._source.draft(self._store.end_ms, self._ends.last_ticks)
        if draft is None:
            return None
        self._funding.add_minute(draft.premium, self._store.end_ms)
        return work_out(draft, self._store.end_ms, self._step_ms, self._grids, self._ends)

    @property
    def listings(self) -> Sequence[Listing]:
        """Return the contracts; the position is the symbol's index."""
        return self._listings

    @property
    def step_ms(self) -> int:
        """Return the smallest move of simulated time."""
        return self._step_ms

    @property
    def now_ms(self) -> int:
        """Return the simulated instant reached."""
        return self._now_ms

    @property
    def columns(self) -> Columns:
        """Return the present state."""
        return self._columns

    @property
    def exhausted(self) -> bool:
        """Say whether the source has no minute left: the market stands still and `advance` does nothing."""
        return self._path is None

    def advance(self, now_ms: int) -> None:
        """Move to the last whole step at or before `now_ms`; earlier instants are ignored.

        A call that moves nothing leaves an empty tape and nothing `changed`.
        """
        target = now_ms // self._step_ms * self._step_ms
        before = self._columns
        self._pieces = []
        if target <= self._now_ms or self._path is None:
            self._columns = before._replace(changed=np.zeros(len(self._listings), dtype=bool))
            return
        while self._now_ms < target and self._path is not None:
            path = self._path
            begin = self._store.end_ms
            end = min(target, begin + MINUTE)
            reached = (end - begin) // self._step_ms
            rows = path.trade_ends[reached - 1]
            self._pieces.append(path.trades[path.trade_ends[self._cursor - 1] if self._cursor else 0 : rows])
            self._cursor = reached
            self._now_ms = end
            if end == target or end == begin + MINUTE:
                self._columns = self._after(path, reached - 1)
            if end == begin + MINUTE:
                self._close_minute(path)
        now = self._columns
        self._columns = now._replace(
            changed=(now.bid != before.bid) | (now.ask != before.ask) | (now.last != before.last)
        )

    def _after(self, path: MinutePath, row: int) -> Columns:
        return Columns(
            last=path.last[row],
            bid=path.bid[row],
            bid_quantity=path.bid_quantity[row],
            ask=path.ask[row],
            ask_quantity=path.ask_quantity[row],
            mark=path.mark[row],
            index_price=path.index_price[row],
            funding_rate=self._funding.rate(),
            next_funding=self._funding.due(self._now_ms),
            changed=self._columns.changed,
        )

    def _close_minute(self, path: MinutePath) -> None:
        self._store.close_minute(path.running[:, -1])
        self._tape.extend(path.trades)
        self._ends = path.ends
        self._cursor = 0
        self._path = self._next_path()

    def _minute(self) -> Floats:
        """Return the open minute so far [FIELDS, symbols]; flat before its first step."""
        if self._cursor and self._path is not None:
            minute: Floats = self._path.running[:, self._cursor - 1]
            return minute
        flat: Floats = np.zeros((FIELDS, len(self._listings)))
        flat[: CLOSE + 1] = self._grids.price.value(self._ends.last_ticks)
        flat[VOLUME:] = 0.0
        return flat

    def trades(self) -> npt.NDArray[np.void]:
        """Return the aggregate trades (TRADE_ROW) of the last advance in time order."""
        if not self._pieces:
            return np.empty(0, dtype=TRADE_ROW)
        return self._pieces[0] if len(self._pieces) == 1 else np.concatenate(self._pieces)

    def recent_trades(self, index: int, start_ms: int | None, end_ms: int | None, limit: int) -> npt.NDArray[np.void]:
        """Return kept aggregate trades of one symbol, ascending; from `start_ms` the first, else the newest."""
        rows = self._tape.of(index)
        if self._cursor and self._path is not None:
            fresh = self._path.trades[: self._path.trade_ends[self._cursor - 1]]
            rows = np.concatenate([rows, fresh[fresh["symbol"] == index]])
        if start_ms is not None:
            rows = rows[rows["time"] >= start_ms]
        if end_ms is not None:
            rows = rows[rows["time"] <= end_ms]
        return rows[:limit] if start_ms is not None else rows[max(0, len(rows) - limit) :]

    def candles(self, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> Candles:
        """Return bars as GET klines does: from `start_ms` the first `limit`, else the newest; the open bar last.

        Raises KeyError for an interval that is not served.
        """
        return self._store.candles(index, interval, start_ms, end_ms, limit, self._minute())

    def bars(self, interval: str, at_ms: int) -> BarColumns:
        """Return every symbol's bar of `interval` that contains `at_ms`; ValueError when it is not kept."""
        return self._store.bars(interval, at_ms, self._minute())

    def day(self) -> DayColumns:
        """Return the rolling 24 h statistics."""
        last_id = self._ends.last_id
        if self._cursor and self._path is not None:
            last_id = self._path.last_id[self._cursor - 1]
        return self._store.day(self._minute(), last_id)

    def depth(self, index: int, limit: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks as (price, quantity), best first, at most `limit` levels each."""
        price, lot = self._grids.price, self._grids.lot
        now = self._columns
        usual = self._usual_lots(index)
        sides: list[list[tuple[float, float]]] = []
        for outward, best, quantity in ((-1, now.bid, now.bid_quantity), (1, now.ask, now.ask_quantity)):
            side = book_side(
                seed=self._seed,
                symbol=index,
                at_ms=self._now_ms,
                best=round(best[index] * price.scale[index] / price.units[index]),
                best_lots=round(quantity[index] * lot.scale[index] / lot.units[index]),
                usual_lots=usual,
                outward=outward,
                limit=limit,
            )
            prices = side.ticks * price.units[index] / price.scale[index]
            quantities = side.lots * lot.units[index] / lot.scale[index]
            sides.append(list(zip(prices.tolist(), quantities.tolist(), strict=True)))
        return sides[0], sides[1]

    def _usual_lots(self, index: int) -> float:
        """Return the size of a usual level: the minute's mean at the best prices as a power of two, so that it stays.

        A market that stands still has one lot.
        """
        if self._path is None:
            return 1.0
        mean = (self._path.bid_quantity[:, index].mean() + self._path.ask_quantity[:, index].mean()) / 2.0
        lots = mean * self._grids.lot.scale[index] / self._grids.lot.units[index]
        return float(2.0 ** round(log2(max(lots, 1.0))))
