"""What an answer proves about a request: done, refused, never sent, or unknown.

The rules are data. An exact known text decides first, then the code, then the status; what no row lists is UNKNOWN.
Only REFUSED and NOT_SENT allow the same intent to be sent again.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

from exchange.ports import LostError, NotSentError


class Outcome(Enum):
    """The classes of a request's fate."""

    OK = "ok"
    """2xx with a JSON body; a body that then fails its typed decoding counts as UNKNOWN."""
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Rule(NamedTuple):
    """One row. Fields that are None match anything; `statuses` is an inclusive range."""

    outcome: Outcome
    reason: str
    text: str | None = None
    code: int | None = None
    statuses: tuple[int, int] | None = None
    needs_code: bool = False


class Verdict(NamedTuple):
    """The class with what the venue said, for texts and records."""

    outcome: Outcome
    reason: str
    code: int | None = None
    msg: str = ""


UNKNOWN_ERROR = "Unknown error, please check your request or try again later."
UNAVAILABLE = "Service Unavailable."
INTERNAL_ERROR = "Internal error; unable to process your request. Please try again."
THROTTLED = (
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."
)
_UNAVAILABLE_STATUS = (503, 503)

TEXT_RULES: tuple[Rule, ...] = (
    Rule(Outcome.UNKNOWN, "the venue does not know whether it acted", text=UNKNOWN_ERROR),
    Rule(
        Outcome.REFUSED, "the service is unavailable; nothing was done", text=UNAVAILABLE, statuses=_UNAVAILABLE_STATUS
    ),
    Rule(Outcome.REFUSED, "an internal error; nothing was done", text=INTERNAL_ERROR, statuses=_UNAVAILABLE_STATUS),
    Rule(Outcome.REFUSED, "system-level throttling; nothing was done", text=THROTTLED, statuses=_UNAVAILABLE_STATUS),
)
"""Exact texts. Texts that promise a refusal hold only under the status they are documented for."""

CODE_RULES: tuple[Rule, ...] = (
    Rule(Outcome.UNKNOWN, "an unknown error without a known text", code=-1000),
    Rule(Outcome.UNKNOWN, "disconnected or failed inside, with a text that promises nothing", code=-1001),
    Rule(Outcome.UNKNOWN, "the backend answered something unexpected", code=-1006),
    Rule(Outcome.UNKNOWN, "the backend did not answer in time", code=-1007),
    Rule(Outcome.REFUSED, "the venue is overloaded", code=-1008),
    Rule(Outcome.REFUSED, "the timestamp lies outside the window", code=-1021),
    Rule(Outcome.UNKNOWN, "an order with this client id is open: an earlier send was accepted; query it", code=-4116),
)

STATUS_RULES: tuple[Rule, ...] = (
    Rule(Outcome.UNKNOWN, "the backend timed out", statuses=(408, 408)),
    Rule(Outcome.REFUSED, "the address is banned", statuses=(418, 418)),
    Rule(Outcome.REFUSED, "a rate limit was reached", statuses=(429, 429)),
    Rule(Outcome.REFUSED, "the key was not accepted", statuses=(401, 401)),
    Rule(Outcome.REFUSED, "a firewall or a missing right stopped it", statuses=(403, 403)),
    Rule(Outcome.REFUSED, "no such path", statuses=(404, 404)),
    Rule(Outcome.REFUSED, "the location is restricted", statuses=(451, 451)),
    Rule(Outcome.REFUSED, "the venue refused the request", statuses=(400, 499), needs_code=True),
)


class ErrorBody(msgspec.Struct):
    """The body of an API error. `code` is a string in a few answers of the algo service."""

    code: int
    msg: str = ""


_ERROR_BODY = msgspec.json.Decoder(ErrorBody, strict=False)
_TEXT_LIMIT = 512


def error_body(body: bytes) -> tuple[int | None, str]:
    """Return (code, message) of an error answer; a body that is no API error gives (None, its trimmed text)."""
    try:
        parsed = _ERROR_BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, body[:_TEXT_LIMIT].decode("utf-8", "replace").strip()
    return parsed.code, parsed.msg


def _matches(rule: Rule, status: int, code: int | None, text: str) -> bool:
    if rule.text is not None and rule.text != text:
        return False
    if rule.code is not None and rule.code != code:
        return False
    if rule.needs_code and code is None:
        return False
    return rule.statuses is None or rule.statuses[0] <= status <= rule.statuses[1]


def classify(status: int | None, body: bytes, error: NotSentError | LostError | None = None) -> Verdict:
    """Say what (HTTP status, body) or a transport error proves. Pure and total: it never raises."""
    if isinstance(error, NotSentError):
        return Verdict(Outcome.NOT_SENT, str(error) or "no byte left")
    if error is not None or status is None:
        return Verdict(Outcome.UNKNOWN, str(error) or "no complete answer came back")
    if 200 <= status < 300:
        if body.lstrip()[:1] in (b"{", b"["):
            return Verdict(Outcome.OK, "answered")
        return Verdict(Outcome.UNKNOWN, "a success that is not JSON")
    code, msg = error_body(body)
    for rules in (TEXT_RULES, CODE_RULES, STATUS_RULES):
        for rule in rules:
            if _matches(rule, status, code, msg):
                return Verdict(rule.outcome, rule.reason, code, msg)
    return Verdict(Outcome.UNKNOWN, "no rule lists this answer", code, msg)
