"""From selected signals to entries: leverage, size, and the virtual book.

In paper trading no order leaves. The decision an order would rest on is taken and recorded all the same, for the
signals that may trade and for every virtual position.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from engine.account_entries import AccountEntries
from engine.events import EventKind, Severity
from engine.journal.record import DecisionRecord
from engine.positions.costs import Costs, exact
from engine.positions.opening import Opening
from engine.positions.pending import PendingEntry
from engine.risk.leverage import LeverageDecision, LeverageInputs, decide_leverage
from engine.risk.row import VIRTUAL, Basis, leverage_row
from engine.risk.size import SIZED, Size, SizeInputs, decide_size, intended_notional, no_size
from engine.rules import virtual_limits
from engine.snapshot import LeverageRow
from exchange.instrument import Bracket

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.risk.size import SizeLimits
    from engine.signals.signal import Selection, Signal


DECISIONS = 50
REACH = 0.001
"""An entry price within this share of the market is taken at once instead of waited for."""
ZERO = Decimal(0)


class Decided(NamedTuple):
    """A leverage and size decision with its line."""

    decision: LeverageDecision
    size: Size
    row: LeverageRow


class Entries:
    """Decides on entries of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.account = AccountEntries(desk, self)

    def follow(self, selection: Selection, now: int) -> None:
        """Take the cycle's selection: record decisions, open or queue virtual positions, withdraw what has ended."""
        desk = self._desk
        standing = {signal.signal_id for signal in selection.virtual}
        desk.pending.keep(standing)
        self.account.follow(selection.accepted, standing)
        if desk.halted_by or desk.chronicle.journal.failed:
            return
        desk.virtual.tick()  # what was seen before an opening must not judge the position opened
        for signal in selection.virtual:
            self._virtual(signal, now)

    def _virtual(self, signal: Signal, now: int) -> None:
        """Open at the market when the entry is reached, else let it wait like a resting limit order."""
        desk, candidate = self._desk, signal.candidate
        slot = desk.feed.slot_of(candidate.symbol)
        held = desk.book.held(str(candidate.strategy), candidate.symbol)
        if slot is None or (held and self._same_side(held, signal)) or signal.signal_id in desk.virtual.done:
            return
        price = float(desk.feed.quotes.last[slot])
        if not price > 0:
            return
        ahead = candidate.direction.sign * (price - candidate.entry) / candidate.entry
        if ahead > REACH:
            desk.pending.offer(PendingEntry(signal, slot, now))
        else:
            self.open(signal, slot, price, now)

    def _same_side(self, position_id: str, signal: Signal) -> bool:
        state = self._desk.book.state(position_id)
        return state is not None and state.terms.direction is signal.candidate.direction

    def open(self, signal: Signal, slot: int, price: float, now: int) -> None:
        """Size a virtual position at this price and put it under watch."""
        desk, candidate = self._desk, signal.candidate
        desk.virtual.note_done(signal.signal_id)
        costs = self.costs(slot)
        if candidate.direction.sign * (price - candidate.stop) <= 0:
            return
        settings = desk.settings
        limits = virtual_limits(settings.risk, settings.virtual.risk_per_position)
        balance = settings.virtual.start_balance
        basis = Basis(VIRTUAL, signal.signal_id, balance, balance)
        decided = self.decide(signal, price, limits, costs, basis)
        if decided is None:
            return
        decision, size, _ = decided
        if size.outcome != SIZED:
            return
        opening = Opening(
            strategy=str(candidate.strategy),
            symbol=candidate.symbol,
            slot=slot,
            decimals=desk.feed.instruments[candidate.symbol].decimals,
            direction=candidate.direction,
            price=price,
            stop=candidate.stop,
            target=candidate.targets[0],
            quantity=size.quantity,
            leverage=float(decision.effective),
            exchange_leverage=decision.exchange_leverage,
            costs=costs,
            confidence=candidate.confidence,
            signal_id=signal.signal_id,
            features=signal.features,
        )
        if not desk.book.why_not(opening):
            desk.chronicle.positions(desk.book.open(opening, now))

    def costs(self, slot: int) -> Costs:
        """Return taker fee, half of the present spread, and slippage."""
        spread = self._desk.feed.quotes.spread_of(slot)
        half = exact(round(max(0.0, spread) / 2e4, 8)) if spread == spread else Costs().half_spread  # noqa: PLR0124
        return Costs(half_spread=min(half, Decimal("0.05")))

    def decide(
        self, signal: Signal, price: float, limits: SizeLimits, costs: Costs, basis: Basis, refused: str = ""
    ) -> Decided | None:
        """Decide leverage and size and journal both, the size being none where the entry is `refused` beforehand.

        None and a line in the log where an input cannot be used.
        """
        desk, candidate = self._desk, signal.candidate
        brackets = self._brackets(candidate.symbol)
        tally = desk.book.track.tally(str(candidate.strategy))
        try:
            notional = intended_notional(price, candidate.stop, candidate.direction, basis.equity, costs, limits)
            decision = decide_leverage(
                LeverageInputs(
                    symbol=candidate.symbol,
                    strategy=str(candidate.strategy),
                    direction=candidate.direction,
                    win_rate=tally.win_rate,
                    wins=tally.wins,
                    trades=tally.trades,
                    live_trades=tally.live_trades,
                    confidence=candidate.confidence,
                    entry=price,
                    stop=candidate.stop,
                    notional=notional,
                    brackets=brackets,
                    base=desk.settings.risk.base_leverage,
                    most=desk.settings.risk.max_leverage,
                )
            )
        except ValueError as error:
            desk.chronicle.say(EventKind.RISK, f"{candidate.symbol}: no leverage: {error}", Severity.WARNING)
            return None
        size = (
            no_size(refused)
            if refused
            else decide_size(
                SizeInputs(
                    instrument=desk.feed.instruments[candidate.symbol],
                    brackets=brackets,
                    direction=candidate.direction,
                    price=exact(price),
                    stop=exact(candidate.stop),
                    equity=basis.equity,
                    wallet=basis.wallet,
                    margin_used=basis.margin_used,
                    leverage=decision.effective,
                    exchange_leverage=decision.exchange_leverage,
                    costs=costs,
                    factor=basis.factor,
                    correlated_risk=basis.group_risk,
                ),
                limits,
            )
        )
        row = leverage_row(desk.clock.now_ms(), decision, size, basis)
        desk.decisions.insert(0, row)
        del desk.decisions[DECISIONS:]
        desk.chronicle.record(DecisionRecord(row.time, signal.signal_id, signal.signal_id, decision=row))
        return Decided(decision, size, row)

    def _brackets(self, symbol: str) -> tuple[Bracket, ...]:
        """Return the exchange's brackets; without a key they cannot be read and a cautious one stands in."""
        return self._desk.feed.brackets.get(symbol) or CAUTIOUS


CAUTIOUS: tuple[Bracket, ...] = (
    Bracket(floor=ZERO, cap=Decimal(50_000), max_leverage=20, mmr=Decimal("0.025"), cum=ZERO),
)
"""Where no key lets the brackets be read (they are a signed call), sizes stay below what any liquid symbol allows."""
