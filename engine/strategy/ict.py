"""The `ict` strategy: turns the kernel's set-up rows into candidates with one reason per step, or names the gate.

The two patterns and their steps are described in `ict_reversal` and `ict_block`.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from engine.analysis.layout import FRAMES, MSS, SWING
from engine.strategy import setup as s
from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step, StrategyName
from engine.strategy.ict_kernel import decide
from engine.strategy.ict_steps import BAR_5M

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.analysis.layout import Tables
    from engine.strategy.reading import Reading

POOL_NAMES = ("equal", "swing", "day", "week", "session")
GATE_TEXTS = {
    s.WARM_UP: "indicators are warming up: {d:.0f} bars to go",
    s.FLAT: "price or volume does not move",
    s.BIAS: "1h structure has no bias yet: {d:.2f} ATR to the nearer swing",
    s.RANGE: "bias {up}, but no confirmed swing low and high span a dealing range",
    s.DISCOUNT: "bias {up}, but price at {position:.2f} of the dealing range is no {cheap}: {d:.2f} too far",
    s.DEAR: "bias {up}, but the entry at {position:.2f} of the dealing range is no {cheap}: {d:.2f} too far",
    s.SWEEP: "bias {up}; waiting for {far} liquidity to be swept on 5m or 15m: {d:.2f} ATR away",
    s.BREAK: "{far} liquidity swept; waiting for a change of character {up}: {d:.2f} ATR to the 5m swing",
    s.DISPLACEMENT: "character changed {up} without displacement: no body of 1.5 ATR in the leg",
    s.FAILED: "the sweep failed: price went {d:.2f} ATR beyond its extreme",
    s.ZONE: "the leg left no fair value gap and no order block to enter at",
    s.TARGET: "no open {near} pool at R:R 1.5: {d:.2f} short",
    s.EXPIRED: "the set-up expired {d:.1f} bars ago without an entry",
    s.MOVED: "price moved {d:.2f} R beyond the allowed half R",
    s.OPPOSED: "an opposite change of character voided the set-up",
    s.REACHED: "the target was reached before an entry",
}
SUB_SCORES = ("trend", "structure", "position", "momentum", "volatility")


def setups(tables: Tables, slots: npt.NDArray[np.int64], prices: npt.NDArray[np.float64]) -> list[s.Setup]:
    """Return the set-up row of each slot at its price (natural logarithm)."""
    return [s.Setup._make(row) for row in decide(tables, slots, prices).tolist()]


def view(found: s.Setup, reading: Reading, bar_close: int, now_ms: int) -> Candidate | NoCandidate:
    """Return the strategy's view of one symbol from its set-up row; a set-up whose time is over is no candidate."""
    if found.gate == s.PASSED and now_ms >= found.expires:
        found = found._replace(gate=s.EXPIRED, distance=(now_ms - found.expires) / BAR_5M)
    if found.gate != s.PASSED:
        return NoCandidate(
            StrategyName.ICT, reading.symbol, s.GATE_NAMES[found.gate], _gate_text(found), float(found.distance)
        )
    direction = Direction.LONG if found.sign > 0 else Direction.SHORT
    targets = (found.target, found.target2, found.target3)[: found.targets]
    scores = (found.trend, found.structure, found.place, found.momentum, found.volatility)
    return Candidate(
        strategy=StrategyName.ICT,
        symbol=reading.symbol,
        direction=direction,
        pattern=s.PATTERN_NAMES[found.pattern],
        entry=exp(found.entry),
        stop=exp(found.stop),
        targets=tuple(exp(level) for level in targets),
        confidence=found.confidence,
        sub_scores=dict(zip(SUB_SCORES, scores, strict=True)),
        provenance=_provenance(found, reading),
        bar_close=bar_close,
        anchor=found.anchor,
        expires=found.expires,
        limit=True,
    )


def _words(sign: int) -> tuple[str, str, str, str, str]:
    """Return (up, far pools, near pools, cheap half, dear half) as the direction calls them."""
    if sign > 0:
        return "up", "sell-side", "buy-side", "discount", "premium"
    return "down", "buy-side", "sell-side", "premium", "discount"


def _gate_text(found: s.Setup) -> str:
    """Return one sentence on the gate that stopped a set-up, with the distance to it."""
    up, far, near, cheap, _ = _words(found.sign)
    return GATE_TEXTS[found.gate].format(
        d=found.distance, position=found.position, up=up, far=far, near=near, cheap=cheap
    )


def _provenance(found: s.Setup, reading: Reading) -> tuple[Step, ...]:
    """Return one step per line of reasoning of a set-up that passed."""
    digits = reading.decimals
    bias = _bias_step(found)
    tail = (_zone_step(found, digits), *_exit_steps(found, digits), _score_step(found))
    if found.pattern == s.TREND_BLOCK:
        agree = Step("agreement", f"15m structure is {_words(found.sign)[0]} too and 5m does not object.", "15m")
        return (bias, agree, *tail)
    return (bias, _range_step(found, digits), *_shift_steps(found, digits), *tail)


def _bias_step(found: s.Setup) -> Step:
    layer = "swing" if found.bias_layer == SWING else "internal"
    return Step("bias", f"1h {layer} structure points {_words(found.sign)[0]}.", "1h")


def _range_step(found: s.Setup, digits: int) -> Step:
    low, high = exp(found.range_low), exp(found.range_high)
    cheap = _words(found.sign)[3]
    return Step(
        cheap,
        f"Entry stands at {found.position:.2f} of the dealing range {low:.{digits}f} to {high:.{digits}f}: {cheap}.",
        FRAMES[found.range_frame],
        found.range_at,
        found.range_known,
        low if found.sign > 0 else high,
    )


def _shift_steps(found: s.Setup, digits: int) -> tuple[Step, Step]:
    up, far = _words(found.sign)[:2]
    swept, extreme, broken = exp(found.sweep_level), exp(found.sweep_extreme), exp(found.break_level)
    name = "MSS" if found.break_kind == MSS else "CHoCH"
    pool = POOL_NAMES[found.sweep_kind]
    return (
        Step(
            "sweep",
            f"{far.capitalize()} {pool} pool {swept:.{digits}f} was swept to {extreme:.{digits}f},"
            f" {found.sweep_depth:.2f} ATR deep, and reclaimed.",
            FRAMES[found.sweep_frame],
            found.sweep_at,
            found.sweep_known,
            extreme,
        ),
        Step(
            "shift",
            f"{name} {up} through {broken:.{digits}f} with a displacement body of {found.displacement:.1f} ATR.",
            FRAMES[found.break_frame],
            found.break_at,
            found.break_known,
            broken,
        ),
    )


def _zone_step(found: s.Setup, digits: int) -> Step:
    low, high, entry = exp(found.zone_low), exp(found.zone_high), exp(found.entry)
    if found.pattern == s.TREND_BLOCK:
        what = f"near edge of the fresh order block (quality {found.zone_quality:.2f})"
    elif found.zone_kind == s.ZONE_GAP:
        what = "middle of the fair value gap"
    else:
        what = f"mean threshold of the order block (quality {found.zone_quality:.2f})"
    ote = ", within the 62-79 % retracement" if found.ote else ""
    return Step(
        "entry",
        f"Limit at {entry:.{digits}f}: {what} {low:.{digits}f} to {high:.{digits}f}{ote}.",
        FRAMES[found.zone_frame],
        found.zone_at,
        found.zone_known,
        entry,
    )


def _exit_steps(found: s.Setup, digits: int) -> tuple[Step, Step]:
    stop, target = exp(found.stop), exp(found.target)
    risk = abs(found.entry - found.stop)
    reward = abs(found.target - found.entry) / risk
    where = "the sweep" if found.pattern == s.SWEEP_REVERSAL else "the block"
    at, known, frame = (
        (found.sweep_at, found.sweep_known, found.sweep_frame)
        if found.pattern == s.SWEEP_REVERSAL
        else (found.zone_at, found.zone_known, found.zone_frame)
    )
    text = f"Stop {stop:.{digits}f} lies 0.1 ATR beyond {where} and at least 0.3 % away: {100 * risk:.2f} %."
    pool = POOL_NAMES[found.pool_kind]
    return (
        Step("stop", text, FRAMES[frame], at, known, stop),
        Step(
            "target",
            f"Nearest open {_words(found.sign)[2]} pool worth 1.5 R: {pool} {target:.{digits}f}, {reward:.2f} R.",
            FRAMES[found.pool_frame],
            found.pool_at,
            found.pool_known,
            target,
        ),
    )


def _score_step(found: s.Setup) -> Step:
    return Step(
        "confidence",
        f"{found.confidence:.2f} = 0.40 x trend {found.trend:.2f} + 0.20 x structure {found.structure:.2f}"
        f" + 0.20 x position {found.place:.2f} + 0.10 x momentum {found.momentum:.2f}"
        f" + 0.10 x volatility {found.volatility:.2f}.",
    )
