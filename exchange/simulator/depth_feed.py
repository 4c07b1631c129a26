"""Books on the streams: differences at three speeds, the best levels, and the book with retail orders.

Only books somebody listens to are looked at. Update ids count for all contracts together, so within one contract they
jump; an event's `pu` is the `u` of the event before it, and its `U` the first id after that which the contract had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.rpi_book import rpi_book
from exchange.simulator.stream_names import Kind
from exchange.simulator.subscriptions import deliver
from exchange.simulator.tape import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.simulator.encode import Formats
    from exchange.simulator.frames import Templates
    from exchange.simulator.subscriptions import Sink, Subscriptions
    from exchange.simulator.tape import Book, Levels, Tape

_KINDS = (Kind.DEPTH, Kind.PARTIAL, Kind.RPI_DEPTH)


class _Sent(NamedTuple):
    """The book as the last event left it."""

    update_id: int
    next_id: int
    """The first id that the contract's book had afterwards."""
    bids: set[Level]
    asks: set[Level]


class DepthFeed:
    """The book frames of each market step."""

    def __init__(self, tape: Tape, templates: Sequence[Templates], subscriptions: Subscriptions) -> None:
        """Start with nothing sent."""
        self._tape = tape
        self._templates = templates
        self._subscriptions = subscriptions
        self._sent: dict[tuple[Kind, str, int], _Sent] = {}

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send what the step from `previous_ms` to `now_ms` changed in the books that are due.

        A book that somebody listens to for the first time is only noted: the first event is about what follows.
        """
        heard: set[tuple[Kind, str, int]] = set()
        for kind in _KINDS:
            for variant, group in self._subscriptions.variants(kind):
                levels, _, speed = variant.partition("@")
                due = previous_ms // int(speed) != now_ms // int(speed)
                for index, sinks in group.items():
                    key = (kind, variant, index)
                    heard.add(key)
                    if due or key not in self._sent:
                        self._one(key, int(levels or 0), sinks, now_ms)
        if len(heard) != len(self._sent):
            self._sent = {key: sent for key, sent in self._sent.items() if key in heard}

    def _one(self, key: tuple[Kind, str, int], levels: int, sinks: list[Sink], now_ms: int) -> None:
        kind, _, index = key
        tape = self._tape
        sent = self._sent.get(key)
        book: Book = rpi_book(tape, index) if kind is Kind.RPI_DEPTH else tape.book(index)
        bids, asks = (book.bids[:levels], book.asks[:levels]) if levels else book
        new = _Sent(tape.book_id(index), tape.book_id_after(index, 1), set(bids), set(asks))
        if sent is None:
            self._sent[key] = new
            return
        if sent.bids == new.bids and sent.asks == new.asks:
            return
        if not levels:
            bids, asks = _changes(sent.bids, new.bids), _changes(sent.asks, new.asks)
        formats = tape.formats[index]
        text = self._templates[index].depth % (
            now_ms, now_ms, sent.next_id, new.update_id, sent.update_id, _pairs(bids, formats), _pairs(asks, formats),
        )  # fmt: skip
        self._sent[key] = new
        deliver(sinks, text.encode())


def _changes(before: set[Level], after: set[Level]) -> Levels:
    """Return the levels that differ by price, with their new quantity, 0 where a level is gone."""
    changed = dict.fromkeys([price for price, _ in before - after], 0.0)
    changed.update(after - before)
    return sorted(changed.items())


def _pairs(levels: Levels, formats: Formats) -> str:
    pair = f'["{formats.price}","{formats.quantity}"]'
    return ",".join([pair % level for level in levels])
