"""What an operator may ask of the desk: commands in the imperative, questions, and their answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class SetMode(msgspec.Struct, frozen=True, tag="set_mode"):
    """Choose the strategy that may trade: `ict`, `self_learning` or `hybrid`."""

    mode: str


class SetFlag(msgspec.Struct, frozen=True, tag="set_flag"):
    """Switch one feature flag of specification section 9."""

    name: str
    value: bool


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """Stop accepting new entries, at once; care of open positions goes on."""


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Accept new entries again."""


class SetTrading(msgspec.Struct, frozen=True, tag="set_trading"):
    """Let decisions become orders (`live`), or keep them on paper from now on."""

    live: bool


class CloseVirtual(msgspec.Struct, frozen=True, tag="close_virtual"):
    """Close one virtual position at the market (`manual_close`)."""

    position_id: str


class CloseAllVirtual(msgspec.Struct, frozen=True, tag="close_all_virtual"):
    """Close every virtual position at the market."""


class BypassBreaker(msgspec.Struct, frozen=True, tag="bypass_breaker"):
    """Let requests through a tripped API breaker for a while."""

    seconds: int
    reason: str


class ResetBreaker(msgspec.Struct, frozen=True, tag="reset_breaker"):
    """Set the API breaker back to NORMAL."""

    reason: str


class Rearm(msgspec.Struct, frozen=True, tag="rearm"):
    """Lift a protection halt that waits for the operator."""

    reason: str


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """Stop the engine in an orderly way."""

    reason: str


Command = (
    SetMode
    | SetFlag
    | SetTrading
    | Halt
    | Resume
    | CloseVirtual
    | CloseAllVirtual
    | BypassBreaker
    | ResetBreaker
    | Rearm
    | Shutdown
)


class AckState(StrEnum):
    """What became of a command."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


class Ack(msgspec.Struct, frozen=True):
    """The desk's answer to a command: done, or refused and why."""

    ticket: int
    state: AckState
    text: str = ""


class AskChart(msgspec.Struct, frozen=True, tag="chart"):
    """Ask for the candles of one series with its structures."""

    symbol: str
    frame: str
    bars: int = 240


class AskSignal(msgspec.Struct, frozen=True, tag="signal"):
    """Ask why: the newest view of all strategies on one symbol."""

    symbol: str


class AskPosition(msgspec.Struct, frozen=True, tag="position"):
    """Ask for the life of one virtual position."""

    position_id: str


Question = AskChart | AskSignal | AskPosition
