"""Which socket carries which stream. A stream stays where it is; new ones fill up what has room."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.binance.routes import MAX_STREAMS_PER_SOCKET, Route, route_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Load(NamedTuple):
    """The streams of one socket."""

    route: Route
    streams: tuple[str, ...]


def allocate(loads: Sequence[Load], wanted: Iterable[str], size: int) -> list[Load]:
    """Return the new loads: the sockets given keep their place (perhaps empty), further ones follow.

    Each wanted stream stands on exactly one socket of its route, at most `size` on each. Raises ValueError for a size
    outside 1..1024 and VenueError for a name that is no stream.
    """
    if not 1 <= size <= MAX_STREAMS_PER_SOCKET:
        message = f"streams per socket must lie in 1..{MAX_STREAMS_PER_SOCKET}, not {size}"
        raise ValueError(message)
    unplaced = {name: route_of(name) for name in wanted}
    routes = [load.route for load in loads]
    kept = [[name for name in load.streams if unplaced.pop(name, None) is not None] for load in loads]
    room: dict[Route, int] = dict.fromkeys(Route, 0)
    for name, route in unplaced.items():
        index = room[route]
        while index < len(kept) and (routes[index] is not route or len(kept[index]) >= size):
            index += 1
        room[route] = index
        if index == len(kept):
            routes.append(route)
            kept.append([])
        kept[index].append(name)
    return [Load(route, tuple(names)) for route, names in zip(routes, kept, strict=True)]
