"""What set the desk going, in a few words, and the inputs around a place in a recording."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.inputs.records import (
    WALL,
    Answered,
    Asked,
    Cancelled,
    Ended,
    Finished,
    Lost,
    Messages,
    NotSent,
    Ordered,
    Reply,
    Stepped,
    Stopped,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.inputs.records import Cause, Result, Turn

BEFORE, AFTER = 4, 1


def clock_text(time_ms: int) -> str:
    """Return UTC milliseconds to the millisecond."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{time_ms % 1000:03d}"


def words(cause: Cause, names: Mapping[int, str]) -> str:  # noqa: PLR0911 - an arm per cause
    """Return what set the desk going; `names` are those of its tasks by number."""
    match cause:
        case Stepped(lane):
            return f"{names.get(lane, lane)} went on"
        case Answered(lane, label, result, _):
            return f"{label}{_came(result)}, for {names.get(lane, lane)}"
        case Ordered(_, command, by):
            return f"command {type(command).__name__} by {by}"
        case Asked(_, question):
            return f"question {type(question).__name__}"
        case Stopped(reason):
            return f"stop: {reason}"
        case Finished(code):
            return f"ended with exit code {code}"
        case _:
            return "the desk was put together"


def _came(result: Result) -> str:
    match result:
        case Reply(status, _, body):
            return f" answered {status} with {len(body):,} bytes"
        case Messages(data):
            return f": {len(data)} messages of {sum(map(len, data)):,} bytes"
        case NotSent(text) | Lost(text, _):
            return f" failed: {text}"
        case Ended(code, reason):
            return f" ended with {code} {reason}".rstrip()
        case Cancelled():
            return " given up"
        case _:
            return " done"


def around(turns: Iterable[Turn], number: int) -> list[str]:
    """Return the inputs just before and at turn `number`, counted from 1, and the one behind it, a line each."""
    names: dict[int, str] = {}
    found: list[str] = []
    time = 0
    for place, turn in enumerate(turns, 1):
        names.update(turn.born)
        walls = [value for what, value in zip(turn.reads[::2], turn.reads[1::2], strict=True) if what == WALL]
        time = walls[0] if walls else time
        if place > number + AFTER:
            break
        if place >= number - BEFORE:
            at = clock_text(time) if time else "at the start"
            found.append(f"input {place:,}, {at}: {words(turn.cause, names)}")
    return found
