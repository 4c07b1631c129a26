"""The private stream: account events in order, and a `Resync` wherever something may have been missed.

A `UserSession` with the tasks around it: one carries out its effects, each socket has a reader, calls and pings run
beside them. Items wait in a bounded queue; account events are never dropped. While the consumer is behind, readers
wait, and the venue feels it; should it cut the connection for that, the account is read again.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.account_events import KeyExpired, Resync
from exchange.binance.handover import Handover
from exchange.binance.user_effects import (
    Announce,
    AskKey,
    DialUser,
    LeaveUser,
    PingUser,
    Renew,
    Switch,
    TellUser,
    UserLimits,
    UserRefused,
)
from exchange.binance.user_session import UserSession
from exchange.binance.user_wire import UserDecoder
from exchange.errors import CredentialsError, DecodeError, ExchangeError, RateLimitedError, RefusedError
from exchange.ports import NotSentError, StreamClosedError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from exchange.account_events import UserItem
    from exchange.bad_input import Quarantine
    from exchange.binance.client import BinanceClient
    from exchange.binance.user_effects import UserEffect, UserStreamEvent
    from exchange.ports import Clock, Entropy, Stream, StreamDialer

_DIAL_DEADLINE_S = 10.0
_PING_DEADLINE_S = 5.0
_REFUSED_KEY_S = 60.0
"""Pause after a refused API key: sending again cannot help soon."""
_NO_LISTEN_KEY = -1125
_FRAMES_A_TURN = 25
_HANDOVER_BOUND = 8192


class UserStats(msgspec.Struct, frozen=True):
    """The private stream as a status panel shows it. Ages are desk seconds."""

    phase: str
    is_alive: bool
    silent_s: float | None
    reconnects: int
    frames: int
    refused_frames: int
    ignored: dict[str, int]
    waiting: int
    """Items the consumer has not taken yet."""


class UserStream:
    """The events of one account while `run` runs. Belongs to one event loop; one consumer receives."""

    def __init__(
        self,
        client: BinanceClient,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        on_event: Callable[[UserStreamEvent], None],
        quarantine: Quarantine,
        *,
        capacity: int = 1024,
        limits: UserLimits | None = None,
    ) -> None:
        """Take the ports; `on_event` is called on the loop and must neither block nor raise.

        `capacity` bounds the account events that wait; readers pause beyond it.
        """
        self.session = UserSession(limits or UserLimits())
        self._client = client
        self._dialer = dialer
        self._clock = clock
        self._entropy = entropy
        self._on_event = on_event
        self._quarantine = quarantine
        self._capacity = capacity
        self._decoder = UserDecoder()
        self._items: deque[UserItem] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._wake = asyncio.Event()
        self._streams: dict[int, Stream] = {}
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._handover: Handover | None = None
        self._group: asyncio.TaskGroup | None = None
        self._frames = 0
        self._refused = 0
        self._carry: dict[type[UserEffect], Callable[[Any], object]] = {
            TellUser: lambda told: self._on_event(told.event),
            Announce: lambda news: self._announce(news.resync),
            AskKey: lambda _: self._spawn(self._ask_key(), "listen key"),
            Renew: lambda _: self._spawn(self._renew(), "listen key renewal"),
            DialUser: self._begin_dialling,
            PingUser: lambda ping: self._spawn(self._ping(ping.socket), "private ping"),
            Switch: lambda switch: self._switch(switch.socket),
            LeaveUser: lambda left: self._leave(left.socket),
        }

    async def receive(self) -> UserItem:
        """Return the next item, in order."""
        while not self._items:
            self._news.clear()
            await self._news.wait()
        item = self._items.popleft()
        if len(self._items) < self._capacity:
            self._room.set()
        return item

    @property
    def is_alive(self) -> bool:
        """Say whether the stream was proved alive within the last minute."""
        return self.session.is_alive(self._clock.monotonic())

    def stats(self) -> UserStats:
        """Return state and counters."""
        now = self._clock.monotonic()
        session = self.session
        return UserStats(
            phase=session.phase.value,
            is_alive=session.is_alive(now),
            silent_s=session.silent_s(now),
            reconnects=session.reconnects,
            frames=self._frames,
            refused_frames=self._refused,
            ignored=dict(self._decoder.ignored),
            waiting=len(self._items),
        )

    async def run(self) -> None:
        """Keep the stream flowing until cancelled, then close its sockets. The key is left to end by itself.

        Another program of the account may stand on the same key: closing it would end that one's stream too.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._plan(self.session.start(self._clock.monotonic()))
                while True:
                    self._wake.clear()
                    self._plan(self.session.tick(self._clock.monotonic(), self._entropy.uniform()))
                    await self._rest()
        finally:
            self._group = None
            for stream in list(self._streams.values()):
                await stream.close()
            self._streams.clear()

    async def _rest(self) -> None:
        """Wait until the session is due or something happened."""
        if self._wake.is_set():
            await self._clock.sleep(0.0)
            return
        delay = self.session.due() - self._clock.monotonic()
        if delay <= 0.0:
            await self._clock.sleep(0.0)
            return
        woken = asyncio.ensure_future(self._wake.wait())
        if delay == math.inf:
            await woken
            return
        alarm = asyncio.ensure_future(self._clock.sleep(delay))
        try:
            await asyncio.wait((woken, alarm), return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            alarm.cancel()

    def _plan(self, effects: list[UserEffect]) -> None:
        """Carry out effects at once, in order; what must wait runs as a task of its own."""
        for effect in effects:
            self._carry[type(effect)](effect)
        if effects:
            self._wake.set()

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None] | None:
        if self._group is None:
            work.close()
            return None
        return self._group.create_task(work, name=name)

    def _announce(self, resync: Resync) -> None:
        """Put a Resync behind the events; two in a row are one."""
        if self._items and isinstance(self._items[-1], Resync):
            before = self._items.pop()
            gaps = [one.gap_s for one in (before, resync) if isinstance(one, Resync) and one.gap_s is not None]
            resync = Resync(resync.reason, max(gaps, default=None))
        self._items.append(resync)
        self._news.set()

    async def _ask_key(self) -> None:
        try:
            key = await self._client.listen_key_create(priority=Priority.CRITICAL)
        except ExchangeError as error:
            pause = _REFUSED_KEY_S if isinstance(error, CredentialsError) else 0.0
            if isinstance(error, RateLimitedError):
                pause = error.retry_after_s
            now, jitter = self._clock.monotonic(), self._entropy.uniform()
            self._plan(self.session.key_failed(str(error), pause, now, jitter))
        else:
            self._plan(self.session.key_given(key, self._clock.monotonic()))

    async def _renew(self) -> None:
        try:
            await self._client.listen_key_keepalive(priority=Priority.CRITICAL)
        except ExchangeError as error:
            gone = isinstance(error, RefusedError) and error.code == _NO_LISTEN_KEY
            now, jitter = self._clock.monotonic(), self._entropy.uniform()
            self._plan(self.session.renew_failed(str(error), now, jitter, gone=gone))
        else:
            self._plan(self.session.renewed(self._clock.monotonic()))
        self._wake.set()

    def _begin_dialling(self, dial: DialUser) -> None:
        if dial.socket == self.session.successor:
            self._handover = Handover(_HANDOVER_BOUND)
        self._spawn(self._dial(dial), f"private socket {dial.socket}")

    async def _dial(self, dial: DialUser) -> None:
        try:
            stream = await self._dialer.connect(dial.path, _DIAL_DEADLINE_S)
        except NotSentError as error:
            self._lost(dial.socket, str(error))
            return
        except StreamClosedError as error:
            self._lost(dial.socket, error.reason or "the handshake was refused")
            return
        self._streams[dial.socket] = stream
        self._plan(self.session.opened(dial.socket, self._clock.monotonic(), self._entropy.uniform()))
        if dial.socket in self._streams:
            reader = self._spawn(self._read(dial.socket, stream), f"private socket {dial.socket} reader")
            if reader is not None:
                self._readers[dial.socket] = reader
        self._wake.set()

    async def _ping(self, socket: int) -> None:
        if not self._room.is_set():
            # The consumer is behind, the venue is not: frames wait unread, and a pong would stand behind them.
            self.session.heard(socket, self._clock.monotonic())
            return
        stream = self._streams.get(socket)
        if stream is None:
            return
        try:
            await stream.ping(_PING_DEADLINE_S)
        except StreamClosedError as error:
            self._leave(socket)
            self._lost(socket, error.reason or "no answer to a ping")
        else:
            self._plan(self.session.ponged(socket, self._clock.monotonic()))

    def _lost(self, socket: int, reason: str) -> None:
        self._streams.pop(socket, None)
        self._readers.pop(socket, None)
        if socket == self.session.successor:
            self._handover = None
        self._plan(self.session.lost(socket, reason, self._clock.monotonic(), self._entropy.uniform()))
        self._wake.set()

    def _leave(self, socket: int) -> None:
        reader = self._readers.pop(socket, None)
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
        stream = self._streams.pop(socket, None)
        if stream is not None:
            self._spawn(stream.close(), f"private socket {socket} closing")

    def _switch(self, socket: int) -> None:
        """Deliver what the new socket brought while it stood aside; it goes on from there."""
        handover, self._handover = self._handover, None
        for raw in handover.finish() if handover is not None else ():
            self._deliver(socket, raw)

    async def _read(self, socket: int, stream: Stream) -> None:
        try:
            while True:
                for _ in range(_FRAMES_A_TURN):
                    await self._room.wait()
                    self._take(socket, await stream.receive())
                await self._clock.sleep(0)
        except StreamClosedError as error:
            if self._streams.get(socket) is stream:
                self._lost(socket, error.reason or f"the venue closed it with code {error.code}")

    def _take(self, socket: int, raw: bytes) -> None:
        self._frames += 1
        handover = self._handover
        if socket == self.session.successor and handover is not None:
            handover.keep(raw)
        else:
            if handover is not None:
                handover.delivered(raw)
            self._deliver(socket, raw)
        if handover is not None and handover.is_full:
            self.session.hurry(self._clock.monotonic())
            self._wake.set()

    def _deliver(self, socket: int, raw: bytes) -> None:
        now = self._clock.monotonic()
        self.session.heard(socket, now)
        try:
            event = self._decoder.decode(raw)
        except DecodeError as error:
            self._refused += 1
            self._quarantine.refuse(error, raw, self._clock.now_ms())
            self._on_event(UserRefused(str(error), self._refused))
            self._plan(self.session.doubt(f"an account event could not be read: {error}", now))
            return
        if isinstance(event, KeyExpired):
            self._plan(self.session.expired(socket, now, self._entropy.uniform()))
        elif event is not None:
            self._items.append(event)
            self._news.set()
            if len(self._items) >= self._capacity:
                self._room.clear()
