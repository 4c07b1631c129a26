"""Entry quality: nine dimensions in [0, 1] with hard gates, their weighted mean, and a small bonus for the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.analysis.sessions import (
    ASIA,
    LONDON,
    LONDON_CLOSE,
    NEW_YORK,
    SESSION_NAMES,
    is_weekend,
    next_funding,
    session_of,
)
from engine.signals.rules import DIMENSIONS, QualityRules
from engine.strategy.costs import reward_risk_of
from engine.strategy.facts import Facts, Regime

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.strategy.candidate import Candidate
    from engine.strategy.reading import Reading

RANGING_FIT, NEUTRAL, VOLATILE_FIT = 0.6, 0.5, 0.3
"""What a market without a trend is worth to a candidate, in [0, 1]."""
SESSION_WORTH = {ASIA: 0.5, LONDON: 1.0, NEW_YORK: 1.0, LONDON_CLOSE: 0.5}
FUNDING_QUIET_MS = 15 * 60_000  # before a funding time price is moved by those who dodge or collect it
_TINY = 1e-9  # a limit met in exact arithmetic must not be missed by rounding


_Measured = tuple[float, bool, str]
"""Value, whether its limit is met, and the text of both."""


class Dimension(msgspec.Struct, frozen=True):
    """One dimension of a candidate's entry quality."""

    name: str
    value: float
    """In [0, 1]."""
    passed: bool
    """Whether the dimension's limit is met."""
    hard: bool
    text: str
    """The measured value beside its limit."""


class Quality(msgspec.Struct, frozen=True):
    """Entry quality of a candidate."""

    score: float
    """Weighted mean of the dimensions and the session's bonus, in [0, 1]."""
    dimensions: tuple[Dimension, ...]

    @property
    def dropped_by(self) -> Dimension | None:
        """Return the first hard dimension that was missed, None when the candidate passes."""
        for dimension in self.dimensions:
            if dimension.hard and not dimension.passed:
                return dimension
        return None


class DimensionCount(msgspec.Struct, frozen=True):
    """How many candidates a dimension kept and dropped; a candidate counts in each hard dimension it misses."""

    name: str
    kept: int
    dropped: int


class Surroundings(NamedTuple):
    """The dimensions that are the same for every candidate of a symbol at one instant."""

    atr: Dimension
    volume_rank: Dimension
    funding: Dimension
    spread: Dimension
    completeness: Dimension
    session: Dimension


def surroundings(facts: Facts, reading: Reading, rules: QualityRules) -> Surroundings:
    """Return what the market and the symbol are worth to any candidate."""
    return Surroundings(
        _dimension("atr", _atr(facts, rules), rules),
        _dimension("volume_rank", _volume_rank(reading, rules), rules),
        _dimension("funding", _funding(reading, rules), rules),
        _dimension("spread", _spread(reading, rules), rules),
        _dimension("completeness", _completeness(reading, rules), rules),
        _dimension("session", _session(facts), rules),
    )


def judge(candidate: Candidate, facts: Facts, around: Surroundings, rules: QualityRules) -> Quality:
    """Return the entry quality of one candidate."""
    dimensions = (
        _dimension("confidence", _confidence(candidate, rules), rules),
        _dimension("reward_risk", _reward_risk(candidate, rules), rules),
        _dimension("regime", _regime(candidate, facts, rules), rules),
        around.atr,
        around.volume_rank,
        around.funding,
        around.spread,
        around.completeness,
        _dimension("reversal", _reversal(candidate, facts, rules), rules),
        around.session,
    )
    values = {dimension.name: dimension.value for dimension in dimensions}
    mean = total = 0.0
    for name, weight in rules.weights:
        mean += weight * values[name]
        total += weight
    return Quality(min(1.0, mean / total + rules.session_bonus * values["session"]), dimensions)


def _dimension(name: str, measured: _Measured, rules: QualityRules) -> Dimension:
    value, passed, text = measured
    return Dimension(name, min(1.0, max(0.0, value)), passed, name in rules.hard, text)


def count(judged: Iterable[Quality]) -> tuple[DimensionCount, ...]:
    """Return kept and dropped per dimension over the candidates of a cycle."""
    kept, dropped = dict.fromkeys(DIMENSIONS, 0), dict.fromkeys(DIMENSIONS, 0)
    for quality in judged:
        for dimension in quality.dimensions:
            place = dropped if dimension.hard and not dimension.passed else kept
            place[dimension.name] += 1
    return tuple(DimensionCount(name, kept[name], dropped[name]) for name in DIMENSIONS)


def _confidence(candidate: Candidate, rules: QualityRules) -> _Measured:
    value = candidate.confidence
    return value, value >= rules.min_confidence, f"confidence {value:.2f}, wanted {rules.min_confidence:.2f}"


def _reward_risk(candidate: Candidate, rules: QualityRules) -> _Measured:
    ratio = reward_risk_of(candidate)
    low, high = rules.min_reward_risk, rules.max_reward_risk
    value = (ratio - 1.0) / (rules.full_reward_risk - 1.0)
    return value, low - _TINY <= ratio <= high + _TINY, f"R:R {ratio:.2f}, wanted {low:g} to {high:g}"


def _regime(candidate: Candidate, facts: Facts, rules: QualityRules) -> _Measured:
    """Score a trend followed full and a trend faced none; ranges, mixed and volatile markets lie between.

    A prediction weighs every regime by its probability; one without confidence is neutral and vetoes nothing.
    """
    call = facts.call
    if call is not None and call.probabilities is not None:
        trending, ranging, volatile = call.probabilities
        text = f"next hour trending {trending:.2f}, ranging {ranging:.2f}, volatile {volatile:.2f}"
        if facts.regime is Regime.MIXED:
            return NEUTRAL, True, f"{text}: not clear enough, neutral"
        value = trending * _trend_fit(candidate, facts) + ranging * RANGING_FIT + volatile * VOLATILE_FIT
        return value, value >= rules.min_regime, f"{text}, 1h bias {facts.bias_1h:+d}"
    if facts.regime is Regime.TRENDING:
        value = _trend_fit(candidate, facts)
    else:
        value = {Regime.RANGING: RANGING_FIT, Regime.MIXED: NEUTRAL}.get(facts.regime, VOLATILE_FIT)
    return value, value >= rules.min_regime, f"{facts.regime} market, 1h bias {facts.bias_1h:+d}"


def _trend_fit(candidate: Candidate, facts: Facts) -> float:
    return 0.5 + 0.5 * candidate.direction.sign * facts.bias_1h


def _atr(facts: Facts, rules: QualityRules) -> _Measured:
    """Score 1 inside the limits, falling to 0 at half the lower and twice the upper one."""
    percent = 100.0 * facts.atr
    low, high = rules.min_atr_percent, rules.max_atr_percent
    value = 1.0
    if percent < low:
        value = 2.0 * percent / low - 1.0
    elif percent > high:
        value = 2.0 - percent / high
    return value, low <= percent <= high, f"1h ATR {percent:.2f} %, wanted {low:g} to {high:g} %"


def _volume_rank(reading: Reading, rules: QualityRules) -> _Measured:
    value = 1.0 - (reading.volume_rank - 1) / rules.max_volume_rank
    return value, reading.volume_rank <= rules.max_volume_rank, f"volume rank {reading.volume_rank}"


def _funding(reading: Reading, rules: QualityRules) -> _Measured:
    rate = abs(reading.funding_rate)
    text = f"|funding| {100 * rate:.4f} %, at most {100 * rules.max_funding:g} %"
    return 1.0 - rate / rules.max_funding, rate <= rules.max_funding, text


def _spread(reading: Reading, rules: QualityRules) -> _Measured:
    spread = reading.spread_bps
    text = f"spread {spread:.2f} bp, at most {rules.max_spread_bps:g}"
    return 1.0 - spread / rules.max_spread_bps, spread <= rules.max_spread_bps, text


def _completeness(reading: Reading, rules: QualityRules) -> _Measured:
    """Score 1 for complete data, 0 for as much again missing as the limit allows."""
    missing = 1.0 - reading.completeness
    allowed = max(1.0 - rules.min_completeness, _TINY)
    passed = reading.completeness >= rules.min_completeness
    return 1.0 - missing / (2.0 * allowed), passed, f"{100 * reading.completeness:.1f} % of the bars are present"


def _reversal(candidate: Candidate, facts: Facts, rules: QualityRules) -> _Measured:
    risk = facts.reversal_long if candidate.direction.sign > 0 else facts.reversal_short
    text = f"reversal risk {risk:.2f} (divergence, opposing sweep), at most {rules.max_reversal_risk:g}"
    return 1.0 - risk, risk <= rules.max_reversal_risk, text


def _session(facts: Facts) -> _Measured:
    """Score the session at the close of the newest 5m bar: none at weekends and in the quarter before funding."""
    now = facts.close_ms
    session = session_of(now)
    if is_weekend(now):
        return 0.0, True, "weekend: no bonus"
    if next_funding(now) - now <= FUNDING_QUIET_MS:
        return 0.0, True, "funding within 15 minutes: no bonus"
    name = f"{SESSION_NAMES[session]} session" if session else "between the sessions: no bonus"
    return SESSION_WORTH.get(session, 0.0), True, name
