"""The market streams: keeps a wanted set flowing over as many sockets as it takes.

Messages are handed over synchronously, all that one wake-up brought together, in the order of arrival on their socket.
Before a socket's day is over a second one subscribes the same beside it and takes its place: no frame is lost, none is
delivered twice, and the order stays.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchange.bad_input import Quarantine
from exchange.binance.allocation import Load, allocate
from exchange.binance.handover import Handover
from exchange.binance.market_socket import MarketSocket
from exchange.binance.routes import STREAMS_PER_SOCKET
from exchange.binance.session import SessionLimits, SocketSession
from exchange.binance.stream_events import SocketRotated, SocketStats, StreamEvent, StreamsLive
from exchange.binance.streams_wire import FrameDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchange.errors import DecodeError
    from exchange.market_data import MarketMessage
    from exchange.ports import Clock, Entropy, StreamDialer

_LOOK_S = 1.0
_OVERLAP_S = 2.0
"""How long both sockets of a replacement are read once the new one is complete; longer than a frame is under way."""


class MarketStreams:
    """A set of streams, wanted by `want`, delivered while `run` runs. Belongs to one event loop."""

    def __init__(
        self,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        on_messages: Callable[[Sequence[MarketMessage]], None],
        on_event: Callable[[StreamEvent], None],
        on_gap: Callable[[StreamsLive], None] | None = None,
        *,
        lane: Callable[[Sequence[bytes]], Sequence[bytes]] | None = None,
        per_socket: int = STREAMS_PER_SOCKET,
        limits: SessionLimits | None = None,
        quarantine: Quarantine | None = None,
    ) -> None:
        """Take the ports and the callbacks; these are called on the loop and must neither block nor raise.

        `on_gap` hears of streams that are back after they were away (`silent_s` says how long), so that what was
        missed is fetched over REST. Frames that cannot be believed are kept in `quarantine`. `lane` may take frames off
        before they are decoded; it gets those of one wake-up, believes only what the decoder would believe, and returns
        the others in their order.
        """
        self._dialer = dialer
        self._clock = clock
        self._entropy = entropy
        self._on_messages = on_messages
        self._on_event = on_event
        self._on_gap = on_gap
        self.lane = lane
        self._per_socket = per_socket
        self._limits = limits or SessionLimits()
        self._sockets: list[MarketSocket] = []
        self._started = 0
        self._grown = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._successors: dict[MarketSocket, MarketSocket] = {}
        self._quarantine = quarantine or Quarantine()
        self.decoder = FrameDecoder(self.refused)

    def want(self, streams: Iterable[str]) -> None:
        """Replace the wanted set. Sockets are opened, filled and emptied in the background. Raises VenueError."""
        loads = [Load(socket.session.route, tuple(socket.session.wanted)) for socket in self._sockets]
        for number, load in enumerate(allocate(loads, streams, self._per_socket)):
            if number == len(self._sockets):
                session = SocketSession(number, load.route, self._limits)
                self._sockets.append(MarketSocket(session, self))
            socket = self._sockets[number]
            socket.want(load.streams)
            if socket in self._successors:
                self._successors[socket].want(load.streams)
        self._grown.set()

    def stats(self) -> tuple[SocketStats, ...]:
        """Return every socket's state and counters."""
        return tuple(socket.stats(self._clock.monotonic()) for socket in self._sockets)

    async def run(self) -> None:
        """Keep the streams flowing until cancelled, then close the sockets."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                self._grown.clear()
                while self._started < len(self._sockets):
                    self._start(self._sockets[self._started], group)
                    self._started += 1
                await self._grown.wait()

    @staticmethod
    def _start(socket: MarketSocket, group: asyncio.TaskGroup) -> None:
        socket.task = group.create_task(socket.run(), name=f"market socket {socket.session.number}")

    def replace(self, socket: MarketSocket) -> None:
        """Begin to replace a socket that comes of age."""
        if self._group is not None and socket not in self._successors:
            self._group.create_task(self._replace(socket, self._group), name="market socket rotation")

    async def _replace(self, old: MarketSocket, group: asyncio.TaskGroup) -> None:
        """Let a second socket subscribe beside the old one and step in once it has everything.

        When the old one ends by itself, or more comes than can be kept, the replacement is given up: the old one
        connects again with a gap, which is told.
        """
        session = SocketSession(old.session.number, old.session.route, self._limits)
        handover = Handover()
        new = MarketSocket(session, self, handover)
        old.handover = handover
        self._successors[old] = new
        reconnects = old.session.reconnects
        new.want(tuple(old.session.wanted))
        self._start(new, group)
        complete = 0.0
        try:
            while old.session.reconnects == reconnects and not handover.is_full:
                complete = complete + _LOOK_S if new.is_complete else 0.0
                if complete > _OVERLAP_S:
                    self._sockets[self._sockets.index(old)] = new
                    new.step_in(old)
                    self.tell(SocketRotated(session.number, session.route))
                    return
                await self._clock.sleep(_LOOK_S)
            if old.session.reconnects == reconnects:
                await old.hang_up("replaced before the venue's 24 h limit")
            new.retire()
        finally:
            old.handover = None
            del self._successors[old]

    def tell(self, event: StreamEvent) -> None:
        """Report an event of one of the sockets."""
        if self._on_gap is not None and isinstance(event, StreamsLive) and event.silent_s is not None:
            self._on_gap(event)
        self._on_event(event)

    @property
    def ports(self) -> tuple[StreamDialer, Clock, Entropy]:
        """Return what a socket reaches the world through."""
        return self._dialer, self._clock, self._entropy

    def deliver(self, messages: Sequence[MarketMessage]) -> None:
        """Hand messages over."""
        self._on_messages(messages)

    def refused(self, error: DecodeError, raw: bytes) -> None:
        """Keep a frame that could not be believed for the operator."""
        self._quarantine.refuse(error, raw, self._clock.now_ms())
