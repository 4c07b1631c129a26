"""Keeps the book equal to the exchange: joins the private stream with readings, and asks about whatever disappears.

A list may lag behind what was placed and an empty answer proves nothing, so what a reading no longer shows is asked for
by its id, and a position counts as closed only when the stream says so or two readings in a row and the account's
margin agree.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from engine.execution.book import BookAlgo, BookOrder
from exchange.account import AccountSummary, PositionRisk
from exchange.account_events import TradeId
from exchange.account_merge import AccountMerge, Reading
from exchange.binance.endpoints import POSITIONS, open_orders_weight
from exchange.conditional_orders import AlgoRef, AlgoReport
from exchange.errors import ExchangeError, RefusedError
from exchange.order_reports import OrderReport
from exchange.orders import OrderRef
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.execution.access import Access
    from engine.execution.book import Book, BookPosition
    from engine.execution.sender import Sender, Tracked
    from exchange.account_events import AccountEvent, UserItem
    from exchange.ports import Clock

EVERY_S = 15.0
"""Desk seconds between two readings when nothing asks for one."""
PATROL_S = 2.0
"""Desk seconds between two looks at the positions alone. Reliability I2: 99 of 100 naked times last at most 5 s, and a
silent stream tells of no fill.
"""
SCARCE_S = 4.0
"""The same while what can wait has used up its share of the budget: 75 a minute of what is kept for protection."""
STOPS_PER_S = 2.5
"""Request weight a desk second that patrols spend on conditional orders; many symbols are looked at less often."""
SOON_S = 0.5
"""Pause before a reading that something asked for: what one cause brings is read once."""
AT_ONCE = 4
"""Readings that may follow each other closely; then one comes free every FREE_S. A reading weighs 90: lists that lag or
fail for long must not use up the request weight that exits and patrols need.
"""
FREE_S = 8.0
AGAIN_S = 1.0
"""Pause after a reading that failed, growing to RETRY_MOST_S."""
RETRY_MOST_S = 6.0
JOINS = 5
"""Attempts to join a reading with the stream before it is given up for this time."""
DENIALS = 2
"""Readings in a row that must miss something before it is dropped."""
EVENT_LATE_MS = 2_000
"""An event that has not come after this time did not come."""
LAG_MS = 60_000
"""How long the exchange's own word about an order outweighs answers that deny it."""
MARGIN_TOLERANCE = 0.005


class Account(NamedTuple):
    """One reading."""

    positions: tuple[PositionRisk, ...]
    orders: tuple[OrderReport, ...]
    algos: tuple[AlgoReport, ...]
    summary: AccountSummary


class Reconciler:
    """Reads, joins, compares. Belongs to one event loop."""

    def __init__(
        self,
        access: Access,
        book: Book,
        sender: Sender,
        clock: Clock,
        applied: Callable[[AccountEvent], None],
        differs: Callable[[str, str], None],
        shown: Callable[[str, str, int], None],
    ) -> None:
        """Take the ways out.

        `applied` gets events that follow a reading, `differs` (symbol, text) of a difference, `shown` (symbol, client
        id, when it was made by the exchange's clock) of every open order a reading shows.
        """
        self.merge = AccountMerge()
        self._access = access
        self._book = book
        self._sender = sender
        self._clock = clock
        self._applied = applied
        self._differs = differs
        self._shown = shown
        self._wake = asyncio.Event()
        self._free = float(AT_ONCE)
        self._counted_at = 0.0
        self._news: list[tuple[str, str]] = []
        self._missed: dict[object, int] = {}
        self._is_unsettled = False
        """Whether something was denied that the next reading has to confirm."""
        self._reading = asyncio.Lock()
        self.readings = 0
        self.differences = 0
        self.read_ms = 0
        self.began_ms = 0
        """When the newest reading that was joined began, by the exchange's clock."""
        self.read_at: float | None = None
        """Desk seconds of the newest reading that was joined."""
        self.fault = ""
        self.trouble: ExchangeError | None = None
        """What the last reading failed with."""

    def want(self) -> None:
        """Let the account be read soon."""
        self._wake.set()

    def hear(self, item: UserItem) -> list[AccountEvent]:
        """Take an item of the stream; return the events to apply now."""
        events = list(self.merge.take(item))
        if self.merge.wanted is not None:
            self._wake.set()
        return events

    async def run(self, every_s: float = EVERY_S) -> None:
        """Read for ever: as often as `every_s` desk seconds, and soon after something asked for it."""
        pause = AGAIN_S
        while True:
            await self._rest(every_s)
            self._wake.clear()
            if await self.read():
                pause = AGAIN_S
            else:
                await self._clock.sleep(pause)
                pause = min(RETRY_MOST_S, pause * 2)
                self._wake.set()

    async def _rest(self, every_s: float) -> None:
        alarm = asyncio.ensure_future(self._clock.sleep(every_s))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((alarm, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            woken.cancel()
        if self._wake.is_set():
            await self._clock.sleep(SOON_S)

    async def _wait_for_a_free_one(self) -> None:
        """Wait until a reading is free, and take it."""
        now = self._clock.monotonic()
        self._free = min(float(AT_ONCE), self._free + (now - self._counted_at) / FREE_S) - 1.0
        self._counted_at = now
        await self._clock.sleep(max(0.0, -self._free * FREE_S))

    async def glance(self) -> None:
        """Read positions and conditional orders alone: all that protection needs. Raises ExchangeError.

        Positions that were read stand in the book although the conditional orders could not be read.
        """
        await self.look_for_positions()
        for algo in await self._access.account.open_algo_orders():
            self._sender.take_algo(algo)

    async def patrol(self) -> None:
        """Look for ever for positions and lost stops that no event tells of."""
        stops_at = 0.0
        while True:
            is_scarce = self._access.client.calls.pause_for(POSITIONS.weight) > 0
            await self._clock.sleep(SCARCE_S if is_scarce else PATROL_S)
            with suppress(ExchangeError):  # the next round comes soon
                await self.look_for_positions()
            symbols = sorted({key.symbol for key in self._book.positions})
            cost = min(len(symbols) * open_orders_weight("one"), open_orders_weight(None))
            if not cost or self._clock.monotonic() < stops_at or self._access.client.calls.pause_for(cost):
                continue
            stops_at = self._clock.monotonic() + cost / STOPS_PER_S
            with suppress(ExchangeError):
                await self._look_for_stops(symbols if cost < open_orders_weight(None) else None)

    async def look_for_positions(self) -> None:
        """Take over the positions the exchange shows; what it does not show proves nothing. Raises ExchangeError."""
        began_ms, began_s = self._access.client.venue_ms(), self._clock.monotonic()
        positions = await self._access.client.positions()
        news = self._untold(began_ms, positions, ()) if self.readings else []
        self._book.take_positions(positions, began_s)
        for symbol, text in news:
            self._tell(symbol, text)

    async def look_for_stop(self, symbol: str) -> None:
        """Take over the conditional orders of a symbol: one of unknown fate may be among them. Never raises for it."""
        try:
            await self._look_for_stops([symbol])
        except ExchangeError:
            self.want()

    async def _look_for_stops(self, symbols: list[str] | None) -> None:
        """Compare the conditional orders of some symbols, or of all, with the book; ask for those that are missing."""
        began_ms = self._access.client.venue_ms()
        shown: list[AlgoReport] = []
        for symbol in symbols if symbols is not None else [None]:
            shown += await self._access.account.open_algo_orders(symbol)
        for algo in shown:
            self._sender.take_algo(algo)
        listed = {algo.algo_id for algo in shown}
        held = [one for one in self._book.algos.values() if symbols is None or one.symbol in symbols]
        await self._ask_for_algos([one for one in held if one.algo_id not in listed and one.updated_ms < began_ms])

    async def read(self) -> bool:
        """Read the account and join it with the stream; return whether that was done. `fault` tells why not."""
        async with self._reading:
            try:
                done = await self._read()
            except ExchangeError as error:
                self.fault, self.trouble = str(error), error
                return False
            self.trouble = None
            return done

    async def _read(self) -> bool:
        for _ in range(JOINS):
            await self._wait_for_a_free_one()
            ticket = self.merge.begin()
            began_ms = self._access.client.venue_ms()
            began_s = self._clock.monotonic()
            account = await self._ask(began_ms, began_s)
            if not _is_explained(account):
                self.fault = "the positions shown do not explain the account's margin: one of the answers is not true"
                return False
            later = self.merge.settle(ticket, _contents(account))
            if later is not None:
                break
        else:
            self.fault = "events kept coming while the account was read"
            return False
        news = self._news if self.readings else []
        gone = self._book.replace(account.positions, account.orders, account.algos, began_s)
        self._book.summary = account.summary
        for asset in account.summary.assets:
            self._book.wallets[asset.asset] = asset.wallet
        for order in account.orders:
            self._sender.take_order(order)
            self._shown(order.symbol, order.client_id, order.created_ms)
        for algo in account.algos:
            self._sender.take_algo(algo)
            self._shown(algo.symbol, algo.client_id, algo.created_ms)
        for event in later:
            self._applied(event)
        for symbol, text in news:
            self._tell(symbol, text)
        plain, conditional = self._lost_sight_of(account)
        await self._ask_for_orders([*(one for one in gone.orders if one.updated_ms < began_ms), *plain])
        await self._ask_for_algos([*(one for one in gone.algos if one.updated_ms < began_ms), *conditional])
        self._doubt_positions([one for one in gone.positions if one.updated_ms < began_ms], began_ms, began_s)
        if self._is_unsettled:
            self._is_unsettled = False
            self._wake.set()
        self.readings += 1
        self.read_ms, self.began_ms = self._clock.now_ms(), began_ms
        self.read_at = self._clock.monotonic()
        self.fault = ""
        return True

    async def _ask(self, began_ms: int, began_s: float) -> Account:
        """Read everything; what came before something failed is enough to protect what is open, and is taken."""
        positions = await self._access.client.positions()
        self._news = self._untold(began_ms, positions, ())
        self._book.take_positions(positions, began_s)
        algos = await self._access.account.open_algo_orders()
        self._news += self._untold(began_ms, (), algos)
        for algo in algos:
            self._sender.take_algo(algo)
        orders = await self._access.account.open_orders()
        return Account(positions, orders, algos, await self._access.client.account())

    def _untold(
        self, began_ms: int, positions: Iterable[PositionRisk], algos: Iterable[AlgoReport]
    ) -> list[tuple[str, str]]:
        """Return what is shown and the book did not hold although its event should have come by now."""
        book, until = self._book, began_ms - EVENT_LATE_MS
        return [
            *(
                (row.symbol, f"a position {row.side} of {row.quantity:f} that no event told of")
                for row in positions
                if row.quantity and (row.symbol, row.side) not in book.positions and row.update_time < until
            ),
            *(
                (algo.symbol, f"a conditional order {algo.client_id} that no event told of")
                for algo in algos
                if algo.algo_id not in book.algos and algo.update_ms < until
            ),
        ]

    def _lost_sight_of(self, account: Account) -> tuple[list[BookOrder], list[BookAlgo]]:
        """Return the desk's own orders that are thought open, stand in no list and are not in the book either.

        The events that would have brought them into the book, and the one that ended them, may all have been missed.
        """
        book, before_ms = self._book, self._clock.now_ms() - EVENT_LATE_MS
        listed = {one.order_id for one in account.orders} | set(book.orders)
        waiting = {one.algo_id for one in account.algos} | set(book.algos)
        plain: list[BookOrder] = []
        conditional: list[BookAlgo] = []
        for one in self._sender.orders.values():
            state = one.state
            if state.is_final or state.is_pending or not state.order_id or state.changed_ms >= before_ms:
                continue
            if one.intent.is_conditional:
                if state.order_id not in waiting:
                    conditional.append(algo_of(one))
            elif state.order_id not in listed:
                plain.append(order_of_intent(one))
        return plain, conditional

    async def _ask_for_orders(self, missing: list[BookOrder]) -> None:
        for one in missing:
            try:
                report = await self._access.account.order(one.symbol, OrderRef(order_id=one.order_id))
            except RefusedError as refused:
                if refused.reaction is not Reaction.NO_SUCH_ORDER:
                    raise
                if self._denied(("order", one.order_id), one.updated_ms):
                    self._book.drop_order(one.order_id)
                    self._tell(one.symbol, f"order {one.client_id} is not known to the exchange any more")
            else:
                self._missed.pop(("order", one.order_id), None)
                self._sender.take_order(report)
                if not report.is_open:
                    self._tell(one.symbol, f"order {one.client_id} ended ({report.status}) and no event told of it")

    async def _ask_for_algos(self, missing: list[BookAlgo]) -> None:
        for one in missing:
            try:
                report = await self._access.account.algo_order(AlgoRef(algo_id=one.algo_id))
            except RefusedError as refused:
                if refused.reaction is not Reaction.NO_SUCH_ORDER:
                    raise
                if self._denied(("algo", one.algo_id), one.updated_ms):
                    self._book.drop_algo(one.algo_id)
                    self._tell(one.symbol, f"conditional order {one.client_id} is not known to the exchange any more")
            else:
                self._missed.pop(("algo", one.algo_id), None)
                self._sender.take_algo(report)
                if report.is_final:
                    text = f"conditional order {one.client_id} ended ({report.status}) and no event told of it"
                    self._tell(one.symbol, text)

    def _doubt_positions(self, missing: list[BookPosition], as_of_ms: int, began_s: float) -> None:
        """Drop positions that two readings in a row miss."""
        for key in [key for key in self._missed if key not in {one.key for one in missing} and _is_position(key)]:
            del self._missed[key]
        if not missing:
            return
        self._wake.set()
        for one in missing:
            if self._denied(one.key):
                self._book.drop_position(one.key, as_of_ms, began_s)
                self._tell(one.key.symbol, f"the position {one.key.side} of {one.quantity:f} is closed, untold")

    def _denied(self, what: object, told_ms: int = 0) -> bool:
        """Note that something was denied, and say whether that is enough to drop it.

        An order that ended can still be asked for, so a denial says that answers lag, not that it ended: what the
        exchange itself told of lately is believed.
        """
        self._missed[what] = self._missed.get(what, 0) + 1
        if self._missed[what] < DENIALS or self._access.client.venue_ms() - told_ms < LAG_MS:
            self._is_unsettled = True
            return False
        del self._missed[what]
        return True

    def _tell(self, symbol: str, text: str) -> None:
        self.differences += 1
        self._differs(symbol, text)


def _is_position(key: object) -> bool:
    return isinstance(key, tuple) and key[0] not in ("order", "algo")


def order_of_intent(one: Tracked) -> BookOrder:
    """Return an order as its intent would have it."""
    intent, state = one.intent, one.state
    return BookOrder(
        intent.symbol, state.order_id, intent.client_id, intent.side, intent.position_side, intent.kind,
        state.stage.value, intent.quantity or Decimal(0), state.filled, intent.price or Decimal(0), intent.reduces, 0,
    )  # fmt: skip


def algo_of(one: Tracked) -> BookAlgo:
    """Return a conditional order as its intent would have it."""
    intent, state = one.intent, one.state
    return BookAlgo(
        intent.symbol, state.order_id, intent.client_id, intent.side, intent.position_side, intent.kind,
        state.stage.value, intent.quantity or Decimal(0), intent.price or Decimal(0), intent.quantity is None,
        intent.position_side == "BOTH", 0,
    )  # fmt: skip


def _is_explained(account: Account) -> bool:
    """Say whether the positions shown are all there are: their maintenance margins add up to the account's."""
    shown = sum(float(row.maintenance_margin) for row in account.positions)
    total = float(account.summary.maintenance_margin)
    return abs(total - shown) <= MARGIN_TOLERANCE * max(total, shown) + 1e-6


def _contents(account: Account) -> Reading:
    return Reading(
        positions={(row.symbol, row.side): row.update_time for row in account.positions},
        balances={},
        orders={(row.symbol, row.order_id): row.update_ms for row in account.orders},
        algos={row.algo_id: row.update_ms for row in account.algos},
        trades=frozenset[TradeId](),
    )
