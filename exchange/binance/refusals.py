"""A verdict that is not OK, as the error the desk raises, with a text an operator can act on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from exchange.binance.outcomes import Outcome, Verdict
from exchange.binance.reactions import REACTIONS, reaction_to
from exchange.errors import (
    BannedError,
    BusinessError,
    ClockError,
    CredentialsError,
    ExchangeError,
    OverloadedError,
    RateLimitedError,
    RefusedError,
    RestrictedError,
    UnknownOutcomeError,
    UnsentError,
)
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAN_END = re.compile(r"until (\d{13})\b")
_CREDENTIAL_CODES = frozenset({-1002, -1022, -2014, -2015, -2017})
_DEFAULT_BAN_MS = 120_000
"""The shortest ban the venue hands out."""
_TEN_SECONDS_MS = 10_000
_MINUTE_MS = 60_000
_TEXT_LIMIT = 200
_PAUSE_LIMIT_S = 3 * 86_400


def plain(text: str) -> str:
    """Return a venue's text fit for a screen and a log: one line, printable, at most 200 characters."""
    return "".join(character if character.isprintable() else " " for character in text)[:_TEXT_LIMIT].strip()


def error_for(
    verdict: Verdict, status: int | None, headers: Mapping[str, str], operation: str, now_ms: int
) -> ExchangeError:
    """Return the error for a verdict other than OK. `now_ms` is the venue's clock; times in the error stand on it."""
    if verdict.outcome is Outcome.NOT_SENT:
        return UnsentError(f"{operation} was not sent: {plain(verdict.reason)}")
    said = f"HTTP {status}" if verdict.code is None else f"HTTP {status}, {verdict.code}"
    if verdict.outcome is Outcome.UNKNOWN:
        detail = plain(verdict.reason) if status is None else f"{verdict.reason} ({said}){_quoted(verdict.msg)}"
        unknown = UnknownOutcomeError(f"{operation}: {detail}", status=status, code=verdict.code)
        if verdict.code is not None and REACTIONS.get(verdict.code) is Reaction.DUPLICATE_ID:
            unknown.reaction = Reaction.DUPLICATE_ID
        return unknown
    assert status is not None, "a refusal is an answer"
    refusal = _refusal(verdict, status, headers, operation, now_ms, said)
    refusal.reaction = reaction_to(status, verdict.code)
    return refusal


def _quoted(msg: str) -> str:
    if msg.lstrip()[:1] == "<":
        return ": an HTML page"
    return f": {plain(msg)}" if msg else ""


class _Kind(NamedTuple):
    applies: Callable[[int, int | None], bool]
    error: type[RefusedError]
    cause: str
    remedy: str


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        lambda status, _: status == 451,
        RestrictedError,
        "the venue does not serve this location",
        "run the desk where it is permitted, or choose exchange = demo or simulator",
    ),
    _Kind(
        lambda status, code: status == 401 or code in _CREDENTIAL_CODES,
        CredentialsError,
        "the API key or its signature was refused",
        "check key and secret, the key's address list and its futures permission",
    ),
    _Kind(
        lambda status, _: status == 403,
        RestrictedError,
        "a firewall of the venue blocked the request",
        "wait some minutes, then check host and network",
    ),
    _Kind(
        lambda _, code: code == -1021,
        ClockError,
        "the clock of this machine does not fit the venue's",
        "check the time service",
    ),
    _Kind(
        lambda status, code: status >= 500 or code == -1008,
        OverloadedError,
        "the venue is overloaded and did nothing",
        "it is tried again after a pause",
    ),
    _Kind(lambda _status, _code: True, BusinessError, "refused", ""),
)
"""The first row that applies names the error."""


def _refusal(
    verdict: Verdict, status: int, headers: Mapping[str, str], operation: str, now_ms: int, said: str
) -> RefusedError:
    code, msg = verdict.code, plain(verdict.msg)
    if status == 418:
        until = _ban_end(verdict.msg, headers, now_ms)
        instant = datetime.fromtimestamp(until / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        text = f"{operation}: this network address is banned until {instant} UTC ({said}); requests wait until then"
        return BannedError(text, status=status, code=code, msg=msg, until_ms=until)
    if status == 429 or code in (-1003, -1015):
        pause = _pause(headers, code, now_ms)
        text = f"{operation}: too many requests ({said}); paused for {pause:.0f} s"
        return RateLimitedError(text, status=status, code=code, msg=msg, retry_after_s=pause)
    kind = next(kind for kind in _KINDS if kind.applies(status, code))
    remedy = f"; {kind.remedy}" if kind.remedy else ""
    text = f"{operation}: {kind.cause} ({said}){_quoted(verdict.msg)}{remedy}"
    return kind.error(text, status=status, code=code, msg=msg)


def _ban_end(msg: str, headers: Mapping[str, str], now_ms: int) -> int:
    found = _BAN_END.search(msg)
    if found and now_ms < int(found[1]) <= now_ms + _PAUSE_LIMIT_S * 1000:
        return int(found[1])
    asked = _retry_after(headers)
    return now_ms + (int(asked * 1000) if asked is not None else _DEFAULT_BAN_MS)


def _pause(headers: Mapping[str, str], code: int | None, now_ms: int) -> float:
    asked = _retry_after(headers)
    if asked is not None:
        return asked
    window = _TEN_SECONDS_MS if code == -1015 else _MINUTE_MS
    return (window - now_ms % window) / 1000


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(min(int(text), _PAUSE_LIMIT_S))
    return None
