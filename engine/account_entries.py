"""What the account would trade: admission, correlation budget, leverage and size of the signals that may trade.

On paper no order leaves. The decision an order would rest on is taken and recorded all the same, and binds the next
one through the paper account.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

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


class _Before(NamedTuple):
    """When a signal was decided on, and whether the account took no entry then."""

    time: int
    refused: bool


class AccountEntries:
    """Decides for the account of one desk."""

    def __init__(self, desk: Desk, entries: Entries) -> None:
        self._desk = desk
        self._entries = entries
        self._decided: dict[str, _Before] = {}
        self.paper = PaperAccount()

    def follow(self, signals: Collection[Signal], standing: Collection[str]) -> None:
        """Decide on the cycle's executable signals in order of rank; `standing` are the signals that stand."""
        self._desk.pass_time()
        if self._desk.orders is not None:
            self._desk.orders.begin_cycle()
        self.paper.stand(standing)
        taken = 0
        for signal in signals:
            if signal.executable and not self._trades(signal.signal_id):
                refused = self._refusal(signal, taken)
                if not self._decided_lately(signal, refused):
                    taken += self._decide(signal, refused)

    def _trades(self, signal_id: str) -> bool:
        orders = self._desk.orders
        return self.paper.trades(signal_id) if orders is None else orders.trades(signal_id)

    def _carried(self, besides: str) -> list[Exposure]:
        """Return what the account carries besides a signal: on paper what it would, live what it does."""
        orders = self._desk.orders
        if orders is not None:
            return orders.exposures(besides)
        return [*self.paper.exposures(besides), *self._real()]

    def _decided_lately(self, signal: Signal, refused: str) -> bool:
        """Return whether there is nothing new to decide; an entry that was refused and no longer is, is new."""
        before = self._decided.get(signal.signal_id)
        return before is not None and before.time > signal.time - AGAIN_MS and not (before.refused and not refused)

    def _refusal(self, signal: Signal, taken: int) -> str:
        """Return why the account takes no entry now, whatever its size; empty when it does."""
        desk = self._desk
        if self.equity() is None:
            return "the account could not be read yet, so its equity is unknown"
        if desk.orders is not None:
            off = desk.orders.why_no_entry(signal.candidate.symbol)
            if off:
                return off
        held = len(self._carried(signal.signal_id))
        situation = Situation(self._halted(), held, taken)
        return why_not(signal.candidate.confidence, situation, desk.protection, admission_limits(desk.settings))

    def equity(self) -> Decimal | None:
        """Return the account's equity with what paper trades made, None while it could not be read."""
        desk = self._desk
        if not desk.has_key:
            return desk.settings.virtual.start_balance + self.paper.realised
        summary = desk.account.summary
        return None if summary is None else summary.wallet + summary.unrealized + self._paper_result()

    def _paper_result(self) -> Decimal:
        """Return what paper trades made; nothing where orders are real and the wallet tells it all."""
        return self.paper.realised if self._desk.orders is None else ZERO

    def _decide(self, signal: Signal, refused: str) -> bool:
        """Decide on one signal and record it; return whether an entry would follow."""
        desk, candidate = self._desk, signal.candidate
        slot = desk.feed.slot_of(candidate.symbol)
        if slot is None:
            return False
        summary = desk.account.summary
        known = self.equity()
        equity = known if known is not None else desk.settings.virtual.start_balance
        wallet = equity if summary is None else summary.wallet + self._paper_result()
        carried = self._carried(signal.signal_id)
        group, group_risk = self._shared(candidate.symbol, candidate.direction.sign, carried)
        margin = sum((one.margin for one in carried), ZERO)
        protection = desk.protection
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
        self._note(signal, refused)
        limits = size_limits(desk.settings.risk)
        decided = self._entries.decide(signal, candidate.entry, limits, self._entries.costs(slot), basis, refused)
        if decided is None:
            return False
        row = decided.row
        if row.warning:
            desk.chronicle.say(EventKind.RISK, f"{candidate.symbol}: {row.warning}", Severity.WARNING, candidate.symbol)
        intent = intent_of(row)
        if intent is None:
            return False
        if desk.orders is None:
            self.paper.intend(intent)
        else:
            desk.orders.enter(signal, decided.decision, decided.size)
        return True

    def _note(self, signal: Signal, refused: str) -> None:
        since = signal.time - AGAIN_MS
        self._decided = {name: before for name, before in self._decided.items() if before.time > since}
        self._decided[signal.signal_id] = _Before(signal.time, bool(refused))

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
