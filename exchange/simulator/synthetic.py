"""The synthetic market: perpetuals whose prices follow `price_process`, with history ready at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.bar_ring import CLOSE, TRADES, BarRing
from exchange.simulator.candle_store import FIVE, FIVES_KEPT, MINUTES_KEPT, CandleStore
from exchange.simulator.contract_names import (
    SECTOR_OF,
    SECTORS,
    SETTLING,
    UNTYPED,
    ContractName,
    contract_names,
)
from exchange.simulator.drawn_bars import DrawnBars, DrawnSource
from exchange.simulator.listings import lot_for, make_instrument, make_listing, tick_for, trade_size
from exchange.simulator.market import MINUTE
from exchange.simulator.minute_path import Ends
from exchange.simulator.price_grid import Grids
from exchange.simulator.price_process import PriceProcess, Traits
from exchange.simulator.stepped_market import MarketError, SteppedMarket, check_step

if TYPE_CHECKING:
    from exchange.simulator.market import Listing
    from exchange.simulator.price_grid import Floats

HISTORY_HOURS = 500
_HOUR_MS = 3_600_000
_WARM_MS = 20 * MINUTE
"""Time before the start that is walked like live time, so that trades can be asked for at once."""
_FINE_BARS = 26 * 12
"""Bars of 5m before that time whose minutes are kept."""
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


class SyntheticMarket(SteppedMarket):
    """At least `symbols` tradable perpetuals from a seed, followed by one SETTLING and one without a contract type.

    `start_ms` (UTC) is where live time begins, rounded down to a whole step. Before it stand 500 hours of bars at 5m
    and above and 26 hours at 1m and 3m. The market began at `origin_ms` (`start_ms` where not given): its bars depend
    on seed, symbols and origin alone, so a start later than the origin continues the same market. Getting there takes
    a second per month or so.
    """

    def __init__(
        self, symbols: int = 240, *, seed: int, start_ms: int, step_ms: int = 1000, origin_ms: int | None = None
    ) -> None:
        check_step(step_ms)
        if symbols < 1:
            raise MarketError(f"symbols={symbols}: a market needs at least one; the desk watches 200")
        origin_ms = start_ms if origin_ms is None else origin_ms
        for name, given in (("start_ms", start_ms), ("origin_ms", origin_ms)):
            if given < _EARLIEST_MS:
                raise MarketError(f"{name}={given}: give UTC milliseconds of 2010 or later")
        if start_ms < origin_ms:
            raise MarketError(f"start_ms={start_ms} lies before origin_ms={origin_ms}: a market cannot go back")
        generator = np.random.Generator(np.random.PCG64(seed))
        names = (*contract_names(symbols), SETTLING, UNTYPED)
        traits = _traits(names, generator)
        listings = _listings(names, traits, origin_ms, generator)
        grids = Grids.of([listing.instrument for listing in listings])
        begin_ms = origin_ms // _HOUR_MS * _HOUR_MS - HISTORY_HOURS * _HOUR_MS
        drawn = DrawnBars(PriceProcess(traits, len(SECTORS), generator), grids, begin_ms, generator)
        source = DrawnSource(drawn, grids, seed, step_ms)

        warm_ms = (start_ms - _WARM_MS) // FIVE * FIVE
        fine_ms = warm_ms - _FINE_BARS * FIVE
        fives = BarRing(FIVE, begin_ms, len(names), FIVES_KEPT)
        minutes = BarRing(MINUTE, fine_ms, len(names), MINUTES_KEPT)
        trades = np.zeros(len(names))
        while fives.end_ms < warm_ms:
            open_ms = fives.end_ms
            bars = drawn.at(open_ms).bars[:, :, : (warm_ms - open_ms) // FIVE]
            fives.extend(bars)
            trades += bars[TRADES].sum(axis=1)
            for at_ms in range(max(open_ms, fine_ms), fives.end_ms, FIVE):
                minutes.extend(source.minutes(at_ms))
        last = grids.price.steps(fives.joined(warm_ms - FIVE, warm_ms)[CLOSE])
        ends = Ends(last, last - 1.0, last + 1.0, trades.astype(np.int64))
        super().__init__(listings, source, CandleStore(minutes, fives, grids.lot), ends, seed=seed, step_ms=step_ms)
        self.advance(start_ms)
