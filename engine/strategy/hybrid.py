"""The `hybrid` strategy: ICT proposes; the predictor and the self-learning view re-weigh or veto (section 4.3)."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Protocol

import msgspec

from engine.strategy.candidate import Candidate, NoCandidate, Step, StrategyName
from engine.strategy.costs import CostRules, break_even, costs_in_r, reward_risk_of, risk_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.strategy.reading import Reading
    from engine.strategy.views import View

PREDICTOR = "predictor"
"""Name of the model behind the Infer port."""
ICT_WEIGHT, PREDICTOR_WEIGHT = 0.6, 0.4
VETO_CONFIDENCE = 0.5
AGREEMENT_BONUS = 0.05


class Predictor(Protocol):
    """Calibrated P(win) of candidates from their feature rows."""

    def ready(self) -> str | None:
        """Return None when the predictor has a vote, else the reason why not."""

    def win_probabilities(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
        """Return [n] probabilities for [n, FEATURES] rows, or None when late, failed or not finite."""


class NoPredictor:
    """The predictor of a desk that has not learned yet."""

    def ready(self) -> str | None:
        """Return the reason; there is always one."""
        return "no trained predictor"

    def win_probabilities(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
        """Return None: there is nothing to ask."""
        del rows
        return None


class Vote(msgspec.Struct, frozen=True):
    """What the predictor says of one proposal: a probability, or why it says nothing."""

    p_win: float = float("nan")
    reason: str = "no trained predictor"

    @property
    def given(self) -> bool:
        """Say whether there is a probability."""
        return not isnan(self.p_win)


def view(ict: View, self_view: View, vote: Vote, reading: Reading, costs: CostRules) -> View:
    """Return the hybrid view of one symbol.

    Without a vote the ICT proposal stands unchanged and says so. With one: below break-even it is dropped; an opposite
    self-learning view of confidence 0.5 or more drops it; else confidence = 0.6 ICT + 0.4 P(win), and agreement of the
    self-learning view adds up to 0.05.
    """
    if isinstance(ict, NoCandidate):
        return NoCandidate(StrategyName.HYBRID, ict.symbol, ict.gate, f"ict proposes nothing: {ict.text}", ict.distance)
    if not vote.given:
        step = Step("predictor", f"Predictor not ready ({vote.reason}): the ICT proposal stands unchanged.")
        return _become(ict, ict.confidence, (step,))
    needed = break_even(reward_risk_of(ict), costs_in_r(reading, ict.direction.sign, risk_of(ict), costs))
    if vote.p_win < needed:
        return NoCandidate(
            StrategyName.HYBRID,
            ict.symbol,
            "predictor",
            f"P(win) {vote.p_win:.3f} is below the break-even probability {needed:.3f}",
            needed - vote.p_win,
        )
    blended = ICT_WEIGHT * ict.confidence + PREDICTOR_WEIGHT * vote.p_win
    text = (
        f"0.6 x ICT {ict.confidence:.2f} + 0.4 x P(win) {vote.p_win:.2f} = {blended:.2f}; break-even is {needed:.2f}."
    )
    steps = [Step("predictor", text)]
    if isinstance(self_view, Candidate):
        if self_view.direction is not ict.direction:
            if self_view.confidence >= VETO_CONFIDENCE:
                return NoCandidate(
                    StrategyName.HYBRID,
                    ict.symbol,
                    "self-learning veto",
                    f"self_learning sees {self_view.direction} with confidence {self_view.confidence:.2f}",
                    self_view.confidence - VETO_CONFIDENCE,
                )
            steps.append(
                Step("self-learning", f"Sees {self_view.direction} at {self_view.confidence:.2f}: too weak to veto.")
            )
        else:
            bonus = AGREEMENT_BONUS * self_view.confidence
            blended = min(1.0, blended + bonus)
            steps.append(Step("self-learning", f"Agrees at {self_view.confidence:.2f}: + {bonus:.3f}."))
    return _become(ict, blended, tuple(steps))


def _become(ict: Candidate, confidence: float, steps: tuple[Step, ...]) -> Candidate:
    """Return the ICT proposal under the hybrid's name with another confidence and further reasons."""
    return msgspec.structs.replace(
        ict, strategy=StrategyName.HYBRID, confidence=confidence, provenance=(*ict.provenance, *steps)
    )
