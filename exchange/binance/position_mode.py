"""Which position mode the account is in, for whoever sends orders. Trading specification, section 6.2.

The mode is cached only when the venue confirmed it: by an answer, or by accepting an order sent for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from exchange.errors import ExchangeError, RefusedError
from exchange.priority import Priority
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_NOT_REQUIRED = -1106
"""How the venue may refuse `reduceOnly` in hedge mode."""


class PositionMode:
    """Keeps the mode and sends what depends on it. Belongs to one account and one event loop."""

    def __init__(self, read: Callable[[], Awaitable[bool]]) -> None:
        """Take the way to read the mode: True is hedge. It raises ExchangeError."""
        self._read = read
        self._reading = asyncio.Lock()
        self._reads = 0
        self.hedge: bool | None = None
        """The confirmed mode, None before the first confirmation and after a contradiction."""
        self._supposed: bool | None = None
        self.mismatches = 0
        """How often the venue refused an order for its mode."""

    def forget(self) -> None:
        """Read the mode again before the next order."""
        self.hedge = None

    def suppose(self, hedge: bool) -> None:
        """Note the mode an open position shows: an exit of it need not wait for the mode to be read."""
        self._supposed = hedge

    async def refresh(self) -> bool:
        """Read the mode and cache it. Raises ExchangeError, and then forgets what was cached.

        Callers that ask while it is being read share that reading.
        """
        seen = self._reads
        async with self._reading:
            if self._reads != seen and self.hedge is not None:
                return self.hedge
            self.hedge = None
            self.hedge = await self._read()
            self._reads += 1
            return self.hedge

    async def known(self, priority: Priority) -> bool:
        """Return the mode for a request.

        Raises ExchangeError when it cannot be read, but not for CRITICAL: an exit goes out at once in the form its
        position shows, without one in one-way form, since a wrong form is certainly refused and then sent in the other.
        """
        if self.hedge is not None:
            return self.hedge
        if priority is Priority.CRITICAL and self._supposed is not None:
            return self._supposed
        try:
            return await self.refresh()
        except ExchangeError:
            if priority is not Priority.CRITICAL:
                raise
            return False

    async def submit(self, send: Callable[[bool], Awaitable[T]], priority: Priority) -> T:
        """Send in the account's mode; when the mode is refused, read it again and send once more in the other one.

        A refusal for the mode is certain, so the second sending is no repetition. If the mode cannot be read, the
        other one is assumed. If it reads as before, the refusal stands.
        """
        hedge = await self.known(priority)
        try:
            result = await send(hedge)
        except RefusedError as refused:
            if refused.reaction is not Reaction.REREAD_MODE and refused.code != _NOT_REQUIRED:
                raise
            self.mismatches += 1
            try:
                other = await self.refresh()
            except ExchangeError:
                other = not hedge
            if other == hedge:
                raise
            result = await send(other)
            self.hedge = other
            return result
        self.hedge = hedge
        return result
