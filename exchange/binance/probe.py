"""Asks a venue whether it still is what the desk was built for (reliability F21).

A retired path answers 404, a moved stream is accepted and stays silent: both would otherwise be found by their absence,
at the worst moment. The probe reads the rules, touches the algo service, and waits for one frame on each route.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchange.binance import endpoints, pinned
from exchange.binance.routes import Route, stream_path, stream_symbol, user_stream_path
from exchange.binance.streams_wire import ControlReply, FrameDecoder
from exchange.capability import Capability, Finding, Weight
from exchange.errors import DecodeError, ExchangeError, RefusedError
from exchange.ports import NotSentError, StreamClosedError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exchange.binance.client import BinanceClient
    from exchange.binance.endpoints import Endpoint
    from exchange.binance.signing import Params
    from exchange.ports import Clock, Stream, StreamDialer

SYMBOL = "BTCUSDT"
"""Looked at wherever one symbol must stand for all; it has traded since the venue began."""
FRAME_S = 15.0
"""Desk seconds in which a busy stream tells something; mark prices come every three at the slowest."""
_DIAL_S = 10.0
_NO_KEY = (-2014, -2015)
_GONE = 404


class CapabilityProbe:
    """Makes the checks, one after the other; a check that cannot be made is named, not guessed."""

    def __init__(
        self, client: BinanceClient, dialer: StreamDialer, clock: Clock, *, has_key: bool, patience: float = 1.0
    ) -> None:
        """Take the ports. Without a key the private parts are looked at from outside only."""
        self._client = client
        self._dialer = dialer
        self._clock = clock
        self._has_key = has_key
        self._frame_s = FRAME_S * patience

    async def run(self) -> Capability:
        """Make every check. Never raises for what a venue does."""
        market = f"{stream_symbol(SYMBOL)}@markPrice@1s"
        book = f"{stream_symbol(SYMBOL)}@bookTicker"
        of_symbol = (("symbol", SYMBOL),)
        checks: dict[str, Callable[[], Awaitable[list[Finding]]]] = {
            "trading rules": lambda: self._answer(endpoints.EXCHANGE_INFO, (), pinned.exchange_info),
            "algo service": lambda: self._answer(endpoints.OPEN_ALGO, of_symbol, pinned.algo_orders),
            "market route": lambda: self._flows(Route.MARKET, market),
            "public route": lambda: self._flows(Route.PUBLIC, book),
        }
        if self._has_key:
            checks["leverage brackets"] = lambda: self._answer(endpoints.LEVERAGE_BRACKETS, (), pinned.brackets)
            checks["private route"] = self._private
        findings: list[Finding] = []
        for check in checks.values():
            findings += await check()
        return Capability(self._clock.now_ms(), tuple(checks), tuple(findings))

    async def _answer(self, endpoint: Endpoint, params: Params, compare: pinned.Compare) -> list[Finding]:
        """Compare an answer; a refusal for the lack of a key proves at least that the path is there."""
        keyless = not self._has_key and endpoint.security is not endpoints.Security.NONE
        asked = endpoint._replace(security=endpoints.Security.NONE) if keyless else endpoint
        try:
            body = await self._client.calls.call(asked, params, lambda body, _: body, Priority.NORMAL)
        except RefusedError as error:
            if error.status == _GONE:
                return [Finding(endpoint.operation, "an answer", "HTTP 404: no such path", "the path was retired")]
            if keyless and (error.code in _NO_KEY or error.status == 401 or error.code == -1102):
                return []
            return [_unsure(endpoint.operation, error)]
        except ExchangeError as error:
            return [_unsure(endpoint.operation, error)]
        return compare(body, endpoint.operation)

    async def _flows(self, route: Route, stream: str) -> list[Finding]:
        """Wait for one frame of a busy stream."""
        name = f"route /{route.value}"
        try:
            socket = await self._dialer.connect(stream_path(route, (stream,)), _DIAL_S)
        except (NotSentError, StreamClosedError) as error:
            return [_unsure(name, error)]
        listening = asyncio.ensure_future(self._first(socket))
        alarm = asyncio.ensure_future(self._clock.sleep(self._frame_s))
        try:
            await asyncio.wait((listening, alarm), return_when=asyncio.FIRST_COMPLETED)
            if not listening.done():
                text = "the venue accepts the stream and does not deliver it: prices would be missing"
                return [Finding(name, f"frames of {stream}", f"none in {self._frame_s:.0f} s", text)]
            return [] if listening.exception() is None else [_unsure(name, listening.exception())]
        finally:
            listening.cancel()
            alarm.cancel()
            await socket.close()

    @staticmethod
    async def _first(socket: Stream) -> None:
        decoder = FrameDecoder()
        while True:
            try:
                message = decoder.decode(await socket.receive())
            except DecodeError:
                continue
            if message is not None and not isinstance(message, ControlReply):
                return

    async def _private(self) -> list[Finding]:
        """Open the private route with a listen key; its events come when they come, so the handshake must do."""
        name = "route /private"
        try:
            key = await self._client.listen_key_create()
            socket = await self._dialer.connect(user_stream_path(key), _DIAL_S)
        except StreamClosedError as error:
            text = "account events would be missing"
            return [Finding(name, "a connection", error.reason or "a refused handshake", text)]
        except (NotSentError, ExchangeError) as error:
            return [_unsure(name, error)]
        await socket.close()
        return []


def _unsure(name: str, error: BaseException | None) -> Finding:
    return Finding(name, "an answer", str(error), "it could not be checked and is asked again soon", Weight.UNSURE)
