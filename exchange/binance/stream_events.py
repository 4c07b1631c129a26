"""What happens to the market sockets, as facts for the desk's log and for its back-fill."""

from __future__ import annotations

import msgspec

from exchange.binance.routes import Route
from exchange.errors import DecodeError


class SocketOpened(msgspec.Struct, frozen=True):
    """A socket is connected; its streams follow as they are confirmed."""

    socket: int
    route: Route


class SocketLost(msgspec.Struct, frozen=True):
    """A socket ended or could not be opened. `code` is None where no connection came about."""

    socket: int
    route: Route
    code: int | None
    reason: str
    retry_in_s: float
    """Desk seconds until the next attempt."""


class StreamsLive(msgspec.Struct, frozen=True):
    """The venue confirmed streams. `silent_s` tells how long they were away, None when they are new."""

    socket: int
    streams: tuple[str, ...]
    silent_s: float | None


class SocketRotated(msgspec.Struct, frozen=True):
    """A new socket took the place of one that came of age; nothing was lost."""

    socket: int
    route: Route


class SubscriptionsLost(msgspec.Struct, frozen=True):
    """The audit found streams that the venue no longer delivers; they are asked for again."""

    socket: int
    streams: tuple[str, ...]


class RequestRefused(msgspec.Struct, frozen=True):
    """The venue refused a subscription request."""

    socket: int
    code: int
    msg: str


class FrameRefused(msgspec.Struct, frozen=True):
    """A frame could not be believed. Told at most once a second per socket; `count` is the total."""

    socket: int
    error: DecodeError
    count: int


StreamEvent = (
    SocketOpened | SocketLost | SocketRotated | StreamsLive | SubscriptionsLost | RequestRefused | FrameRefused
)


class SocketStats(msgspec.Struct, frozen=True):
    """One socket as the status bar and the health answer show it. Ages are desk seconds, None while not open."""

    socket: int
    route: Route
    phase: str
    wanted: int
    confirmed: int
    age_s: float | None
    silent_s: float | None
    reconnects: int
    frames: int
    refused_frames: int
    refused_sample: bytes
    """The beginning of the last refused frame."""
    lost_subscriptions: int
    unanswered_audits: int
