"""The five parts of the ICT confidence, each in [0, 1] and able to reach both ends.

All take the SERIES record of a frame and a sign: +1 scores a long, -1 a short; mirrored columns score the same.
"""

from __future__ import annotations

from typing import Any

from engine.analysis.compiled import kernel
from engine.analysis.layout import LABEL_HH, LABEL_HL, LABEL_NONE, SWING
from engine.strategy.oriented import clamp01

WEIGHTS = (0.40, 0.20, 0.20, 0.10, 0.10)
PLACE_REACH = 2.0  # ATR14 of 15m between price and entry at which the position score is 0
MACD_REACH = 0.2  # ATR14 the histogram spans from none to full
DISPLACEMENT_FULL = 3.0  # ATR14 of body that count as full strength; 1.5 is where displacement begins


@kernel
def _lean(distance: float, reach: float, sign: int) -> float:
    """Return 0 at -reach, 0.5 at 0, 1 at +reach as the sign sees the distance."""
    return float(clamp01(0.5 + 0.5 * (sign * distance) / reach))


@kernel
def trend_score(h1: Any, m15: Any, sign: int) -> float:
    """Return how far the averages of 1h and 15m stand in the direction: one ATR apart is full."""
    return float(
        0.4 * _lean(h1["ema20"] - h1["ema50"], h1["atr14"], sign)
        + 0.3 * _lean(h1["ema50"] - h1["ema200"], 2.0 * h1["atr14"], sign)
        + 0.3 * _lean(m15["ema20"] - m15["ema50"], m15["atr14"], sign)
    )


@kernel
def label_score(swings: Any, m15: Any, sign: int) -> float:
    """Return the share of the last two 15m swing labels that fit: HH and HL for longs, LH and LL for shorts.

    `swings` is the 15m row's ring of the swing layer; a missing label counts half.
    """
    total = 0.0
    for side in range(2):
        index = m15["last_high"][SWING] if side == 0 else m15["last_low"][SWING]
        label = LABEL_NONE if index < 0 else swings[index]["label"]
        if label == LABEL_NONE:
            total += 0.25
        elif (label in (LABEL_HH, LABEL_HL)) == (sign > 0):
            total += 0.5
    return total


@kernel
def displacement_score(size: float) -> float:
    """Return 0 for the smallest displacement body (1.5 ATR), 1 from 3 ATR."""
    return float(clamp01((size - 1.5) / (DISPLACEMENT_FULL - 1.5)))


@kernel
def place_score(distance: float) -> float:
    """Return 1 with price at the entry, 0 at `PLACE_REACH` ATR from it."""
    return float(clamp01(1.0 - distance / PLACE_REACH))


@kernel
def momentum_score(m5: Any, m15: Any, sign: int) -> float:
    """Return the mean of RSI (30..70 on 15m) and MACD histogram (5m, in ATR) leaning with the direction."""
    rsi = _lean(m15["rsi14"] - 50.0, 20.0, sign)
    return float(0.5 * rsi + 0.5 * _lean(m5["macd_hist"], MACD_REACH * m5["atr14"], sign))


@kernel
def volatility_score(percentile: float) -> float:
    """Return 1 while the Bollinger width percentile is inside 25..75 %, falling to 0 at either end."""
    return float(clamp01(min(percentile, 1.0 - percentile) / 0.25))


@kernel
def confidence_of(trend: float, structure: float, place: float, momentum: float, volatility: float) -> float:
    """Return the weighted confidence of section 4.1."""
    return (
        WEIGHTS[0] * trend
        + WEIGHTS[1] * structure
        + WEIGHTS[2] * place
        + WEIGHTS[3] * momentum
        + WEIGHTS[4] * volatility
    )
