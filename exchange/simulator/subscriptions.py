"""Who listens to what: subscriptions by topic, and the delivery of one frame to all who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from exchange.simulator.session import Session
from exchange.simulator.stream_names import EVERY_SYMBOL, Kind, Route, is_served, parse_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

K = TypeVar("K")


class Sink(NamedTuple):
    """One subscription: who, under which name, and the opening of its wrapped frames."""

    session: Session
    name: str
    opening: bytes


class Subscriptions:
    """The sinks of every topic."""

    def __init__(self, lower_symbols: Mapping[str, int], *, strict: bool) -> None:
        """Start without sinks; `lower_symbols` maps a lower-case symbol to its listing."""
        self._lower = lower_symbols
        self._strict = strict
        self._sinks: dict[tuple[Kind, str], dict[int, list[Sink]]] = {}
        self._named: dict[str, list[Sink]] = {}
        self.hidden: set[int] = set()
        """Contracts that are not listed: their streams are accepted and silent."""

    def change(self, session: Session, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
        """Follow a session's subscriptions. A name on a route that does not serve it is accepted and stays silent."""
        for name in removed:
            self._remove(session, name)
        for name in added:
            sink = Sink(session, name, b'{"stream":"' + name.encode() + b'","data":')
            topic = parse_topic(name, self._lower)
            if topic is None:
                if not self._strict or session.route is Route.PRIVATE:
                    self._named.setdefault(name, []).append(sink)
            elif is_served(topic.kind, session.route, strict=self._strict):
                group = self._sinks.setdefault((topic.kind, topic.interval), {})
                group.setdefault(topic.listing, []).append(sink)

    def _remove(self, session: Session, name: str) -> None:
        topic = parse_topic(name, self._lower)
        if topic is None:
            _without(self._named, name, session)
            return
        key = (topic.kind, topic.interval)
        group = self._sinks.get(key)
        if group is None:
            return
        _without(group, topic.listing, session)
        if not group:
            del self._sinks[key]

    def notify(self, name: str, payload: bytes, event: str) -> None:
        """Send a payload to everyone who subscribed to a name that is no market stream (a listen key).

        Sockets whose filter for that name leaves the event type out do not get it; the type "" passes every filter.
        """
        sinks = self._named.get(name, ())
        deliver([sink for sink in sinks if not event or _wants(sink, event)], payload)

    def of(self, kind: Kind) -> dict[int, list[Sink]]:
        """Return the sinks of a kind without variants, by listing."""
        return self._seen(self._sinks.get((kind, ""), {}))

    def of_array(self, kind: Kind) -> list[Sink]:
        """Return the sinks of an all-symbol stream."""
        return self.of(kind).get(EVERY_SYMBOL, [])

    def variants(self, kind: Kind) -> Iterator[tuple[str, dict[int, list[Sink]]]]:
        """Yield the variants of a kind somebody listens to (intervals, levels and speeds), with their sinks."""
        for (wanted, variant), group in self._sinks.items():
            if wanted is kind:
                yield variant, self._seen(group)

    def _seen(self, group: dict[int, list[Sink]]) -> dict[int, list[Sink]]:
        if not self.hidden:
            return group
        return {index: sinks for index, sinks in group.items() if index not in self.hidden}


def deliver(sinks: Iterable[Sink], frame: bytes) -> None:
    """Push a frame to each sink, wrapped where its session is combined; equal names share one wrapped frame."""
    wrapped, wrapped_for = b"", None
    for sink in sinks:
        if not sink.session.combined:
            sink.session.push(frame)
            continue
        if wrapped_for != sink.name:
            wrapped, wrapped_for = sink.opening + frame + b"}", sink.name
        sink.session.push(wrapped)


def _wants(sink: Sink, event: str) -> bool:
    wanted = sink.session.events.get(sink.name)
    return wanted is None or event in wanted


def _without(groups: dict[K, list[Sink]], key: K, session: Session) -> None:
    sinks = groups.get(key)
    if sinks is None:
        return
    kept = [sink for sink in sinks if sink.session is not session]
    if kept:
        groups[key] = kept
    else:
        del groups[key]
