"""How much leverage a trade gets: a formula of win rate and confidence under caps, every number recorded.

Specification section 6.1: raw = base x max(0, 1 + 11 (w - 0.55) / 0.15) x (c / 0.5), clamped to [0.1, cap].
Leverage is a ratio, not money: float64. The caps that rest on money come from Decimal arithmetic.
"""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec

from engine.positions.costs import exact
from engine.risk.liquidation import bracket_of, leverage_for_stop
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket

FLOOR = 0.1
MAXIMUM = 125.0
FEW_TRADES = ((15, 2.0), (35, 3.0), (50, 4.0))
"""(closed live trades up to, cap). No live trade yet counts as few."""

FORMULA = "formula"
"""Binding name when no cap and no bound decided."""
LOWER_BOUND = "floor"


class LeverageInputs(msgspec.Struct, frozen=True):
    """Everything the decision rests on."""

    symbol: str
    strategy: str
    direction: Direction
    win_rate: float
    """Shrunk, of the strategy's last 30 closed trades."""
    wins: int
    trades: int
    live_trades: int
    """Closed live trades of the strategy."""
    confidence: float
    entry: float
    stop: float
    notional: Decimal
    """Intended notional in USDT; picks the bracket."""
    brackets: tuple[Bracket, ...]
    base: float = 1.0
    most: float = MAXIMUM
    """The operator's own cap, at most 125."""


class LeverageDecision(msgspec.Struct, frozen=True):
    """The result with everything it rests on."""

    inputs: LeverageInputs
    raw: float
    caps: tuple[tuple[str, float], ...]
    """(name, value) of every cap; infinite where a cap does not bind at any leverage."""
    binding: str
    """The cap that decided, `floor` when the lower bound did, else `formula`."""
    leverage: float
    exchange_leverage: int
    """What is set at the exchange: an integer of at least 1."""

    @property
    def effective(self) -> Decimal:
        """Return the leverage sizes are reckoned with: a fraction below 1 shrinks the notional instead."""
        return exact(self.leverage) if self.leverage < 1 else Decimal(self.exchange_leverage)


def raw_leverage(win_rate: float, confidence: float, base: float = 1.0) -> float:
    """Return the formula's value before any bound, to nine places: a win rate of 0.70 gives 12, not 11.999...95."""
    return round(base * max(0.0, 1.0 + 11.0 * (win_rate - 0.55) / 0.15) * (confidence / 0.5), 9)


def few_trades_cap(live_trades: int) -> float:
    """Return the cap for a strategy with few closed live trades, infinite above 50."""
    return next((cap for limit, cap in FEW_TRADES if live_trades <= limit), math.inf)


def decide_leverage(inputs: LeverageInputs) -> LeverageDecision:
    """Decide. Raises ValueError naming the input that is no usable number, or when no brackets are known."""
    _check(inputs)
    entry, stop, sign = exact(inputs.entry), exact(inputs.stop), inputs.direction.sign
    for_stop = leverage_for_stop(sign, inputs.notional, entry, stop, inputs.brackets)
    caps = (
        ("maximum", min(MAXIMUM, inputs.most)),
        ("bracket", float(bracket_of(inputs.brackets, inputs.notional).max_leverage)),
        ("few trades", few_trades_cap(inputs.live_trades)),
        ("liquidation", math.inf if for_stop is None else float(for_stop)),
    )
    name, cap = min(caps, key=lambda item: item[1])
    raw = raw_leverage(inputs.win_rate, inputs.confidence, inputs.base)
    leverage, binding = raw, FORMULA
    if leverage < FLOOR:
        leverage, binding = FLOOR, LOWER_BOUND
    if leverage > cap:
        leverage, binding = cap, name
    return LeverageDecision(inputs, raw, caps, binding, leverage, max(1, math.floor(leverage)))


def _check(inputs: LeverageInputs) -> None:
    numbers = {
        "win_rate": (inputs.win_rate, 0.0, 1.0),
        "confidence": (inputs.confidence, 0.0, 1.0),
        "base": (inputs.base, 0.0, MAXIMUM),
        "most": (inputs.most, 1.0, math.inf),
    }
    for name, (value, low, high) in numbers.items():
        if not low <= value <= high:
            raise ValueError(f"leverage input {name} = {value} is outside [{low}, {high}]")
    if not (inputs.notional.is_finite() and inputs.notional > 0):
        raise ValueError(f"leverage input notional = {inputs.notional} is not positive")
    if not (0 < inputs.entry < math.inf and 0 < inputs.stop < math.inf):
        raise ValueError(f"leverage inputs entry = {inputs.entry} and stop = {inputs.stop} must be positive prices")
    if not inputs.direction.sign * (inputs.entry - inputs.stop) > 0:
        raise ValueError(f"stop {inputs.stop} is not behind the {inputs.direction.value} entry {inputs.entry}")
