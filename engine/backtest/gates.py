"""The cheap judgement: one pass of compiled code over a stretch that says at which closes a strategy could propose.

It may say too much, never too little. Where it says yes, the desk's own strategy code decides; where it says no, that
code would have proposed nothing that passes the hard gates. A test replays with and without it and compares.
"""

from __future__ import annotations

import hashlib
from math import expm1
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.analysis.changes import NO_LOG
from engine.analysis.compiled import entry, kernel
from engine.analysis.compiled import source_digest as analysis_digest
from engine.analysis.layout import BARS, FRAMES
from engine.analysis.scratch import rows_of
from engine.analysis.step import RUN, reset
from engine.strategy.compiled import source_digest as strategy_digest
from engine.strategy.ict_kernel import DECIDE
from engine.strategy.market_kernel import FACTS, MARKET_COLUMNS, PER_FRAME, SURVEY, _frame_columns
from engine.strategy.oriented import clamp01
from engine.strategy.self_learning import (
    BARRIER_RR,
    CERTAIN,
    FULL_DRIFT,
    NEUTRAL,
    STOP_ATR,
    TARGET_ATR,
    barrier_probability,
)
from engine.strategy.setup import PASSED, SETUP
from exchange.market_data import FRAME_MS

if TYPE_CHECKING:
    from engine.analysis.layout import Tables

ICT, LONG, SHORT = 1, 2, 4
"""Bits: the ICT automaton passed; the self-learning side could propose a long, a short."""
SLACK = 1e-9
"""The compiled sums may round otherwise than numpy's."""
LIQUIDITY_SHARE = 0.20
MINUTES_15, HOUR = FRAME_MS["15m"], FRAME_MS["1h"]


class Limits(msgspec.Struct, frozen=True):
    """The hard gates in plain numbers; a gate that is not hard is no limit."""

    min_probability: float
    margin: float
    cost_share: float
    """Costs of a round trip as a share of the price, funding left out."""
    min_atr: float
    max_atr: float
    max_reversal: float

    @property
    def min_score(self) -> float:
        """Return the lean below which neither side reaches the least probability."""
        wanted = max(self.min_probability, (1.0 + 0.0) / (1.0 + BARRIER_RR) + self.margin)
        low, high = 0.0, 4.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            if float(barrier_probability(FULL_DRIFT * middle)) < wanted:
                low = middle
            else:
                high = middle
        return low - 1e-6


def least_probability(min_confidence: float) -> float:
    """Return the P(win) whose confidence is the least accepted one."""
    return NEUTRAL + min_confidence * (CERTAIN - NEUTRAL)


@kernel
def _unit(value: float) -> float:
    return min(max(value, -1.0), 1.0)


@kernel
def _plain_lean(series: Any, bars: Any, base: int, frame: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the weighted lean without liquidity, and the weight of volatility; NaN while indicators warm up."""
    for number in range(3):
        s = series[base + number]
        if not (
            s["n"] > 0
            and np.isfinite(s["ema200"])
            and np.isfinite(s["bb_width_pct"])
            and s["atr14"] > 0.0
            and s["atr200"] > 0.0
            and s["vol_mean"] > 0.0
        ):
            return np.nan, np.nan
    row = base
    s = series[row]
    macd_5m = min(max(s["macd_hist"] / s["atr14"], -1.0), 1.0)
    row = base + 1
    s = series[row]
    close = bars[row, (s["n"] - 1) % BARS]["c"]
    _frame_columns(s, close, frame)
    trend_15m, extension_15m, rsi_15m = frame[0], frame[2], frame[3]
    vwap = min(max((close - s["vwap"]) / s["atr14"], -10.0), 10.0) if np.isfinite(s["vwap"]) else 0.0
    row = base + 2
    s = series[row]
    close = bars[row, (s["n"] - 1) % BARS]["c"]
    _frame_columns(s, close, frame)
    trend = 0.5 * _unit(frame[0] / 2.0) + 0.3 * _unit(trend_15m / 2.0) + 0.2 * _unit(frame[1] / 4.0)
    momentum = (_unit(rsi_15m / 0.4) + _unit(macd_5m / 0.2) + _unit(frame[5] / 0.5)) / 3.0
    reversion = -(_unit(extension_15m / 3.0) + _unit(frame[6] / 2.0) + _unit(vwap / 4.0)) / 3.0
    width, efficiency = frame[10], frame[11]
    volatility = clamp01(min(width, 1.0 - width) / 0.25)
    mixed = (0.25 + 0.25 * efficiency) * trend + 0.25 * momentum + (0.30 - 0.25 * efficiency) * reversion
    return mixed, 0.5 + 0.5 * volatility


@kernel
def _probability(drift: float) -> float:
    k = 2.0 * drift
    if abs(k) < 1e-9:
        return STOP_ATR / (STOP_ATR + TARGET_ATR)
    up = expm1(k * STOP_ATR)
    return up / (up - expm1(-k * TARGET_ATR))


@kernel
def _worth(mixed: float, weight: float, facts: Any, market: Any, limits: npt.NDArray[np.float64]) -> int:
    """Return the bits of the self-learning side, from the whole survey."""
    min_probability, margin, cost_share, min_atr, max_atr, max_reversal = limits[:6]
    atr = facts["atr_1h"]
    if not (min_atr - SLACK <= atr <= max_atr + SLACK):
        return 0
    extra = market[3 * PER_FRAME :]
    score = weight * (mixed + LIQUIDITY_SHARE * (0.5 * extra[2] + 0.5 * extra[4]))
    needed = max(min_probability, (1.0 + cost_share / (STOP_ATR * atr)) / (1.0 + BARRIER_RR) + margin) - SLACK
    if score >= 0.0:
        risk = 0.5 * facts["divergence_up"] + 0.5 * facts["swept_above"]
    else:
        risk = 0.5 * facts["divergence_down"] + 0.5 * facts["swept_below"]
    if risk > max_reversal + SLACK or _probability(FULL_DRIFT * abs(score)) < needed:
        return 0
    if abs(score) < SLACK:
        return LONG | SHORT
    return LONG if score > 0.0 else SHORT


def _entry(digest: str) -> Any:
    @entry
    def judge_kernel(
        rows: Any,
        tables: Any,
        log: Any,
        slot: Any,
        b5: Any,
        b15: Any,
        b60: Any,
        ready: int,
        limits: Any,
        work: Any,
        setup: Any,
        facts: Any,
        market: Any,
        out: Any,
    ) -> int:
        base = slot[0] * 3
        quarter, hour = 0, 0
        price = np.empty(1)
        frame = np.empty(PER_FRAME)
        for i in range(len(b5)):
            RUN(rows, base, b5[i : i + 1], log, True)
            end = b5[i]["t"] + 300_000
            if quarter < len(b15) and b15[quarter]["t"] + MINUTES_15 == end:
                RUN(rows, base + 1, b15[quarter : quarter + 1], log, True)
                quarter += 1
            if hour < len(b60) and b60[hour]["t"] + HOUR == end:
                RUN(rows, base + 2, b60[hour : hour + 1], log, True)
                hour += 1
            out[i] = 0
            if hour < ready or quarter < ready or i + 1 < ready:
                continue
            price[0] = b5[i]["c"]
            setup[0]["gate"] = 0
            DECIDE(tables, slot, price, work, setup)
            if setup[0]["gate"] == PASSED:
                out[i] = ICT
            mixed, weight = _plain_lean(tables.series, tables.bars, base, frame)
            if weight * (abs(mixed) + LIQUIDITY_SHARE) >= limits[6]:
                SURVEY(tables, slot, price, facts, market)
                if facts[0]["ready"] > 0:
                    out[i] |= _worth(mixed, weight, facts[0], market[0], limits)
        return len(digest)

    return judge_kernel


JUDGE = _entry(analysis_digest() + strategy_digest() + hashlib.sha256(Path(__file__).read_bytes()).hexdigest())


def judge(
    tables: Tables, slot: int, frames: tuple[npt.NDArray[np.void], ...], ready: int, limits: Limits
) -> npt.NDArray[np.uint8]:
    """Return the bits of every 5m bar of a stretch: what could be proposed at its close.

    `frames` holds its 5m, 15m and 1h bars (BAR, x space); `ready` is the number of bars every frame needs.
    """
    for number, frame in enumerate(FRAMES):
        reset(tables, slot * 3 + number, FRAME_MS[frame])
    out = np.zeros(len(frames[0]), np.uint8)
    plain = np.array([*msgspec.structs.astuple(limits), limits.min_score], np.float64)
    JUDGE(
        rows_of(tables),
        tables,
        NO_LOG,
        np.array([slot], np.int64),
        *frames,
        ready,
        plain,
        np.zeros(2, SETUP),
        np.zeros(1, SETUP),
        np.zeros(1, FACTS),
        np.empty((1, MARKET_COLUMNS)),
        out,
    )
    return out
