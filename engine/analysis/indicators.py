"""Indicators of one closed bar (specification 2), textbook definitions with TA-Lib's seeding.

The kernel takes whatever series it is fed: on logarithms, as the desk feeds it, every price-like value is a logarithm
and every difference a relative measure; session VWAP is then the volume-weighted geometric mean. Windows are summed
afresh from their closes, oldest first, in four interleaved partial sums: no drift, and the same bits from any path.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.analysis.compiled import kernel
from engine.analysis.layout import WIDTHS
from engine.analysis.scratch import WINDOW
from engine.analysis.sessions import DAY_MS

EPSILON = 1e-14  # TA-Lib takes a denominator below this for zero


@kernel
def _ema(value: float, total: float, x: float, age: int, period: int) -> tuple[float, float]:
    if age >= period:
        return value + (x - value) * (2.0 / (period + 1)), total
    total += x
    if age == period - 1:
        return total / period, total
    return np.nan, total


@kernel
def _wilder(value: float, total: float, x: float, age: int, period: int) -> tuple[float, float]:
    if age >= period:
        return (value * (period - 1) + x) * (1.0 / period), total
    total += x
    if age == period - 1:
        return total / period, total
    return np.nan, total


@kernel
def _averages(s: Any, w: Any, t: int, c: float) -> None:
    s.ema20, w.ema_sums[0] = _ema(s.ema20, w.ema_sums[0], c, t, 20)
    s.ema50, w.ema_sums[1] = _ema(s.ema50, w.ema_sums[1], c, t, 50)
    s.ema100, w.ema_sums[2] = _ema(s.ema100, w.ema_sums[2], c, t, 100)
    s.ema200, w.ema_sums[3] = _ema(s.ema200, w.ema_sums[3], c, t, 200)


@kernel
def _macd(s: Any, w: Any, t: int, c: float) -> None:
    # The fast average is seeded so that both begin at bar 25: 14 bars late.
    if t >= 14:
        w.fast, w.fast_sum = _ema(w.fast, w.fast_sum, c, t - 14, 12)
    w.slow, w.slow_sum = _ema(w.slow, w.slow_sum, c, t, 26)
    if t >= 25:
        line = w.fast - w.slow
        w.signal, w.signal_sum = _ema(w.signal, w.signal_sum, line, t - 25, 9)
        if t >= 33:
            s.macd = line
            s.macd_signal = w.signal
            s.macd_hist = line - w.signal


@kernel
def _momentum(s: Any, w: Any, t: int, change: float) -> None:
    gain = max(0.0, change)
    loss = max(0.0, -change)
    if t <= 14:
        w.gain += gain
        w.loss += loss
        if t == 14:
            w.gain /= 14
            w.loss /= 14
    else:
        w.gain = (w.gain * 13 + gain) / 14
        w.loss = (w.loss * 13 + loss) / 14
    if t >= 14:
        total = w.gain + w.loss
        s.rsi14 = 100.0 * (w.gain / total) if total > EPSILON else 0.0


@kernel
def _directional(s: Any, w: Any, t: int, up: float, down: float, true_range: float) -> None:
    plus = up if up > 0.0 and up > down else 0.0
    minus = down if down > 0.0 and down > up else 0.0
    if t < 14:
        w.plus_dm += plus
        w.minus_dm += minus
        w.range_sum += true_range
        return
    w.plus_dm += plus - w.plus_dm / 14
    w.minus_dm += minus - w.minus_dm / 14
    w.range_sum += true_range - w.range_sum / 14
    s.plus_di = 0.0
    s.minus_di = 0.0
    if w.range_sum > EPSILON:
        s.plus_di = 100.0 * (w.plus_dm / w.range_sum)
        s.minus_di = 100.0 * (w.minus_dm / w.range_sum)
        total = s.plus_di + s.minus_di
        if total > EPSILON:
            dx = 100.0 * (abs(s.plus_di - s.minus_di) / total)
            if t <= 27:
                w.dx_sum += dx
            else:
                w.adx = (w.adx * 13 + dx) / 14
    if t == 27:
        w.adx = w.dx_sum / 14
    if t >= 27:
        s.adx14 = w.adx


@kernel
def _windows(s: Any, w: Any, t: int, volume: float) -> None:
    """Bollinger 20/2, volume mean and z-score 20."""
    end = t % WINDOW + WINDOW + 1
    first = end - 20
    c0 = c1 = c2 = c3 = 0.0
    v0 = v1 = v2 = v3 = 0.0
    for i in range(first, end, 4):
        c0 += w.closes[i]
        c1 += w.closes[i + 1]
        c2 += w.closes[i + 2]
        c3 += w.closes[i + 3]
        v0 += w.volumes[i]
        v1 += w.volumes[i + 1]
        v2 += w.volumes[i + 2]
        v3 += w.volumes[i + 3]
    mid = ((c0 + c1) + (c2 + c3)) / 20
    mean = ((v0 + v1) + (v2 + v3)) / 20
    c0 = c1 = c2 = c3 = 0.0
    v0 = v1 = v2 = v3 = 0.0
    for i in range(first, end, 4):
        c0 += (w.closes[i] - mid) * (w.closes[i] - mid)
        c1 += (w.closes[i + 1] - mid) * (w.closes[i + 1] - mid)
        c2 += (w.closes[i + 2] - mid) * (w.closes[i + 2] - mid)
        c3 += (w.closes[i + 3] - mid) * (w.closes[i + 3] - mid)
        v0 += (w.volumes[i] - mean) * (w.volumes[i] - mean)
        v1 += (w.volumes[i + 1] - mean) * (w.volumes[i + 1] - mean)
        v2 += (w.volumes[i + 2] - mean) * (w.volumes[i + 2] - mean)
        v3 += (w.volumes[i + 3] - mean) * (w.volumes[i + 3] - mean)
    deviation = math.sqrt(((c0 + c1) + (c2 + c3)) / 20)
    spread = math.sqrt(((v0 + v1) + (v2 + v3)) / 20)
    s.bb_mid = mid
    s.bb_upper = mid + 2.0 * deviation
    s.bb_lower = mid - 2.0 * deviation
    s.bb_width = s.bb_upper - s.bb_lower
    s.vol_mean = mean
    s.vol_z = (volume - mean) / spread if spread > 0.0 else 0.0


@kernel
def _width_percentile(s: Any, w: Any, t: int) -> None:
    w.widths[t % WIDTHS] = s.bb_width
    if t < 19 + WIDTHS - 1:
        return
    width = s.bb_width
    count = 0
    for i in range(WIDTHS):
        count += w.widths[i] <= width
    s.bb_width_pct = count / WIDTHS


@kernel
def _paths(s: Any, w: Any, t: int) -> None:
    """Efficiency ratio 10 and realised volatility 20: root mean square of the last 20 changes, per bar."""
    last = t % WINDOW + WINDOW
    if t >= 20:
        r0 = r1 = 0.0
        for i in range(last - 19, last + 1, 2):
            d0 = w.closes[i] - w.closes[i - 1]
            d1 = w.closes[i + 1] - w.closes[i]
            r0 += d0 * d0
            r1 += d1 * d1
        s.rv20 = math.sqrt((r0 + r1) / 20)
    r0 = r1 = 0.0
    for i in range(last - 9, last + 1, 2):
        r0 += abs(w.closes[i] - w.closes[i - 1])
        r1 += abs(w.closes[i + 1] - w.closes[i])
    length = r0 + r1
    s.er10 = abs(w.closes[last] - w.closes[last - 10]) / length if length > 0.0 else 0.0


@kernel
def _session_vwap(s: Any, w: Any, b: Any) -> None:
    day = b.t // DAY_MS
    if day != w.vwap_day:
        w.vwap_day = day
        w.vwap_money = 0.0
        w.vwap_volume = 0.0
    typical = ((b.h + b.l) + b.c) / 3
    w.vwap_money += typical * b.v
    w.vwap_volume += b.v
    s.vwap = w.vwap_money / w.vwap_volume if w.vwap_volume > 0.0 else typical


@kernel
def advance_indicators(s: Any, w: Any, b: Any, p: Any, t: int) -> None:
    """Take bar `b`, number t of its series, into the indicators; `p` is the bar before it (any bar when t is 0)."""
    place = t % WINDOW
    w.closes[place] = b.c
    w.closes[place + WINDOW] = b.c
    w.volumes[place] = b.v
    w.volumes[place + WINDOW] = b.v
    _averages(s, w, t, b.c)
    _macd(s, w, t, b.c)
    _session_vwap(s, w, b)
    if t == 0:
        s.obv = b.v
        return
    change = b.c - p.c
    if change > 0.0:
        s.obv += b.v
    elif change < 0.0:
        s.obv -= b.v
    _momentum(s, w, t, change)
    true_range = max(b.h - b.l, abs(b.h - p.c), abs(b.l - p.c))
    s.atr14, w.atr14_sum = _wilder(s.atr14, w.atr14_sum, true_range, t - 1, 14)
    s.atr200, w.atr200_sum = _wilder(s.atr200, w.atr200_sum, true_range, t - 1, 200)
    _directional(s, w, t, b.h - p.h, p.l - b.l, true_range)
    if t >= 10:
        _paths(s, w, t)
    if t >= 19:
        _windows(s, w, t, b.v)
        _width_percentile(s, w, t)
