"""Reads funding, open interest, positioning, index and mark candles, and single trades. No key is needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from exchange.binance import candles_wire, endpoints, statistics_wire
from exchange.priority import Priority

if TYPE_CHECKING:
    from exchange.binance.calls import Calls
    from exchange.binance.endpoints import Endpoint
    from exchange.market_data import Candles
    from exchange.market_statistics import (
        Basis,
        FundingRate,
        FundingTerms,
        LongShortRatio,
        OpenInterest,
        PublicTrade,
        TakerVolume,
    )


class StatisticsClient:
    """Market data beside quotes and candles. Every method raises `exchange.errors.ExchangeError`.

    Funding and statistics are counted in pools of their own, which a desk that asks for every symbol exhausts soon.
    """

    def __init__(self, calls: Calls) -> None:
        """Take the way to the venue."""
        self._calls = calls

    async def funding_rates(
        self,
        symbol: str | None = None,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
        priority: Priority = Priority.LOW,
    ) -> tuple[FundingRate, ...]:
        """Return settled fundings, ascending, at most 1,000."""
        params = (("symbol", symbol), ("startTime", start_ms), ("endTime", end_ms), ("limit", limit))
        return await self._calls.call(endpoints.FUNDING_RATES, params, statistics_wire.funding_rates, priority)

    async def funding_terms(self, *, priority: Priority = Priority.LOW) -> tuple[FundingTerms, ...]:
        """Return the contracts that are not funded every eight hours within the usual bounds."""
        return await self._calls.call(endpoints.FUNDING_INFO, (), statistics_wire.funding_terms, priority)

    async def open_interest(self, symbol: str, *, priority: Priority = Priority.LOW) -> OpenInterest:
        """Return the contracts open now."""
        params = (("symbol", symbol),)
        return await self._calls.call(endpoints.OPEN_INTEREST, params, statistics_wire.open_interest, priority)

    async def open_interest_history(
        self, symbol: str, period: str, *, limit: int = 30, priority: Priority = Priority.LOW
    ) -> tuple[OpenInterest, ...]:
        """Return the contracts open at the ends of periods of 5m to 1d."""
        params = (("symbol", symbol), ("period", period), ("limit", limit))
        decode = statistics_wire.open_interest_history
        return await self._calls.call(endpoints.OPEN_INTEREST_HISTORY, params, decode, priority)

    async def account_ratios(
        self, symbol: str, period: str, *, top: bool = False, limit: int = 30, priority: Priority = Priority.LOW
    ) -> tuple[LongShortRatio, ...]:
        """Return the shares of accounts that are long and short, of all traders or of the largest."""
        endpoint = endpoints.TOP_LONG_SHORT_ACCOUNTS if top else endpoints.LONG_SHORT_ACCOUNTS
        return await self._ratios(endpoint, symbol, period, limit, priority)

    async def position_ratios(
        self, symbol: str, period: str, *, limit: int = 30, priority: Priority = Priority.LOW
    ) -> tuple[LongShortRatio, ...]:
        """Return the shares of the largest traders' positions that are long and short."""
        return await self._ratios(endpoints.TOP_LONG_SHORT_POSITIONS, symbol, period, limit, priority)

    async def _ratios(
        self, endpoint: Endpoint, symbol: str, period: str, limit: int, priority: Priority
    ) -> tuple[LongShortRatio, ...]:
        params = (("symbol", symbol), ("period", period), ("limit", limit))
        return await self._calls.call(endpoint, params, statistics_wire.long_short_ratios, priority)

    async def taker_volumes(
        self, symbol: str, period: str, *, limit: int = 30, priority: Priority = Priority.LOW
    ) -> tuple[TakerVolume, ...]:
        """Return what takers bought and sold."""
        params = (("symbol", symbol), ("period", period), ("limit", limit))
        return await self._calls.call(endpoints.TAKER_RATIO, params, statistics_wire.taker_volumes, priority)

    async def basis(
        self,
        pair: str,
        period: str,
        *,
        contract_type: str = "PERPETUAL",
        limit: int = 30,
        priority: Priority = Priority.LOW,
    ) -> tuple[Basis, ...]:
        """Return the distance of the contract from its index."""
        params = (("pair", pair), ("contractType", contract_type), ("period", period), ("limit", limit))
        return await self._calls.call(endpoints.BASIS, params, statistics_wire.basis, priority)

    async def mark_klines(
        self,
        symbol: str,
        interval: str,
        limit: int = 499,
        start_ms: int | None = None,
        end_ms: int | None = None,
        *,
        priority: Priority = Priority.LOW,
    ) -> Candles:
        """Return bars of the mark price; their volumes are 0."""
        params = (("symbol", symbol), *endpoints.bars_asked(interval, start_ms, end_ms, limit))
        weight = endpoints.klines_weight(limit)
        return await self._calls.call(endpoints.MARK_KLINES, params, candles_wire.candles, priority, weight)

    async def index_klines(
        self,
        pair: str,
        interval: str,
        limit: int = 499,
        start_ms: int | None = None,
        end_ms: int | None = None,
        *,
        priority: Priority = Priority.LOW,
    ) -> Candles:
        """Return bars of the index price; their volumes are 0."""
        params = (("pair", pair), *endpoints.bars_asked(interval, start_ms, end_ms, limit))
        weight = endpoints.klines_weight(limit)
        return await self._calls.call(endpoints.INDEX_KLINES, params, candles_wire.candles, priority, weight)

    async def trades(
        self, symbol: str, limit: int = 500, *, priority: Priority = Priority.LOW
    ) -> tuple[PublicTrade, ...]:
        """Return the newest single trades, ascending, at most 1,000."""
        params = (("symbol", symbol), ("limit", limit))
        return await self._calls.call(endpoints.TRADES, params, partial(_of, symbol), priority)


def _of(symbol: str, body: bytes, where: str) -> tuple[PublicTrade, ...]:
    return statistics_wire.trades(body, symbol, where)
