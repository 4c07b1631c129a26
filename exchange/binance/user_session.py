"""The life of the private stream as a state machine: events and a time in, effects out.

    KEYING ──key──▶ DIALLING ──opened──▶ OPEN ──lost, expired, silent──▶ WAITING ──▶ KEYING

Every connection begins with a listen key: asking for it is idempotent and renews it. An open socket is believed for as
long as something is heard of it; after some silence it must answer a ping and the key must be renewable. Before its day
is over a second socket is opened beside it and takes its place without a gap. Whenever something may have been missed,
a `Resync` goes to the consumer. `now` is desk seconds, `jitter` a number in [0, 1).
"""

from __future__ import annotations

import math

from exchange.account_events import Resync
from exchange.binance.routes import user_stream_path
from exchange.binance.user_effects import (
    Announce,
    AskKey,
    DialUser,
    LeaveUser,
    PingUser,
    Renew,
    Switch,
    TellUser,
    UserDoubted,
    UserEffect,
    UserLimits,
    UserLost,
    UserOpened,
    UserPhase,
    UserRotated,
)


class UserSession:
    """The private stream's state. Every method takes `now` and returns the effects to carry out, in order."""

    def __init__(self, limits: UserLimits) -> None:
        """Start idle."""
        self.phase = UserPhase.IDLE
        self.socket = 0
        """The socket that delivers, or is being dialled to."""
        self.successor = 0
        """The socket that stands aside, 0 for none."""
        self.reconnects = 0
        self._limits = limits
        self._key = ""
        self._sockets = 0
        self._failures = 0
        self._reason = "the desk starts"
        self._opened_at = self._certain_at = -math.inf
        self._retry_at = self._renew_at = self._rotate_at = self._switch_at = self._probe_at = math.inf
        self._renewing = self._pinging = self._probing = False
        self._doubt = ""
        self._doubt_at = -math.inf
        """When the next doubt may be announced."""

    def start(self, now: float) -> list[UserEffect]:
        """Begin."""
        del now
        return self._ask()

    def _ask(self) -> list[UserEffect]:
        self.phase = UserPhase.KEYING
        self._retry_at = math.inf
        return [AskKey()]

    def key_given(self, key: str, now: float) -> list[UserEffect]:
        """Take the listen key asked for."""
        if self.phase is not UserPhase.KEYING:
            return []
        self._key = key
        self._renew_at = now + self._limits.renew_s
        self.phase = UserPhase.DIALLING
        self.socket = self._next()
        return [DialUser(self.socket, user_stream_path(key))]

    def key_failed(self, reason: str, pause: float, now: float, jitter: float) -> list[UserEffect]:
        """Note that there is no listen key; `pause` is what the venue asked for."""
        return self._wait(reason, now, jitter, pause) if self.phase is UserPhase.KEYING else []

    def _next(self) -> int:
        self._sockets += 1
        return self._sockets

    def _wait(self, reason: str, now: float, jitter: float, pause: float = 0.0) -> list[UserEffect]:
        ceiling = min(self._limits.backoff_cap_s, self._limits.backoff_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        delay = max(pause, ceiling * (0.5 + jitter / 2))
        if self.phase is UserPhase.OPEN:
            self._reason = reason  # what fails afterwards is no cause of the gap
        self.phase = UserPhase.WAITING
        self._retry_at = now + delay
        self._renew_at = self._rotate_at = self._probe_at = math.inf
        self._probing = self._pinging = False
        return [TellUser(UserLost(reason, delay))]

    def opened(self, socket: int, now: float, jitter: float) -> list[UserEffect]:
        """Note that a socket is connected."""
        if socket == self.successor:
            self._switch_at = now + self._limits.overlap_s
            return []
        if socket != self.socket or self.phase is not UserPhase.DIALLING:
            return [LeaveUser(socket)]
        gap = None if self._certain_at == -math.inf else now - self._certain_at
        self.phase = UserPhase.OPEN
        self._settle_in(now, jitter)
        return [TellUser(UserOpened(gap)), Announce(Resync(self._reason, gap))]

    def _settle_in(self, now: float, jitter: float) -> None:
        self._opened_at = self._certain_at = now
        self._probe_at = now + self._limits.probe_s
        self._rotate_at = now + self._limits.rotate_s * (1.0 - jitter / 50)

    def lost(self, socket: int, reason: str, now: float, jitter: float) -> list[UserEffect]:
        """Note that a socket ended or could not be opened."""
        if socket == self.successor:
            self.successor, self._switch_at = 0, math.inf
            self._rotate_at = now + self._limits.retry_s
            return [TellUser(UserDoubted(f"the socket that was to replace the old one ended: {reason}"))]
        if socket != self.socket or self.phase not in (UserPhase.OPEN, UserPhase.DIALLING):
            return []
        if self.phase is UserPhase.OPEN:
            self.reconnects += 1
            if now - self._opened_at >= self._limits.settled_s:
                self._failures = 0
        if self.successor:
            return self._succeed_lost(reason, now, jitter)
        return self._wait(reason, now, jitter)

    def _succeed_lost(self, reason: str, now: float, jitter: float) -> list[UserEffect]:
        """Let the successor step in early. It may have missed what was under way when it came."""
        self._reason = reason
        is_open = self._switch_at < math.inf
        self.socket, self.successor, self._switch_at = self.successor, 0, math.inf
        if not is_open:
            self.phase = UserPhase.DIALLING
            return [Switch(self.socket), TellUser(UserLost(reason, 0.0))]
        gap = now - self._certain_at
        self._settle_in(now, jitter)
        return [Switch(self.socket), TellUser(UserOpened(gap)), Announce(Resync(reason, gap))]

    def heard(self, socket: int, now: float) -> None:
        """Note a frame of the socket that delivers."""
        if socket == self.socket:
            self._certain_at = now
            self._probe_at = now + self._limits.probe_s
            self._probing = self._pinging = False

    def expired(self, socket: int, now: float, jitter: float) -> list[UserEffect]:
        """Note that the venue declared the key dead: the socket stays open and silent."""
        return self._forsake("the listen key expired", now, jitter) if socket == self.socket else []

    def _forsake(self, reason: str, now: float, jitter: float) -> list[UserEffect]:
        """Leave every socket of this key and ask for another one at once."""
        left: list[UserEffect] = [LeaveUser(number) for number in (self.socket, self.successor) if number]
        self.successor, self._switch_at = 0, math.inf
        self.reconnects += 1
        self._failures = 0
        told = self._wait(reason, now, jitter)
        self._retry_at = now
        return [*left, *told]

    def doubt(self, reason: str, now: float) -> list[UserEffect]:
        """Note that an event of the stream was lost on our side: it could not be read."""
        self._doubt = reason
        return self._announce_doubt(now)

    def _announce_doubt(self, now: float) -> list[UserEffect]:
        if not self._doubt or now < self._doubt_at:
            return []
        reason, self._doubt = self._doubt, ""
        self._doubt_at = now + self._limits.doubt_s
        return [Announce(Resync(reason, 0.0))]

    def ponged(self, socket: int, now: float) -> list[UserEffect]:
        """Note a pong. The wire is sound; whether the key still is, a renewal tells."""
        del now
        self._pinging = False
        if socket != self.socket or not self._probing or self._renewing:
            return []
        self._renewing = True
        return [Renew()]

    def renewed(self, now: float) -> list[UserEffect]:
        """Note that the key lives on."""
        self._renewing = False
        if self.phase is not UserPhase.OPEN:
            return []
        self._renew_at = now + self._limits.renew_s
        if self._probing and not self._pinging:
            self._probing = False
            self._certain_at = now
            self._probe_at = now + self._limits.probe_s
        return []

    def renew_failed(self, reason: str, now: float, jitter: float, *, gone: bool) -> list[UserEffect]:
        """Note that the key could not be renewed; `gone` when the venue does not know it any more."""
        self._renewing = False
        if self.phase is not UserPhase.OPEN:
            return []
        if gone:
            return self._forsake("the venue does not know the listen key any more", now, jitter)
        self._renew_at = now + self._limits.retry_s
        self._probing = False
        self._probe_at = max(self._probe_at, now + self._limits.probe_retry_s)
        return [TellUser(UserDoubted(reason))]

    def hurry(self, now: float) -> None:
        """Hand over now: too much is kept for the new socket."""
        if self._switch_at < math.inf:
            self._switch_at = now

    def tick(self, now: float, jitter: float) -> list[UserEffect]:
        """Do what is due at `now`."""
        if self.phase is UserPhase.WAITING and now >= self._retry_at:
            return self._ask()
        if self.phase is not UserPhase.OPEN:
            return []
        if now >= self._switch_at:
            return self._rotated(now, jitter)
        effects = self._announce_doubt(now)
        if now >= self._rotate_at and not self.successor:
            self._rotate_at = math.inf
            self.successor = self._next()
            effects.append(DialUser(self.successor, user_stream_path(self._key)))
        if now >= self._renew_at and not self._renewing:
            self._renewing = True
            self._renew_at = math.inf
            effects.append(Renew())
        if now >= self._probe_at and not self._pinging:
            self._probing = self._pinging = True
            self._probe_at = now + self._limits.probe_retry_s
            effects.append(PingUser(self.socket))
        return effects

    def _rotated(self, now: float, jitter: float) -> list[UserEffect]:
        old, self.socket = self.socket, self.successor
        self.successor, self._switch_at = 0, math.inf
        self._opened_at = now
        self._rotate_at = now + self._limits.rotate_s * (1.0 - jitter / 50)
        self._pinging = self._probing = False
        return [Switch(self.socket), LeaveUser(old), TellUser(UserRotated())]

    def is_alive(self, now: float) -> bool:
        """Say whether the stream was proved alive lately enough for entries."""
        return self.phase is UserPhase.OPEN and now - self._certain_at <= self._limits.proof_s

    def silent_s(self, now: float) -> float | None:
        """Return the time since the last proof of life, None before the first."""
        return None if self._certain_at == -math.inf else now - self._certain_at

    def due(self) -> float:
        """Return the time at which `tick` has something to do; infinity when only an event can bring it."""
        if self.phase is UserPhase.WAITING:
            return self._retry_at
        if self.phase is not UserPhase.OPEN:
            return math.inf
        renew = math.inf if self._renewing else self._renew_at
        probe = math.inf if self._pinging else self._probe_at
        rotate = math.inf if self.successor else self._rotate_at
        doubt = self._doubt_at if self._doubt else math.inf
        return min(renew, probe, rotate, doubt, self._switch_at)
