"""Every gate that can stop a symbol, what it asks for, and the unit its distance is told in.

One table for the screen, the journal and the command line: a stored gate is a name and a number, and says the same in
each of them.
"""

from __future__ import annotations

from typing import NamedTuple


class Gate(NamedTuple):
    """What a gate asks for."""

    asks: str
    """The condition, as a sentence without its full stop."""
    unit: str
    """Unit of the distance by which it was missed, empty where the gate waits for an event."""


DATA = "data"
"""The symbol is not ready: no strategy was asked."""

NEXT = "next cycle"

GATES: dict[str, Gate] = {
    DATA: Gate("complete, fresh candles and prices", ""),
    NEXT: Gate("the next live cycle: the symbol is ready and has not been judged yet", ""),
    "warm-up": Gate("enough closed bars for every indicator", "bars"),
    "flat market": Gate("a price and a volume that move", ""),
    "bias": Gate("a 1h structure with a direction: a close beyond its last swing", "ATR of 1h"),
    "dealing range": Gate("a confirmed swing low and high that span a dealing range", ""),
    "discount": Gate("an entry in the cheap half of the dealing range (for a short: the dear one)", "of the range"),
    "sweep": Gate("liquidity on the far side swept on 5m or 15m", "ATR of 15m to the nearest such pool"),
    "structure shift": Gate("a change of character after the sweep", "ATR of 5m to the swing that must break"),
    "displacement": Gate("a displacement body of at least 1.5 ATR in the leg", "ATR of body"),
    "sweep failed": Gate("price that stays on the right side of the sweep's extreme", "ATR of 5m beyond it"),
    "entry zone": Gate("a fair value gap or an order block left by the leg", ""),
    "target": Gate("an open opposing pool worth at least 1.5 R", "R"),
    "expired": Gate("an entry within three closed 5m bars", "bars too late"),
    "moved away": Gate("price within half an R of entry and reference", "R beyond that"),
    "opposite CHoCH": Gate("no change of character against the set-up", ""),
    "target reached": Gate("an entry before the target is reached", "R past the target"),
    "break-even": Gate("P(win) at or above break-even after costs, and the margin", "probability"),
    "predictor": Gate("P(win) of the predictor at or above break-even after costs", "probability"),
    "self-learning veto": Gate("no opposite self-learning view of confidence 0.5 or more", "confidence above 0.5"),
    "confidence": Gate("the wanted confidence", "confidence"),
    "reward_risk": Gate("R:R within its limits", "R"),
    "regime": Gate("a market that suits the direction", "of fit"),
    "atr": Gate("1h ATR within its limits", "% of price"),
    "volume_rank": Gate("a symbol that is traded enough", "ranks"),
    "funding": Gate("a funding rate within its limit", "% per payment"),
    "spread": Gate("a spread within its limit", "bp"),
    "completeness": Gate("enough of the wanted bars", "% of the bars"),
    "reversal": Gate("a reversal risk within its limit", "of risk"),
    "expected value": Gate("an expected value above the asked one, after costs", "R"),
    "balance": Gate("room on its side while the other side has candidates", "signal"),
    "rank": Gate("a rank among the accepted signals of a cycle", "ranks"),
    "acting strategy": Gate("to be of the acting strategy; this one trades virtually", ""),
    "plugin fault": Gate("a sound answer of the strategy from outside", ""),
    "switched off": Gate("a strategy from outside that did not fail three times", ""),
    "absent": Gate("a strategy that takes part", ""),
}


def told(gate: str, distance: float) -> str:
    """Return a gate and the distance by which it was missed as one line, for a gate of a guest as far as known."""
    known = GATES.get(gate)
    if known is None:
        return f"{gate}, {distance:.4g} away" if distance else gate
    if not known.unit:
        return f"{gate}: asked is {known.asks}"
    return f"{gate}, missed by {distance:.4g} {known.unit}: asked is {known.asks}"
