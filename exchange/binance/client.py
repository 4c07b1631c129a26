"""The venue's REST interface as typed, asynchronous methods."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec

from exchange.bad_input import Quarantine
from exchange.binance import account_wire, candles_wire, endpoints, rules_wire, wire
from exchange.binance.calls import CallLimits, Calls
from exchange.binance.json_strict import decode as decode_json
from exchange.binance.weights import OrderLedger
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.account import AccountSummary, AssetBalance, PositionRisk, SymbolConfig
    from exchange.binance.clock_sync import ClockSync
    from exchange.binance.gate import Gate
    from exchange.binance.row_wire import Refused
    from exchange.binance.signing import Credentials
    from exchange.binance.weights import WeightLedger
    from exchange.errors import DecodeError
    from exchange.instrument import Bracket, Instrument
    from exchange.market_data import AggTrade, BookTop, Candles, DepthSnapshot, MarkPrice, Ticker
    from exchange.ports import Clock, Entropy, Rest

T = TypeVar("T")

_EMPTY_OBJECT = msgspec.json.Decoder(dict[str, object])


class BinanceClient:
    """Reads market data and the account, and keeps listen keys alive.

    Every method raises `exchange.errors.ExchangeError` and takes the request's priority. Lists over all symbols leave
    out rows that cannot be believed, count them in `refused_rows` and keep a sample in `quarantine`.
    """

    def __init__(
        self,
        rest: Rest,
        clock: Clock,
        ledger: WeightLedger,
        gate: Gate,
        entropy: Entropy,
        credentials: Credentials | None = None,
        limits: CallLimits | None = None,
        orders: OrderLedger | None = None,
        quarantine: Quarantine | None = None,
    ) -> None:
        """Take the ports, this network address's weight ledger, the breaker's gate and, for an account, its key.

        `orders` is the account's own count of orders; clients of one account share it.
        """
        self.order_ledger = orders or OrderLedger()
        self.quarantine = quarantine or Quarantine()
        self._calls = Calls(
            rest, clock, ledger, gate, entropy, credentials, limits or CallLimits(), self.order_ledger, self.quarantine
        )
        self.refused_rows = 0

    def _refuse(self, error: DecodeError) -> None:
        self.refused_rows += 1
        self.quarantine.refuse(error, error.sample, self.venue_ms())

    @property
    def calls(self) -> Calls:
        """Return the way to the venue, for the clients of orders and settings that share it."""
        return self._calls

    @property
    def clock_steps(self) -> int:
        """Return how often a clock, ours or the venue's, was seen to step by more than half a second."""
        return self._calls.tracker.steps

    @property
    def last_clock_step_ms(self) -> int:
        """Return by how much venue minus ours changed at the last of those steps."""
        return self._calls.tracker.last_step_ms

    @property
    def clock_sync(self) -> ClockSync:
        """Return how the venue's clock stands to ours."""
        return self._calls.clock_sync

    def venue_ms(self) -> int:
        """Return the venue's clock as last synchronised, UTC milliseconds."""
        return self._calls.venue_ms()

    async def ping(self, *, priority: Priority = Priority.NORMAL) -> None:
        """Return when the venue answers."""
        await self._calls.call(endpoints.PING, (), _nothing, priority)

    async def server_time(self, *, priority: Priority = Priority.NORMAL) -> int:
        """Return the venue's clock, UTC milliseconds."""
        return await self._calls.call(endpoints.TIME, (), wire.server_time, priority)

    async def sync_clock(self, samples: int = 3, *, priority: Priority = Priority.NORMAL) -> ClockSync:
        """Measure the venue's clock by `samples` round trips; the tightest bound is kept until drift outgrows it."""
        return await self._calls.sync_clock(samples, priority)

    async def exchange_info(self, *, priority: Priority = Priority.NORMAL) -> tuple[Instrument, ...]:
        """Return every contract with its trading rules."""
        return await self._calls.call(endpoints.EXCHANGE_INFO, (), self._by_row(rules_wire.instruments), priority)

    async def tickers(self, *, priority: Priority = Priority.LOW) -> tuple[Ticker, ...]:
        """Return 24 h statistics of all symbols."""
        return await self._calls.call(endpoints.TICKERS, (), self._by_row(wire.tickers), priority)

    async def book_tops(self, *, priority: Priority = Priority.LOW) -> tuple[BookTop, ...]:
        """Return best bid and ask of all symbols."""
        return await self._calls.call(endpoints.BOOK_TOPS, (), self._by_row(wire.book_tops), priority)

    async def mark_prices(self, *, priority: Priority = Priority.LOW) -> tuple[MarkPrice, ...]:
        """Return mark price and funding of all perpetuals."""
        return await self._calls.call(endpoints.MARK_PRICES, (), self._by_row(wire.mark_prices), priority)

    async def klines(
        self,
        symbol: str,
        interval: str,
        limit: int = 499,
        start_ms: int | None = None,
        end_ms: int | None = None,
        *,
        priority: Priority = Priority.LOW,
    ) -> Candles:
        """Return bars, ascending: the first `limit` from `start_ms`, else the newest; the last may still be forming."""
        params = (("symbol", symbol), *endpoints.bars_asked(interval, start_ms, end_ms, limit))
        weight = endpoints.klines_weight(limit)
        return await self._calls.call(endpoints.KLINES, params, candles_wire.candles, priority, weight)

    async def depth(self, symbol: str, limit: int = 100, *, priority: Priority = Priority.NORMAL) -> DepthSnapshot:
        """Return the order book, best first, at most `limit` (5, 10, 20, 50, 100, 500, 1000) levels a side."""
        params = (("symbol", symbol), ("limit", limit))
        decode = partial(_of_symbol, wire.depth, symbol)
        return await self._calls.call(endpoints.DEPTH, params, decode, priority, endpoints.depth_weight(limit))

    async def agg_trades(
        self, symbol: str, limit: int = 500, *, priority: Priority = Priority.LOW
    ) -> tuple[AggTrade, ...]:
        """Return the newest aggregate trades, ascending."""
        params = (("symbol", symbol), ("limit", limit))
        return await self._calls.call(
            endpoints.AGG_TRADES, params, partial(_of_symbol, wire.agg_trades, symbol), priority
        )

    async def position_mode(self, *, priority: Priority = Priority.NORMAL) -> bool:
        """Return True when the account is in hedge mode, False in one-way mode."""
        return await self._calls.call(endpoints.POSITION_MODE, (), account_wire.hedge_mode, priority)

    async def account(self, *, priority: Priority = Priority.NORMAL) -> AccountSummary:
        """Return totals and assets of the account (version 3 of the call: only assets in use)."""
        return await self._calls.call(endpoints.ACCOUNT, (), account_wire.account, priority)

    async def account_v2(self, *, priority: Priority = Priority.NORMAL) -> AccountSummary:
        """Return totals and assets of the account (version 2 of the call: every asset)."""
        return await self._calls.call(endpoints.ACCOUNT_V2, (), account_wire.account, priority)

    async def balances(self, *, priority: Priority = Priority.NORMAL) -> tuple[AssetBalance, ...]:
        """Return the wallet by asset."""
        return await self._calls.call(endpoints.BALANCES, (), account_wire.balances, priority)

    async def positions(self, *, priority: Priority = Priority.CRITICAL) -> tuple[PositionRisk, ...]:
        """Return the symbols with a position or an open order; protection rests on it, hence CRITICAL."""
        return await self._calls.call(endpoints.POSITIONS, (), account_wire.positions, priority)

    async def symbol_configs(self, *, priority: Priority = Priority.NORMAL) -> tuple[SymbolConfig, ...]:
        """Return leverage and margin type of every symbol."""
        return await self._calls.call(endpoints.SYMBOL_CONFIGS, (), account_wire.symbol_configs, priority)

    async def leverage_brackets(
        self, symbol: str | None = None, *, priority: Priority = Priority.NORMAL
    ) -> dict[str, tuple[Bracket, ...]]:
        """Return the notional brackets by symbol, of one symbol or of all."""
        decode = self._by_row(rules_wire.leverage_brackets)
        return await self._calls.call(endpoints.LEVERAGE_BRACKETS, (("symbol", symbol),), decode, priority)

    async def listen_key_create(self, *, priority: Priority = Priority.NORMAL) -> str:
        """Return the account's listen key, new or with another 60 minutes of life."""
        return await self._calls.call(endpoints.LISTEN_KEY_CREATE, (), wire.listen_key, priority)

    async def listen_key_keepalive(self, *, priority: Priority = Priority.NORMAL) -> None:
        """Give the listen key another 60 minutes; BusinessError -1125 when there is none."""
        await self._calls.call(endpoints.LISTEN_KEY_KEEPALIVE, (), _nothing, priority)

    async def listen_key_close(self, *, priority: Priority = Priority.NORMAL) -> None:
        """End the account's listen key, for all its sessions."""
        await self._calls.call(endpoints.LISTEN_KEY_CLOSE, (), _nothing, priority)

    def _by_row(self, decode: Callable[[bytes, str, Refused], T]) -> Callable[[bytes, str], T]:
        return lambda body, where: decode(body, where, self._refuse)


def _nothing(body: bytes, where: str) -> None:
    """Accept any JSON object: the answer says nothing but that it came."""
    decode_json(_EMPTY_OBJECT, body, where)


def _of_symbol(decode: Callable[[bytes, str, str], T], symbol: str, body: bytes, where: str) -> T:
    return decode(body, symbol, where)
