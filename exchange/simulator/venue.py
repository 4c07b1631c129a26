"""What an endpoint may touch: the market's tape, the account, the listen keys and the run's facts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from exchange.simulator.answers import invalid_symbol
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.key_rights import KeyRights
from exchange.simulator.keys import KeyRegistry
from exchange.simulator.liquidations import Liquidation, Liquidations
from exchange.simulator.listen_keys import ListenKeys
from exchange.simulator.order_counts import OrderCounts
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.subscriptions import Subscriptions
from exchange.simulator.symbol_life import SymbolLife
from exchange.simulator.tape import Tape
from exchange.simulator.trading.account_book import START_BALANCE
from exchange.simulator.trading.house import TradingHouse
from exchange.simulator.user_streams import UserStreams
from exchange.simulator.weights import LIMIT, WeightLedger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchange.simulator.market import Listing, Market
    from exchange.simulator.params import Params
    from exchange.simulator.trading.model import Order


class ExchangeOptions(msgspec.Struct, frozen=True):
    """How the simulated venue behaves."""

    strict: bool = False
    """Production since April 2026: unrouted paths and wrong routes stay silent for streams that belong elsewhere."""
    weight_limit: int = LIMIT
    retry_after: bool = True
    balance: Decimal = START_BALANCE
    outbox_limit: int = 20_000
    """Frames a session may have waiting before it is disconnected."""
    seed: int = 0
    speed: float = 1.0
    market_name: str = "synthetic"
    control_token: str | None = None
    """What a control request must bring in `x-sim-token`; without one the control endpoint does not exist."""
    unlisted: tuple[str, ...] = ()
    """Contracts of the market that the venue does not list until it is told to."""
    questions: OpenQuestions = OpenQuestions()
    """Our answers to what the contract leaves open."""


def demo_secrets() -> dict[str, str]:
    """Return the API keys accepted by default with their secrets."""
    return {DEMO_KEY: DEMO_SECRET}


class Venue:
    """The state behind all endpoints."""

    def __init__(self, market: Market, secrets: Mapping[str, str], options: ExchangeOptions) -> None:
        """Open the venue on a market; `secrets` maps API key to HMAC secret or PEM public key."""
        self.market = market
        self.options = options
        self.keys = KeyRegistry(secrets)
        self.key_rights = KeyRights()
        self.tape = Tape(market)
        questions = options.questions
        self.subscriptions = Subscriptions(self.tape.lower, strict=options.strict)
        self.listen_keys = ListenKeys(options.seed, per_api_key=questions.listen_key_per_api_key)
        self.user_streams = UserStreams(
            self.listen_keys, self.subscriptions, filter_hides_expiry=questions.event_filter_hides_expiry
        )
        self.house = TradingHouse(self.tape, options, self.user_streams, market.now_ms)
        self.account = self.house.account
        self.weights = WeightLedger(options.weight_limit, retry_after=options.retry_after)
        self.order_counts = OrderCounts(self.weights)
        self.liquidations = Liquidations()
        """What everybody sees of liquidations; the account reports its own here."""
        self.account.liquidation.tell = self._show_liquidation
        self.start_ms = market.now_ms
        self.clock_error_ms = 0
        """How far the venue's clock has been made to jump, as signed requests and GET time see it."""
        self.life = SymbolLife(
            self.tape,
            self.subscriptions,
            market.now_ms,
            self.house.settle,
            self.house.orders.restrictions.control_side,
        )
        self.life.hide(options.unlisted)

    def clock_ms(self, now_ms: int) -> int:
        """Return what the venue's own clock shows at an instant."""
        return now_ms + self.clock_error_ms

    def special_funding(self, index: int, rate: Decimal, now_ms: int) -> None:
        """Settle a funding outside the regular intervals and keep it in the history."""
        self.tape.fundings.special(index, float(rate), float(self.tape.columns.mark[index]), now_ms)
        self.account.special_funding(index, rate, now_ms)

    def _show_liquidation(self, order: Order) -> None:
        if order.executed:
            price, average, quantity = float(order.price), float(order.average_price), float(order.executed)
            shown = Liquidation(order.listing, order.side.value, price, average, quantity, order.updated_ms)
            self.liquidations.report(shown)

    def symbol_index(self, params: Params) -> int:
        """Return the index of the mandatory `symbol`. Raises RefusalError -1102 or -1121."""
        return self._index(params.required("symbol"))

    def chosen(self, params: Params) -> int | None:
        """Return the index of an optional `symbol`, None where it is absent. Raises RefusalError -1121."""
        symbol = params.text("symbol")
        return None if symbol is None else self._index(symbol)

    def chosen_listings(self, params: Params) -> Sequence[Listing]:
        """Return the listing of an optional `symbol`, or all. Raises RefusalError -1121."""
        index = self.chosen(params)
        return [self.tape.listings[i] for i in (self.tape.listed() if index is None else (index,))]

    def _index(self, symbol: str) -> int:
        index = self.tape.index.get(symbol)
        if index is None:
            raise invalid_symbol()
        return index
