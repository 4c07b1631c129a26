"""The one table of features that trainer and server share, and its hash.

A row describes one candidate at the close it rests on: what the market looked like, what the symbol's book and funding
said, what the strategy proposed. Every feature is free of the price scale. A *signed* feature changes its sign when
prices are mirrored (p -> c - p in log space), an unsigned one stays as it is; nothing else may happen to a row.
Values outside `low`..`high` are clipped, an unknown value is NaN.
"""

from __future__ import annotations

import hashlib

import msgspec


class Feature(msgspec.Struct, frozen=True):
    """One column of the feature row."""

    name: str
    definition: str
    frame: str
    """`5m`, `15m`, `1h`, or empty where it belongs to no frame."""
    signed: bool
    low: float
    high: float


_PER_FRAME: tuple[tuple[str, str, bool, float, float], ...] = (
    ("trend", "(ema20 - ema50) / atr14", True, -5.0, 5.0),
    ("stack", "(ema50 - ema200) / atr14", True, -10.0, 10.0),
    ("extension", "(close - ema20) / atr14", True, -5.0, 5.0),
    ("rsi", "(rsi14 - 50) / 50", True, -1.0, 1.0),
    ("macd", "macd histogram / atr14", True, -1.0, 1.0),
    ("directional", "(+di - -di) / (+di + -di)", True, -1.0, 1.0),
    ("band", "(close - bollinger middle) / half the band", True, -3.0, 3.0),
    ("bias_internal", "structure bias of the (5, 5) layer", True, -1.0, 1.0),
    ("bias_swing", "structure bias of the (20, 20) layer", True, -1.0, 1.0),
    ("adx", "adx14 / 100", False, 0.0, 1.0),
    ("width", "share of the last 168 bollinger widths at or below the present one", False, 0.0, 1.0),
    ("efficiency", "efficiency ratio over 10 bars", False, 0.0, 1.0),
    ("expansion", "ln(atr14 / atr200)", False, -2.0, 2.0),
    ("volume", "z-score of volume over 20 bars", False, -5.0, 5.0),
)

_MARKET: tuple[Feature, ...] = (
    Feature(
        "vwap", "(close - session vwap) / atr14, 0 before the first trade of the session", "15m", True, -10.0, 10.0
    ),
    Feature("range", "2 x position in the dealing range - 1, at the close", "15m", True, -3.0, 3.0),
    Feature(
        "liquidity_skew", "(distance to pools below - above) / their sum; > 0 when above is nearer", "1h", True, -1, 1
    ),
    Feature("liquidity_near", "distance to the nearer open pool / atr14", "1h", False, 0.0, 10.0),
    Feature("sweep", "+1 just after sell-side was swept, -1 after buy-side, fading over 24 bars", "5m", True, -1, 1),
    Feature(
        "divergence", "+1 for a bullish, -1 for a bearish rsi divergence of the last two pivots", "15m", True, -1, 1
    ),
)

_READING: tuple[Feature, ...] = (
    Feature("funding", "funding rate / 0.1 %", "", True, -5.0, 5.0),
    Feature("spread", "spread in basis points / 10", "", False, 0.0, 5.0),
    Feature("volume_rank", "rank by 24 h quote volume / 200", "", False, 0.0, 5.0),
    Feature("day_sin", "sine of the time of day (UTC)", "", False, -1.0, 1.0),
    Feature("day_cos", "cosine of the time of day (UTC)", "", False, -1.0, 1.0),
)

_CANDIDATE: tuple[Feature, ...] = (
    Feature("direction", "+1 LONG, -1 SHORT", "", True, -1.0, 1.0),
    Feature("is_ict", "1 when the strategy is ict", "", False, 0.0, 1.0),
    Feature("is_self_learning", "1 when the strategy is self_learning", "", False, 0.0, 1.0),
    Feature("is_hybrid", "1 when the strategy is hybrid", "", False, 0.0, 1.0),
    Feature("confidence", "confidence of the candidate", "", False, 0.0, 1.0),
    Feature("reward_risk", "R:R of the first target", "", False, 0.0, 20.0),
    Feature("stop_distance", "|entry - stop| / atr14", "1h", False, 0.0, 10.0),
    Feature("entry_distance", "|price - entry| / atr14", "1h", False, 0.0, 10.0),
)

FRAMES = ("5m", "15m", "1h")

MARKET_FEATURES: tuple[Feature, ...] = (
    *(Feature(f"{n}_{f}", d, f, s, lo, hi) for f in FRAMES for n, d, s, lo, hi in _PER_FRAME),
    *_MARKET,
)
"""Features known from closed bars alone, the same for every candidate of a symbol; the first columns of a row."""

FEATURES: tuple[Feature, ...] = (*MARKET_FEATURES, *_READING, *_CANDIDATE)
"""All columns of a row, in order."""

INDEX: dict[str, int] = {feature.name: column for column, feature in enumerate(FEATURES)}
"""Column of a feature by its name."""


def schema_hash(features: tuple[Feature, ...] = FEATURES) -> str:
    """Return the SHA-256 (hex) of the table: any change of a name, definition, order or range changes it."""
    lines = (f"{f.name}|{f.definition}|{f.frame}|{f.signed:d}|{float(f.low)!r}|{float(f.high)!r}" for f in features)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


SCHEMA_HASH = schema_hash()
"""Stored with every row and every model, checked when either is loaded."""
