"""An example strategy: the close of 1h outside the channel of the 20 bars before it, at the market.

Stop 1.5 and target 3.0 ATR14 of 1h away. Every number is computed in logarithms and with a sign, so that mirrored
prices give the mirrored candidate. It shows the protocol; nobody has shown that it earns anything.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

from engine.strategy.candidate import Direction, Step

if TYPE_CHECKING:
    from engine.strategy.candidate import Candidate, NoCandidate
    from engine.strategy.plugin import SymbolMarket

BARS = 20
STOP_ATR, TARGET_ATR = 1.5, 3.0
FULL = 1.0
"""ATR beyond the channel at which the breakout counts as full strength."""
HOUR_MS = 3_600_000


class ChannelBreakout:
    """One object serves every symbol; it keeps nothing between calls."""

    api = 1

    def view(self, market: SymbolMarket) -> Candidate | NoCandidate:
        """Return a market entry in the direction of a breakout, else how far price is from one."""
        bars = market.bars("1h", BARS + 1)
        if len(bars) <= BARS:
            return market.nothing("history", f"{BARS + 1} closed 1h bars are wanted", BARS + 1 - len(bars))
        before, last = bars[:-1], bars[-1]
        atr = market.facts.atr
        above = (log(last["c"]) - log(before["h"].max())) / atr
        below = (log(before["l"].min()) - log(last["c"])) / atr
        sign, beyond = (1, above) if above >= below else (-1, below)
        side = Direction.LONG if sign > 0 else Direction.SHORT
        if beyond <= 0.0:
            return market.nothing(
                "channel", f"1h closed inside its channel, {-beyond:.2f} ATR short of a {side}", -beyond
            )
        strength = min(1.0, beyond / FULL)
        trend = 0.5 + 0.5 * max(-1.0, min(1.0, sign * market.feature("trend_1h") / 2.0))
        price, hour = market.reading.price, market.facts.hour_ms
        edge = before["h"].max() if sign > 0 else before["l"].min()
        where = market.reading.decimals
        return market.propose(
            side,
            stop=price * exp(-sign * STOP_ATR * atr),
            targets=[price * exp(sign * TARGET_ATR * atr)],
            confidence=0.5 * strength + 0.5 * trend,
            sub_scores={"strength": strength, "trend": trend},
            pattern="channel breakout",
            anchor=hour,
            expires=hour + HOUR_MS,
            reasons=[
                Step(
                    "breakout",
                    f"1h closed {beyond:.2f} ATR beyond the {BARS}-bar channel at {edge:.{where}f}.",
                    "1h",
                    hour - HOUR_MS,
                    hour,
                    float(edge),
                ),
                Step("levels", f"Stop {STOP_ATR} and target {TARGET_ATR} ATR14 of 1h ({100 * atr:.2f} %) away.", "1h"),
                Step("confidence", f"Half of strength {strength:.2f}, half of trend {trend:.2f}."),
            ],
        )
