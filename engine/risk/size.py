"""How large a position becomes: the smallest of four limits, rounded down to what the exchange accepts.

Specification section 6.2, all in Decimal. The account protection's factor shrinks what the limits allow; a quantity
that thereby falls below the exchange's minimum is raised to it only if risk, margin and notional still fit their full
limits. Otherwise there is no trade and the reason says which number stood in the way.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal

import msgspec

from engine.positions.costs import Costs, exact, fill_price, unit_loss
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket, Instrument

SIZED = "sized"
ZERO = Decimal(0)
HUNDRED = Decimal(100)


class SizeLimits(msgspec.Struct, frozen=True):
    """Settings of specification section 6.2, in percent."""

    risk_percent: Decimal = Decimal(1)
    """Of equity, lost at the stop with fees and slippage."""
    margin_percent: Decimal = Decimal(90)
    """Of the wallet, margin of all positions together."""
    margin_warn_percent: Decimal = Decimal(80)
    notional_percent: Decimal = Decimal(50)
    """Of equity x leverage, notional of one position."""


class SizeInputs(msgspec.Struct, frozen=True):
    """Account, market and rules a size rests on. Prices are market prices before spread and slippage."""

    instrument: Instrument
    brackets: tuple[Bracket, ...]
    direction: Direction
    price: Decimal
    stop: Decimal
    equity: Decimal
    wallet: Decimal
    margin_used: Decimal
    leverage: Decimal
    """Effective leverage: below 1 it shrinks the notional."""
    exchange_leverage: int
    costs: Costs
    factor: Decimal = Decimal(1)
    """Size factor of the account protection, in (0, 1]."""
    correlated_risk: Decimal = ZERO
    """USDT already at risk on the same side in symbols that move with this one: they share one budget."""


class Size(msgspec.Struct, frozen=True):
    """A quantity, or 0 and the reason."""

    quantity: Decimal
    notional: Decimal
    """Quantity x market price."""
    margin: Decimal
    risk: Decimal
    """USDT lost at the stop, costs included."""
    risk_percent: float
    """Of equity."""
    binding: str
    """The limit that decided: `risk`, `margin`, `notional`, `bracket`, `maximum quantity` or `minimum`."""
    outcome: str
    """`sized`, or the reason why there is no trade."""
    warning: str = ""
    limits: tuple[tuple[str, Decimal], ...] = ()
    """(limit, largest quantity it allows) of every limit, before the protection's factor."""


def decide_size(inputs: SizeInputs, limits: SizeLimits | None = None) -> Size:
    """Decide the quantity of a market entry."""
    limits = limits or SizeLimits()
    refused = _fault(inputs)
    if refused:
        return no_size(refused)
    loss = unit_loss(inputs.price, inputs.stop, inputs.direction.sign, inputs.costs)
    allowed = _allowances(inputs, limits, loss)
    binding, most = min(allowed, key=lambda item: item[1])
    if most <= 0:
        return no_size(f"no room left under the limit of {binding}", binding, allowed)
    quantity = _stepped(most * inputs.factor, inputs.instrument, ROUND_DOWN)
    least = _minimum(inputs)
    if quantity < least:
        blocking = next((name for name, value in allowed if least > value), "")
        if blocking:
            room = dict(allowed)[blocking]
            reason = f"the smallest order {least:f} exceeds the limit of {blocking} ({room.normalize():f})"
            return no_size(reason, blocking, allowed)
        quantity, binding = least, "minimum"
    return _sized(inputs, limits, quantity, loss, binding, allowed)


def _allowances(inputs: SizeInputs, limits: SizeLimits, loss: Decimal) -> tuple[tuple[str, Decimal], ...]:
    """Return (limit, largest quantity) of every limit, before the protection's factor."""
    rules, price = inputs.instrument, inputs.price
    fill = max(price, fill_price(price, inputs.direction.sign, inputs.costs))
    budget = inputs.equity * limits.risk_percent / HUNDRED - inputs.correlated_risk
    room = inputs.wallet * limits.margin_percent / HUNDRED - inputs.margin_used
    largest = inputs.equity * limits.notional_percent / HUNDRED * inputs.leverage
    caps = [bracket.cap for bracket in inputs.brackets if bracket.max_leverage >= inputs.exchange_leverage]
    return (
        ("risk", budget / loss),
        ("margin", room * inputs.exchange_leverage / fill),
        ("notional", largest / fill),
        ("bracket", max(caps, default=ZERO) / fill),
        ("maximum quantity", min(rules.lot.maximum, rules.market_lot.maximum)),
    )


def _sized(
    inputs: SizeInputs,
    limits: SizeLimits,
    quantity: Decimal,
    loss: Decimal,
    binding: str,
    allowed: tuple[tuple[str, Decimal], ...],
) -> Size:
    notional, risk = quantity * inputs.price, quantity * loss
    margin = notional / inputs.exchange_leverage
    used = (inputs.margin_used + margin) * HUNDRED / inputs.wallet
    warning = f"margin in use reaches {used:.1f} % of the wallet" if used >= limits.margin_warn_percent else ""
    percent = float(risk * HUNDRED / inputs.equity)
    return Size(quantity, notional, margin, risk, percent, binding, SIZED, warning, allowed)


def no_size(reason: str, binding: str = "", limits: tuple[tuple[str, Decimal], ...] = ()) -> Size:
    """Return the size of what does not become a trade."""
    return Size(ZERO, ZERO, ZERO, ZERO, 0.0, binding, reason, limits=limits)


def _stepped(quantity: Decimal, rules: Instrument, rounding: str) -> Decimal:
    """Round to a multiple of the coarser of the two steps a market order must obey."""
    step = max(rules.lot.step, rules.market_lot.step)
    return (quantity / step).to_integral_value(rounding) * step if step > 0 else quantity


def _minimum(inputs: SizeInputs) -> Decimal:
    """Return the smallest quantity the exchange accepts for a market order at this price."""
    rules = inputs.instrument
    least = max(rules.lot.minimum, rules.market_lot.minimum, rules.min_notional / inputs.price)
    return _stepped(least, rules, ROUND_UP)


def _fault(inputs: SizeInputs) -> str:
    """Return which input is no usable number, empty when all are."""
    positive = {
        "price": inputs.price,
        "stop": inputs.stop,
        "equity": inputs.equity,
        "wallet": inputs.wallet,
        "leverage": inputs.leverage,
        "exchange leverage": Decimal(inputs.exchange_leverage),
        "size factor": inputs.factor,
    }
    for name, value in positive.items():
        if not (value.is_finite() and value > 0):
            return f"{name} {value} is not positive"
    if not (inputs.margin_used.is_finite() and inputs.correlated_risk.is_finite()):
        return "margin in use or correlated risk is unknown"
    if not inputs.direction.sign * (inputs.price - inputs.stop) > 0:
        return f"the stop {inputs.stop:f} is not behind the price {inputs.price:f}"
    return ""


def intended_notional(
    price: float, stop: float, direction: Direction, equity: Decimal, costs: Costs, limits: SizeLimits | None = None
) -> Decimal:
    """Return the notional the risk budget alone would allow: what the leverage decision picks its bracket by."""
    loss = unit_loss(exact(price), exact(stop), direction.sign, costs)
    budget = equity * (limits or SizeLimits()).risk_percent / HUNDRED
    return budget / loss * exact(price)
