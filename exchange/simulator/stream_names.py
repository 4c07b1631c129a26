"""Stream names and the paths that carry them: what a name asks for, and which route the venue serves it on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from exchange.simulator.long_bars import LONG
from exchange.simulator.market import INTERVALS


class Route(Enum):
    """The path a socket was opened on."""

    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"
    UNROUTED = ""


class Kind(Enum):
    """What a market stream carries."""

    AGG_TRADE = "aggTrade"
    BOOK = "bookTicker"
    EVERY_BOOK = "!bookTicker"
    KLINE = "kline"
    MARK = "markPrice"
    MARK_FAST = "markPrice@1s"
    EVERY_MARK = "!markPrice@arr"
    EVERY_MARK_FAST = "!markPrice@arr@1s"
    TICKER = "ticker"
    EVERY_TICKER = "!ticker@arr"
    MINI = "miniTicker"
    EVERY_MINI = "!miniTicker@arr"
    TRADE = "trade"
    DEPTH = "depth"
    PARTIAL = "depth of the best levels"
    RPI_DEPTH = "rpiDepth"
    CONTINUOUS = "continuousKline"
    FORCE = "forceOrder"
    EVERY_FORCE = "!forceOrder@arr"
    CONTRACT_INFO = "!contractInfo"


PUBLIC_KINDS = frozenset({Kind.BOOK, Kind.EVERY_BOOK, Kind.TRADE, Kind.DEPTH, Kind.PARTIAL, Kind.RPI_DEPTH})
SYMBOL_KINDS = {
    kind.value: kind
    for kind in (
        Kind.AGG_TRADE,
        Kind.BOOK,
        Kind.MARK,
        Kind.MARK_FAST,
        Kind.TICKER,
        Kind.MINI,
        Kind.TRADE,
        Kind.FORCE,
    )
}
ARRAY_KINDS = {
    kind.value: kind
    for kind in (
        Kind.EVERY_BOOK,
        Kind.EVERY_MARK,
        Kind.EVERY_MARK_FAST,
        Kind.EVERY_TICKER,
        Kind.EVERY_MINI,
        Kind.EVERY_FORCE,
        Kind.CONTRACT_INFO,
    )
}
PARTIAL_LEVELS = ("5", "10", "20")
DEPTH_SPEEDS = {"": 250, "@100ms": 100, "@250ms": 250, "@500ms": 500}
KLINE_INTERVALS = frozenset({*INTERVALS, *LONG})
CONTINUOUS_INTERVALS = KLINE_INTERVALS | {"1s"}
CONTRACT_TYPES = ("perpetual", "tradifi_perpetual")
EVERY_SYMBOL = -1


class Topic(NamedTuple):
    """One market stream: kind, variant and listing index (EVERY_SYMBOL for arrays)."""

    kind: Kind
    interval: str
    """The variant: a kline's interval, a book's levels and milliseconds (`20@100`), else empty."""
    listing: int


class Target(NamedTuple):
    """What a WebSocket path asks for."""

    route: Route
    combined: bool
    names: tuple[str, ...]
    events: Mapping[str, frozenset[str]] = {}
    """Listen keys that came with an `events` filter, and the event types they let through."""


def parse_topic(name: str, lower_symbols: Mapping[str, int]) -> Topic | None:
    """Return what a stream name asks for, or None for a name this venue accepts and never serves.

    Symbols must be lower case, the rest is case-sensitive, as at the venue.
    """
    kind = ARRAY_KINDS.get(name)
    if kind is not None:
        return Topic(kind, "", EVERY_SYMBOL)
    symbol, _, channel = name.partition("@")
    index = lower_symbols.get(symbol)
    if index is None:
        return _continuous(symbol, channel, lower_symbols)
    if channel.startswith("kline_"):
        interval = channel.removeprefix("kline_")
        return Topic(Kind.KLINE, interval, index) if interval in KLINE_INTERVALS else None
    kind = SYMBOL_KINDS.get(channel)
    return _book(channel, index) if kind is None else Topic(kind, "", index)


def _continuous(name: str, channel: str, lower_symbols: Mapping[str, int]) -> Topic | None:
    """Parse `<pair>_<contractType>@continuousKline_<i>`; the pair of a perpetual is its symbol."""
    pair, _, contract = name.partition("_")
    index = lower_symbols.get(pair)
    head, _, interval = channel.partition("_")
    if index is None or contract not in CONTRACT_TYPES or head != Kind.CONTINUOUS.value:
        return None
    return Topic(Kind.CONTINUOUS, f"{contract}@{interval}", index) if interval in CONTINUOUS_INTERVALS else None


def _book(channel: str, index: int) -> Topic | None:
    """Parse `depth`, `depth5|10|20` and `rpiDepth` with their speeds."""
    head, at, rest = channel.partition("@")
    if head == Kind.RPI_DEPTH.value:
        return Topic(Kind.RPI_DEPTH, "@500", index) if rest == "500ms" else None
    levels = head.removeprefix("depth")
    speed = DEPTH_SPEEDS.get(at + rest)
    if not head.startswith("depth") or speed is None or levels not in ("", *PARTIAL_LEVELS):
        return None
    return Topic(Kind.PARTIAL if levels else Kind.DEPTH, f"{levels}@{speed}", index)


def is_served(kind: Kind, route: Route, *, strict: bool) -> bool:
    """Say whether a market stream is delivered on a route.

    Strict is production since April 2026: unrouted sockets get public-class streams only, a wrong route gets nothing.
    """
    if not strict:
        return True
    if kind in PUBLIC_KINDS:
        return route in {Route.PUBLIC, Route.UNROUTED}
    return route is Route.MARKET


def parse_target(path: str) -> Target | None:
    """Return what a path with its query asks for, or None for a path that has no WebSocket behind it."""
    bare, _, query = path.partition("?")
    parts = [unquote(part) for part in bare.split("/") if part]
    route = Route.UNROUTED
    if parts and parts[0] in {"public", "market", "private"}:
        route = Route(parts.pop(0))
    if not parts or parts[0] not in {"ws", "stream"}:
        return None
    combined = parts[0] == "stream"
    names = parts[1:]
    events: dict[str, frozenset[str]] = {}
    listen_key = names[0] if names else ""
    for name, value in parse_qsl(query):
        if name == "streams":
            names += value.split("/")
        elif name == "listenKey":
            listen_key = value
            names.append(value)
        elif name == "events":
            events[listen_key] = frozenset(value.split("/"))  # the filter belongs to the key before it
    # ccxt opens /ws/<counter>: a number is a label of the socket and no stream.
    wanted = [name for name in names if name and not name.isdigit()]
    return Target(route, combined, tuple(dict.fromkeys(wanted)), events)
