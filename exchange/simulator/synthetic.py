"""The synthetic market: perpetuals whose prices follow `price_process`, with history ready at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    BarRing,
    aggregate,
)
from exchange.simulator.candle_store import DAY_MINUTES, FIVE, FIVES_KEPT, MINUTES_KEPT, CandleStore
from exchange.simulator.contract_names import (
    SECTOR_OF,
    SECTORS,
    SETTLING,
    UNTYPED,
    ContractName,
    contract_names,
)
from exchange.simulator.listings import lot_for, make_instrument, make_listing, tick_for, trade_size
from exchange.simulator.market import MINUTE
from exchange.simulator.minute_path import SLOTS, Draft, Ends
from exchange.simulator.price_grid import Grids
from exchange.simulator.price_process import PriceProcess, Traits
from exchange.simulator.stepped_market import MarketError, SteppedMarket, check_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from exchange.simulator.market import Listing
    from exchange.simulator.price_grid import Floats

HISTORY_HOURS = 500
_HOUR_MS = 3_600_000
_WARM_MINUTES = 20
"""Minutes before the start that are walked like live ones, so that trades can be asked for at once."""
_FINE_MINUTES = 1560
"""Minutes before those that are generated at 1m; everything older at 5m."""
_CHUNK = 240
"""Bars drawn at once: bounds the memory of the history and holds whole 5m bars when drawn at 1m."""
_DAYS_LISTED = 40.0
"""Trade ids begin after so many days of trading."""
_EARLIEST_MS = 1_262_304_000_000
_MAJOR_TURNOVER = (1.1e10, 8.5e9, 3.2e9, 2.4e9, 1.6e9, 9e8, 1.1e9, 9e8, 7e8, 5e8)
_TAIL_TURNOVER = (4.2e8, 1.1e6)


def _turnover(ranks: int, generator: np.random.Generator) -> Floats:
    """Return the daily turnover by rank: majors as they are, a tail that falls off exponentially."""
    tail = max(1, ranks - len(_MAJOR_TURNOVER))
    falling = np.geomspace(*_TAIL_TURNOVER, tail) * np.exp(generator.normal(0.0, 0.25, tail))
    quote: Floats = np.concatenate([_MAJOR_TURNOVER, falling])[:ranks]
    return quote


def _traits(names: tuple[ContractName, ...], generator: np.random.Generator) -> Traits:
    """Choose price level, volatility, loadings, turnover and spread of every symbol."""
    count = len(names)
    drawn = np.exp(generator.uniform(np.log(0.004), np.log(30.0), count))
    # Contracts of many units are listed because one unit costs next to nothing.
    drawn = np.where([name.base.startswith("1000") for name in names], drawn * 0.02 + 0.004, drawn)
    level = np.array([name.price or float(price) for name, price in zip(names, drawn, strict=True)])
    rank = np.arange(count)
    volatility = np.clip(0.54 + 0.25 * rank / (rank + 40.0) + generator.normal(0.0, 0.11, count), 0.42, 1.6)
    volatility = np.where(np.array([name.sector == "Meme" for name in names]), volatility * 1.15, volatility)
    volatility[:2] = (0.40, 0.54)[:count]
    common = np.clip(generator.normal(0.80, 0.05, count) - 0.04 * rank / max(1, count), 0.45, 0.88)
    common[:1] = 0.86
    daily_quote = _turnover(count, generator)
    return Traits(
        level=level,
        volatility=volatility,
        common=common,
        sector_loading=generator.uniform(0.15, 0.32, count),
        sector=np.array([SECTORS.index(SECTOR_OF.get(name.base, name.sector)) for name in names]),
        daily_quote=daily_quote,
        trade_quote=np.array([trade_size(float(quote)) for quote in daily_quote]),
        spread=np.clip(0.8 * daily_quote**-0.5, 0.000_001, 0.002),
    )


def _listings(
    names: tuple[ContractName, ...], traits: Traits, start_ms: int, generator: np.random.Generator
) -> list[Listing]:
    """List the tradable contracts, then one that settles and one whose type is empty."""
    count = len(names)
    hours = generator.choice([8, 4, 1], count, p=[0.45, 0.5, 0.05])
    hours[:12] = 8
    age_days = np.sort(generator.uniform(60.0, 2200.0, count))[::-1]
    listings: list[Listing] = []
    for index, name in enumerate(names):
        price, quote = float(traits.level[index]), float(traits.daily_quote[index])
        instrument = make_instrument(
            name.base,
            price=price,
            daily_quote=quote,
            tick=tick_for(name.base, price),
            lot=lot_for(name.base, price),
            onboard_ms=start_ms // MINUTE * MINUTE - int(age_days[index] * 1440) * MINUTE,
            contract_type="" if name is UNTYPED else "PERPETUAL",
            status="SETTLING" if name is SETTLING else "TRADING",
        )
        listings.append(
            make_listing(instrument, daily_quote=quote, funding_hours=int(hours[index]), sector=name.sector)
        )
    return listings


class _SyntheticSource:
    """Draws minutes and coarse history from one process; prices leave it in ticks, quantities in lots."""

    def __init__(self, process: PriceProcess, grids: Grids, step_ms: int, generator: np.random.Generator) -> None:
        self._process = process
        self._grids = grids
        self._steps = MINUTE // step_ms
        self._generator = generator
        traits = process.traits
        per_minute = traits.daily_quote / traits.trade_quote / 1440.0
        self._rate = np.clip(per_minute / 60.0, 0.25, 4.0) * (step_ms / 1000.0)

    def history(self, start_ms: int, end_ms: int, interval_ms: int) -> Iterator[Floats]:
        """Draw closed bars of that interval in chunks [FIELDS, symbols, n]."""
        opens = np.arange(start_ms, end_ms, interval_ms, dtype=np.int64)
        for begin in range(0, len(opens), _CHUNK):
            yield self._past(opens[begin : begin + _CHUNK], interval_ms / MINUTE)

    def _past(self, opens: npt.NDArray[np.int64], minutes: float) -> Floats:
        process, draw = self._process, self._generator
        before = process.gap.copy()
        scales = process.scales(opens, minutes)
        deviation = process.deviation(scales)
        noise = process.noise(scales, 1)[:, 0]
        gaps = process.levels(noise + scales.drift, minutes)
        change = np.diff(gaps, axis=0, prepend=before[None])
        # The passing part of the price moves inside a bar as well: a tenth more variance than the bar to bar part.
        variance = 2.2 * (scales.unit * deviation) ** 2
        # Highest and lowest point of a Brownian bridge with the bar's ends given, by inversion.
        up = (change + np.sqrt(change**2 + variance * draw.standard_exponential(change.shape))) / 2.0
        down = (change - np.sqrt(change**2 + variance * draw.standard_exponential(change.shape))) / 2.0
        start = gaps - change
        turnover = process.turnover(opens, scales, before, gaps, minutes)
        lean = 0.5 + np.clip(
            0.13 * change / (scales.unit * deviation) + draw.normal(0.0, 0.06, change.shape), -0.45, 0.45
        )
        return self._on_grids((start, start + up, start + down, gaps), turnover, lean)

    def _on_grids(self, logs: tuple[Floats, Floats, Floats, Floats], turnover: Floats, lean: Floats) -> Floats:
        """Turn log gaps, turnover and taker share [ticks, symbols] into bars on the grids [FIELDS, symbols, ticks]."""
        traits, grids = self._process.traits, self._grids
        bars: Floats = np.empty((FIELDS, *turnover.T.shape))
        opened, high, low, closed = (np.maximum(grids.price.steps(traits.level * np.exp(log)), 2.0) for log in logs)
        # Half of the recorded bars open beside the close before: their first trade met the other side of the book.
        opened = np.maximum(opened + self._generator.choice((-1.0, 0.0, 0.0, 1.0), opened.shape), 2.0)
        for field, ticks in (
            (OPEN, opened),
            (HIGH, np.maximum(high, opened)),
            (LOW, np.minimum(low, opened)),
            (CLOSE, closed),
        ):
            bars[field] = grids.price.value(ticks).T
        typical = (bars[OPEN] + bars[HIGH] + bars[LOW] + bars[CLOSE]).T / 4.0
        lots = np.maximum(grids.lot.steps(turnover / typical), 1.0)
        bought = np.rint(lots * lean)
        volume = grids.lot.value(lots)
        bars[VOLUME] = volume.T
        bars[QUOTE] = (volume * typical).T
        bars[TRADES] = np.clip(np.rint(turnover / traits.trade_quote), 1.0, lots).T
        bars[TAKER_BASE] = grids.lot.value(bought).T
        bars[TAKER_QUOTE] = bars[TAKER_BASE] * typical.T
        return bars

    def draft(self, open_ms: int, last_ticks: Floats) -> Draft:
        """Draw the next minute; the fair price moves on by itself, whether or not it traded."""
        del last_ticks
        process, draw, traits = self._process, self._generator, self._process.traits
        grids, steps = self._grids, self._steps
        symbols = len(traits.level)
        before = process.gap.copy()
        opens = np.array([open_ms], dtype=np.int64)
        scales = process.scales(opens, 1.0)
        deviation = process.deviation(scales)
        noise = process.noise(scales, steps)[0]
        after = process.levels(noise.sum(axis=0)[None] + scales.drift, 1.0)[0]
        path = np.cumsum(noise, axis=0)
        # What the steps' noise does not explain (drift and pull) is spread evenly over the minute.
        path += (after - before - path[-1]) * (np.arange(1, steps + 1) / steps)[:, None] + before
        start = np.concatenate([before[None], path[:-1]])
        move = path - start
        variance = 2.0 * (scales.unit * deviation) ** 2 / steps
        reach = np.sqrt(move**2 + variance * draw.standard_exponential((2, steps, symbols)))
        high, low = start + (move + reach[0]) / 2.0, start + (move - reach[1]) / 2.0
        rises_last = (move > 0) ^ (draw.random((steps, symbols)) < 0.2)
        logs = np.stack([start + 0.1 * move, np.where(rises_last, low, high), np.where(rises_last, high, low), path])
        ticks = np.maximum(grids.price.steps(traits.level * np.exp(logs)), 2.0)

        turnover = process.turnover(opens, scales, before, after[None], 1.0)[0]
        usual = traits.daily_quote / 1440.0
        busy = np.clip(np.sqrt(turnover / usual), 0.3, 4.0)
        size = np.minimum(draw.poisson(self._rate * busy, (steps, symbols)), SLOTS)
        trading = np.arange(SLOTS)[:, None, None] >= SLOTS - size
        share = draw.standard_exponential((SLOTS, steps, symbols)) * trading
        share *= turnover / np.maximum(share.sum(axis=(0, 1)), 1e-12)
        price = grids.price.value(ticks)
        lots = np.where(trading, np.maximum(np.rint(share / price / grids.lot.step), 1.0), 0.0)
        counts = np.where(trading, np.clip(np.rint(share / traits.trade_quote), 1.0, lots), 0.0)
        arriving = np.diff(ticks, axis=0, prepend=ticks[:1])
        arriving[0] = move
        lean = 0.5 + 0.3 * np.sign(arriving)
        wide = np.clip(deviation[0] / scales.season[0], 0.3, 8.0)
        spread = traits.spread * traits.level * np.exp(after) * wide**0.7
        spread_ticks = np.maximum(np.rint(spread / grids.price.step * draw.uniform(0.6, 1.4, (steps, symbols))), 1.0)
        depth_quote = traits.daily_quote**0.55 * 0.6 / wide**0.6
        depth_lots = np.rint(
            depth_quote / (traits.level * np.exp(after) * grids.lot.step)
            * draw.standard_exponential((2, steps, symbols))
        )  # fmt: skip
        return Draft(
            ticks=ticks,
            trading=trading,
            lots=lots,
            counts=counts,
            buying=draw.random((SLOTS, steps, symbols)) < lean,
            when=draw.random((steps, symbols)),
            fair=traits.level * np.exp(path),
            spread_ticks=spread_ticks,
            depth_lots=depth_lots,
            premium=scales.premium[0],
        )


class SyntheticMarket(SteppedMarket):
    """At least `symbols` tradable perpetuals from a seed, followed by one SETTLING and one without a contract type.

    `start_ms` (UTC) is where live time begins, rounded down to a whole step. Before it stand 500 hours of bars at 5m
    and above and 26 hours at 1m and 3m.
    """

    def __init__(self, symbols: int = 240, *, seed: int, start_ms: int, step_ms: int = 1000) -> None:
        check_step(step_ms)
        if symbols < 1:
            raise MarketError(f"symbols={symbols}: a market needs at least one; the desk watches 200")
        if start_ms < _EARLIEST_MS:
            raise MarketError(f"start_ms={start_ms}: give UTC milliseconds of 2010 or later")
        generator = np.random.Generator(np.random.PCG64(seed))
        names = (*contract_names(symbols), SETTLING, UNTYPED)
        traits = _traits(names, generator)
        listings = _listings(names, traits, start_ms, generator)
        grids = Grids.of([listing.instrument for listing in listings])
        source = _SyntheticSource(PriceProcess(traits, len(SECTORS), generator), grids, step_ms, generator)

        warm_ms = start_ms // MINUTE * MINUTE - _WARM_MINUTES * MINUTE
        fine_ms = (warm_ms - _FINE_MINUTES * MINUTE) // _HOUR_MS * _HOUR_MS
        coarse_ms = start_ms // _HOUR_MS * _HOUR_MS - HISTORY_HOURS * _HOUR_MS
        fives = BarRing(FIVE, coarse_ms, len(names), FIVES_KEPT)
        for bars in source.history(coarse_ms, fine_ms, FIVE):
            fives.extend(bars)
        minutes = BarRing(MINUTE, fine_ms, len(names), MINUTES_KEPT)
        for bars in source.history(fine_ms, warm_ms, MINUTE):
            minutes.extend(bars)
            fives.extend(aggregate(bars[:, :, : bars.shape[2] // 5 * 5], 5))
        newest = minutes.joined(warm_ms - MINUTE, warm_ms)
        last = grids.price.steps(newest[CLOSE])
        day = minutes.joined(warm_ms - DAY_MINUTES * MINUTE, warm_ms)
        ends = Ends(last, last - 1.0, last + 1.0, (day[TRADES] * _DAYS_LISTED).astype(np.int64))
        super().__init__(listings, source, CandleStore(minutes, fives, grids.lot), ends, seed=seed, step_ms=step_ms)
        self.advance(start_ms)
