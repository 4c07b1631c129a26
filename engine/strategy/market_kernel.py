"""What the closed bars of a symbol say beside any set-up: the market columns of the feature row, and risk of reversal.

One pass over the symbols, no memory between calls; the columns stand in the order of `ml.schema.MARKET_FEATURES`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.compiled import entry, kernel
from engine.analysis.layout import BARS, INTERNAL, POOL_OPEN, POOLS, SWEEPS, SWING, SWINGS
from engine.strategy.compiled import source_digest
from engine.strategy.oriented import clamp01, close_ms

if TYPE_CHECKING:
    from typing import Any

    import numpy.typing as npt

    from engine.analysis.layout import Tables

FACTS = np.dtype(
    [
        ("ready", "i8"),
        ("close_ms", "i8"),
        ("hour_ms", "i8"),
        ("price", "f8"),
        ("atr_1h", "f8"),
        ("adx_1h", "f8"),
        ("width_1h", "f8"),
        ("width_pct_1h", "f8"),
        ("efficiency_1h", "f8"),
        ("above", "f8"),
        ("below", "f8"),
        ("divergence_up", "f8"),
        ("divergence_down", "f8"),
        ("swept_above", "f8"),
        ("swept_below", "f8"),
        ("bias_5m", "i8"),
        ("bias_15m", "i8"),
        ("bias_1h", "i8"),
    ]
)
"""`close_ms`, `hour_ms`: close of the newest 5m and 1h bar. `above`, `below`: distance to the nearest open pool in 1h
ATR14 (10 where none). `divergence_…`: strength in [0, 1] of a bearish divergence at the highs (`up`) or a bullish one
at the lows. `swept_…`: freshness in [0, 1] of the last sweep on that side."""

PER_FRAME = 14
MARKET_COLUMNS = 3 * PER_FRAME + 6
FAR = 10.0
FADE_MS = 24 * 300_000
DIVERGENCE_BARS = 300
DIVERGENCE_FULL = 10.0  # RSI points between the pivots that count as a full divergence
DIVERGENCE_AGE = 24  # 15m bars since the pivot was confirmed


@kernel
def _clip(value: float, reach: float) -> float:
    return min(max(value, -reach), reach)


@kernel
def frame_columns(s: Any, close: float, out: npt.NDArray[np.float64]) -> None:
    """Fill the columns of one frame."""
    atr = s["atr14"]
    di = s["plus_di"] + s["minus_di"]
    half = 0.5 * (s["bb_upper"] - s["bb_lower"])
    out[0] = _clip((s["ema20"] - s["ema50"]) / atr, 5.0)
    out[1] = _clip((s["ema50"] - s["ema200"]) / atr, 10.0)
    out[2] = _clip((close - s["ema20"]) / atr, 5.0)
    out[3] = _clip((s["rsi14"] - 50.0) / 50.0, 1.0)
    out[4] = _clip(s["macd_hist"] / atr, 1.0)
    out[5] = (s["plus_di"] - s["minus_di"]) / di if di > 0.0 else 0.0
    out[6] = _clip((close - s["bb_mid"]) / half, 3.0) if half > 0.0 else 0.0
    out[7] = s["bias"][INTERNAL]
    out[8] = s["bias"][SWING]
    out[9] = clamp01(s["adx14"] / 100.0)
    out[10] = clamp01(s["bb_width_pct"])
    out[11] = clamp01(s["er10"])
    out[12] = _clip(np.log(atr / s["atr200"]), 2.0)
    out[13] = _clip(s["vol_z"], 5.0) if np.isfinite(s["vol_z"]) else 0.0


@kernel
def _pools(t: Tables, base: int, price: float, atr: float, fact: Any) -> None:
    """Store the distance to the nearest open pool above and below."""
    above, below = FAR, FAR
    for frame in range(3):
        count = t.series[base + frame]["pools"]
        for k in range(max(0, count - POOLS), count):
            pool = t.pools[base + frame, k % POOLS]
            if pool["state"] != POOL_OPEN:
                continue
            distance = (pool["level"] - price) / atr
            if distance > 0.0:
                above = min(above, distance)
            elif distance < 0.0:
                below = min(below, -distance)
    fact["above"] = above
    fact["below"] = below


@kernel
def _sweeps(t: Tables, base: int, now: int, fact: Any) -> None:
    """Store how fresh the last sweep of either side is, over 5m and 15m."""
    up, down = 0.0, 0.0
    for frame in (0, 1):
        state = t.series[base + frame]
        count = state["sweeps"]
        for k in range(count - 1, max(-1, count - 1 - SWEEPS), -1):
            sweep = t.sweeps[base + frame, k % SWEEPS]
            age = now - close_ms(state, sweep["known"])
            if age >= FADE_MS:
                break
            fresh = 1.0 - age / FADE_MS
            if sweep["side"] > 0:
                up = max(up, fresh)
            else:
                down = max(down, fresh)
    fact["swept_above"] = up
    fact["swept_below"] = down


@kernel
def liquidity(t: Tables, base: int, price: float, fact: Any) -> None:
    """Store the nearest open pools and the freshness of the last sweeps."""
    state = t.series[base]
    _pools(t, base, price, t.series[base + 2]["atr14"], fact)
    _sweeps(t, base, close_ms(state, state["n"] - 1), fact)


@kernel
def _rsi_at(t: Tables, row: int, bars: npt.NDArray[np.int64], out: npt.NDArray[np.float64]) -> None:
    """Fill RSI14 (Wilder) at the given bar numbers, NaN for those outside the window looked at."""
    n = t.series[row]["n"]
    start = max(0, n - min(DIVERGENCE_BARS, BARS - 1))
    out[:] = np.nan
    gain, loss = 0.0, 0.0
    for i in range(start + 1, n):
        change = t.bars[row, i % BARS]["c"] - t.bars[row, (i - 1) % BARS]["c"]
        up, down = max(change, 0.0), max(-change, 0.0)
        if i - start <= 14:
            gain += up / 14.0
            loss += down / 14.0
        else:
            gain += (up - gain) / 14.0
            loss += (down - loss) / 14.0
        if i - start < 14 or gain + loss <= 0.0:
            continue
        for j in range(len(bars)):
            if bars[j] == i:
                out[j] = 100.0 * gain / (gain + loss)


@kernel
def _divergence(t: Tables, row: int, fact: Any) -> None:
    """Store the divergences of the last two confirmed internal highs and of the last two lows of a row."""
    state = t.series[row]
    at = np.full(4, -1, np.int64)  # newer high, older high, newer low, older low
    level = np.zeros(4)
    fresh = np.zeros(2)
    count = state["swings"][INTERNAL]
    for k in range(count - 1, max(-1, count - 1 - SWINGS), -1):
        swing = t.swings[row, INTERNAL, k % SWINGS]
        first = 0 if swing["side"] > 0 else 2
        place = first if at[first] < 0 else first + 1
        if at[place] >= 0:
            continue
        at[place] = swing["at"]
        level[place] = swing["level"]
        if place == first and state["n"] - 1 - swing["known"] <= DIVERGENCE_AGE:
            fresh[first // 2] = 1.0
    fact["divergence_up"] = 0.0
    fact["divergence_down"] = 0.0
    higher = at[1] >= 0 and fresh[0] > 0.0 and level[0] > level[1]
    lower = at[3] >= 0 and fresh[1] > 0.0 and level[2] < level[3]
    if not (higher or lower):
        return
    rsi = np.empty(4)
    _rsi_at(t, row, at, rsi)
    if higher:
        fact["divergence_up"] = clamp01((rsi[1] - rsi[0]) / DIVERGENCE_FULL)
    if lower:
        fact["divergence_down"] = clamp01((rsi[2] - rsi[3]) / DIVERGENCE_FULL)


@kernel
def _range_position(t: Tables, base: int, close: float) -> float:
    """Return 2 x position in the 15m dealing range - 1; 0 where there is no range."""
    state = t.series[base + 1]
    high, low = state["last_high"][SWING], state["last_low"][SWING]
    if high < 0 or low < 0:
        return 0.0
    top, bottom = t.swings[base + 1, SWING, high]["level"], t.swings[base + 1, SWING, low]["level"]
    if not top > bottom:
        return 0.0
    return float(_clip(((close - bottom) - (top - close)) / (top - bottom), 3.0))


@kernel
def _survey_one(t: Tables, base: int, price: float, fact: Any, row: npt.NDArray[np.float64]) -> None:
    fact["price"] = price
    if not np.isfinite(price):
        fact["ready"] = 0
        row[:] = np.nan
        return
    for frame in range(3):
        state = t.series[base + frame]
        if not (
            state["n"] > 0
            and np.isfinite(state["ema200"])
            and np.isfinite(state["bb_width_pct"])
            and state["atr14"] > 0.0
            and state["atr200"] > 0.0
            and state["vol_mean"] > 0.0
        ):
            fact["ready"] = 0
            row[:] = np.nan
            return
    fact["ready"] = 1
    for frame in range(3):
        state = t.series[base + frame]
        close = t.bars[base + frame, (state["n"] - 1) % BARS]["c"]
        frame_columns(state, close, row[frame * PER_FRAME : (frame + 1) * PER_FRAME])
    h1, m15, m5 = t.series[base + 2], t.series[base + 1], t.series[base]
    fact["close_ms"] = close_ms(m5, m5["n"] - 1)
    fact["hour_ms"] = close_ms(h1, h1["n"] - 1)
    fact["atr_1h"], fact["adx_1h"] = h1["atr14"], h1["adx14"]
    fact["width_1h"], fact["width_pct_1h"], fact["efficiency_1h"] = h1["bb_width"], h1["bb_width_pct"], h1["er10"]
    fact["bias_5m"] = m5["bias"][INTERNAL]
    fact["bias_15m"] = m15["bias"][SWING]
    fact["bias_1h"] = h1["bias"][SWING]
    liquidity(t, base, price, fact)
    _divergence(t, base + 1, fact)
    close = t.bars[base + 1, (m15["n"] - 1) % BARS]["c"]
    extra = row[3 * PER_FRAME :]
    # The session has no average price before its first trade.
    extra[0] = _clip((close - m15["vwap"]) / m15["atr14"], 10.0) if np.isfinite(m15["vwap"]) else 0.0
    extra[1] = _range_position(t, base, close)
    extra[2] = (fact["below"] - fact["above"]) / (fact["below"] + fact["above"])
    extra[3] = min(fact["below"], fact["above"])
    extra[4] = fact["swept_below"] - fact["swept_above"]
    extra[5] = fact["divergence_down"] - fact["divergence_up"]


def _entry(digest: str) -> Any:
    @entry
    def survey_kernel(t: Any, slots: Any, prices: Any, facts: Any, rows: Any) -> int:
        for i in range(len(slots)):
            _survey_one(t, slots[i] * 3, prices[i], facts[i], rows[i])
        return len(digest)

    return survey_kernel


SURVEY = _entry(source_digest())


def survey(
    t: Tables, slots: npt.NDArray[np.int64], prices: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float64]]:
    """Return [n] FACTS and [n, MARKET_COLUMNS] of the symbols in `slots` at `prices` (x space). Releases the lock."""
    facts = np.zeros(len(slots), FACTS)
    rows = np.empty((len(slots), MARKET_COLUMNS))
    SURVEY(t, slots, prices, facts, rows)
    return facts, rows
