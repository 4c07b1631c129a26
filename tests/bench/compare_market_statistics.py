"""Compare the synthetic market with recorded perpetuals and write docs/simulated-market.md.

    python tests/bench/compare_market_statistics.py [--symbols 40] [--seeds 3] [--live-days 14] [--check]

`--check` writes nothing and fails when the page would change: the process was altered and not measured again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exchange.simulator.market import INTERVALS
from exchange.simulator.replay import ReplayMarket
from exchange.simulator.synthetic import SyntheticMarket

Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT.parent / "shared" / "data" / "market" / "candles" / "um" / "5m"
PAGE = ROOT / "docs" / "simulated-market.md"
START_MS = 1_795_000_000_000
DAY_MS = 86_400_000
BARS_PER_DAY = 288


class Series(NamedTuple):
    """5m bars of one symbol, columns of equal length."""

    open_time: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


class Statistic(NamedTuple):
    """A row of the table."""

    name: str
    recorded: Floats
    history: Floats
    live: Floats
    decimals: int


def autocorrelation(values: Floats, lag: int) -> float:
    """Return the autocorrelation at a lag."""
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / values.var())


def describe(series: Series, leader: Floats) -> dict[str, float]:
    """Return the statistics of one symbol; `leader` holds the returns of the most traded one."""
    returns = np.diff(np.log(series.close))
    size = np.abs(returns)
    volume = series.volume[1:]
    hour = series.open_time[1:] // INTERVALS["1h"] % 24
    by_hour = np.array([size[hour == k].mean() for k in range(24)])
    weekday = (series.open_time[1:] // DAY_MS + 4) % 7
    weekend = (weekday == 0) | (weekday == 6)
    log_volume = np.log(np.maximum(volume, volume[volume > 0].min()))
    day = np.log(series.close[BARS_PER_DAY // 6 :] / series.close[: -BARS_PER_DAY // 6])
    body = np.abs(np.log(series.close / series.open))
    return {
        "volatility, % per year": float(returns.std() * np.sqrt(BARS_PER_DAY * 365) * 100),
        "excess kurtosis of returns": float(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 - 3),
        "autocorrelation of returns, lag 1": autocorrelation(returns, 1),
        "autocorrelation of abs(return), lag 1": autocorrelation(size, 1),
        "autocorrelation of abs(return), lag 12 (1 h)": autocorrelation(size, 12),
        "autocorrelation of abs(return), lag 288 (1 day)": autocorrelation(size, 288),
        "variance ratio 4 h / 5 m": float(day.var() / (BARS_PER_DAY // 6 * returns.var())),
        "correlation with BTC": float(np.corrcoef(returns, leader)[0, 1]),
        "mean abs(return), loudest / quietest hour": float(by_hour.max() / by_hour.min()),
        "mean abs(return), weekend / week": float(size[weekend].mean() / size[~weekend].mean()),
        "volume, weekend / week": float(volume[weekend].mean() / volume[~weekend].mean()),
        "correlation of volume and abs(return)": float(np.corrcoef(volume, size)[0, 1]),
        "autocorrelation of log volume, lag 1": autocorrelation(log_volume, 1),
        "standard deviation of log volume": float(log_volume.std()),
        "mean range / mean body": float(np.log(series.high / series.low).mean() / body.mean()),
    }


DECIMALS = {"volatility, % per year": 0, "excess kurtosis of returns": 1}
CROSS = "correlation of two symbols"


def gather(markets: list[list[Series]]) -> dict[str, Floats]:
    """Return every statistic over all symbols of all markets; the first symbol of a market leads it."""
    rows: dict[str, list[float]] = {}
    for market in markets:
        returns = np.array([np.diff(np.log(series.close)) for series in market])
        for number, series in enumerate(market):
            for name, value in describe(series, returns[0]).items():
                if number or name != "correlation with BTC":
                    rows.setdefault(name, []).append(value)
        pairs = np.corrcoef(returns)[np.triu_indices(len(returns), 1)]
        rows.setdefault(CROSS, []).extend(pairs.tolist())
    return {name: np.array(values) for name, values in rows.items()}


def recorded_series() -> list[Series]:
    """Return the recorded perpetuals over their common window, the most traded first."""
    market = ReplayMarket(RECORDED, seed=1, step_ms=60_000)
    market.advance(market.end_ms)
    return [
        Series(shown.open_time, shown.open, shown.high, shown.low, shown.close, shown.volume)
        for shown in (
            market.candles(index, "5m", market.start_ms, market.end_ms - 1, 1_000_000)
            for index in range(len(market.listings))
        )
    ]


def synthetic_series(symbols: int, seed: int, live_days: int) -> tuple[list[Series], list[Series]]:
    """Return the history of a synthetic market, and the bars it made live in steps of ten seconds."""
    market = SyntheticMarket(symbols, seed=seed, start_ms=START_MS, step_ms=10_000)
    history = [_closed(market, index, None, market.now_ms) for index in range(symbols)]
    begin = market.now_ms
    for hour in range(1, live_days * 24 + 1):
        market.advance(begin + hour * INTERVALS["1h"])
    return history, [_closed(market, index, begin, market.now_ms) for index in range(symbols)]


def _closed(market: SyntheticMarket, index: int, start_ms: int | None, end_ms: int) -> Series:
    shown = market.candles(index, "5m", start_ms, end_ms // INTERVALS["5m"] * INTERVALS["5m"] - 1, 100_000)
    return Series(shown.open_time, shown.open, shown.high, shown.low, shown.close, shown.volume)


def _cell(values: Floats, decimals: int) -> str:
    return " / ".join(f"{value:.{decimals}f}" for value in np.percentile(values, [10, 50, 90]))


def _inside(row: Statistic, values: Floats) -> bool:
    low, high = np.percentile(row.recorded, [10, 90])
    return bool(low <= np.median(values) <= high)


def page(rows: list[Statistic], *, recorded: int, symbols: int, seeds: int, live_days: int) -> str:
    """Write the page."""
    outside = [row for row in rows if not _inside(row, row.history)]
    outside_live = [row for row in rows if not _inside(row, row.live)]
    lines = [
        "| statistic of 5m bars | recorded | synthetic history | synthetic live | medians inside the recorded band |",
        "|---|---|---|---|---|",
        *(
            f"| {row.name} | {_cell(row.recorded, row.decimals)} | {_cell(row.history, row.decimals)} | "
            f"{_cell(row.live, row.decimals)} | {_verdict(row)} |"
            for row in rows
        ),
    ]
    return TEXT.format(
        table="\n".join(lines),
        recorded=recorded,
        symbols=symbols,
        seeds=seeds,
        days=live_days,
        outside=_sentence("history", outside),
        outside_live=_sentence("live bars", outside_live),
    )


def _verdict(row: Statistic) -> str:
    verdicts = {
        (True, True): "both",
        (True, False): "history only",
        (False, True): "live only",
        (False, False): "no",
    }
    return verdicts[_inside(row, row.history), _inside(row, row.live)]


def _sentence(what: str, outside: list[Statistic]) -> str:
    if not outside:
        return f"Every median of the {what} lies inside the recorded band."
    return f"Medians of the {what} outside the recorded band: {'; '.join(row.name for row in outside)}."


TEXT = """# The simulated market

Generated by `python tests/bench/compare_market_statistics.py`; do not edit the table by hand.

The synthetic market is compared with {recorded} recorded Binance USDT perpetuals over one month of 2023 (5m candles;
`../shared/data/market/README.md` beside the repository tells their origin). Synthetic: {symbols} contracts, {seeds}
seeds; *history* are the 500 hours before the start, *live* the {days} days after it, walked in steps of ten seconds.
Cells give the 10th / 50th / 90th percentile over the symbols (over all pairs for the correlation of two symbols).

{table}

{outside}
{outside_live}

One recorded month is one regime: half a year of six majors in 2025 shows a kurtosis of 19 to 37, an autocorrelation of
absolute returns of 0.30 to 0.38 at lag 1 and 0.10 to 0.15 at one day. History and live bars follow one law; weeks
hold few regimes, so tails, long autocorrelations and the ratio of weekends scatter from seed to seed.

## What the synthetic market models

- One common factor and one factor per sector beside each symbol's own moves; Bitcoin loads highest.
- Volatility that clusters: mean-reverting parts of hours and days, shared and own, and bursts that decay.
- Fat tails: returns are normal given a random scale that holds for five minutes (Student t with 4 degrees, bounded).
- The rhythm of the UTC day and the weekend, in volatility and more strongly in volume.
- Volume that follows volatility and the size of the move; turnover over four decades; trade counts and sizes.
- Weak trends of hours and a weak pull to a level, so prices neither freeze nor drift off over weeks.
- Aggregate trades from which the candles can be rebuilt exactly; trade ids without holes.
- Spread and depth that answer to volatility; a book whose levels stay while the price moves through them.
- A premium over the index that reverts within hours; funding per 8, 4 or 1 hours from its clamped average.
- One market per seed, number of symbols and first instant: its 5m bars are drawn ahead and walked through inside, so a
  restarted market continues with the same prices, volumes and trade counts, and the step does not matter. Taker share
  and quote volume of the bars before a restart are drawn anew; funding averages begin anew.

## What it does not model

- Inside a 5m bar every symbol walks by itself: at 1m symbols move together less than recorded ones.
- No market impact: orders do not move it, and its book does not remember fills.
- No asymmetry between rises and falls, no liquidation cascades, no lead of one symbol over another.
- No structural breaks: no listings, delistings or halts while it runs; one contract is SETTLING from the start.
- Between the trades of a step (one second by default, up to four per symbol) nothing happens.
- The index is the fair price less the premium, not a basket of other venues.

## Replay

`replay:DIR` plays a folder of Parquet candles at 1m or 5m on their own instants.

- Files are named `SYMBOL[-YYYY-MM]-INTERVAL[__source].parquet`. The interval most files have is played.
- All symbols share one time window: of the windows that begin where a file begins and end where one ends, the one with
  the most symbol-hours, time beyond 31 days not counted. Per symbol the file with the most bars in it is played, of
  equals the first by name. Every other file is listed as left out, with the reason. The window is cut at its end where
  the columns would take more than 160 MiB.
- Live time begins 500 hours into the window, so that 500 bars of 1h exist; a shorter window gives three quarters of
  itself as history and a note says so.
- A bar is refused and reported when a price is missing, not finite or not positive, when high < low, when open or close
  lies outside high and low, when the volume is missing or negative, when prices move without volume, when its open time
  occurs twice or lies off the grid. Refused and missing bars are shown as flat bars without volume at the close before
  them. A file with more than a tenth of such bars is left out.
- Inside a bar the price walks from the open through high and low to the close; volume and trades add up to the bar's.
  At its own and every higher interval the recording is reproduced exactly.
- Columns that the files lack are estimated and named in the listing: quote volume from the typical price, trades from
  turnover, the taker's share from the body of the bar. Price and lot steps are the coarsest decimal steps that hold
  every value. Brackets follow the turnover; funding is every 8 hours with a premium that follows the trend of 8 hours;
  spread and depth follow the range of the bar.
- At the end of the data the market stands still and says so; the venue goes on serving what it knows.
"""


def main() -> int:
    """Run the comparison; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--live-days", type=int, default=14)
    parser.add_argument("--check", action="store_true", help="compare with the page instead of writing it")
    options = parser.parse_args()
    if not RECORDED.is_dir():
        sys.stderr.write("the recorded candles in ../shared/data/market are not beside the repository\n")
        return 1
    recorded = recorded_series()
    markets = [synthetic_series(options.symbols, seed, options.live_days) for seed in range(1, options.seeds + 1)]
    real = gather([recorded])
    history = gather([market[0] for market in markets])
    live = gather([market[1] for market in markets])
    rows = [Statistic(name, real[name], history[name], live[name], DECIMALS.get(name, 2)) for name in real]
    text = page(rows, recorded=len(recorded), symbols=options.symbols, seeds=options.seeds, live_days=options.live_days)
    if options.check:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        sys.stderr.write("the page is up to date\n" if same else "the page differs: run without --check\n")
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
