"""The life of one market socket as a state machine: events and a time in, effects out.

    IDLE ──wanted──▶ DIALLING ──opened──▶ OPEN ──stall, silence──▶ CLOSING
      ▲                  │                  │                         │
      └──nothing wanted──┴───── WAITING ◀───┴─────────lost────────────┘

The machine keeps the streams wanted and those the venue confirmed, and works the difference off one request at a time.
From time to time it asks the venue for its list (the audit): a subscription lost on the way is found and asked for
again. It holds no socket, no clock and no randomness; `now` is desk seconds and `jitter` a number in [0, 1).
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.binance.routes import Route, stream_path
from exchange.binance.stream_events import (
    RequestRefused,
    SocketLost,
    SocketOpened,
    StreamEvent,
    StreamsLive,
    SubscriptionsLost,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.binance.streams_wire import ControlReply

_SUBSCRIBE = "SUBSCRIBE"
_UNSUBSCRIBE = "UNSUBSCRIBE"
_LIST = "LIST_SUBSCRIPTIONS"


class SessionLimits(msgspec.Struct, frozen=True):
    """Times of a session in desk seconds, and sizes."""

    stall_s: float = 9.0
    """Silence after which a socket is suspected; `grace_s` later it is given up. Together at most 10 s."""
    grace_s: float = 1.0
    """Lets a loop that stood still itself read what has queued up before it blames the venue."""
    rotate_s: float = 23 * 3600.0
    """Age at which a socket is replaced; the venue ends it at 24 h."""
    audit_s: float = 60.0
    answer_s: float = 20.0
    """How long a request may stay unanswered."""
    pace_s: float = 0.25
    """Least time between requests: the venue allows 10 messages a second, pongs included."""
    refused_pause_s: float = 30.0
    backoff_s: float = 0.5
    backoff_cap_s: float = 20.0
    settled_s: float = 30.0
    """A socket that lived this long resets the back-off."""
    chunk: int = 100
    """Streams in one request."""


class Phase(Enum):
    """Where a session stands."""

    IDLE = "idle"
    DIALLING = "dialling"
    OPEN = "open"
    CLOSING = "closing"
    WAITING = "waiting"


class Dial(NamedTuple):
    """Open a socket; answer with `opened` or `lost`."""

    path: str


class Send(NamedTuple):
    """Send one text message."""

    text: bytes


class HangUp(NamedTuple):
    """Close the socket; answer with `lost`."""

    reason: str


class Replace(NamedTuple):
    """Let another socket take this one's place; this one goes on until it is left."""


class Tell(NamedTuple):
    """Report an event."""

    event: StreamEvent


Action = Dial | Send | HangUp | Replace
Effect = Action | Tell


class _Request(NamedTuple):
    number: int
    method: str
    streams: tuple[str, ...]
    sent_at: float


class SocketSession:
    """One socket's state. Every method takes `now` and returns the effects to carry out, in order."""

    def __init__(self, number: int, route: Route, limits: SessionLimits) -> None:
        """Start idle with nothing wanted."""
        self.number = number
        self.route = route
        self.phase = Phase.IDLE
        self.wanted: dict[str, None] = {}
        self.confirmed: set[str] = set()
        self.reconnects = 0
        self.lost_subscriptions = 0
        self.unanswered_audits = 0
        self.opened_at = -math.inf
        self.heard_at = -math.inf
        self._limits = limits
        self._failures = 0
        self._retry_at = -math.inf
        self._rotate_at = math.inf
        self._audit_at = math.inf
        self._speak_at = -math.inf
        self._suspected_at = -math.inf
        self._request: _Request | None = None
        self._requests = 0
        self._planned = False
        self._away: dict[str, float] = {}
        """Streams that were live once, with the instant they were last known to be."""

    def want(self, streams: Iterable[str], now: float) -> list[Effect]:
        """Replace the wanted streams."""
        self.wanted = dict.fromkeys(streams)
        self._away = {name: at for name, at in self._away.items() if name in self.wanted}
        return self.tick(now)

    def opened(self, now: float, jitter: float) -> list[Effect]:
        """Note that the socket is connected."""
        self.phase = Phase.OPEN
        self.opened_at = self.heard_at = now
        # Sockets opened together are not rotated together.
        self._rotate_at = now + self._limits.rotate_s * (1.0 + jitter / 50)
        self._audit_at = now + self._limits.audit_s * (0.5 + jitter)
        self._speak_at = now
        self._planned = False
        return [Tell(SocketOpened(self.number, self.route)), *self.tick(now)]

    def lost(self, now: float, code: int | None, reason: str, jitter: float) -> list[Effect]:
        """Note that the socket ended or could not be opened, and plan the next attempt."""
        if self.phase in (Phase.OPEN, Phase.CLOSING):
            self.reconnects += 1
            if now - self.opened_at >= self._limits.settled_s and self.heard_at > self.opened_at:
                self._failures = 0
            for name in self.confirmed:
                self._away.setdefault(name, self.heard_at)
        self.confirmed = set()
        self._request = None
        if not self.wanted:
            self.phase = Phase.IDLE
            return [Tell(SocketLost(self.number, self.route, code, reason, 0.0))]
        delay = jitter * self._limits.backoff_s if self._planned else self._backoff(jitter)
        self._planned = False
        self.phase = Phase.WAITING
        self._retry_at = now + delay
        return [Tell(SocketLost(self.number, self.route, code, reason, delay))]

    def _backoff(self, jitter: float) -> float:
        ceiling = min(self._limits.backoff_cap_s, self._limits.backoff_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return ceiling * (0.5 + jitter / 2)

    def heard(self, now: float) -> None:
        """Note a market frame; answers to requests do not count, they prove no flow of data."""
        self.heard_at = now

    def answered(self, reply: ControlReply, now: float) -> list[Effect]:
        """Take the answer to the request in flight; answers to anything else are ignored."""
        request = self._request
        if request is None or self.phase is not Phase.OPEN or reply.request_id not in (request.number, None):
            return []
        self._request = None
        if reply.code is not None:
            self._speak_at = now + self._limits.refused_pause_s
            return [Tell(RequestRefused(self.number, reply.code, reply.msg))]
        effects: list[Effect] = []
        if request.method == _SUBSCRIBE:
            self.confirmed.update(request.streams)
            effects += self._live(request.streams, now)
        elif request.method == _UNSUBSCRIBE:
            self.confirmed.difference_update(request.streams)
        elif reply.streams is not None:
            effects += self._audited(frozenset(reply.streams), request.sent_at, now)
        return effects + self.tick(now)

    def _live(self, streams: tuple[str, ...], now: float) -> list[Effect]:
        new = tuple(name for name in streams if name not in self._away)
        back = tuple(name for name in streams if name in self._away)
        effects: list[Effect] = []
        if new:
            effects.append(Tell(StreamsLive(self.number, new, None)))
        if back:
            since = min(self._away.pop(name) for name in back)
            effects.append(Tell(StreamsLive(self.number, back, now - since)))
        return effects

    def _audited(self, listed: frozenset[str], asked_at: float, now: float) -> list[Effect]:
        missing = tuple(name for name in self.wanted if name in self.confirmed and name not in listed)
        found = tuple(name for name in self.wanted if name in listed and name not in self.confirmed)
        self.confirmed = set(listed)
        effects = self._live(found, now)
        if not missing:
            return effects
        self.lost_subscriptions += len(missing)
        for name in missing:
            # Lost at some time since the audit before.
            self._away[name] = max(self.opened_at, asked_at - self._limits.audit_s)
        return [*effects, Tell(SubscriptionsLost(self.number, missing))]

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at `now`."""
        if self.phase is Phase.IDLE or (self.phase is Phase.WAITING and now >= self._retry_at):
            if not self.wanted:
                self.phase = Phase.IDLE
                return []
            self.phase = Phase.DIALLING
            return [Dial(stream_path(self.route))]
        if self.phase is not Phase.OPEN:
            return []
        self._forget_unanswered_audit(now)
        reason = self._reason_to_hang_up(now)
        if reason:
            self.phase = Phase.CLOSING
            return [HangUp(reason)]
        if now >= self._rotate_at:
            self._rotate_at = math.inf
            return [Replace(), *self._speak(now)]
        return self._speak(now)

    def _reason_to_hang_up(self, now: float) -> str:
        if not self.wanted:
            self._planned = True
            return "nothing is wanted of it any more"
        if now - self.heard_at >= self._limits.stall_s:
            if self._suspected_at <= self.heard_at:
                self._suspected_at = now
            elif now - self._suspected_at >= self._limits.grace_s:
                return f"no frame for {now - self.heard_at:.0f} s"
        request = self._request
        if request is not None and now - request.sent_at >= self._limits.answer_s:
            return f"no answer to {request.method} for {now - request.sent_at:.0f} s"
        return ""

    def _forget_unanswered_audit(self, now: float) -> None:
        # A venue that does not answer the audit still delivers; only a lost SUBSCRIBE costs the socket.
        request = self._request
        if request is None or request.method != _LIST or now - request.sent_at < self._limits.answer_s:
            return
        self._request = None
        self.unanswered_audits += 1

    def _speak(self, now: float) -> list[Effect]:
        """Send the next request, if one is due and none is in flight."""
        if self._request is not None or now < self._speak_at:
            return []
        missing = [name for name in self.wanted if name not in self.confirmed]
        if missing:
            return [self._ask(_SUBSCRIBE, tuple(missing[: self._limits.chunk]), now)]
        surplus = sorted(self.confirmed.difference(self.wanted))
        if surplus:
            return [self._ask(_UNSUBSCRIBE, tuple(surplus[: self._limits.chunk]), now)]
        if now >= self._audit_at:
            self._audit_at = now + self._limits.audit_s
            return [self._ask(_LIST, (), now)]
        return []

    def _ask(self, method: str, streams: tuple[str, ...], now: float) -> Send:
        self._requests += 1
        self._request = _Request(self._requests, method, streams, now)
        self._speak_at = now + self._limits.pace_s
        body: dict[str, object] = {"method": method, "id": self._requests}
        if streams:
            body["params"] = streams
        return Send(msgspec.json.encode(body))

    def due(self) -> float:
        """Return the desk time at which `tick` has something to do; infinity when only an event can bring it."""
        if self.phase is Phase.WAITING:
            return self._retry_at
        if self.phase is not Phase.OPEN:
            return math.inf
        suspected = self._suspected_at > self.heard_at
        stall = self._suspected_at + self._limits.grace_s if suspected else self.heard_at + self._limits.stall_s
        if self._request is not None:
            return min(stall, self._rotate_at, self._request.sent_at + self._limits.answer_s)
        idle = self.confirmed == self.wanted.keys()
        return min(stall, self._rotate_at, max(self._speak_at, self._audit_at) if idle else self._speak_at)
