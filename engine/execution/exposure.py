"""Check and reserve: positions, entries under way and entries of unknown fate never exceed the limits together.

Pure and without a wait: between the check and the reservation nothing else can happen. An entry counts with its whole
quantity from its reservation until its order can bring nothing more. What it fills becomes a position: the filled part
is given up only once a statement about the position covers the fill, so at no instant is less counted than there is.
Prices and sizes are Decimal, money is in the quote asset, times are UTC milliseconds of the exchange.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.execution.intents import PositionKey
from engine.execution.limits import Facts, Limits, Refusal, Standing, Use, refuse, uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ZERO = Decimal(0)
DAY_MS = 86_400_000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is to open or to enlarge a position."""

    client_id: str
    key: PositionKey
    sign: int
    """+1 for a long, -1 for a short."""
    quantity: Decimal
    """Positive."""
    price: Decimal
    """What its notional is reckoned with."""
    leverage: int
    risk: Decimal
    """Loss at the stop, costs included."""
    group: tuple[str, ...] = ()
    """Symbols that share its risk budget; its own is always one of them."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One position as it was last told. `quantity` is signed, 0 for a closed one."""

    key: PositionKey
    quantity: Decimal
    price: Decimal
    """What its notional is reckoned with."""
    margin: Decimal = ZERO
    risk: Decimal = ZERO
    """Loss at its working stop, costs included; all of its margin where it has none."""


class Reservation(msgspec.Struct, frozen=True):
    """The entry may be sent; it counts until `release`."""

    client_id: str


class _Claim:
    """A reserved entry. `pending` are fills that no statement about the position covers yet."""

    __slots__ = ("entry", "filled", "is_over", "pending")

    def __init__(self, entry: Entry, filled: Decimal) -> None:
        self.entry = entry
        self.filled = filled
        self.is_over = False
        self.pending: list[tuple[int, Decimal]] = []

    @property
    def quantity(self) -> Decimal:
        """Return what it may still add to the position that is known."""
        waiting = ZERO if self.is_over else self.entry.quantity - self.filled
        return waiting + sum((size for _, size in self.pending), ZERO)

    @property
    def share(self) -> Decimal:
        """Return the same as a share of the entry."""
        return self.quantity / self.entry.quantity


class Reservations:
    """What an account has open and under way, against its limits. No method waits."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing open."""
        self.limits = limits
        self._held: dict[PositionKey, Held] = {}
        self._told_ms: dict[PositionKey, int] = {}
        self._moved: dict[PositionKey, Decimal] = {}
        """By how much the statements of the newest millisecond changed a position, as far as no fill explains it."""
        self._read_ms = 0
        self._claims: dict[str, _Claim] = {}
        self._sent: deque[int] = deque()
        self._in_cycle = 0

    # What happens.

    def begin_cycle(self) -> None:
        """Let the number of entries per cycle begin anew."""
        self._in_cycle = 0

    def reserve(self, entry: Entry, standing: Standing, now_ms: int) -> Reservation | Refusal:
        """Reserve an entry if every limit still holds with it, else tell which one does not.

        Raises ValueError for an entry that is reserved already or whose numbers are not positive.
        """
        if entry.client_id in self._claims:
            raise ValueError(f"{entry.client_id} is reserved already")
        numbers = (entry.quantity, entry.price, Decimal(entry.leverage))
        if not all(number.is_finite() and number > 0 for number in numbers):
            raise ValueError(f"{entry.client_id}: quantity, price and leverage must be positive: {entry}")
        if not entry.risk.is_finite() or entry.risk < 0:
            raise ValueError(f"{entry.client_id}: its risk {entry.risk} is not a loss")
        refusal = refuse(self.limits, standing, self._facts(entry, now_ms))
        if refusal is not None:
            return refusal
        self.adopt(entry)
        self._sent.append(now_ms)
        self._in_cycle += 1
        return Reservation(entry.client_id)

    def adopt(self, entry: Entry, filled: Decimal = ZERO) -> None:
        """Count an entry that may exist whatever the limits say: of an earlier session, or found after all.

        `filled` is what the known position contains of it already.
        """
        if entry.client_id in self._claims:
            return
        self._claims[entry.client_id] = _Claim(entry, min(filled, entry.quantity))

    def fill(self, client_id: str, filled: Decimal, at_ms: int) -> None:
        """Hear that an order has filled `filled` in all by an instant; late and repeated news changes nothing else."""
        claim = self._claims.get(client_id)
        if claim is None:
            return
        filled = min(filled, claim.entry.quantity)
        if filled > claim.filled:
            claim.pending.append((at_ms, filled - claim.filled))
            claim.filled = filled
        elif filled == claim.filled and claim.pending and at_ms < claim.pending[-1][0]:
            claim.pending[-1] = (at_ms, claim.pending[-1][1])
        self._convert(claim)

    def release(self, client_id: str, filled: Decimal = ZERO, at_ms: int = 0) -> None:
        """Hear that an order can bring nothing more: refused, dead, or ended after filling `filled` in all.

        What it filled stays counted until a statement about its position covers it. Harmless for a stranger.
        """
        claim = self._claims.get(client_id)
        if claim is None:
            return
        self.fill(client_id, filled, at_ms)
        claim.is_over = True
        self._forget(claim)

    def tell(self, held: Held, at_ms: int) -> None:
        """Take a statement about one position as of an instant; one older than what is known is left out."""
        key = held.key
        known_ms = self._known_ms(key)
        if at_ms < known_ms:
            return
        before = self._held[key].quantity if key in self._held else ZERO
        moved = self._moved.get(key, ZERO) if at_ms == known_ms else ZERO
        self._moved[key] = moved + held.quantity - before
        self._told_ms[key] = at_ms
        self._put(held)
        for claim in [one for one in self._claims.values() if one.entry.key == key]:
            self._convert(claim)

    def value(self, held: Held) -> None:
        """Take another price, margin or risk of a position that is known with this quantity; else change nothing."""
        known = self._held.get(held.key)
        if known is not None and known.quantity == held.quantity:
            self._held[held.key] = held

    def read(self, positions: Iterable[Held], as_of_ms: int) -> None:
        """Take all open positions as of an instant; newer statements about single ones stand."""
        if as_of_ms < self._read_ms:
            return
        self._read_ms = as_of_ms
        shown = {one.key: one for one in positions}
        for key in self._held.keys() | shown.keys():
            if self._told_ms.get(key, 0) <= as_of_ms:
                self._put(shown.get(key) or Held(key=key, quantity=ZERO, price=ZERO))
        self._told_ms = {key: at for key, at in self._told_ms.items() if at > as_of_ms}
        self._moved = {key: size for key, size in self._moved.items() if key in self._told_ms}
        for claim in list(self._claims.values()):
            self._convert(claim)

    def _put(self, held: Held) -> None:
        if held.quantity:
            self._held[held.key] = held
        else:
            self._held.pop(held.key, None)

    def _known_ms(self, key: PositionKey) -> int:
        return max(self._told_ms.get(key, 0), self._read_ms)

    def _convert(self, claim: _Claim) -> None:
        """Give up the fills that the newest statement about the position covers.

        A statement of the very millisecond of a fill may be the one before it: then its change must show the fill.
        """
        key, sign = claim.entry.key, claim.entry.sign
        known_ms = self._known_ms(key)
        left = []
        for at, size in claim.pending:
            if at == known_ms and self._moved.get(key, ZERO) * sign >= size:
                self._moved[key] -= size * sign
            elif at >= known_ms:
                left.append((at, size))
        claim.pending = left
        self._forget(claim)

    def _forget(self, claim: _Claim) -> None:
        if claim.is_over and not claim.pending:
            self._claims.pop(claim.entry.client_id, None)

    # What is counted.

    @property
    def reserved(self) -> frozenset[str]:
        """Return the client ids that count."""
        return frozenset(self._claims)

    def used(self, standing: Standing, now_ms: int) -> tuple[Use, ...]:
        """Return every limit with what is used of it, for the screen."""
        return uses(self.limits, standing, self._facts(None, now_ms))

    def _facts(self, entry: Entry | None, now_ms: int) -> Facts:
        """Return what would count with one more entry, or counts now."""
        positions = {key for key, one in self._held.items() if one.quantity}
        positions |= {one.entry.key for one in self._claims.values() if one.quantity}
        rows = list(self._rows(entry))
        symbol = entry.key.symbol if entry is not None else ""
        by_symbol: dict[str, Decimal] = {}
        for name, notional, *_ in rows:
            by_symbol[name] = by_symbol.get(name, ZERO) + notional
        group = ZERO
        if entry is not None:
            positions.add(entry.key)
            mates = {symbol, *entry.group}
            group = sum((risk for name, _, _, risk, sign in rows if sign == entry.sign and name in mates), ZERO)
        more = int(entry is not None)
        return Facts(
            symbol=symbol or max(by_symbol, key=lambda name: by_symbol[name], default=""),
            symbol_notional=by_symbol.get(symbol, ZERO) if symbol else max(by_symbol.values(), default=ZERO),
            gross_notional=sum(by_symbol.values(), ZERO),
            margin=sum((margin for _, _, margin, *_ in rows), ZERO),
            risk=sum((risk for _, _, _, risk, _ in rows), ZERO),
            group_risk=group,
            positions=len(positions),
            in_cycle=self._in_cycle + more,
            sent=tuple(self._sent_within(seconds, now_ms) + more for seconds in self.limits.windows),
        )

    def _rows(self, entry: Entry | None) -> Iterator[tuple[str, Decimal, Decimal, Decimal, int]]:
        """Yield symbol, notional, margin, risk and direction of everything that counts."""
        for held in self._held.values():
            sign = 1 if held.quantity > 0 else -1
            yield held.key.symbol, abs(held.quantity) * held.price, held.margin, held.risk, sign
        for claim in self._claims.values():
            one = claim.entry
            notional = claim.quantity * one.price
            yield one.key.symbol, notional, notional / one.leverage, one.risk * claim.share, one.sign
        if entry is not None:
            notional = entry.quantity * entry.price
            yield entry.key.symbol, notional, notional / entry.leverage, entry.risk, entry.sign

    def _sent_within(self, seconds: int, now_ms: int) -> int:
        while self._sent and self._sent[0] <= now_ms - DAY_MS:
            self._sent.popleft()
        return sum(1 for at in self._sent if at > now_ms - seconds * 1000)
