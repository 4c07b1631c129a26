"""What the account would trade: admission, correlation budget, leverage and size of the signals that may trade.

On paper no order leaves. The decision an order would rest on is taken and recorded all the same, and binds the next
one through the paper account.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.events import EventKind, Severity
from engine.risk.admission import Situation, why_not
from engine.risk.correlation import WINDOW, Closes, group_of
from engine.risk.paper import Exposure, PaperAccount, intent_of
from engine.risk.row import ACCOUNT, Basis
from engine.rules import admission_limits, size_limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.desk import Desk
    from engine.entries import Entries
    from engine.signals.signal import Signal

AGAIN_MS = 900_000
"""A set-up that still stands is decided on anew after 15 minutes."""
ZERO = Decimal(0)


class AccountEntries:
    """Decides for the account of one desk."""

    def __init__(self, desk: Desk, entries: Entries) -> None:
        self._desk = desk
        self._entries = entries
        self._decided: dict[str, int] = {}
        self.paper = PaperAccount()

    def follow(self, signals: Collection[Signal], standing: Collection[str]) -> None:
        """Decide on the cycle's executable signals in order of rank; `standing` are the signals that stand."""
        self._desk.pass_time()
        self.paper.stand(standing)
        taken = 0
        for signal in signals:
            if signal.executable and not self._known(signal):
                taken += self._decide(signal, taken)

    def _known(self, signal: Signal) -> bool:
        before = self._decided.get(signal.signal_id)
        return self.paper.trades(signal.signal_id) or (before is not None and before > signal.time - AGAIN_MS)

    def equity(self) -> Decimal | None:
        """Return the account's equity with what paper trades made, None while it could not be read."""
        desk = self._desk
        if not desk.has_key:
            return desk.settings.virtual.start_balance + self.paper.realised
        summary = desk.account.summary
        return None if summary is None else summary.wallet + summary.unrealized + self.paper.realised

    def _decide(self, signal: Signal, taken: int) -> bool:
        """Decide on one signal and record it; return whether an entry would follow."""
        desk, candidate = self._desk, signal.candidate
        slot = desk.feed.slot_of(candidate.symbol)
        if slot is None:
            return False
        summary = desk.account.summary
        known = self.equity()
        equity = known if known is not None else desk.settings.virtual.start_balance
        wallet = equity if summary is None else summary.wallet + self.paper.realised
        carried = [*self.paper.exposures(signal.signal_id), *self._real()]
        group, group_risk = self._shared(candidate.symbol, candidate.direction.sign, carried)
        margin = sum((one.margin for one in self.paper.exposures(signal.signal_id)), ZERO)
        protection = desk.protection
        situation = Situation(self._halted(), len(carried), taken)
        refused = why_not(candidate.confidence, situation, protection, admission_limits(desk.settings))
        basis = Basis(
            ACCOUNT,
            signal.signal_id,
            equity,
            wallet,
            margin + (summary.initial_margin if summary is not None else ZERO),
            protection.effects.size_factor,
            protection.level.name,
            group,
            group_risk,
        )
        limits = size_limits(desk.settings.risk)
        decided = self._entries.decide(signal, candidate.entry, limits, self._entries.costs(slot), basis, refused)
        if decided is None:
            return False
        row = decided.row
        if refused and taken >= desk.settings.risk.max_orders_per_cycle:
            return False  # asked again next cycle, which counts anew
        self._note(signal)
        if row.warning:
            desk.chronicle.say(EventKind.RISK, f"{candidate.symbol}: {row.warning}", Severity.WARNING, candidate.symbol)
        intent = intent_of(row)
        if intent is not None:
            self.paper.intend(intent)
        return intent is not None

    def _note(self, signal: Signal) -> None:
        self._decided = {name: time for name, time in self._decided.items() if time > signal.time - AGAIN_MS}
        self._decided[signal.signal_id] = signal.time

    def _halted(self) -> str:
        desk = self._desk
        if desk.halted_by:
            return f"by {desk.halted_by}"
        return (
            f"the journal cannot be written ({desk.chronicle.journal.failed})" if desk.chronicle.journal.failed else ""
        )

    def _real(self) -> list[Exposure]:
        """Return the exchange's positions; the desk does not know their stops, so their margin counts as their risk.

        Their margin is in the account's initial margin already.
        """
        return [
            Exposure(one.symbol, 1 if one.quantity > 0 else -1, one.initial_margin, ZERO)
            for one in self._desk.account.positions
        ]

    def _shared(self, symbol: str, sign: int, carried: list[Exposure]) -> tuple[tuple[str, ...], Decimal]:
        """Return the symbols that share the budget of this side, and what they take of it in USDT."""
        same = [one for one in carried if one.sign == sign]
        names = {one.symbol for one in same}
        if not names:
            return (), ZERO
        tape = self._desk.feed.tape
        closes = {}
        for name in names | {symbol}:
            if tape.slot_of(name) is not None:
                bars = tape.candles(name, "5m", WINDOW + 1)
                closes[name] = Closes(bars.open_time, bars.close)
        group = group_of(symbol, names, closes, self._desk.settings.risk.correlation)
        return group, sum((one.risk for one in same if one.symbol in group), ZERO)
