"""Binds the lives of live positions to a hand: fills and funding as they are told, gaps filled from the trade list.

A fill reaches the book of lives by the private stream, or by the trade list where a reading of the account shows
another quantity than the fills add up to. What neither explains is taken over as an estimate that says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.events import Severity
from engine.execution.fills import cause_of, fee_in_quote, of_trade, of_update
from engine.execution.plans import Owner
from exchange.account_events import AccountUpdate, OrderUpdate, Origin
from exchange.errors import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.execution.hand import Hand
    from engine.execution.intents import PositionKey
    from engine.execution.life import Ended, LiveBook
    from engine.execution.plans import Plan
    from engine.positions.lifecycle import PositionEvent

ZERO = Decimal(0)
QUOTE = "USDT"
FUNDING = "FUNDING_FEE"
LOOK_BACK_MS = 6 * 86_400_000
"""The trade list is asked for at most seven days at once; older fills of a position are estimated."""
SURE = 2
"""Readings in a row that must show another quantity before the trade list is asked."""


class Lives:
    """The lives of one hand's positions."""

    def __init__(
        self,
        hand: Hand,
        book: LiveBook,
        tell: Callable[[Iterable[PositionEvent]], None],
        ended: Callable[[Ended], None],
    ) -> None:
        """`tell` stores and shows events, `ended` hears of each trade that closed."""
        self.book = book
        self._hand = hand
        self._tell = tell
        self._ended = ended
        self._readings = 0
        self._doubts: dict[PositionKey, int] = {}
        self._asking: set[PositionKey] = set()
        self._unvalued: set[str] = set()

    def hear(self, event: object) -> None:
        """Take an event of the account, after the hand took it."""
        if isinstance(event, OrderUpdate):
            tracked = self._hand.sender.of_order(event.order_id, event.client_id)
            cause = cause_of(None if tracked is None else tracked.intent, event.origin)
            one = of_update(event, self._fee(event.commission, event.commission_asset), cause)
            if one is not None:
                self._take(self.book.fill(one, self._plan(one.key), self._decimals(one.key), self._now_ms()))
        elif isinstance(event, AccountUpdate) and event.reason == FUNDING and event.symbol:
            amount = sum((one.change for one in event.balances if one.asset == QUOTE), ZERO)
            self._take(self.book.fund(event.symbol, amount, event.transaction_time, self._now_ms()))

    def compare(self) -> None:
        """Look after each reading whether fills add up to what the exchange has; never waits."""
        reconciler = self._hand.reconciler
        if reconciler.readings == self._readings or reconciler.merge.wanted is not None:
            return
        self._readings = reconciler.readings
        positions = self._hand.state.book.positions
        for key in {*positions, *self.book.keys}:
            if self._at_exchange(key) == self.book.open_quantity(key):
                self._doubts.pop(key, None)
                continue
            self._doubts[key] = self._doubts.get(key, 0) + 1
            if self._doubts[key] >= SURE and key not in self._asking:
                self._asking.add(key)
                self._hand.state.spawn(self._ask(key), f"trades of {key.symbol}")

    async def _ask(self, key: PositionKey) -> None:
        """Take the fills the stream did not tell from the trade list, then what no fill explains."""
        try:
            start = self._hand.state.access.client.venue_ms() - LOOK_BACK_MS
            rows = await self._hand.state.access.account.user_trades(key.symbol, start_ms=start, limit=1000)
        except ExchangeError:
            return  # the next reading asks again
        finally:
            self._asking.discard(key)
        if self._at_exchange(key) == self.book.open_quantity(key):
            return
        for row in rows if self._began_ms(key) else ():
            if (row.symbol, row.position_side) == key and row.time_ms >= self._began_ms(key):
                tracked = self._hand.sender.of_order(row.order_id)
                cause = cause_of(None if tracked is None else tracked.intent, Origin.CLIENT)
                one = of_trade(row, self._fee(row.commission, row.commission_asset), cause)
                self._take(self.book.fill(one, self._plan(key), self._decimals(key), self._now_ms()))
        self._correct(key)

    def _began_ms(self, key: PositionKey) -> int:
        """Return since when fills of a position count, 0 for one nobody here saw or planned: its first are unknown."""
        plan = self._plan(key)
        return self.book.began_ms(key) or (plan.opened_ms if plan is not None and plan.owner is Owner.DESK else 0)

    def _correct(self, key: PositionKey) -> None:
        position = self._hand.state.book.positions.get(key)
        quote = self._hand.state.market.quote(key.symbol)
        price = quote.mark if quote is not None else ZERO
        if position is not None and not self.book.open_quantity(key):
            price = position.entry
        quantity = self._at_exchange(key)
        if price > 0 and quantity != self.book.open_quantity(key):
            self._take(self.book.correct(key, quantity, price, self._plan(key), self._decimals(key), self._now_ms()))

    def _take(self, events: list[PositionEvent]) -> None:
        if events:
            self._tell(events)
        for one in self.book.take_ended():
            self._ended(one)

    def _at_exchange(self, key: PositionKey) -> Decimal:
        position = self._hand.state.book.positions.get(key)
        return ZERO if position is None else position.quantity

    def _plan(self, key: PositionKey) -> Plan | None:
        return self._hand.state.plans.get(key)

    def _fee(self, commission: Decimal, asset: str) -> Decimal:
        """Return a commission in the quote asset; one that cannot be valued counts as nothing, and it is told once."""
        quote = self._hand.state.market.quote(f"{asset}{QUOTE}") if asset and asset != QUOTE else None
        paid = fee_in_quote(commission, asset, QUOTE, {} if quote is None else {asset: quote.mark})
        if paid is not None:
            return paid
        if asset not in self._unvalued:
            self._unvalued.add(asset)
            text = f"fees are paid in {asset}, whose price is not known: results of trades are shown without them"
            self._hand.state.say(text, Severity.WARNING)
        return ZERO

    def _decimals(self, key: PositionKey) -> int:
        instrument = self._hand.state.market.instrument(key.symbol)
        return 8 if instrument is None else instrument.decimals

    def _now_ms(self) -> int:
        return self._hand.state.clock.now_ms()
