"""Joins the private stream with what REST reads told: in order, each thing once.

The stream has no replay. Whenever a new epoch begins (a `Resync`), events are held back until the account has been read
over REST; then those the reading does not contain yet follow in the order of their event times, and later ones pass
through. A reading that began before the epoch it would close is worthless and refused. A reading made in between, to
compare, is treated alike: what came while it was made is applied upon it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from exchange.account_events import AccountUpdate, AlgoUpdate, OrderUpdate, Resync, TradeId

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from exchange.account_events import AccountEvent, UserItem

H = TypeVar("H", bound="Hashable")

EVENTS_REMEMBERED = 4096
"""Events compared with for exact repetition: some seconds of a storm, in which two sockets overlap."""
TRADES_REMEMBERED = 65_536
HELD = 20_000
"""Events held for a reading; beyond it the reading must begin anew, and contains them."""
ZERO = Decimal(0)


class Reading(msgspec.Struct, frozen=True):
    """What a REST reading contains, by object: the venue's update time of each, UTC milliseconds."""

    positions: Mapping[tuple[str, str], int] = {}
    """By symbol and position side."""
    balances: Mapping[str, int] = {}
    """By asset."""
    orders: Mapping[tuple[str, int], int] = {}
    """By symbol and order id."""
    algos: Mapping[int, int] = {}
    """By algo id."""
    trades: frozenset[TradeId] = frozenset()
    """Fills that were read as trades: never to be booked again."""


def merge(held: Iterable[AccountEvent], reading: Reading) -> list[AccountEvent]:
    """Return what of the held events happened after the reading, in the order of event times.

    An event, or the part of an account update, that concerns an object the reading contains with a later update time is
    left out. One of the same millisecond stays: it may be the next change, and what is told is absolute, so telling it
    twice does no harm. A fill that was read as a trade is taken off its update; an unread fill passes
    with an update that may be older than the order known: `filled` only ever grows. Among equal times the order stays.
    """
    kept = [event for event in (_after(one, reading) for one in held) if event is not None]
    return sorted(kept, key=lambda event: event.event_time)


def _after(event: AccountEvent, reading: Reading) -> AccountEvent | None:
    if isinstance(event, OrderUpdate):
        known = reading.orders.get((event.symbol, event.order_id))
        is_news = known is None or event.event_time >= known
        if event.trade in reading.trades:
            return _without_fill(event) if is_news else None
        # A fill the reading of trades lacks is money: it passes even where the order's state is known already.
        return event if is_news or event.trade is not None else None
    if isinstance(event, AlgoUpdate):
        known = reading.algos.get(event.algo_id)
        return event if known is None or event.event_time >= known else None
    if isinstance(event, AccountUpdate):
        return _patches_after(event, reading)
    return event


def _without_fill(event: OrderUpdate) -> OrderUpdate:
    """Return the order's state alone."""
    return msgspec.structs.replace(event, trade_id=0, last_quantity=ZERO, commission=ZERO, realised=ZERO)


def _patches_after(event: AccountUpdate, reading: Reading) -> AccountUpdate | None:
    instant = event.event_time
    balances = tuple(row for row in event.balances if instant >= reading.balances.get(row.asset, -1))
    positions = tuple(row for row in event.positions if instant >= reading.positions.get((row.symbol, row.side), -1))
    if not balances and not positions and (event.balances or event.positions):
        return None
    return msgspec.structs.replace(event, balances=balances, positions=positions)


class _Recent(dict[H, None]):
    """The newest of what was seen, bounded."""

    def __init__(self, bound: int) -> None:
        super().__init__()
        self._bound = bound

    def meet(self, item: H) -> bool:
        """Say whether it was seen before, and remember it."""
        if item in self:
            return True
        self[item] = None
        if len(self) > self._bound:
            del self[next(iter(self))]
        return False


class AccountMerge:
    """Decides item by item what a consumer of the private stream may apply. Pure: no clock, no I/O."""

    def __init__(self) -> None:
        """Start before the first epoch: the account must be read."""
        self.wanted: Resync | None = Resync("the account has not been read yet", None)
        """Why the account must be read again; None while the stream alone tells everything."""
        self.duplicates = 0
        self._ticket = 0
        self._reading = False
        self._held: list[AccountEvent] = []
        self._events: _Recent[AccountEvent] = _Recent(EVENTS_REMEMBERED)
        self._trades: _Recent[TradeId] = _Recent(TRADES_REMEMBERED)

    @property
    def held(self) -> int:
        """Return how many events are kept for a reading."""
        return len(self._held)

    def take(self, item: UserItem) -> Sequence[AccountEvent]:
        """Take the next item of the stream and return the events to apply now: none while a reading is wanted.

        Repeated events are left out and counted; a fill that was applied already is taken off its update.
        """
        if isinstance(item, Resync):
            self._ticket += 1
            self._reading = False
            self.wanted = item
            # What was held belongs to the epoch before and is in the reading to come; of fills their ids tell.
            self._held = [event for event in self._held if isinstance(event, OrderUpdate) and event.trade is not None]
            return ()
        if self._events.meet(item):
            self.duplicates += 1
            return ()
        if self.wanted is not None or self._reading:
            self._hold(item)
        return () if self.wanted is not None else self._once((item,))

    def begin(self) -> int:
        """Note that a reading begins, wanted or not; hand the ticket to `settle` when it is there."""
        self._ticket += 1
        self._reading = True
        if self.wanted is None:
            self._held.clear()
        return self._ticket

    def settle(self, ticket: int, reading: Reading) -> Sequence[AccountEvent] | None:
        """Take a reading that has replaced the book; return the events to apply upon it.

        None when events were missed, or another reading was begun, since it began: it must be made again.
        """
        if ticket != self._ticket or not self._reading:
            return None
        self.wanted = None
        self._reading = False
        for trade in reading.trades:
            self._trades.meet(trade)
        held, self._held = self._held, []
        return self._once(merge(held, reading))

    def _hold(self, event: AccountEvent) -> None:
        if len(self._held) >= HELD:
            self._ticket += 1
            self._reading = False
            self._held.clear()
        self._held.append(event)

    def _once(self, events: Sequence[AccountEvent]) -> list[AccountEvent]:
        """Take fills that were applied before off their updates."""
        new: list[AccountEvent] = []
        for event in events:
            trade = event.trade if isinstance(event, OrderUpdate) else None
            if isinstance(event, OrderUpdate) and trade is not None and self._trades.meet(trade):
                new.append(_without_fill(event))
            else:
                new.append(event)
        return new
