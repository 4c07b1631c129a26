"""From the strategies' views to ranked signals: quality, expected value, rank, balance."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.signals.balance import balanced, long_share
from engine.signals.expected import expected_r
from engine.signals.misses import miss
from engine.signals.quality import Quality, Surroundings, judge, surroundings
from engine.signals.signal import RowSource, Selection, Signal, SignalState, signal_id
from engine.strategy.candidate import Candidate, StrategyName
from engine.strategy.costs import costs_in_r, reward_risk_of, risk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.signals.expected import WinRates
    from engine.signals.rules import SignalRules
    from engine.strategy.views import SymbolViews


def select(
    views: Sequence[SymbolViews],
    mode: str,
    record: WinRates,
    rules: SignalRules,
    now_ms: int,
    ids: Callable[[Candidate], str] = signal_id,
) -> Selection:
    """Return what becomes of every candidate in this cycle; `mode` is the strategy that may trade."""
    signals = _judged(views, record, rules, now_ms, ids)
    strategies = [str(signal.candidate.strategy) for signal in signals]
    acting = [signal for signal in signals if signal.candidate.strategy == mode]
    ranked = [
        msgspec.structs.replace(signal, rank=place)
        for place, signal in enumerate(sorted((one for one in acting if one.passed), key=_order), start=1)
    ]
    worthy = [signal for signal in ranked if signal.expected_r > rules.min_expected_r]
    taken, left = balanced(worthy, _sign, rules.max_signals, rules.max_side_share)
    accepted = tuple(_accept(signal, rules) for signal in taken)
    fates = {signal.signal_id: signal for signal in accepted}
    fates |= {signal.signal_id: _left_out(signal, taken, rules) for signal in left}
    fates |= {signal.signal_id: _unworthy(signal, rules) for signal in ranked if signal.signal_id not in fates}
    final = tuple(fates.get(signal.signal_id) or _other(signal, mode) for signal in signals)
    return Selection(
        time=now_ms,
        mode=mode,
        signals=final,
        accepted=accepted,
        fallen=tuple(
            signal for signal in final if signal.candidate.strategy == mode and signal.state is SignalState.CANDIDATE
        ),
        virtual=tuple(signal for signal in final if signal.passed),
        candidates=tuple((name, strategies.count(name)) for name in _names(views)),
        long_share=long_share([_sign(signal) for signal in accepted]),
    )


def _names(views: Sequence[SymbolViews]) -> tuple[str, ...]:
    """Return the names of the strategies that were asked, the three of the desk first."""
    guests = views[0].guests if views else ()
    return (*(name.value for name in StrategyName), *(view.strategy for view in guests))


def _judged(
    views: Sequence[SymbolViews],
    record: WinRates,
    rules: SignalRules,
    now_ms: int,
    ids: Callable[[Candidate], str],
) -> list[Signal]:
    """Return every candidate with quality and worth, not yet ranked."""
    signals = []
    for view in views:
        proposals = tuple(view.candidates())
        if not proposals:
            continue
        source = RowSource(tuple(view.market.tolist()), view.facts, view.reading)
        around = surroundings(view.facts, view.reading, rules.quality)
        judged: list[_Judged] = []
        for candidate in proposals:
            alike = next((one for one in judged if _same_trade(one.candidate, candidate)), None)
            one = alike or _judge(candidate, view, around, rules)
            judged.append(one)
            p_win, p_source = _win_probability(view, candidate, record)
            signals.append(
                Signal(
                    signal_id=ids(candidate),
                    time=now_ms,
                    candidate=candidate,
                    quality=one.quality,
                    p_win=p_win,
                    p_source=p_source,
                    costs_r=one.costs_r,
                    expected_r=expected_r(p_win, one.reward_risk, one.costs_r),
                    rank=0,
                    executable=False,
                    state=SignalState.CANDIDATE,
                    reason="",
                    source=source,
                    misses=one.misses,
                )
            )
    return signals


class _Judged(NamedTuple):
    """What follows from a trade itself, whoever proposes it."""

    candidate: Candidate
    quality: Quality
    reward_risk: float
    costs_r: float
    misses: tuple[tuple[str, float], ...]


def _judge(candidate: Candidate, view: SymbolViews, around: Surroundings, rules: SignalRules) -> _Judged:
    quality = judge(candidate, view.facts, around, rules.quality)
    misses = tuple(
        (one.name, miss(one, candidate, view.facts, view.reading, rules.quality))
        for one in quality.dimensions
        if not one.passed
    )
    costs = costs_in_r(view.reading, candidate.direction.sign, risk_of(candidate), rules.costs)
    return _Judged(candidate, quality, reward_risk_of(candidate), costs, misses)


def _same_trade(one: Candidate, other: Candidate) -> bool:
    """Say whether two strategies propose the same, as `hybrid` does with the proposal of `ict` it leaves unchanged."""
    return (
        one.direction is other.direction
        and one.confidence == other.confidence
        and one.entry == other.entry
        and one.stop == other.stop
        and one.targets == other.targets
    )


def _win_probability(view: SymbolViews, candidate: Candidate, record: WinRates) -> tuple[float, str]:
    """Return P(win) and its source: a calibrated one where there is a vote, else the record of the band.

    The predictor votes on ICT proposals; a strategy from outside is ranked by its own record.
    """
    if candidate.strategy == StrategyName.SELF_LEARNING:
        if view.outlook.trained:
            outlook = view.outlook
            return (outlook.p_long if candidate.direction.sign > 0 else outlook.p_short), "trained head"
    elif candidate.strategy in (StrategyName.ICT, StrategyName.HYBRID) and not isnan(view.p_win):
        return view.p_win, "predictor"
    return record.win_rate(str(candidate.strategy), candidate.confidence), "shrunk win rate"


def _order(signal: Signal) -> tuple[float, float, str]:
    """Sort by expected value, then quality, then symbol so that equal ones keep one order."""
    return -signal.expected_r, -signal.quality.score, signal.candidate.symbol


def _sign(signal: Signal) -> int:
    return signal.candidate.direction.sign


def _accept(signal: Signal, rules: SignalRules) -> Signal:
    executable = signal.rank <= rules.execute_rank
    reason = f"rank {signal.rank}, expects {signal.expected_r:+.2f} R after costs of {signal.costs_r:.2f} R"
    return msgspec.structs.replace(signal, state=SignalState.ACCEPTED, executable=executable, reason=reason)


def _left_out(signal: Signal, taken: Sequence[Signal], rules: SignalRules) -> Signal:
    """Give the reason of a worthy candidate that was not accepted: the number, or balance where a worse one was."""
    if any(other.rank > signal.rank for other in taken) or len(taken) < rules.max_signals:
        side, share = signal.candidate.direction, 100.0 * rules.max_side_share
        reason = f"balance: {side} may take {share:.0f} % of the accepted signals while the other side has candidates"
        return msgspec.structs.replace(signal, reason=reason, gate="balance", distance=1.0)
    reason = f"rank {signal.rank}: {rules.max_signals} signals are accepted per cycle"
    return msgspec.structs.replace(signal, reason=reason, gate="rank", distance=float(signal.rank - len(taken)))


def _unworthy(signal: Signal, rules: SignalRules) -> Signal:
    reason = f"expects {signal.expected_r:+.2f} R after costs, more than {rules.min_expected_r:+.2f} R is asked"
    short = rules.min_expected_r - signal.expected_r
    return msgspec.structs.replace(signal, reason=reason, gate="expected value", distance=short)


def _other(signal: Signal, mode: str) -> Signal:
    """Give the reason of a candidate that never came to be ranked."""
    dropped = signal.quality.dropped_by
    if dropped is not None:
        missed = dict(signal.misses)[dropped.name]
        reason = f"{dropped.name}: {dropped.text}"
        return msgspec.structs.replace(signal, reason=reason, gate=dropped.name, distance=missed)
    reason = f"trades virtually: {mode} is the acting strategy"
    return msgspec.structs.replace(signal, reason=reason, gate="acting strategy")
