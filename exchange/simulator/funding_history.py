"""The fundings that were settled, each at the rate and mark price that the account was charged with.

Before the run there was no account: those rates are drawn, always the same for the same symbol and instant, and their
rows have no mark price, as old rows live.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.hashed_noise import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.simulator.market import Columns, Listing

HOUR_MS = 3_600_000
KEPT = 3_000
"""Fundings kept per contract: four months at one an hour."""
REGULAR = "Regular"
SPECIAL = "Special"
_USUAL = 0.0001
"""The rate per eight hours that most fundings have while the premium is small."""


class Funding(NamedTuple):
    """One settled funding."""

    time_ms: int
    rate: float
    mark: float | None
    kind: str


class FundingHistory:
    """Follows the market's steps; `listings` may change their intervals meanwhile."""

    def __init__(self, listings: Sequence[Listing], now_ms: int) -> None:
        """Start with nothing settled."""
        self._listings = listings
        self._start_ms = now_ms
        self._settled: dict[int, deque[Funding]] = {}

    def tick(self, previous_ms: int, now_ms: int, columns: Columns) -> None:
        """Note the fundings whose interval ended in the step from `previous_ms` to `now_ms`."""
        if previous_ms // HOUR_MS == now_ms // HOUR_MS:
            return
        for index, listing in enumerate(self._listings):
            period = listing.funding_hours * HOUR_MS
            if previous_ms // period != now_ms // period:
                due = now_ms // period * period
                rate, mark = float(columns.funding_rate[index]), float(columns.mark[index])
                self._note(index, Funding(due + self._late(index, due), rate, mark, REGULAR))

    def special(self, index: int, rate: float, mark: float, now_ms: int) -> None:
        """Note a funding outside the regular intervals."""
        self._note(index, Funding(now_ms, rate, mark, SPECIAL))

    def of(self, index: int, start_ms: int | None, end_ms: int | None, limit: int) -> list[Funding]:
        """Return fundings of a contract, ascending: from `start_ms` the first `limit`, else the newest."""
        settled = list(self._settled.get(index, ()))
        if start_ms is None:
            upto = [one for one in settled if end_ms is None or one.time_ms <= end_ms][-limit:]
            before = self._start_ms if end_ms is None else min(self._start_ms, end_ms + 1)
            return self._drawn(index, before, limit - len(upto)) + upto
        count = max(0, self._start_ms - start_ms) // (self._listings[index].funding_hours * HOUR_MS) + 1
        older = [one for one in self._drawn(index, self._start_ms, count) if one.time_ms >= start_ms]
        rows = older + [one for one in settled if one.time_ms >= start_ms]
        return [one for one in rows if end_ms is None or one.time_ms <= end_ms][:limit]

    def _late(self, index: int, due_ms: int) -> int:
        """Return how many milliseconds past its hour a funding is dated; live some are, most are not."""
        return max(0, int(40 * draw("late", self._listings[index].instrument.symbol, due_ms)) - 27)

    def _note(self, index: int, funding: Funding) -> None:
        self._settled.setdefault(index, deque(maxlen=KEPT)).append(funding)

    def _drawn(self, index: int, before_ms: int, count: int) -> list[Funding]:
        """Return the last `count` fundings before an instant of the time before the run."""
        listing = self._listings[index]
        period = listing.funding_hours * HOUR_MS
        last = (before_ms - 1) // period
        begun = listing.instrument.onboard_ms // period + 1
        rows = []
        for number in range(max(begun, last - min(count, KEPT) + 1), last + 1):
            chance = draw("funding", listing.instrument.symbol, number)
            rate = _USUAL if chance < 0.6 else _USUAL * (8.0 * (chance - 0.6) - 1.4)
            time = number * period + self._late(index, number * period)
            rows.append(Funding(time, round(rate * listing.funding_hours / 8, 8), None, REGULAR))
        return rows
