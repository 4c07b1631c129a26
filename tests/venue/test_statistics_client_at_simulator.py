"""Funding, open interest and positioning: read from the simulated venue, counted in their own pools."""

import asyncio
from decimal import Decimal

import pytest
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy, ScriptedRest, answer
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.statistics_client import StatisticsClient
from exchange.binance.weights import Pool, WeightLedger
from exchange.errors import DecodeError, HeldBackError
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront


def test_every_read_is_answered_decodes_and_is_counted_in_its_pool():
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket()), clock)
        pump = asyncio.create_task(front.run())
        ledger = WeightLedger()
        client = BinanceClient(front.rest, clock, ledger, OpenGate(), ScriptedEntropy())
        statistics = StatisticsClient(client.calls)
        await clock.sleep(1)
        rates = await statistics.funding_rates("BTCUSDT", limit=5)
        assert [rate.time_ms for rate in rates] == sorted(rate.time_ms for rate in rates)
        assert all(terms.interval_hours in (1, 4, 8) for terms in await statistics.funding_terms())
        assert ledger.used(client.venue_ms(), Pool.FUNDING) == 2
        assert ledger.used(client.venue_ms()) == 0
        assert (await statistics.open_interest("BTCUSDT")).quantity >= 0
        assert len(await statistics.open_interest_history("BTCUSDT", "5m", limit=3)) <= 3
        for top in (False, True):
            assert all(0 <= row.long <= 1 for row in await statistics.account_ratios("BTCUSDT", "5m", top=top))
        assert all(0 <= row.short <= 1 for row in await statistics.position_ratios("BTCUSDT", "5m"))
        assert all(row.bought >= 0 for row in await statistics.taker_volumes("BTCUSDT", "5m"))
        assert all(row.index > 0 for row in await statistics.basis("BTCUSDT", "5m"))
        assert ledger.used(client.venue_ms(), Pool.STATISTICS) == 6
        assert len(await statistics.mark_klines("BTCUSDT", "1m", 20)) > 0
        assert len(await statistics.index_klines("BTCUSDT", "1m", 20)) > 0
        trades = await statistics.trades("BTCUSDT", 20)
        assert trades[-1].trade_id > trades[0].trade_id
        assert ledger.used(client.venue_ms()) == front.exchange.venue.weights.used(client.venue_ms())
        pump.cancel()

    run_virtual(main())


def read(body, call):
    async def main():
        client = BinanceClient(
            ScriptedRest(answer(body)), VirtualClock(START), WeightLedger(funding=5), OpenGate(), ScriptedEntropy()
        )
        return await call(StatisticsClient(client.calls))

    return run_virtual(main())


def test_fundings_of_every_age_decode():
    old = {"symbol": "BTCUSDT", "fundingTime": 1, "fundingRate": "-0.0375", "markPrice": ""}
    new = old | {"markPrice": "76907.97183333", "rateType": "Special"}
    first, second = read([old, new], lambda statistics: statistics.funding_rates("BTCUSDT"))
    assert (first.mark, first.special) == (None, False)
    assert (second.mark, second.special) == (Decimal("76907.97183333"), True)


@pytest.mark.parametrize(
    "changes",
    [{"fundingRate": "NaN"}, {"markPrice": "x"}, {"markPrice": "-1"}, {"fundingRate": "1e308"}, {"symbol": None}],
)
def test_a_funding_that_cannot_be_believed_is_refused(changes):
    row = {"symbol": "BTCUSDT", "fundingTime": 1, "fundingRate": "0.0001", "markPrice": "1"} | changes
    with pytest.raises(DecodeError):
        read([row], lambda statistics: statistics.funding_rates())


@pytest.mark.parametrize(
    "changes", [{"fundingIntervalHours": 5}, {"adjustedFundingRateCap": "-0.03"}, {"adjustedFundingRateFloor": "NaN"}]
)
def test_terms_that_contradict_themselves_are_refused(changes):
    row = {
        "symbol": "SUSHIUSDT", "adjustedFundingRateCap": "0.0075", "adjustedFundingRateFloor": "-0.0075",
        "fundingIntervalHours": 8, "disclaimer": True, "updateTime": None,
    }  # fmt: skip
    (terms,) = read([row], lambda statistics: statistics.funding_terms())
    assert terms.interval_hours == 8
    with pytest.raises(DecodeError):
        read([row | changes], lambda statistics: statistics.funding_terms())


def test_an_exhausted_pool_holds_its_own_requests_back_and_no_others():
    async def calls(statistics):
        for _ in range(4):
            await statistics.funding_rates()
        with pytest.raises(HeldBackError):
            await statistics.funding_terms()

    read([], calls)
