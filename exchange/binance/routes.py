"""Hosts, and which socket route a stream belongs to.

Since 2026-04-23 the venue serves streams on three routes. A stream asked for on the wrong one is accepted and stays
silent, so the route is decided here, in one place.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import msgspec

from exchange.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STREAMS_PER_SOCKET = 200
"""Streams put on one socket unless a setting says otherwise."""
MAX_STREAMS_PER_SOCKET = 1024
"""The venue's bound."""


class Venue(msgspec.Struct, frozen=True):
    """Where a venue is reached. URLs carry no path and no trailing slash."""

    rest_url: str
    stream_url: str
    name: str
    wallet_url: str = ""
    """Host of `/sapi` paths, empty where the venue has no such service."""


VENUES: dict[str, Venue] = {
    "live": Venue("https://fapi.binance.com", "wss://fstream.binance.com", "live", "https://api.binance.com"),
    "demo": Venue("https://demo-fapi.binance.com", "wss://demo-fstream.binance.com", "demo"),
}
"""Live and demo hosts are fixed here: no setting and no environment can redirect them."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def venue_of(text: str) -> Venue:
    """Return the venue for `live`, `demo`, or a loopback URL such as `http://127.0.0.1:8770`.

    Any other address is refused: orders and keys go to hosts fixed in code or to this machine. Raises VenueError.
    """
    if text in VENUES:
        return VENUES[text]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        message = f"exchange = {text!r} is not an address ({error}); use live, demo or http://127.0.0.1:PORT"
        raise VenueError(message) from error
    for venue in VENUES.values():
        if parts.scheme == "https" and host == urlsplit(venue.rest_url).hostname and port in (None, 443):
            return venue
    if parts.scheme not in ("http", "https") or not host:
        message = (
            f"exchange = {text!r} is neither live, demo nor an http address; use live, demo or http://127.0.0.1:PORT"
        )
        raise VenueError(message)
    if host not in _LOOPBACK:
        message = (
            f"exchange = {text!r}: the host {host} is not this machine; "
            "other addresses than live, demo and loopback are refused"
        )
        raise VenueError(message)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        message = f"exchange = {text!r} carries more than host and port; write {parts.scheme}://{host}:PORT"
        raise VenueError(message)
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if port is None else f"{bracketed}:{port}"
    secure = "s" if parts.scheme == "https" else ""
    rest = f"http{secure}://{authority}"
    return Venue(rest, f"ws{secure}://{authority}", authority, rest)


class Route(Enum):
    """The part of the stream host that delivers a kind of stream."""

    PUBLIC = "public"
    """High-frequency book data."""
    MARKET = "market"
    """Everything else that is public."""
    PRIVATE = "private"
    """User data, by listen key."""


_PUBLIC_SUFFIXES = ("bookTicker", "depth", "rpiDepth", "trade")


def route_of(stream: str) -> Route:
    """Return the route of a market stream name such as `btcusdt@kline_5m`; VenueError for a name that is none."""
    if stream == "!bookTicker":
        return Route.PUBLIC
    head, at, kind = stream.partition("@")
    if not head or any(character in stream for character in ' /?&#"\\') or (not at and not head.startswith("!")):
        message = f"{stream!r} is no stream name; they look like btcusdt@kline_5m or !markPrice@arr"
        raise VenueError(message)
    name = kind.partition("@")[0]
    bare = name.rstrip("0123456789")
    return Route.PUBLIC if bare in _PUBLIC_SUFFIXES else Route.MARKET


def stream_symbol(symbol: str) -> str:
    """Return a symbol as stream names spell it: ASCII letters in lower case, everything else as it is."""
    return "".join(character.lower() if character.isascii() else character for character in symbol)


def stream_path(route: Route, streams: Sequence[str] = (), *, combined: bool = True) -> str:
    """Return path and query of a socket: combined frames are wrapped with their stream's name, raw ones are not.

    Without streams the socket starts empty and is filled by SUBSCRIBE.
    """
    if not combined:
        return "/".join([f"/{route.value}/ws", *(quote(name, safe="@!") for name in streams)])
    if not streams:
        return f"/{route.value}/stream"
    return f"/{route.value}/stream?streams=" + "/".join(quote(name, safe="@!") for name in streams)


def user_stream_path(listen_key: str) -> str:
    """Return the path of the user-data socket of one listen key."""
    return f"/{Route.PRIVATE.value}/ws?listenKey={quote(listen_key, safe='')}"


def grouped(streams: Iterable[str], size: int = STREAMS_PER_SOCKET) -> Iterator[tuple[Route, tuple[str, ...]]]:
    """Yield (route, at most `size` streams) in a stable order, each stream once. ValueError outside 1..1024."""
    if not 1 <= size <= MAX_STREAMS_PER_SOCKET:
        message = f"streams per socket must lie in 1..{MAX_STREAMS_PER_SOCKET}, not {size}"
        raise ValueError(message)
    by_route: dict[Route, list[str]] = {}
    for stream in dict.fromkeys(streams):
        by_route.setdefault(route_of(stream), []).append(stream)
    for route in Route:
        names = by_route.get(route, [])
        for start in range(0, len(names), size):
            yield route, tuple(names[start : start + size])
