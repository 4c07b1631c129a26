"""What every WebSocket of the venue has: frames waiting for the client, a count of what it sends, and an ending."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum

SECOND_MS = 1_000
LIFE_MS = 86_400_000
POLICY_VIOLATION = 1008
GOING_AWAY = 1001


class Ending:
    """Why a connection ended: WebSocket close code and reason."""

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        """Keep code and reason."""
        self.code = code
        self.reason = reason


class Connection(ABC):
    """A connection. The front feeds `text` and empties `outbox`; `ending` is set once the venue hangs up."""

    def __init__(self, route: Enum, now_ms: int, outbox_limit: int, messages_per_second: int) -> None:
        """Open a connection on a route."""
        self.route = route
        self.outbox: deque[bytes] = deque()
        self.tamper: Callable[[bytes], list[bytes]] | None = None
        """What a fault plan does to the frames of streams; answers to messages are spared."""
        self.ending: Ending | None = None
        self.opened_ms = now_ms
        self._limit = outbox_limit
        self._arrivals: deque[int] = deque(maxlen=messages_per_second)

    @property
    def names(self) -> list[str]:
        """Return the subscribed stream names in order of subscription."""
        return []

    def push(self, frame: bytes) -> None:
        """Queue a frame of a stream, or what a fault plan puts in its place."""
        if self.tamper is None:
            self.queue(frame)
            return
        for replacement in self.tamper(frame):
            self.queue(replacement)

    def queue(self, frame: bytes) -> None:
        """Queue a frame for the client; one that does not read is disconnected."""
        if self.ending is not None:
            return
        if len(self.outbox) >= self._limit:
            self.outbox.clear()
            self.end(POLICY_VIOLATION, "client reads too slowly")
            return
        self.outbox.append(frame)

    def end(self, code: int, reason: str) -> None:
        """Hang up; frames already queued may still be sent. The venue drops the subscriptions at its next move."""
        if self.ending is None:
            self.ending = Ending(code, reason)

    def heard(self, now_ms: int) -> None:
        """Count one incoming message, ping or pong: more in a second than the connection may send end it."""
        full = len(self._arrivals) == self._arrivals.maxlen
        if full and now_ms - self._arrivals[0] < SECOND_MS:
            self.end(POLICY_VIOLATION, "Too many requests")
        self._arrivals.append(now_ms)

    @abstractmethod
    def text(self, raw: bytes, now_ms: int) -> None:
        """Take one text message and queue its answer."""
