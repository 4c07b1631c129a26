"""The four ports through which everything above them reaches a venue.

Signing, encoding, decoding, reconnecting and rate limiting live above this seam, so tests run the real ones against the
simulator in memory. An adapter behind a port holds no decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class NotSentError(Exception):
    """No byte of the request left this process (name resolution, refused connection, a full local queue)."""


class LostError(Exception):
    """Bytes left, no complete answer came back: a time-out, a reset, a closed connection. The outcome is unknown."""


class StreamClosedError(Exception):
    """The stream ended. `code` is the WebSocket close code, 1006 where none was received."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep the close code and the peer's reason."""
        super().__init__(f"stream closed with code {code}: {reason or 'no reason given'}")
        self.code = code
        self.reason = reason


class RestAnswer(msgspec.Struct, frozen=True):
    """One complete HTTP answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Clock(Protocol):
    """Time as the desk lives it. Durations are monotonic; instants are UTC milliseconds and may step."""

    def now_ms(self) -> int:
        """Return the wall clock in UTC milliseconds."""

    def monotonic(self) -> float:
        """Return desk seconds since an arbitrary start; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that many desk seconds (a simulated venue may run faster than the wall)."""


class Entropy(Protocol):
    """Randomness and ids, injected so that a seed reproduces a run."""

    def uniform(self) -> float:
        """Return a number in [0, 1)."""

    def token(self, length: int) -> str:
        """Return `length` characters from `[0-9a-z]`."""


class Rest(Protocol):
    """One HTTP request to the venue."""

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Send and wait at most `deadline` real seconds.

        `query` is the raw query string as it was signed. Raises NotSentError or LostError, nothing else.
        """


class Stream(Protocol):
    """One open WebSocket."""

    async def receive(self) -> bytes:
        """Return the next complete text or binary message. Raises StreamClosedError. Pings are answered below."""

    async def receive_many(self) -> Sequence[bytes]:
        """Return all complete messages that have arrived, at least one, in order. Raises StreamClosedError.

        One wake-up of the loop takes what one read of the socket brought.
        """

    async def send(self, text: bytes) -> None:
        """Send one text message. Raises StreamClosedError."""

    async def ping(self, deadline: float) -> None:
        """Send a ping and wait for its pong. Raises StreamClosedError, also when the pong is late."""

    async def close(self) -> None:
        """Close in an orderly way; never raises, never waits longer than a second."""


class StreamDialer(Protocol):
    """Opens streams."""

    async def connect(self, path: str, deadline: float) -> Stream:
        """Open the WebSocket at `path` (with its query) below the venue's stream root.

        Raises NotSentError (no connection) or StreamClosedError (refused handshake).
        """
