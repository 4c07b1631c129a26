"""The limits of live exposure, and the one place that judges them. Pure.

Shares are of the account's equity unless said otherwise; money is in the quote asset. What is kept for orders that
reduce risk is taken off the exchange's order limits before an entry is measured against them.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.account import OrderLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings

CONDITIONAL_MOST = 200
"""Conditional orders the exchange allows an account."""
PER_POSITION = 2
"""Stop and target."""
FOR_REDUCERS = Decimal("0.20")
"""Share of every order limit that entries leave alone."""
SLACK = Decimal("1.02")
"""A size fills its risk budget to the last step; by the time its order goes out, equity has moved a little."""
MINUTE_S = 60
ZERO = Decimal(0)


class Limits(msgspec.Struct, frozen=True):
    """What may be open and under way at once."""

    symbol_notional: Decimal = Decimal(10)
    """Notional of one symbol as a multiple of equity."""
    gross_notional: Decimal = Decimal(20)
    """Notional of everything as a multiple of equity."""
    margin: Decimal = Decimal("0.90")
    """Share of the wallet."""
    positions: int = 999
    conditional_reserve: int = 20
    """Conditional orders kept free below the exchange's limit."""
    group_risk: Decimal = Decimal("0.01")
    """Share of equity that one group of symbols moving together may lose at its stops."""
    day_loss: Decimal = Decimal("0.15")
    """Share of the day's first equity lost, if every stop were hit now."""
    per_cycle: int = 5
    per_minute: int = 60
    """Entries."""
    venue: tuple[OrderLimit, ...] = ()
    """How many orders the exchange takes per time."""

    @property
    def windows(self) -> tuple[int, ...]:
        """Return the lengths of the order windows in seconds: the desk's own minute first, then the exchange's."""
        return (MINUTE_S, *(one.interval_s for one in self.venue))

    @property
    def room(self) -> int:
        """Return how many positions there may be: no more than stops and targets have room for."""
        return max(0, min(self.positions, (CONDITIONAL_MOST - self.conditional_reserve) // PER_POSITION))


class Standing(msgspec.Struct, frozen=True):
    """How the account stands at the instant of the question."""

    equity: Decimal
    wallet: Decimal
    day_start: Decimal
    """Equity at the beginning of the UTC day."""


class Facts(NamedTuple):
    """What counts, the entry in question included."""

    symbol: str
    symbol_notional: Decimal
    gross_notional: Decimal
    margin: Decimal
    risk: Decimal
    group_risk: Decimal
    positions: int
    in_cycle: int
    sent: tuple[int, ...]
    """Entries per window of `Limits.windows`."""


class Use(NamedTuple):
    """One limit for the screen."""

    name: str
    used: Decimal
    allowed: Decimal


class Refusal(msgspec.Struct, frozen=True):
    """Which limit an entry would break. `used` counts the entry itself."""

    limit: str
    used: Decimal
    allowed: Decimal
    sentence: str


class _Line(NamedTuple):
    use: Use
    words: str
    """What it is called in a sentence."""
    setting: str
    """What the operator may change, empty where it is the exchange's."""


def limits_of(settings: Settings, venue: tuple[OrderLimit, ...] = ()) -> Limits:
    """Return the limits of a configuration at a venue."""
    own, risk = settings.limits, settings.risk
    return Limits(
        symbol_notional=Decimal(str(own.symbol_notional)),
        gross_notional=Decimal(str(own.gross_notional)),
        margin=Decimal(str(risk.margin_cap)),
        positions=settings.trading.max_positions,
        conditional_reserve=settings.orders.conditional_reserve,
        group_risk=Decimal(str(risk.risk_per_trade)),
        day_loss=Decimal(str(own.day_loss)),
        per_cycle=risk.max_orders_per_cycle,
        per_minute=own.orders_per_minute,
        venue=venue,
    )


def refuse(limits: Limits, standing: Standing, facts: Facts) -> Refusal | None:
    """Return the first limit that does not hold, None where all do. An unknown equity or wallet refuses."""
    for name, amount in (("equity", standing.equity), ("wallet", standing.wallet), ("day start", standing.day_start)):
        if not (amount.is_finite() and amount > 0):
            return Refusal(name, amount, ZERO, f"{facts.symbol}: no entry: the account's {name} is {amount}")
    for line in _lines(limits, standing, facts):
        name, used, allowed = line.use
        if used > allowed:
            advice = f" ({line.setting})" if line.setting else ""
            sentence = f"{facts.symbol}: {line.words} would be {_show(used)}, {_show(allowed)} is allowed{advice}"
            return Refusal(name, used, allowed, sentence)
    return None


def uses(limits: Limits, standing: Standing, facts: Facts) -> tuple[Use, ...]:
    """Return every limit with what is used of it; the group's belongs to an entry and is left out."""
    return tuple(line.use for line in _lines(limits, standing, facts) if line.use.name != "group risk")


def _lines(limits: Limits, standing: Standing, facts: Facts) -> Iterator[_Line]:
    equity, wallet = standing.equity, standing.wallet
    lost = max(ZERO, standing.day_start - equity)
    yield _Line(
        Use("symbol notional", facts.symbol_notional, equity * limits.symbol_notional),
        "the notional of its positions and entries", "limits.symbol_notional",
    )  # fmt: skip
    yield _Line(
        Use("gross notional", facts.gross_notional, equity * limits.gross_notional),
        "the notional of all positions and entries", "limits.gross_notional",
    )  # fmt: skip
    yield _Line(
        Use("margin", facts.margin, wallet * limits.margin),
        "the margin of all positions and entries", "risk.margin_cap",
    )  # fmt: skip
    yield _Line(
        Use("group risk", facts.group_risk, equity * limits.group_risk * SLACK),
        "the loss at the stops of what moves with it", "risk.risk_per_trade",
    )  # fmt: skip
    yield _Line(
        Use("day loss", lost + facts.risk, standing.day_start * limits.day_loss),
        "today's loss with every stop hit", "limits.day_loss",
    )  # fmt: skip
    yield _Line(
        Use("positions", Decimal(facts.positions), Decimal(limits.room)),
        "the number of positions, each with a stop and a target,", "trading.max_positions, orders.conditional_reserve",
    )  # fmt: skip
    yield _Line(
        Use("entries per cycle", Decimal(facts.in_cycle), Decimal(limits.per_cycle)),
        "the number of entries in this cycle", "risk.max_orders_per_cycle",
    )  # fmt: skip
    own, *windows = facts.sent
    yield _Line(
        Use("entries per minute", Decimal(own), Decimal(limits.per_minute)),
        "the number of entries in a minute", "limits.orders_per_minute",
    )  # fmt: skip
    for sent, one in zip(windows, limits.venue, strict=True):
        most = (one.limit * (1 - FOR_REDUCERS)).to_integral_value(ROUND_DOWN)
        yield _Line(
            Use(f"orders per {one.interval_s} s", Decimal(sent), most),
            f"the number of entries in {one.interval_s} s, a fifth being kept for exits,", "",
        )  # fmt: skip


def _show(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), ROUND_DOWN).normalize():f}"
