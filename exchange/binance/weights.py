"""The request weight an address has left in the present minute.

The venue counts weight per address in minutes of its own clock and reports the count with each answer. The ledger adds
what is still in flight, holds back a reserve for risk-reducing requests, and stops short of the limit. It is pure:
`now_ms` is the venue's clock as the caller knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_MS = 60_000
USED_WEIGHT_HEADER = "x-mbx-used-weight-1m"
_MARGIN_MS = 50
"""Waits end this much after the border, so that a clock a little ahead of the venue's does not meet the old minute."""


class WeightLedger:
    """Admits requests by weight. One ledger serves every client behind one network address."""

    def __init__(self, limit: int = 1920, reserve: float = 0.20) -> None:
        """Take the weight per minute (RATE_LIMIT_REQUESTS) and the share kept for CRITICAL; ValueError if senseless."""
        if limit < 10:
            message = f"RATE_LIMIT_REQUESTS = {limit} is too small: at least 10 weight a minute is needed"
            raise ValueError(message)
        if not 0.0 <= reserve < 1.0:
            message = f"the weight reserve must lie in [0, 1), not {reserve}"
            raise ValueError(message)
        self.limit = limit
        self._open_share = int(limit * (1.0 - reserve))
        self._minute = -1
        self._reported = 0
        self._settled = 0
        self._in_flight = 0
        self._held_until_ms = 0

    def _roll(self, now_ms: int) -> None:
        minute = now_ms // WINDOW_MS
        if minute != self._minute:
            self._minute = minute
            self._reported = 0
            self._settled = 0

    def used(self, now_ms: int) -> int:
        """Return the weight used in this minute, counting requests still in flight."""
        self._roll(now_ms)
        return max(self._reported, self._settled) + self._in_flight

    def held_until_ms(self) -> int:
        """Return the instant until which a 429 or 418 silences all but CRITICAL requests; 0 when none ever did."""
        return self._held_until_ms

    def admit(self, cost: int, priority: Priority, now_ms: int) -> float:
        """Return 0.0 and reserve `cost`, or the seconds after which to ask again.

        CRITICAL is always admitted. Everything else leaves the reserve untouched and waits out a hold. Raises
        ValueError for a cost that would not fit into an empty minute.
        """
        used = self.used(now_ms)
        if priority is not Priority.CRITICAL:
            if cost > self._open_share:
                message = (
                    f"a request of weight {cost} never fits into {self._open_share} a minute; raise RATE_LIMIT_REQUESTS"
                )
                raise ValueError(message)
            if now_ms < self._held_until_ms:
                return (self._held_until_ms - now_ms + _MARGIN_MS) / 1000
            if used + cost > self._open_share:
                return (WINDOW_MS - now_ms % WINDOW_MS + _MARGIN_MS) / 1000
        self._in_flight += cost
        return 0.0

    def settle(self, cost: int, headers: Mapping[str, str], now_ms: int) -> None:
        """Take an admitted request out of flight and note the used weight the answer reported, if any."""
        self._roll(now_ms)
        self._in_flight -= cost
        self._settled += cost
        text = headers.get(USED_WEIGHT_HEADER, "")
        # Answers overtake each other: the last one is believed, but never below what this minute settled here.
        if text.isascii() and text.isdigit():
            self._reported = int(text)

    def cancel(self, cost: int) -> None:
        """Give back the weight of an admitted request that was never sent."""
        self._in_flight -= cost

    def hold(self, until_ms: int) -> None:
        """Admit nothing but CRITICAL before `until_ms`; a shorter hold never replaces a longer one."""
        self._held_until_ms = max(self._held_until_ms, until_ms)
