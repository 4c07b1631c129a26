"""From selected signals to entries: leverage, size, and the virtual book.

In paper trading no order leaves. The decision an order would rest on is taken and recorded all the same, for the
signals that may trade and for every virtual position.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.events import EventKind, Severity
from engine.journal.record import DecisionRecord
from engine.positions.costs import Costs, exact
from engine.positions.opening import Opening
from engine.positions.pending import PendingEntry
from engine.risk.leverage import LeverageInputs, decide_leverage
from engine.risk.size import SIZED, SizeInputs, decide_size, intended_notional, leverage_row
from engine.rules import size_limits, virtual_limits
from exchange.instrument import Bracket

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.risk.leverage import LeverageDecision
    from engine.risk.size import Size, SizeLimits
    from engine.signals.signal import Selection, Signal


DECISIONS = 50
REACH = 0.001
"""An entry price within this share of the market is taken at once instead of waited for."""
ZERO = Decimal(0)
ONE = Decimal(1)


class Entries:
    """Decides on entries of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def follow(self, selection: Selection, now: int) -> None:
        """Take the cycle's selection: record decisions, open or queue virtual positions, withdraw what has ended."""
        desk = self._desk
        standing = {signal.signal_id for signal in selection.virtual}
        desk.pending.keep(standing)
        for signal in selection.accepted:
            if signal.executable:
                self._account_decision(signal)
        if desk.halted_by or desk.chronicle.journal.failed:
            return
        desk.virtual.tick()  # what was seen before an opening must not judge the position opened
        for signal in selection.virtual:
            self._virtual(signal, now)

    def _virtual(self, signal: Signal, now: int) -> None:
        """Open at the market when the entry is reached, else let it wait like a resting limit order."""
        desk, candidate = self._desk, signal.candidate
        slot = desk.feed.slot_of(candidate.symbol)
        held = desk.book.held(candidate.strategy.value, candidate.symbol)
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
        costs = self._costs(slot)
        if candidate.direction.sign * (price - candidate.stop) <= 0:
            return
        settings = desk.settings
        limits = virtual_limits(settings.risk, settings.virtual.risk_per_position)
        decided = self._decide(signal, price, settings.virtual.start_balance, ZERO, ONE, limits, costs)
        if decided is None:
            return
        decision, size = decided
        if size.outcome != SIZED:
            return
        opening = Opening(
            strategy=candidate.strategy.value,
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

    def _account_decision(self, signal: Signal) -> None:
        """Record what the account would trade; once per set-up."""
        desk, candidate = self._desk, signal.candidate
        if any(
            row.symbol == candidate.symbol and row.strategy == candidate.strategy and row.time >= signal.time - 900_000
            for row in desk.decisions
        ):
            return
        slot = desk.feed.slot_of(candidate.symbol)
        if slot is None:
            return
        summary = desk.account.summary
        equity = summary.wallet + summary.unrealized if summary is not None else desk.settings.virtual.start_balance
        used = summary.initial_margin if summary is not None else ZERO
        factor = desk.protection.effects.size_factor
        limits = size_limits(desk.settings.risk)
        self._decide(signal, candidate.entry, equity, used, factor, limits, self._costs(slot))

    def _costs(self, slot: int) -> Costs:
        """Return taker fee, half of the present spread, and slippage."""
        spread = float(self._desk.feed.quotes.spread_bps()[slot])
        half = exact(round(max(0.0, spread) / 2e4, 8)) if spread == spread else Costs().half_spread  # noqa: PLR0124
        return Costs(half_spread=min(half, Decimal("0.05")))

    def _decide(
        self,
        signal: Signal,
        price: float,
        equity: Decimal,
        margin_used: Decimal,
        factor: Decimal,
        limits: SizeLimits,
        costs: Costs,
    ) -> tuple[LeverageDecision, Size] | None:
        """Decide leverage and size, journal both; None and a line in the log where an input cannot be used."""
        desk, candidate = self._desk, signal.candidate
        brackets = self._brackets(candidate.symbol)
        tally = desk.book.track.tally(candidate.strategy.value)
        try:
            notional = intended_notional(price, candidate.stop, candidate.direction, equity, costs, limits)
            decision = decide_leverage(
                LeverageInputs(
                    symbol=candidate.symbol,
                    strategy=candidate.strategy.value,
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
                )
            )
        except ValueError as error:
            desk.chronicle.say(EventKind.RISK, f"{candidate.symbol}: no leverage: {error}", Severity.WARNING)
            return None
        size = decide_size(
            SizeInputs(
                instrument=desk.feed.instruments[candidate.symbol],
                brackets=brackets,
                direction=candidate.direction,
                price=exact(price),
                stop=exact(candidate.stop),
                equity=equity,
                wallet=equity,
                margin_used=margin_used,
                leverage=decision.effective,
                exchange_leverage=decision.exchange_leverage,
                costs=costs,
                factor=factor,
            ),
            limits,
        )
        row = leverage_row(desk.clock.now_ms(), decision, size)
        desk.decisions.insert(0, row)
        del desk.decisions[DECISIONS:]
        desk.chronicle.record(DecisionRecord(row.time, signal.signal_id, signal.signal_id, decision=row))
        return decision, size

    def _brackets(self, symbol: str) -> tuple[Bracket, ...]:
        """Return the exchange's brackets; without a key they cannot be read and a cautious one stands in."""
        return self._desk.feed.brackets.get(symbol) or CAUTIOUS


CAUTIOUS: tuple[Bracket, ...] = (
    Bracket(floor=ZERO, cap=Decimal(50_000), max_leverage=20, mmr=Decimal("0.025"), cum=ZERO),
)
"""Where no key lets the brackets be read (they are a signed call), sizes stay below what any liquid symbol allows."""
