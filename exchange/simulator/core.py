"""The simulated venue itself: requests in, answers out, sessions fed; no clock, no I/O, no waiting.

Time is an argument. Equal markets, options, requests and instants give equal answers and frames, whichever front asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator.connection import GOING_AWAY, LIFE_MS
from exchange.simulator.faults.control import Control, answer_control
from exchange.simulator.faults.injector import Injector
from exchange.simulator.faults.requests import Fate, Request
from exchange.simulator.feed import Feed
from exchange.simulator.kline_feed import check_step
from exchange.simulator.rest import answer_request
from exchange.simulator.session import Session
from exchange.simulator.stream_names import parse_target
from exchange.simulator.venue import ExchangeOptions, Venue, demo_secrets
from exchange.simulator.ws_api import connect_api, is_api_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.ports import RestAnswer
    from exchange.simulator.connection import Connection
    from exchange.simulator.faults.plan import FaultPlan
    from exchange.simulator.market import Market


class Exchange:
    """A venue on a market. `now_ms` arguments are simulated UTC milliseconds and must not go back."""

    def __init__(
        self, market: Market, secrets: Mapping[str, str] | None = None, options: ExchangeOptions | None = None
    ) -> None:
        """Open the venue; `secrets` maps API key to HMAC secret or PEM public key (by default the demo pair).

        Raises ValueError where the market's step does not divide a minute or a PEM text holds no usable key.
        """
        check_step(market.step_ms)
        self.options = options or ExchangeOptions()
        self.market = market
        self.now_ms = market.now_ms
        self.venue = Venue(market, secrets if secrets is not None else demo_secrets(), self.options)
        self._subscriptions = self.venue.subscriptions
        self._feed = Feed(self.venue.tape, self._subscriptions, self.venue.liquidations)
        self.venue.life.renewed.append(self._feed.renew)
        self._sessions: dict[Connection, None] = {}
        self._faults: Injector | None = None
        self.control = Control(self)

    @property
    def sessions(self) -> list[Connection]:
        """Return the open connections in order of arrival."""
        return list(self._sessions)

    def advance(self, now_ms: int) -> None:
        """Let simulated time reach `now_ms`: the market moves step by step and sessions get their frames."""
        market, step = self.market, self.market.step_ms
        while market.now_ms + step <= now_ms:
            previous = market.now_ms
            market.advance(previous + step)
            if market.now_ms == previous:
                break  # a replay that has run out of data stands still
            self.venue.tape.tick(market.now_ms)
            self.venue.house.step(previous, market.now_ms)
            self.venue.life.step(market.now_ms)
            self._feed.tick(previous, market.now_ms)
            if self._faults is not None:
                self.now_ms = market.now_ms
                self._faults.step(market.now_ms)
        self.now_ms = max(self.now_ms, now_ms)
        self.venue.house.orders.run_countdowns(self.now_ms)
        self.venue.user_streams.expire(self.now_ms)
        for session in list(self._sessions):
            if self.now_ms - session.opened_ms >= LIFE_MS:
                session.end(GOING_AWAY, "24 hours are over")
            if session.ending is not None:
                self._forget(session)

    def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: Mapping[str, str], now_ms: int
    ) -> RestAnswer:
        """Answer one HTTP request, faults aside. Query and body are the bytes received; header names are lower case."""
        self.advance(now_ms)
        return self._execute(Request(method, path, query, body, headers))

    def serve(self, request: Request, now_ms: int) -> Fate:
        """Answer one HTTP request as its sender sees it: with the faults of the plan, and with the control endpoint."""
        self.advance(now_ms)
        answer = answer_control(self, request)
        if answer is not None:
            return Fate(answer)
        if self._faults is None or request.path.startswith("/sim/"):
            return Fate(self._execute(request))
        self._faults.step(self.now_ms)
        return self._faults.serve(request)

    def set_faults(self, plan: FaultPlan) -> None:
        """Let the faults of a plan happen from now on; its seconds count from here. An empty plan heals everything."""
        if self._faults is not None:
            self._faults.release()
        for session in self._sessions:
            session.tamper = None
        self._faults = None
        if plan.fault:
            self._faults = Injector(plan, self.now_ms, self._execute, self.control.act, self.options.questions)
            for session in self._sessions:
                self._faults.watch(session)

    def fault_report(self) -> list[dict[str, Any]]:
        """Return per fault of the plan its occasions and strikes, and why an action of it could not be done."""
        return [] if self._faults is None else self._faults.report()

    def accepts_connection(self, now_ms: int) -> bool:
        """Say whether a new socket gets a handshake at all; fronts ask before `open`."""
        self.advance(now_ms)
        return self._faults is None or not self._faults.refuses_connection()

    def _execute(self, request: Request) -> RestAnswer:
        return answer_request(self.venue, *request, self.now_ms)

    def open(self, path: str, now_ms: int) -> Connection | None:
        """Open the WebSocket at a path with its query, or return None: no such path or no more weight, answer 404."""
        self.advance(now_ms)
        session = self._connect(path)
        if session is None:
            return None
        self._sessions[session] = None
        if self._faults is not None:
            self._faults.watch(session)
        return session

    def _connect(self, path: str) -> Connection | None:
        if is_api_path(path):
            return connect_api(self.venue, path, self._reach, self.now_ms)
        target = parse_target(path)
        if target is None:
            return None
        return Session(target, self.now_ms, self.options.outbox_limit, self._subscriptions.change)

    def _reach(self, now_ms: int) -> int:
        self.advance(now_ms)
        return self.now_ms

    def close(self, session: Connection, code: int = 1000, reason: str = "") -> None:
        """Forget a session: its client went away or its ending has been delivered."""
        session.end(code, reason)
        self._forget(session)

    def _forget(self, session: Connection) -> None:
        if session in self._sessions:
            del self._sessions[session]
            if self._faults is not None:
                self._faults.forget(session)
            if isinstance(session, Session):
                self._subscriptions.change(session, (), tuple(session.names))
