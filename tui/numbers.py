"""How numbers, ages and instants read on the screen. A value that is not a finite number is `-`."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NONE = "-"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def price(value: float, decimals: int) -> str:
    """Return a price with the row's decimals and spaces between thousands."""
    if not math.isfinite(value):
        return NONE
    return f"{value:,.{decimals}f}".replace(",", " ")


def signed(value: float, decimals: int = 2) -> str:
    """Return a number with its sign always shown; zero after rounding carries a plus."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:+,.{decimals}f}".replace(",", " ")
    return "+" + text[1:] if text.startswith("-") and not text.strip("-0. ") else text


def share(value: float) -> str:
    """Return a number in [0, 1] as `.81`; 1 is `1.0`."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:.2f}"
    if text.startswith("0."):
        return text[1:]
    return "1.0" if text == "1.00" else text


def percent(value: float) -> str:
    """Return a share as whole percent."""
    return f"{value * 100:.0f}%" if math.isfinite(value) else NONE


def factor(value: float, decimals: int = 1) -> str:
    """Return a plain number."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else NONE


def compact(value: float) -> str:
    """Return a large amount as `9.1B`, `820.0M`, `3.2k`."""
    if not math.isfinite(value):
        return NONE
    for limit, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.1f}{unit}"
    return f"{value:.0f}"


def span(seconds: float) -> str:
    """Return a length of time in its largest unit: `3s`, `2m`, `5h`, `4d`; a negative length is `0s`."""
    if not math.isfinite(seconds):
        return NONE
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    return f"{whole // _DAY}d"


def span_fine(seconds: float) -> str:
    """Return a length of time in two units: `42s`, `2m14s`, `5h03m`, `4d02h`."""
    if not math.isfinite(seconds):
        return NONE
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR:02d}h"


def age(now_ms: int, then_ms: int) -> str:
    """Return how long ago an instant was, `-` for an instant that never came (0)."""
    return span((now_ms - then_ms) / 1000) if then_ms > 0 else NONE


def countdown(now_ms: int, then_ms: int) -> str:
    """Return the time left as `0:41`, `-` for an instant that is not set (0)."""
    if then_ms <= 0:
        return NONE
    left = max(0, -(-(then_ms - now_ms) // 1000))
    return f"{left // 60}:{left % 60:02d}" if left < _HOUR else span(left)


def clock(ms: int) -> str:
    """Return the UTC time of day as `12:04:05`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M:%S")


def clock_short(ms: int) -> str:
    """Return the UTC time of day as `12:04`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%H:%M")


def stamp(ms: int) -> str:
    """Return a UTC instant as `11-24 12:04`, `-` for 0."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%m-%d %H:%M") if ms > 0 else NONE


def milliseconds(value: float) -> str:
    """Return milliseconds as `1.6`, `41`, or seconds from 10 s on."""
    if not math.isfinite(value):
        return NONE
    if value >= 10_000:
        return f"{value / 1000:.0f}s"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
