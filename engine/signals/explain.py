"""The answer to "why?": one card per strategy with its candidate and all scores, or the gate that stopped it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.signals.gates import DATA, NEXT, told
from engine.snapshot import StepRow, StrategyCard
from engine.strategy.candidate import NoCandidate
from engine.strategy.costs import reward_risk_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.signals.signal import Selection, Signal
    from engine.strategy.candidate import Candidate
    from engine.strategy.views import SymbolViews

VOTES = {1: "^", -1: "v"}
_NAN = float("nan")


def cards(views: SymbolViews, selection: Selection | None) -> tuple[StrategyCard, ...]:
    """Return a card per strategy of a symbol in the order ict, self_learning, hybrid, then those from outside."""
    result = []
    for view in views.all():
        if isinstance(view, NoCandidate):
            result.append(_gate_card(view))
        else:
            signal = selection.signal_of(view.strategy, views.reading.symbol) if selection else None
            result.append(_candidate_card(view, signal))
    return tuple(result)


def votes(views: SymbolViews) -> str:
    """Return one character per strategy in the order ict, self_learning, hybrid: `^`, `v` or `.`."""
    return "".join(
        "." if isinstance(view, NoCandidate) else VOTES[view.direction.sign]
        for view in (views.ict, views.self_learning, views.hybrid)
    )


def _gate_card(view: NoCandidate) -> StrategyCard:
    return StrategyCard(
        strategy=str(view.strategy),
        direction="",
        pattern="",
        state="none",
        reason=f"{view.gate}: {view.text}",
        entry=_NAN,
        stop=_NAN,
        targets=(),
        reward_risk=_NAN,
        confidence=0.0,
        expected_r=_NAN,
        sub_scores=(),
        quality=(),
        provenance=(),
        gate=view.gate,
        distance=view.distance,
        asked=told(view.gate, view.distance),
    )


def _candidate_card(view: Candidate, signal: Signal | None) -> StrategyCard:
    return StrategyCard(
        strategy=str(view.strategy),
        direction=str(view.direction),
        pattern=view.pattern,
        state=str(signal.state) if signal else "candidate",
        reason=signal.reason if signal else "not judged yet",
        entry=view.entry,
        stop=view.stop,
        targets=view.targets,
        reward_risk=reward_risk_of(view),
        confidence=view.confidence,
        expected_r=signal.expected_r if signal else _NAN,
        sub_scores=tuple(view.sub_scores.items()),
        quality=tuple((d.name, d.value, d.passed) for d in signal.quality.dimensions) if signal else (),
        provenance=tuple(
            StepRow(step.step, step.text, step.frame, step.at, step.known, step.level) for step in view.provenance
        ),
        gate=signal.gate if signal else "",
        distance=signal.distance if signal else 0.0,
        asked=told(signal.gate, signal.distance) if signal and signal.gate else "",
        expires=view.expires,
    )


def waiting_cards(names: Sequence[str], reason: str) -> tuple[StrategyCard, ...]:
    """Return the cards of a symbol no strategy was asked about: the reason it is not ready, or the next cycle."""
    gate, text = (DATA, reason) if reason else (NEXT, "ready now, not judged yet")
    gates = (NoCandidate(name, "", gate, text) for name in names)
    return tuple(_gate_card(gate) for gate in gates)
