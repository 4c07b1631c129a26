"""A fault plan: which requests, answers, frames and moments go wrong, and how. Read from TOML, one table per fault.

    seed = 7

    [[fault]]
    kind = "lost_answer"
    on = ["POST /fapi/v1/order"]
    rate = 0.1

Seconds are simulated seconds since the plan was set. Every fault may say `id` (a row of the fault catalogue), the
window `after` and `until`, and `times`, the most often it strikes; faults on requests and frames also `rate`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import Any, Literal

import msgspec

from exchange.simulator.faults.actions import ActionError, RouteName, read_action

How = Literal["reset", "timeout"]
Seconds = float


class PlanError(ValueError):
    """A fault plan that cannot be used; the text names the fault, the key, the value and the remedy."""


class _Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    id: str = ""
    """Row of the fault catalogue, for the report; the kind where it is absent."""
    after: Seconds = 0.0
    until: Seconds | None = None
    times: int | None = None

    @property
    def name(self) -> str:
        """Return the kind as the plan writes it."""
        return str(self.__struct_config__.tag)


class _OnRequest(_Fault, frozen=True, kw_only=True):
    on: tuple[str, ...] = ("*",)
    """Patterns of `METHOD /path`; `*` stands for any text."""
    rate: float = 1.0


class LostAnswer(_OnRequest, frozen=True, tag="lost_answer", kw_only=True):
    """The answer never arrives; the request was executed, or was not."""

    executed: bool = True
    how: How = "reset"


class SlowAnswer(_OnRequest, frozen=True, tag="slow_answer", kw_only=True):
    """Executed at once, answered late."""

    seconds: Seconds


class LateExecution(_OnRequest, frozen=True, tag="late_execution", kw_only=True):
    """Answered with an unknown outcome now, executed later: refused then where recvWindow is over."""

    seconds: Seconds
    status: int = 503
    code: int = -1007
    msg: str = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


class ErrorAnswer(_OnRequest, frozen=True, tag="error_answer", kw_only=True):
    """Answered with an error; executed or not."""

    status: int
    code: int | None = None
    msg: str = ""
    body: str | None = None
    """The whole body instead of code and msg."""
    executed: bool = False
    retry_after: int | None = None


class Maintenance(_Fault, frozen=True, tag="maintenance", kw_only=True):
    """Every request is answered with -1016 while the window lasts."""


class Overload(_OnRequest, frozen=True, tag="overload", kw_only=True):
    """New orders are turned away with -1008, unexecuted; what only reduces and what cancels passes."""


class EmptyAnswer(_OnRequest, frozen=True, tag="empty_answer", kw_only=True):
    """A success without content: `[]` or `{}`."""

    body: Literal["[]", "{}"] = "[]"


class GarbledAnswer(_OnRequest, frozen=True, tag="garbled_answer", kw_only=True):
    """A success that cannot be read: HTML, JSON cut short, bytes that are no text, or a poisoned number."""

    variant: Literal["html", "cut", "binary", "nan"] = "html"


class ShortBatch(_OnRequest, frozen=True, tag="short_batch", kw_only=True):
    """The last elements of a list answer are missing."""

    missing: int = 1


class ReadLag(_OnRequest, frozen=True, tag="read_lag", kw_only=True):
    """Orders younger than that are not shown: -2013 for one, left out of lists."""

    seconds: Seconds


class RefuseConnections(_Fault, frozen=True, tag="refuse_connections", kw_only=True):
    """New sockets get no handshake while the window lasts."""

    rate: float = 1.0


class _OnFrames(_Fault, frozen=True, kw_only=True):
    route: RouteName = "any"
    containing: str = ""
    """Only frames that contain this text, such as `"e":"ORDER_TRADE_UPDATE"`."""
    rate: float = 1.0


class Stall(_OnFrames, frozen=True, tag="stall", kw_only=True):
    """The socket stays open and pings are answered, but no frame comes; what would have come is lost."""


class LostFrame(_OnFrames, frozen=True, tag="lost_frame", kw_only=True):
    """A frame is missing."""


class RepeatedFrame(_OnFrames, frozen=True, tag="repeated_frame", kw_only=True):
    """A frame comes twice."""


class SwappedFrames(_OnFrames, frozen=True, tag="swapped_frames", kw_only=True):
    """A frame comes after its successor."""


class LateFrame(_OnFrames, frozen=True, tag="late_frame", kw_only=True):
    """Frames come late, in their order."""

    seconds: Seconds


class MalformedFrame(_OnFrames, frozen=True, tag="malformed_frame", kw_only=True):
    """A frame that cannot be read stands where a good one was."""

    variant: Literal["cut", "html", "binary", "nan", "duplicate_key", "huge"] = "cut"


class Action(_Fault, frozen=True, tag="action", kw_only=True):
    """Something happens at the venue at the given moments: any action of the control endpoint."""

    at: tuple[Seconds, ...]
    do: dict[str, Any]
    """A control request: `action` and its arguments."""


RequestFault = (
    LostAnswer
    | SlowAnswer
    | LateExecution
    | ErrorAnswer
    | Maintenance
    | Overload
    | EmptyAnswer
    | GarbledAnswer
    | ShortBatch
    | ReadLag
)
FrameFault = Stall | LostFrame | RepeatedFrame | SwappedFrames | LateFrame | MalformedFrame
Fault = RequestFault | FrameFault | Action | RefuseConnections

REQUEST_FAULTS = (
    LostAnswer, SlowAnswer, LateExecution, ErrorAnswer, Maintenance, Overload, EmptyAnswer, GarbledAnswer, ShortBatch,
    ReadLag,
)  # fmt: skip
FRAME_FAULTS = (Stall, LostFrame, RepeatedFrame, SwappedFrames, LateFrame, MalformedFrame)
KINDS = {kind.__struct_config__.tag: kind for kind in (*REQUEST_FAULTS, *FRAME_FAULTS, Action, RefuseConnections)}


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All faults of a run and the seed of their chances."""

    seed: int = 0
    fault: tuple[Fault, ...] = ()


_PLACE = re.compile(r"\$\.fault\[(\d+)\]")


def read_plan(text: str) -> FaultPlan:
    """Read a plan from TOML. Raises PlanError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"the fault plan is no TOML: {error}") from error
    return make_plan(raw)


def make_plan(raw: dict[str, Any]) -> FaultPlan:
    """Build a plan from its decoded form. Raises PlanError."""
    for number, table in enumerate(raw.get("fault", ()), start=1):
        _check_kind(number, table)
    try:
        plan = msgspec.convert(raw, FaultPlan)
    except msgspec.ValidationError as error:
        found = _PLACE.search(str(error))
        where = f"fault {int(found[1]) + 1} ({raw['fault'][int(found[1])]['kind']})" if found else "the fault plan"
        raise PlanError(f"{where}: {_PLACE.sub('it', str(error))}") from error
    for number, fault in enumerate(plan.fault, start=1):
        _check(f"fault {number} ({fault.name})", fault)
    return plan


def _check_kind(number: int, table: object) -> None:
    if not isinstance(table, dict):
        raise PlanError(f"fault {number} is no table: begin each fault with [[fault]]")
    kind = table.get("kind")
    if kind in KINDS:
        return
    if kind is None:
        raise PlanError(f"fault {number} names no kind; kinds are {', '.join(sorted(map(str, KINDS)))}")
    near = difflib.get_close_matches(str(kind), [str(known) for known in KINDS], 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"kinds are {', '.join(sorted(map(str, KINDS)))}"
    raise PlanError(f"fault {number}: kind is {kind!r}, which is none; {hint}")


def _check(where: str, fault: Fault) -> None:
    rate = getattr(fault, "rate", 1.0)
    if not 0.0 <= rate <= 1.0:
        raise PlanError(f"{where}: rate is {rate}: use a share from 0 to 1")
    for key in ("after", "until", "seconds"):
        value = getattr(fault, key, None)
        if value is not None and not 0.0 <= value < 1e9:
            raise PlanError(f"{where}: {key} is {value}: use seconds from 0")
    if fault.times is not None and fault.times < 1:
        raise PlanError(f"{where}: times is {fault.times}: use 1 or more, or leave it out")
    if isinstance(fault, ErrorAnswer) and not 400 <= fault.status <= 599:
        raise PlanError(f"{where}: status is {fault.status}: use an error status from 400 to 599")
    if isinstance(fault, ShortBatch) and fault.missing < 1:
        raise PlanError(f"{where}: missing is {fault.missing}: use 1 or more")
    if isinstance(fault, Action):
        if not fault.at or min(fault.at) < 0:
            raise PlanError(f"{where}: at is {list(fault.at)}: give one or more moments from 0 s")
        try:
            read_action(fault.do)
        except ActionError as error:
            raise PlanError(f"{where}: do: {error}") from error
