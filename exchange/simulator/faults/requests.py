"""Faults of single requests: what is executed, what is answered, and when the answer arrives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import translate
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from exchange.ports import RestAnswer
from exchange.simulator.answers import JSON_TYPE
from exchange.simulator.faults.overload import OVERLOADED, is_turned_away
from exchange.simulator.faults.plan import (
    REQUEST_FAULTS,
    EmptyAnswer,
    ErrorAnswer,
    GarbledAnswer,
    How,
    LateExecution,
    LostAnswer,
    Maintenance,
    Overload,
    ReadLag,
    RequestFault,
    ShortBatch,
    SlowAnswer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.simulator.faults.chance import Chance
    from exchange.simulator.questions import OpenQuestions

IN_MAINTENANCE = (-1016, "This service is no longer available.")
NO_ORDER = (-2013, "Order does not exist.")


class Request(NamedTuple):
    """One HTTP request as it was received. Header names are lower case."""

    method: str
    path: str
    query: bytes
    body: bytes
    headers: Mapping[str, str]


class Fate(NamedTuple):
    """What the sender of a request sees: an answer after a delay, or none."""

    answer: RestAnswer | None
    delay_s: float = 0.0
    """Simulated seconds after which the answer arrives."""
    how: How = "reset"
    """How a missing answer shows: the connection is reset, or nothing comes until the sender gives up."""


class _Rule:
    """One fault with its compiled patterns."""

    def __init__(self, chance: Chance, fault: RequestFault) -> None:
        self.chance = chance
        self.fault = fault
        patterns: Sequence[str] = ("*",) if isinstance(fault, Maintenance) else fault.on
        self._matches = [re.compile(translate(pattern)).match for pattern in patterns]

    def matches(self, operation: str) -> bool:
        """Say whether the fault is meant for `METHOD /path`."""
        return any(match(operation) for match in self._matches)


class RequestFaults:
    """Decides the fate of each request. The first fault of the plan that strikes decides alone."""

    def __init__(
        self, chances: Sequence[Chance], execute: Callable[[Request], RestAnswer], questions: OpenQuestions
    ) -> None:
        """Take the plan's chances in order, how the venue executes a request now, and its open questions."""
        self._spares_conditional = questions.overload_spares_conditional
        self._rules = [_Rule(chance, chance.fault) for chance in chances if isinstance(chance.fault, REQUEST_FAULTS)]
        self._execute = execute
        self._late: list[tuple[int, Request]] = []

    def serve(self, request: Request, now_ms: int, second: float) -> Fate:
        """Execute a request, or not, and say what its sender sees. `second` counts from the venue's opening."""
        operation = f"{request.method} {request.path}"
        for rule in self._rules:
            if rule.matches(operation) and self._concerns(rule.fault, request) and rule.chance.strikes(second):
                return self._strike(rule.fault, request, now_ms)
        return Fate(self._execute(request))

    def run_late(self, now_ms: int) -> None:
        """Execute the requests whose late moment has come, in its order."""
        while self._late and self._late[0][0] <= now_ms:
            self._execute(self._late.pop(0)[1])

    def run_all(self) -> None:
        """Execute what is still late, in the order of its moments."""
        while self._late:
            self._execute(self._late.pop(0)[1])

    def _concerns(self, fault: RequestFault, request: Request) -> bool:
        if not isinstance(fault, Overload):
            return True
        return is_turned_away(request, spares_conditional=self._spares_conditional)

    def _strike(self, fault: RequestFault, request: Request, now_ms: int) -> Fate:
        if isinstance(fault, LateExecution):
            self._late.append((now_ms + int(fault.seconds * 1000), request))
            self._late.sort(key=lambda late: late[0])
            return Fate(_error(fault.status, fault.code, fault.msg))
        if isinstance(fault, Maintenance | Overload):
            return Fate(_error(503, *(IN_MAINTENANCE if isinstance(fault, Maintenance) else OVERLOADED)))
        if isinstance(fault, LostAnswer):
            if fault.executed:
                self._execute(request)
            return Fate(None, how=fault.how)
        if isinstance(fault, ErrorAnswer):
            if fault.executed:
                self._execute(request)
            return Fate(_asked_error(fault))
        answer = self._execute(request)
        if isinstance(fault, SlowAnswer):
            return Fate(answer, delay_s=fault.seconds)
        return Fate(_altered(answer, fault, now_ms)) if answer.status == 200 else Fate(answer)


def _error(status: int, code: int, msg: str) -> RestAnswer:
    return RestAnswer(status, {"content-type": JSON_TYPE}, msgspec.json.encode({"code": code, "msg": msg}))


def _asked_error(fault: ErrorAnswer) -> RestAnswer:
    if fault.body is not None:
        kind = JSON_TYPE if fault.body[:1] in {"{", "["} else "text/html"
        body = fault.body.encode()
    else:
        kind = JSON_TYPE
        body = msgspec.json.encode({"code": fault.code or 0, "msg": fault.msg})
    headers = {"content-type": kind}
    if fault.retry_after is not None:
        headers["retry-after"] = str(fault.retry_after)
    return RestAnswer(fault.status, headers, body)


def _altered(answer: RestAnswer, fault: EmptyAnswer | GarbledAnswer | ShortBatch | ReadLag, now_ms: int) -> RestAnswer:
    if isinstance(fault, EmptyAnswer):
        return _with_body(answer, fault.body.encode())
    if isinstance(fault, GarbledAnswer):
        return _with_body(answer, garble(answer.body, fault.variant))
    content = msgspec.json.decode(answer.body)
    if isinstance(fault, ShortBatch):
        return (
            _with_body(answer, msgspec.json.encode(content[: -fault.missing])) if isinstance(content, list) else answer
        )
    shown_until = now_ms - int(fault.seconds * 1000)
    if isinstance(content, list):
        return _with_body(answer, msgspec.json.encode([row for row in content if _created(row) <= shown_until]))
    return answer if _created(content) <= shown_until else _error(400, *NO_ORDER)


def _created(row: Any) -> int:
    """Return when the order of a row was placed, 0 for a row that is no order."""
    if not isinstance(row, dict):
        return 0
    return int(row.get("createTime") or row.get("time") or 0)


def garble(body: bytes, variant: str) -> bytes:
    """Return what a broken server might send in place of a JSON body."""
    if variant == "html":
        return b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    if variant == "cut":
        return body[: max(1, len(body) // 2)]
    if variant == "binary":
        return b"\xff\xfe\x00\x80" + body[:16]
    return re.sub(rb'"[0-9.]+"', b'"NaN"', body)


def _with_body(answer: RestAnswer, body: bytes) -> RestAnswer:
    return RestAnswer(answer.status, answer.headers, body)
