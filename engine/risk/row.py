"""A leverage and size decision as the line that is shown and journaled, with everything it rested on."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.snapshot import LeverageRow

if TYPE_CHECKING:
    from engine.risk.leverage import LeverageDecision
    from engine.risk.size import Size

ACCOUNT, VIRTUAL = "account", "virtual"
ZERO = Decimal(0)


class Basis(msgspec.Struct, frozen=True):
    """For whom a decision was taken, and how things stood."""

    purpose: str
    signal_id: str
    equity: Decimal
    wallet: Decimal
    margin_used: Decimal = ZERO
    factor: Decimal = Decimal(1)
    protection: str = ""
    group: tuple[str, ...] = ()
    group_risk: Decimal = ZERO


def leverage_row(time: int, decision: LeverageDecision, size: Size, basis: Basis) -> LeverageRow:
    """Return the line of the leverage panel and the journal; `time` in UTC ms."""
    inputs = decision.inputs
    return LeverageRow(
        time,
        inputs.symbol,
        inputs.strategy,
        inputs.direction.value,
        inputs.base,
        inputs.win_rate,
        inputs.confidence,
        inputs.wins,
        inputs.trades,
        decision.raw,
        decision.caps,
        decision.binding,
        decision.leverage,
        decision.exchange_leverage,
        float(size.notional),
        float(size.margin),
        float(size.quantity),
        size.risk_percent,
        size.outcome,
        purpose=basis.purpose,
        signal_id=basis.signal_id,
        entry=inputs.entry,
        stop=inputs.stop,
        live_trades=inputs.live_trades,
        intended=float(inputs.notional),
        equity=float(basis.equity),
        margin_used=float(basis.margin_used),
        risk=float(size.risk),
        limits=tuple((name, float(most)) for name, most in size.limits),
        size_binding=size.binding,
        factor=float(basis.factor),
        protection=basis.protection,
        group=basis.group,
        group_risk=float(basis.group_risk),
        warning=size.warning,
    )
