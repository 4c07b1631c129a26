"""The cheap judgement: one pass of compiled code over a stretch that says at which closes a strategy could propose.

It may say too much, never too little. Where it says yes, it leaves what the desk's own kernels found there, and the
desk's own code decides on it; where it says no, that code would have proposed nothing that passes the hard gates. It
knows the strategies without trained models. A test replays with and without it and compares.
"""

from __future__ import annotations

import hashlib
from math import expm1
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.analysis.changes import NO_LOG
from engine.analysis.compiled import entry, kernel
from engine.analysis.compiled import source_digest as analysis_digest
from engine.analysis.layout import BARS, FRAMES
from engine.analysis.scratch import rows_of
from engine.analysis.step import RUN, reset
from engine.strategy.compiled import source_digest as strategy_digest
from engine.strategy.ict_kernel import DECIDE, could_pass
from engine.strategy.market_kernel import FACTS, MARKET_COLUMNS, PER_FRAME, SURVEY, frame_columns, liquidity
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
    from collections.abc import Iterator

    from engine.analysis.layout import Tables

ICT, LONG, SHORT = 1, 2, 4
"""Bits: the ICT automaton passed; the self-learning side could propose a long, a short."""
SLACK = 1e-9
"""The compiled sums may round otherwise than numpy's."""
LIQUIDITY_SHARE = 0.20
MINUTES_15, HOUR = FRAME_MS["15m"], FRAME_MS["1h"]


class Limits(NamedTuple):
    """The hard gates in plain numbers; a gate that is not hard is no limit."""

    min_confidence: float
    margin: float
    """Probability above break-even that the self-learning side asks for."""
    cost_share: float
    """Costs of a round trip as a share of the price, funding left out."""
    min_atr: float
    max_atr: float
    max_reversal: float
    min_reward_risk: float
    max_reward_risk: float

    @property
    def min_probability(self) -> float:
        """Return the P(win) whose confidence is the least accepted one."""
        return NEUTRAL + self.min_confidence * (CERTAIN - NEUTRAL) if self.min_confidence > 0.0 else 0.0

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


class Closes(NamedTuple):
    """The closes worth a look, with what the compiled passes found there, one row each."""

    bar: npt.NDArray[np.int64]
    """Number of the 5m bar in its stretch."""
    bits: npt.NDArray[np.int64]
    setups: npt.NDArray[np.void]
    """SETUP, as `ict_kernel.decide` returns it."""
    facts: npt.NDArray[np.void]
    """FACTS, as `market_kernel.survey` returns it."""
    market: npt.NDArray[np.float64]
    """[n, MARKET_COLUMNS]."""

    @classmethod
    def empty(cls, size: int) -> Closes:
        """Return cleared rows."""
        ints = np.zeros((2, size), np.int64)
        return cls(ints[0], ints[1], np.zeros(size, SETUP), np.zeros(size, FACTS), np.zeros((size, MARKET_COLUMNS)))

    def taken(self, at: slice | npt.NDArray[np.int64]) -> Closes:
        """Return some of the rows, in memory of their own."""
        bar, bits, setups, facts, market = self
        return Closes(bar[at].copy(), bits[at].copy(), setups[at].copy(), facts[at].copy(), market[at].copy())


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
    frame_columns(s, close, frame)
    trend_15m, extension_15m, rsi_15m = frame[0], frame[2], frame[3]
    vwap = min(max((close - s["vwap"]) / s["atr14"], -10.0), 10.0) if np.isfinite(s["vwap"]) else 0.0
    row = base + 2
    s = series[row]
    close = bars[row, (s["n"] - 1) % BARS]["c"]
    frame_columns(s, close, frame)
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
def _reversal(facts: Any, sign: float) -> float:
    if sign >= 0.0:
        return float(0.5 * facts["divergence_up"] + 0.5 * facts["swept_above"])
    return float(0.5 * facts["divergence_down"] + 0.5 * facts["swept_below"])


@kernel
def _worth(mixed: float, weight: float, min_probability: float, atr: float, facts: Any, limits: Limits) -> float:
    """Return the score of the self-learning side from lean and liquidity, NaN where it suffices for neither side."""
    skew = (facts["below"] - facts["above"]) / (facts["below"] + facts["above"])
    score = weight * (mixed + LIQUIDITY_SHARE * (0.5 * skew + 0.5 * (facts["swept_below"] - facts["swept_above"])))
    cost = limits.cost_share / (STOP_ATR * atr)
    needed = max(min_probability, (1.0 + cost) / (1.0 + BARRIER_RR) + limits.margin) - SLACK
    return float(score) if _probability(FULL_DRIFT * abs(score)) >= needed else np.nan


@kernel
def _sides(score: float, facts: Any, max_reversal: float) -> int:
    """Return the bits of the self-learning side whose risk of reversal is low enough."""
    if _reversal(facts, score) > max_reversal + SLACK:
        return 0
    if abs(score) < SLACK:
        return LONG | SHORT
    return LONG if score > 0.0 else SHORT


@kernel
def _moves(state: Any, limits: Limits) -> bool:
    """Return whether the ATR of 1h lies within its limits."""
    return bool(limits.min_atr - SLACK <= state["atr14"] <= limits.max_atr + SLACK)


@kernel
def _clears(row: Any, limits: Limits) -> bool:
    """Return whether a set-up that passed has the wanted confidence and R:R."""
    ratio = abs(row["target"] - row["entry"]) / abs(row["entry"] - row["stop"])
    return bool(
        row["confidence"] >= limits.min_confidence - SLACK
        and limits.min_reward_risk - SLACK <= ratio <= limits.max_reward_risk + SLACK
    )


@kernel
def _bits(score: float, passed: bool, setup: Any, facts: Any, limits: Limits) -> int:
    """Return the bits of a close, from the score that suffices (else NaN) and from a set-up that passed."""
    bits = _sides(score, facts, limits.max_reversal) if np.isfinite(score) else 0
    if passed and _reversal(facts, setup["sign"]) <= limits.max_reversal + SLACK:
        bits |= ICT
    return bits


def _entry(digest: str) -> Any:  # noqa: C901 - in one piece: a call with so many arrays costs more than its body
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
        least: Any,
        work: Any,
        blank: Any,
        cursor: Any,
        out: Any,
    ) -> int:
        base = slot[0] * 3
        min_probability, min_score = least
        first, quarter, hour, found = cursor[0], cursor[1], cursor[2], 0
        cursor[0] = min(len(b5), first + len(out.bar))
        price = np.empty(1)
        frame = np.empty(PER_FRAME)
        for i in range(first, cursor[0]):
            RUN(rows, base, b5[i : i + 1], log, True)
            end = b5[i]["t"] + 300_000
            if quarter < len(b15) and b15[quarter]["t"] + MINUTES_15 == end:
                RUN(rows, base + 1, b15[quarter : quarter + 1], log, True)
                quarter += 1
            if hour < len(b60) and b60[hour]["t"] + HOUR == end:
                RUN(rows, base + 2, b60[hour : hour + 1], log, True)
                hour += 1
            if min(hour, quarter, i + 1) < ready or not _moves(tables.series[base + 2], limits):
                continue
            setup, facts, market = out.setups[found : found + 1], out.facts[found : found + 1], out.market[found:]
            facts[0], setup[0], price[0] = blank.facts[0], blank.setups[0], b5[i]["c"]
            decided = could_pass(tables, base, price[0], work[0])
            passed = False
            if decided:
                DECIDE(tables, slot, price, work, setup)
                passed = setup[0]["gate"] == PASSED and _clears(setup[0], limits)
            score = np.nan
            mixed, weight = _plain_lean(tables.series, tables.bars, base, frame)
            if weight * (abs(mixed) + LIQUIDITY_SHARE) >= min_score:
                liquidity(tables, base, price[0], facts[0])
                score = _worth(mixed, weight, min_probability, tables.series[base + 2]["atr14"], facts[0], limits)
            if not (passed or np.isfinite(score)):
                continue
            SURVEY(tables, slot, price, facts, market)
            bits = _bits(score, passed, setup[0], facts[0], limits)
            if bits != 0:
                if not decided:
                    DECIDE(tables, slot, price, work, setup)
                out.bar[found], out.bits[found] = i, bits
                found += 1
        cursor[1], cursor[2], cursor[3] = quarter, hour, found
        return len(digest)

    return judge_kernel


JUDGE = _entry(analysis_digest() + strategy_digest() + hashlib.sha256(Path(__file__).read_bytes()).hexdigest())
CHUNK = 4_096
"""Bars the kernel takes at once: what it finds is put aside in between."""


def judge(
    tables: Tables, slot: int, frames: tuple[npt.NDArray[np.void], ...], ready: int, limits: Limits
) -> Iterator[Closes]:
    """Yield the closes of a stretch at which something could be proposed, in order.

    `frames` holds its 5m, 15m and 1h bars (BAR, x space); `ready` is the number of bars every frame needs.
    """
    for number, frame in enumerate(FRAMES):
        reset(tables, slot * 3 + number, FRAME_MS[frame])
    limits = Limits._make(map(float, limits))  # a whole number would be another type, compiled anew
    least = limits.min_probability, limits.min_score
    cursor = np.zeros(4, np.int64)  # bars of 5m, 15m and 1h taken, rows found
    out = Closes.empty(min(CHUNK, len(frames[0])))
    work, blank, one = np.zeros(2, SETUP), Closes.empty(1), np.array([slot], np.int64)
    while cursor[0] < len(frames[0]):
        JUDGE(rows_of(tables), tables, NO_LOG, one, *frames, ready, limits, least, work, blank, cursor, out)
        yield out.taken(slice(0, int(cursor[3])))
