"""The `self_learning` strategy: P(long wins) and P(short wins) under triple barriers, signalled when one pays.

Barriers are SL 1.5 and TP 3.0 ATR14 of 1h (the frame on which 96 hours are a horizon and costs are small beside the
risk). Without a trained head the statistical fallback answers: a scale-free lean of the market is read as a drift, and
the two-barrier formula of a drifting random walk turns it into probabilities. Both obey the mirror law by construction.
The fallback makes cases to learn from; it is no forecast: on recorded candles (tests/bench/strategy_rates.py) its
signals won 32 % over six months of 2025 and 19 % in one month of 2023, where chance is 33 %. Its probabilities
therefore never rank a signal.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step, StrategyName
from engine.strategy.costs import CostRules, break_even, costs_in_r
from engine.strategy.views import Outlook, View
from ml.schema import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.strategy.dynamic import DynamicScore
    from engine.strategy.facts import Facts
    from engine.strategy.reading import Reading

HEAD = "head"
"""Name of the model behind the Infer port."""
STOP_ATR, TARGET_ATR = 1.5, 3.0
BARRIER_RR = TARGET_ATR / STOP_ATR
NEUTRAL = STOP_ATR / (STOP_ATR + TARGET_ATR)
"""P(win) of a walk without drift: one third."""
FULL_DRIFT = 0.15  # drift over variance per ATR that a lean of 1 stands for; it makes P(win) 0.49
HOUR_MS = 3_600_000
SUB_SCORES = ("trend", "momentum", "reversion", "liquidity", "volatility")
FALLBACK = "statistical fallback"
UNCALIBRATED = "; its probabilities are a rule of thumb, not calibrated"

Floats = npt.NDArray[np.float64]


class SelfLearningRules(msgspec.Struct, frozen=True):
    """When the better side is worth a signal."""

    margin: float = 0.02
    """Probability above break-even that is asked for."""


class Head(Protocol):
    """A model that answers P(long wins), P(short wins) for the market columns of a batch."""

    def ready(self) -> str | None:
        """Return None when the head may answer, else the reason why not."""

    def probabilities(self, market: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]] | None:
        """Return [n, 2] probabilities for [n, MARKET_FEATURES] rows, or None when late, failed or not finite."""


class Untrained:
    """The head of a desk that has not learned yet."""

    def ready(self) -> str | None:
        """Return the reason; there is always one."""
        return "no trained head"

    def probabilities(self, market: npt.NDArray[np.float32]) -> npt.NDArray[np.floating[Any]] | None:
        """Return None: there is nothing to ask."""
        del market
        return None


class Leans(msgspec.Struct, frozen=True):
    """The statistical score of a batch and its parts, each [n]."""

    trend: Floats
    momentum: Floats
    reversion: Floats
    liquidity: Floats
    volatility: Floats
    score: Floats


def barrier_probability(drift: Floats | float, stop: float = STOP_ATR, target: float = TARGET_ATR) -> Floats:
    """Return P(a walk rises by `target` before it falls by `stop`) for a drift over variance per unit distance."""
    k = 2.0 * np.asarray(drift, np.float64)
    still = np.abs(k) < 1e-9
    safe = np.where(still, 1.0, k)
    moving = np.expm1(safe * stop) / (np.expm1(safe * stop) - np.expm1(-safe * target))
    return np.where(still, stop / (stop + target), moving)


CERTAIN = float(barrier_probability(FULL_DRIFT))
"""P(win) at a lean of 1, where the confidence is 1."""


def _unit(values: Floats) -> Floats:
    return np.minimum(np.maximum(values, -1.0), 1.0)  # np.clip takes four times as long over one row


def leans(market: Floats) -> Leans:
    """Return the statistical score of [n, MARKET_FEATURES] rows; mirrored rows have the negated score.

    Trend counts more where price moves efficiently, reversion where it does not; extreme volatility halves the lean.
    """

    def column(name: str) -> Floats:
        values: Floats = market[:, INDEX[name]]
        return values

    trend = (
        0.5 * _unit(column("trend_1h") / 2.0)
        + 0.3 * _unit(column("trend_15m") / 2.0)
        + 0.2 * _unit(column("stack_1h") / 4.0)
    )
    momentum = (
        _unit(column("rsi_15m") / 0.4) + _unit(column("macd_5m") / 0.2) + _unit(column("directional_1h") / 0.5)
    ) / 3.0
    reversion = -(_unit(column("extension_15m") / 3.0) + _unit(column("band_1h") / 2.0) + _unit(column("vwap") / 4.0))
    reversion = reversion / 3.0
    liquidity = 0.5 * column("liquidity_skew") + 0.5 * column("sweep")
    width = column("width_1h")
    volatility = np.clip(np.minimum(width, 1.0 - width) / 0.25, 0.0, 1.0)
    efficiency = column("efficiency_1h")
    mixed = (
        (0.25 + 0.25 * efficiency) * trend + 0.25 * momentum + (0.30 - 0.25 * efficiency) * reversion + 0.20 * liquidity
    )
    return Leans(trend, momentum, reversion, liquidity, volatility, (0.5 + 0.5 * volatility) * mixed)


def outlooks(
    market: Floats,
    ready: npt.NDArray[np.bool_],
    reason: str | None,
    answer: npt.NDArray[np.floating[Any]] | None,
    scores: Sequence[DynamicScore | None] | None = None,
) -> list[Outlook]:
    """Return one outlook per row: the trained head's where it may answer and did, else the fallback's.

    `reason` says why the head may not answer, None when it may; `answer` is what it answered, [n, 2] in [0, 1].
    `scores` of dynamic features take the place of the fixed lean where features were kept; a trained head has its own.
    """
    with np.errstate(invalid="ignore"):
        lean = leans(market)
        score, notes = lean.score, [""] * len(market)
        if scores is not None:
            notes = ["" if one is None else f"; {one.text}" for one in scores]
            kept = np.array([np.nan if one is None else one.score for one in scores])
            score = np.where(np.isfinite(kept), (0.5 + 0.5 * lean.volatility) * kept, score)
        p_long = barrier_probability(FULL_DRIFT * score)
        p_short = barrier_probability(-FULL_DRIFT * score)
    source, trained = f"{FALLBACK}: {reason}", False
    if reason is None:
        if answer is None or answer.shape != (len(market), 2) or not _usable(answer[ready]):
            source = f"{FALLBACK}: the trained head gave no usable answer"
        else:
            given = answer.astype(np.float64)
            p_long, p_short, source, trained = given[:, 0], given[:, 1], "trained head", True
    columns = zip(
        ready.tolist(),
        p_long.tolist(),
        p_short.tolist(),
        score.tolist(),
        lean.trend.tolist(),
        lean.momentum.tolist(),
        lean.reversion.tolist(),
        lean.liquidity.tolist(),
        lean.volatility.tolist(),
        [source if trained else source + more for more in notes],
        strict=True,
    )
    return [
        Outlook(fit, up, down, score, (trend, momentum, reversion, liquidity), volatility, said, trained)
        for fit, up, down, score, trend, momentum, reversion, liquidity, volatility, said in columns
    ]


def _usable(probabilities: npt.NDArray[np.floating[Any]]) -> bool:
    return bool(((probabilities >= 0.0) & (probabilities <= 1.0)).all())


def confidence_of(probability: float) -> float:
    """Return 0 at the probability of a coin without drift, 1 at that of a full lean."""
    return min(1.0, max(0.0, (probability - NEUTRAL) / (CERTAIN - NEUTRAL)))


def view(outlook: Outlook, facts: Facts, reading: Reading, rules: SelfLearningRules, costs: CostRules) -> View:
    """Return a market-entry candidate when the better side clears break-even after costs by the margin."""
    if not outlook.ready:
        return NoCandidate(
            StrategyName.SELF_LEARNING, reading.symbol, "warm-up", "indicators warm up, or price or volume stand still"
        )
    sign = 1 if outlook.p_long >= outlook.p_short else -1
    probability = outlook.p_long if sign > 0 else outlook.p_short
    direction = Direction.LONG if sign > 0 else Direction.SHORT
    risk = STOP_ATR * facts.atr
    cost = costs_in_r(reading, sign, risk, costs)
    needed = break_even(BARRIER_RR, cost) + rules.margin
    if not probability >= needed:
        return NoCandidate(
            StrategyName.SELF_LEARNING,
            reading.symbol,
            "break-even",
            f"P({direction} wins) {probability:.3f} is {needed - probability:.3f} short of break-even with margin",
            needed - probability,
        )
    entry = reading.price
    stop, target = entry * exp(-sign * risk), entry * exp(sign * TARGET_ATR * facts.atr)
    scores = (*(0.5 + 0.5 * sign * part for part in outlook.parts), outlook.volatility)
    return Candidate(
        strategy=StrategyName.SELF_LEARNING,
        symbol=reading.symbol,
        direction=direction,
        pattern="barrier outlook",
        entry=entry,
        stop=stop,
        targets=(target,),
        confidence=confidence_of(probability),
        sub_scores=dict(zip(SUB_SCORES, scores, strict=True)),
        provenance=_provenance(outlook, facts, reading, sign, needed, cost, stop, target),
        bar_close=facts.close_ms,
        anchor=facts.hour_ms,
        expires=facts.hour_ms + HOUR_MS,
    )


def _provenance(
    outlook: Outlook,
    facts: Facts,
    reading: Reading,
    sign: int,
    needed: float,
    cost: float,
    stop: float,
    target: float,
) -> tuple[Step, ...]:
    """Return the reasons of a candidate, first of all who answered."""
    digits = reading.decimals
    trend, momentum, reversion, liquidity = outlook.parts
    probability = outlook.p_long if sign > 0 else outlook.p_short
    known, at = facts.hour_ms, facts.hour_ms - HOUR_MS
    return (
        Step("head", f"Answered by the {outlook.source}{'' if outlook.trained else UNCALIBRATED}."),
        Step(
            "lean",
            f"Score {outlook.score:+.2f}: trend {trend:+.2f}, momentum {momentum:+.2f}, reversion {reversion:+.2f},"
            f" liquidity {liquidity:+.2f}, volatility weight {0.5 + 0.5 * outlook.volatility:.2f}.",
            "1h",
            at,
            known,
        ),
        Step(
            "probability",
            f"P(long wins) {outlook.p_long:.3f}, P(short wins) {outlook.p_short:.3f} at stop 1.5 and target 3.0 ATR.",
        ),
        Step(
            "break-even",
            f"{probability:.3f} clears {needed:.3f}: break-even after costs of {cost:.2f} R, and the margin.",
        ),
        Step(
            "stop", f"Stop {stop:.{digits}f} is 1.5 ATR14 of 1h away: {150 * facts.atr:.2f} %.", "1h", at, known, stop
        ),
        Step("target", f"Target {target:.{digits}f} is 3.0 ATR14 away.", "1h", at, known, target),
    )
