"""The trading side put together: one account with its orders, its conditional orders and their common clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.account_book import AccountBook
from exchange.simulator.trading.algo_desk import AlgoDesk
from exchange.simulator.trading.order_desk import OrderDesk
from exchange.simulator.trading.order_store import OrderStore
from exchange.simulator.trading.prices import Prices

if TYPE_CHECKING:
    from exchange.simulator.tape import Tape
    from exchange.simulator.trading.model import Publisher
    from exchange.simulator.venue import ExchangeOptions

SETTLED = "Symbol is settled"
"""`rm` of conditional orders that end with their symbol; the venue's own text is not recorded."""


class TradingHouse:
    """Builds the parts in the order of their needs and steps them in the order of their effects."""

    def __init__(self, tape: Tape, options: ExchangeOptions, publish: Publisher, opened_ms: int) -> None:
        """Open the account at an instant with the options' balance; `publish` receives the account's events."""
        self.prices = Prices(tape)
        self.store = OrderStore()
        self.account = AccountBook(
            tape.listings,
            self.prices,
            self.store,
            publish,
            opened_ms,
            options.balance,
            questions=options.questions,
        )
        self.orders = OrderDesk(tape.listings, self.prices, self.store, self.account, publish, options)
        self.account.liquidator = self.orders
        self.algo = AlgoDesk(tape.listings, self.prices, self.account, self.orders, publish, options.questions)
        self.orders.listeners.append(self.algo)
        if options.questions.countdown_cancels_algo:
            self.orders.counted_down.append(self.algo.cancel_all)
        self.account.conditional_orders = self._has_conditional

    def step(self, previous_ms: int, now_ms: int) -> None:
        """Follow one market step: resting orders match, conditional orders trigger, then the account settles."""
        self.orders.step(previous_ms, now_ms)
        self.algo.step(previous_ms, now_ms)
        self.account.step(previous_ms, now_ms)

    def settle(self, listing: int, now_ms: int) -> None:
        """Close a symbol for good: orders of both kinds expire, positions close at the mark price."""
        self.algo.expire_all(listing, SETTLED, now_ms)
        self.orders.close_out(listing, now_ms)

    def _has_conditional(self, listing: int | None) -> bool:
        waiting = self.algo.store.waiting if listing is None else self.algo.store.waiting_of(listing)
        return bool(waiting)
