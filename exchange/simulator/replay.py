"""The replay market: recorded candles walked through inside, on the instants at which they happened."""

from __future__ import annotations

from decimal import Decimal
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.bar_ring import (
    CLOSE,
    HIGH,
    LOW,
    QUOTE,
    TRADES,
    VOLUME,
    BarRing,
    aggregate,
)
from exchange.simulator.candle_store import FIVE, FIVES_KEPT, MINUTES_KEPT, CandleStore
from exchange.simulator.contract_names import FALLBACK_SECTOR, SECTOR_OF
from exchange.simulator.listings import make_instrument, make_listing
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.minute_path import Draft, Ends
from exchange.simulator.price_grid import Grids
from exchange.simulator.replay_files import MarketDataError, Recording, read_recording
from exchange.simulator.replay_rules import infer_step
from exchange.simulator.replay_walk import Walk, minutes_inside, tick_bar, walk
from exchange.simulator.stepped_market import MarketError, SteppedMarket, check_step

if TYPE_CHECKING:
    from pathlib import Path

    from exchange.simulator.market import Listing
    from exchange.simulator.price_grid import Floats
    from exchange.simulator.replay_cleaning import Defect
    from exchange.simulator.replay_files import LeftOut

HISTORY_MS = 500 * 3_600_000
LIVE_SHARE = 0.25
"""Least share of the window that is left to live through when history would take more."""
_WARM_MS = 20 * MINUTE
"""Time before the start that is walked like live time, so that trades can be asked for at once."""
_PREMIUM_PER_TREND = 0.02
_LARGEST_PREMIUM = 0.002
_TREND_BARS = 96
_CALM_BARS = 288


def _generator(*seeds: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seeds))


class _RecordedSource:
    """Draws minutes from recorded bars. Every bar has a generator of its own, so where one starts does not matter."""

    def __init__(self, recording: Recording, grids: Grids, daily_quote: Floats, seed: int, step_ms: int) -> None:
        self._recording = recording
        self._grids = grids
        self._daily_quote = daily_quote
        self._seed = seed
        self._steps = recording.interval_ms // step_ms
        self._per_minute = MINUTE // step_ms
        self._bar = -1
        self._walk: Walk | None = None

    def draft(self, open_ms: int, last_ticks: Floats) -> Draft | None:
        """Return the minute that opens at `open_ms`, None at the end of the recording."""
        del last_ticks
        recording = self._recording
        if open_ms >= recording.end_ms:
            return None
        bar, inside = divmod(open_ms - recording.start_ms, recording.interval_ms)
        if bar != self._bar or self._walk is None:
            self._walk = walk(
                tick_bar(self._recording.series[:, :, bar], self._grids), self._steps, _generator(self._seed, bar, 0)
            )
            self._bar = bar
        begin = inside // MINUTE * self._per_minute
        part = slice(begin, begin + self._per_minute)
        path = self._walk
        return self._dressed(path, part, bar, _generator(self._seed, bar, 1 + inside // MINUTE))

    def _dressed(self, path: Walk, part: slice, bar: int, draw: np.random.Generator) -> Draft:
        """Add what candles do not tell: spread and depth from the recent ranges, premium from the trend."""
        series, grids = self._recording.series, self._grids
        past = series[:, :, max(0, bar - _CALM_BARS) : bar + 1]
        ranges = (past[HIGH] - past[LOW]) / past[CLOSE]
        wide = np.clip(ranges[:, -1] / np.maximum(ranges.mean(axis=1), 1e-9), 0.3, 8.0)
        level = past[CLOSE, :, -2:].mean(axis=1)
        trend = level / past[CLOSE, :, -_TREND_BARS:].mean(axis=1) - 1.0
        fair = grids.price.value(path.fair[part])
        shape = fair.shape
        spread = np.clip(0.8 * self._daily_quote**-0.5, 0.000_001, 0.002) * level * wide**0.7
        depth = self._daily_quote**0.55 * 0.6 / wide**0.6 / (level * grids.lot.step)
        return Draft(
            ticks=path.ticks[:, part],
            trading=path.trading[:, part],
            lots=path.lots[:, part],
            counts=path.counts[:, part],
            buying=path.buying[:, part],
            when=draw.random(shape),
            fair=fair,
            spread_ticks=np.maximum(np.rint(spread / grids.price.step * draw.uniform(0.6, 1.4, shape)), 1.0),
            depth_lots=np.rint(depth * draw.standard_exponential((2, *shape))),
            premium=np.clip(_PREMIUM_PER_TREND * trend, -_LARGEST_PREMIUM, _LARGEST_PREMIUM),
        )


def _most_traded(recording: Recording, symbols: int) -> tuple[Recording, Floats]:
    """Order the symbols by turnover, keep the first `symbols`; return them with their USDT turned over per day."""
    days = (recording.end_ms - recording.start_ms) / 86_400_000
    daily = recording.series[QUOTE].sum(axis=1) / days
    order = np.argsort(-daily, kind="stable")[:symbols]
    kept = recording._replace(
        symbols=tuple(recording.symbols[index] for index in order),
        series=recording.series[:, order],
        estimated=tuple(recording.estimated[index] for index in order),
    )
    return kept, np.maximum(daily[order], 1.0)


def _listings(recording: Recording, daily_quote: Floats) -> list[Listing]:
    """Infer trading rules from the bars of every symbol."""
    listings = []
    for index, symbol in enumerate(recording.symbols):
        base = symbol.removesuffix("USDT")
        bars = recording.series[:, index]
        price = float(bars[CLOSE, -1])
        quote = float(daily_quote[index])
        instrument = make_instrument(
            base,
            price=price,
            daily_quote=quote,
            tick=infer_step(bars[: CLOSE + 1].ravel(), coarsest=Decimal(1).scaleb(floor(log10(price)) - 1)),
            lot=infer_step(bars[VOLUME], coarsest=Decimal(1)),
            onboard_ms=recording.start_ms,
        )
        listings.append(
            make_listing(
                instrument,
                daily_quote=quote,
                funding_hours=8,
                sector=SECTOR_OF.get(base, FALLBACK_SECTOR),
                estimated=recording.estimated[index],
            )
        )
    return listings


def _start(recording: Recording, wanted_ms: int | None) -> tuple[int, str | None]:
    """Return where live time begins, and a note when that is not 500 hours into the data."""
    begin, end, size = recording.start_ms, recording.end_ms, recording.interval_ms
    if wanted_ms is not None and begin + size <= wanted_ms < end:
        return wanted_ms, None
    hour = INTERVALS["1h"]
    full = -(-begin // hour) * hour + HISTORY_MS
    latest = begin + max(size, int((end - begin) * (1.0 - LIVE_SHARE)) // size * size)
    if full <= latest:
        return full, None
    hours = (latest - begin) / hour
    return latest, f"the data give {hours:.1f} hours of history before the start instead of {HISTORY_MS // hour}"


class ReplayMarket(SteppedMarket):
    """Replays a folder of Parquet candles at 1m or 5m (format and choice of files: `replay_files`).

    Instants are those of the recording. Live time begins at `start_ms` where that lies in the recording, else after
    500 hours of it or, where it is shorter, after three quarters. At the end of the data the market stands still.
    `symbols` keeps only the most traded ones. Raises MarketDataError for a folder without a market.
    """

    def __init__(
        self, directory: Path, *, seed: int, step_ms: int = 1000, start_ms: int | None = None, symbols: int = 1000
    ) -> None:
        check_step(step_ms)
        if symbols < 1:
            raise MarketError(f"symbols={symbols}: a market needs at least one")
        recording, daily_quote = _most_traded(read_recording(directory), symbols)
        if (recording.end_ms - recording.start_ms) < 2 * recording.interval_ms:
            raise MarketDataError(f"replay folder {directory}: the common window holds one bar; give longer candles")
        self._recording = recording
        start_ms, note = _start(recording, start_ms)
        self._notes = (*recording.notes, *([note] if note else []))
        listings = _listings(recording, daily_quote)
        grids = Grids.of([listing.instrument for listing in listings])
        size = recording.interval_ms
        warm_ms = (start_ms - _WARM_MS) // size * size
        begin_ms = max(warm_ms, recording.start_ms + size)
        bar = (begin_ms - recording.start_ms) // size
        last = grids.price.steps(recording.series[CLOSE, :, bar - 1])
        traded = recording.series[TRADES, :, :bar].sum(axis=1).astype(np.int64)
        minutes, fives = _rings(recording, bar, grids, seed)
        super().__init__(
            listings,
            _RecordedSource(recording, grids, daily_quote, seed, step_ms),
            CandleStore(minutes, fives, grids.lot),
            Ends(last, np.maximum(last - 1.0, 1.0), last + 1.0, traded),
            seed=seed,
            step_ms=step_ms,
        )
        self.advance(start_ms)

    @property
    def start_ms(self) -> int:
        """Return the open time of the first recorded bar."""
        return self._recording.start_ms

    @property
    def end_ms(self) -> int:
        """Return the instant at which the recording ends."""
        return self._recording.end_ms

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Return what was wrong in the files read, and what was done about it."""
        return self._recording.defects

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Return the files that are not part of the market, with the reason."""
        return self._recording.left_out

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what else an operator should know, such as a short history."""
        return self._notes


def _rings(recording: Recording, bar: int, grids: Grids, seed: int) -> tuple[BarRing, BarRing]:
    """Return the 1m and 5m rings up to the base bar `bar`; the base interval is revealed, the other one derived."""
    begin_ms = recording.start_ms + bar * recording.interval_ms
    base = BarRing.revealing(recording.interval_ms, recording.start_ms, recording.series, bar)
    symbols = len(recording.symbols)
    if recording.interval_ms == MINUTE:
        whole_ms = begin_ms // FIVE * FIVE
        first_ms = max(-(-recording.start_ms // FIVE) * FIVE, whole_ms - FIVES_KEPT * FIVE)
        fives = BarRing(FIVE, min(first_ms, whole_ms), symbols, FIVES_KEPT)
        if first_ms < whole_ms:
            low, high = ((edge - recording.start_ms) // MINUTE for edge in (first_ms, whole_ms))
            fives.extend(aggregate(recording.series[:, :, low:high], 5))
        return base, fives
    first_ms = max(recording.start_ms, begin_ms - MINUTES_KEPT * MINUTE // FIVE * FIVE)
    minutes = BarRing(MINUTE, first_ms, symbols, MINUTES_KEPT)
    first = (first_ms - recording.start_ms) // FIVE
    minutes.extend(minutes_inside(recording.series[:, :, first:bar], grids, FIVE // MINUTE, _generator(seed, first)))
    return minutes, base
