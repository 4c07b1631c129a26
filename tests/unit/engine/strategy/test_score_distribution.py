"""How the sub-scores are spread on recorded candles: each must be able to say 0 and to say 1.

The table is printed (`pytest -rP` shows it); docs/strategies.md holds the one of 49 perpetuals in July and August 2023.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from market_series import CANDLES, recorded_candles
from strategy_market import Market, from_whole_hour, same_time

from engine.analysis.bars import bars_of
from engine.strategy import ict, scores
from engine.strategy import self_learning as sl
from engine.strategy.market_kernel import survey
from engine.strategy.setup import PASSED

WARM = 2_496
PARTS_EVERY = 24  # closed 5m bars between two looks at all series
ICT_PARTS = {"trend": "trend", "structure": "structure", "position": "place", "momentum": "momentum"} | {
    "volatility": "volatility"
}
LEANS = ("trend", "momentum", "reversion", "liquidity")
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def recorded_market():
    """Return every recorded perpetual of one source, side by side, and how many bars there are."""
    names = sorted(path.stem for path in (CANDLES / "5m").glob("*__Alpergulsen.parquet"))
    if not names:
        pytest.skip("the recorded market data does not lie beside the repository")
    series = [from_whole_hour(bars_of(recorded_candles(f"5m/{name}", 0, 10_000))) for name in names]
    shortest = min(len(bars) for bars in series) // 12 * 12
    return Market(same_time([bars[:shortest] for bars in series]), WARM), len(series), shortest


def parts_at(market, slots):
    """Yield (where, name, values) of what is scored at any time, set-up or none."""
    for slot in slots:
        m5, m15, h1 = market.tables.series[slot * 3 : slot * 3 + 3]
        for sign in (1, -1):
            yield "any time", "trend", [scores.trend_score(h1, m15, sign)]
            yield "any time", "momentum", [scores.momentum_score(m5, m15, sign)]
    leans = sl.leans(survey(market.tables, slots, market.closes())[1])
    for name in LEANS:
        yield "self_learning", name, (0.5 + 0.5 * getattr(leans, name)).tolist()
    yield "self_learning", "volatility", leans.volatility.tolist()


@pytest.fixture(scope="module")
def spread():
    """Return (where, name) to every value seen; prints the table."""
    market, symbols, bars = recorded_market()
    slots = np.arange(symbols)
    seen: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    while market.index < bars - 1:
        market.step()
        found = ict.decide(market.tables, slots, market.closes())
        passed = found[found["gate"] == PASSED]
        for name, field in ICT_PARTS.items():
            seen["set-ups", name] += passed[field].tolist()
        if market.index % PARTS_EVERY == 0:
            for where, name, values in parts_at(market, slots):
                seen[where, name] += values
    for (where, name), values in seen.items():
        quantiles = " ".join(f"{value:.3f}" for value in np.quantile(values, QUANTILES))
        print(f"{where:14}{name:12}{len(values):7}  {quantiles}")  # noqa: T201 - the table is what the test is for
    return seen


@pytest.mark.data
@pytest.mark.parametrize(
    ("where", "name", "reach"),
    [
        ("any time", "trend", 0.01),
        ("any time", "momentum", 0.01),
        ("set-ups", "structure", 0.01),
        ("set-ups", "position", 0.01),
        ("set-ups", "volatility", 0.01),
        # A set-up has the 1h structure on its side already: averages that all lean against it are rare.
        ("set-ups", "trend", 0.15),
        ("set-ups", "momentum", 0.15),
        *(("self_learning", name, 0.05) for name in (*LEANS, "volatility")),
    ],
)
def test_each_sub_score_reaches_both_ends_on_recorded_candles(spread, where, name, reach):
    values = np.array(spread[where, name])
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert values.min() <= reach
    assert values.max() >= 1.0 - reach
    assert values.std() > 0.05
