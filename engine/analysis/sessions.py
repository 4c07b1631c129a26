"""Trading sessions in New York time, UTC day and week, funding times and weekend (specification 3.10).

New York's daylight saving follows the rule in force since 2007: from the second Sunday of March 02:00 local to the
first Sunday of November 02:00 local (Energy Policy Act of 2005, section 110). The instants are laid out once here, so
kernels only compare numbers and no time zone database is needed.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from engine.analysis.compiled import kernel

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS  # 1970-01-05, the first Monday after the epoch

NO_SESSION, ASIA, LONDON, NEW_YORK, LONDON_CLOSE = 0, 1, 2, 3, 4
SESSION_NAMES = ("", "Asia", "London", "New York", "London close")

_SUNDAY = 6


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7 * (nth - 1))


def _instant(day: date, utc_hour: int) -> int:
    return int(datetime(day.year, day.month, day.day, utc_hour, tzinfo=UTC).timestamp()) * 1000


# Even places begin daylight time (UTC-4), odd places end it (UTC-5).
_INSTANTS = [
    instant
    for year in range(2007, 2100)
    for instant in (_instant(_sunday(year, 3, 2), 7), _instant(_sunday(year, 11, 1), 6))
]
TRANSITIONS = np.array(_INSTANTS, np.int64)
# Session of each hour of the New York day.
SESSION_OF_HOUR = np.zeros(24, np.int8)
SESSION_OF_HOUR[20:24] = ASIA
SESSION_OF_HOUR[2:5] = LONDON
SESSION_OF_HOUR[7:10] = NEW_YORK
SESSION_OF_HOUR[10:12] = LONDON_CLOSE


@kernel
def new_york_offset(time_ms: int) -> tuple[Any, Any]:
    """Return New York's offset from UTC in ms at an instant, and the instant at which that offset ends."""
    place = np.searchsorted(TRANSITIONS, time_ms, side="right")
    offset = -4 * HOUR_MS if place % 2 == 1 else -5 * HOUR_MS
    until = TRANSITIONS[place] if place < len(TRANSITIONS) else np.int64(2**62)
    return offset, until


@kernel
def session_at(time_ms: int, offset: int) -> Any:
    """Return the session code of an instant under the given offset."""
    return SESSION_OF_HOUR[((time_ms + offset) // HOUR_MS) % 24]


def session_of(time_ms: int) -> int:
    """Return the session code of an instant (UTC ms): NO_SESSION, ASIA, LONDON, NEW_YORK or LONDON_CLOSE."""
    offset = -4 * HOUR_MS if bisect_right(_INSTANTS, time_ms) % 2 == 1 else -5 * HOUR_MS
    return int(SESSION_OF_HOUR[((time_ms + offset) // HOUR_MS) % 24])


def is_weekend(time_ms: int) -> bool:
    """Return whether an instant (UTC ms) lies on a Saturday or Sunday, UTC."""
    return (time_ms - MONDAY_MS) // DAY_MS % 7 >= 5


def next_funding(time_ms: int) -> int:
    """Return the first funding time (00, 08, 16 UTC) strictly after an instant, in UTC ms."""
    return (time_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
