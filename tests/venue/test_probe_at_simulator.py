"""The capability probe against the simulated exchange: as pinned, and changed in every way the probe knows."""

import asyncio
import json

import msgspec
import pytest
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.probe import CapabilityProbe
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.capability import Weight
from exchange.ports import NotSentError, RestAnswer, StreamClosedError
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions, demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))
RETIRED = RestAnswer(404, {}, b"<html>404</html>")


class ChangedVenue:
    """The simulated exchange behind ports that change some of its answers and sockets."""

    def __init__(self, front, answers, routes):
        self._front, self._answers, self._routes = front, answers, routes

    async def send(self, method, path, query, headers, deadline):
        change = self._answers.get(path)
        if isinstance(change, Exception):
            raise change
        if isinstance(change, RestAnswer):
            return change
        answer = await self._front.rest.send(method, path, query, headers, deadline)
        if change is None:
            return answer
        body = json.loads(answer.body)
        change(body)
        return msgspec.structs.replace(answer, body=json.dumps(body).encode())

    async def connect(self, path, deadline):
        change = self._routes.get(path.split("/")[1])
        if isinstance(change, Exception):
            raise change
        stream = await self._front.dialer.connect(path, deadline)
        return SilentStream(stream) if change == "silent" else stream


class SilentStream:
    def __init__(self, inner):
        self._inner = inner

    async def receive(self):
        await asyncio.Event().wait()

    async def close(self):
        await self._inner.close()


def probe(answers=None, routes=None, *, has_key=True, **options):
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket(), options=ExchangeOptions(**options)), clock, latency=0.02)
        venue = ChangedVenue(front, answers or {}, routes or {})
        keys = Credentials(KEY, SECRET) if has_key else None
        client = BinanceClient(venue, clock, WeightLedger(), OpenGate(), ScriptedEntropy(), keys)
        pump = asyncio.create_task(front.run())
        try:
            await clock.sleep(5)
            return await CapabilityProbe(client, venue, clock, has_key=has_key).run()
        finally:
            pump.cancel()

    return run_virtual(main())


def names(capability, weight=Weight.BLOCKS):
    return [finding.name for finding in capability.findings if finding.weight is weight]


@pytest.mark.parametrize("options", [{}, {"strict": True}])
@pytest.mark.parametrize("has_key", [True, False])
def test_the_simulated_exchange_is_as_pinned(options, has_key):
    capability = probe(has_key=has_key, **options)
    assert capability.blocking == ()
    assert names(capability, Weight.UNSURE) == []
    assert len(capability.checks) == (6 if has_key else 4)
    assert capability.entries_off == ""


@pytest.mark.parametrize("has_key", [True, False])
def test_a_retired_algo_endpoint_is_found(has_key):
    capability = probe({"/fapi/v1/openAlgoOrders": RETIRED}, has_key=has_key)
    assert names(capability) == ["GET /fapi/v1/openAlgoOrders"]
    assert "retired" in capability.findings[0].consequence


@pytest.mark.parametrize("route", ["market", "public"])
def test_a_route_that_accepts_and_delivers_nothing_is_found(route):
    capability = probe(routes={route: "silent"})
    assert names(capability) == [f"route /{route}"]
    assert "does not deliver" in capability.findings[0].consequence


def test_a_private_route_that_is_gone_is_found():
    capability = probe(routes={"private": StreamClosedError(1006, "the handshake was refused with HTTP 404")})
    assert names(capability) == ["route /private"]


def test_changed_filters_and_brackets_are_found():
    def without_lots(body):
        for row in body["symbols"]:
            row["filters"] = [one for one in row["filters"] if one["filterType"] != "MARKET_LOT_SIZE"]

    def texts(body):
        for row in body:
            for step in row["brackets"]:
                step["cum"] = str(step["cum"])

    capability = probe({"/fapi/v1/exchangeInfo": without_lots, "/fapi/v1/leverageBracket": texts})
    assert names(capability) == ["filter MARKET_LOT_SIZE", "leverage brackets"]
    assert capability.entries_off.startswith("the exchange is not as expected")


def test_an_html_page_instead_of_the_rules_is_found():
    page = RestAnswer(200, {}, b"<html>maintenance</html>")
    assert probe({"/fapi/v1/exchangeInfo": page}).unsure


@pytest.mark.parametrize("path", ["/fapi/v1/exchangeInfo", "/fapi/v1/openAlgoOrders", "/fapi/v1/leverageBracket"])
def test_what_cannot_be_asked_is_named_unsure_and_blocks_nothing(path):
    capability = probe({path: NotSentError("no network")})
    assert capability.unsure
    assert capability.entries_off == ""


def test_a_route_that_cannot_be_dialled_is_unsure():
    assert names(probe(routes={"market": NotSentError("no network")}), Weight.UNSURE) == ["route /market"]
