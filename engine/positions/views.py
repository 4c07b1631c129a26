"""Rows for the screen, drawn from the columns of the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.positions.columns import FREE
from engine.snapshot import ClosedRow, Standing, VirtualRow
from engine.strategy.candidate import StrategyName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.positions.columns import Columns
    from engine.positions.costs import Settlement
    from engine.positions.held import Held
    from engine.positions.ledger import Ledger
    from engine.positions.lifecycle import EventName
    from engine.positions.track import TrackRecord


def virtual_rows(c: Columns, used: int, held: Sequence[Held | None], limit: int) -> tuple[VirtualRow, ...]:
    """Return at most `limit` open positions at their newest price, the one nearest to a level first."""
    rows = np.nonzero(c.slot[:used] != FREE)[0]
    price, entry = c.price[rows], c.entry[rows]
    to_target = np.clip((price - entry) / (c.target[rows] - entry), 0.0, 1.0)
    to_stop = np.clip((price - entry) / (c.stop[rows] - entry), 0.0, 1.0)
    # Stable, so that positions of equal urgency keep their place on the screen.
    order = np.argsort(-np.maximum(to_target, to_stop), kind="stable")[:limit]
    rows, price = rows[order], price[order]
    percent = c.slope[rows] * price + c.offset[rows]
    columns = zip(
        rows.tolist(),
        price.tolist(),
        percent.tolist(),
        (percent * c.r_per_percent[rows]).tolist(),
        np.maximum(percent, c.best[rows]).tolist(),
        np.minimum(percent, c.worst[rows]).tolist(),
        to_target[order].tolist(),
        to_stop[order].tolist(),
        c.eta[rows].tolist(),
        (c.tier[rows] / 1000.0).tolist(),
        strict=True,
    )
    found = []
    for row, at, pnl, r, best, worst, tp, sl, eta, tier in columns:
        position = held[row]
        assert position is not None
        terms = position.terms
        found.append(
            VirtualRow(
                position.position_id,
                position.symbol,
                terms.decimals,
                position.strategy,
                terms.direction.value,
                terms.entry,
                terms.stop,
                terms.target,
                at,
                pnl,
                r,
                best,
                worst,
                tp,
                sl,
                eta,
                terms.leverage,
                terms.opened_ms,
                tier,
                position.last_event.value,
                position.last_event_ms,
            )
        )
    return tuple(found)


def closed_row(held: Held, settlement: Settlement, cause: EventName, reason: str, closed_ms: int) -> ClosedRow:
    """Return the row of an ended position."""
    return ClosedRow(
        held.position_id,
        held.symbol,
        held.strategy,
        held.terms.direction.value,
        settlement.percent,
        settlement.r,
        cause.value,
        reason,
        closed_ms,
    )


def standings(ledger: Ledger, track: TrackRecord, running: Mapping[str, float]) -> tuple[Standing, ...]:
    """Return one line per strategy, the three of the desk first."""
    names = [name.value for name in StrategyName]
    names += sorted(name for name in ledger.accounts if name not in names)
    found = []
    for name in names:
        account = ledger.account(name)
        found.append(
            Standing(
                name,
                account.open,
                account.closed,
                account.wins,
                account.losses,
                account.total_r / account.closed if account.closed else 0.0,
                account.total_r,
                track.tally(name).win_rate,
                float(ledger.start + account.closed_net) + running.get(name, 0.0),
            )
        )
    return tuple(found)
