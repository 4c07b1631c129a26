"""Market facts of a symbol that signals are judged by, in plain values."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Regime(StrEnum):
    """Character of the market on 1h."""

    TRENDING = "trending"
    RANGING = "ranging"
    VOLATILE = "volatile"
    MIXED = "mixed"


class RegimeCall(msgspec.Struct, frozen=True):
    """What regime prediction says of the next hour."""

    regime: Regime
    """MIXED where no regime is likely enough: it then weighs neutrally."""
    probabilities: tuple[float, float, float] | None
    """Of trending, ranging and volatile; None where the plain thresholds answered."""
    source: str
    """`predicted`, `neutral`, or why the thresholds answered."""


class Facts(msgspec.Struct, frozen=True):
    """What the closed bars say beside any set-up. Distances in 1h ATR14; shares in [0, 1]."""

    ready: bool
    """False while indicators warm up, or price or volume does not move."""
    close_ms: int
    """Close of the newest 5m bar."""
    hour_ms: int
    """Close of the newest 1h bar."""
    price_log: float
    atr: float
    """1h ATR14 as a fraction of price."""
    regime: Regime
    above: float
    """To the nearest open pool above, 10 where none is nearer."""
    below: float
    reversal_long: float
    """Risk that a long meets a reversal: bearish divergence and buy-side just swept, half each."""
    reversal_short: float
    bias_5m: int
    bias_15m: int
    bias_1h: int
    call: RegimeCall | None = None
    """The prediction `regime` rests on, None where prediction is off."""


def regime_of(adx: float, width: float) -> Regime:
    """Return the regime from ADX14 and the Bollinger width as a fraction of price (section 9, the plain thresholds)."""
    if adx >= 25.0 and 0.02 <= width <= 0.05:
        return Regime.TRENDING
    if adx < 20.0 and width < 0.02:
        return Regime.RANGING
    if adx < 20.0 and width > 0.05:
        return Regime.VOLATILE
    return Regime.MIXED
