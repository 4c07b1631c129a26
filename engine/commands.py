"""What an operator may ask of the desk: commands in the imperative, questions, and their answers."""

from __future__ import annotations

from decimal import Decimal
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
    """PAUSE: stop accepting new entries, at once; care of open positions goes on."""


class CancelEntries(msgspec.Struct, frozen=True, tag="cancel_entries"):
    """CANCEL: as PAUSE, and cancel resting entries too; stops and targets stay."""


class Flatten(msgspec.Struct, frozen=True, tag="flatten"):
    """FLATTEN: cancel entries, close every position at the market, remove its stops when it is flat."""


class HaltProcess(msgspec.Struct, frozen=True, tag="halt_process"):
    """HALT: end the process with exit code 20; stops stay at the exchange."""


class Arm(msgspec.Struct, frozen=True, tag="arm"):
    """Write the arming record for this account and configuration: the third fact live orders need."""

    hours: float = 24.0
    """When it expires."""
    consent: str = ""
    """The word the key's rights ask for, empty where they ask for none."""


class Disarm(msgspec.Struct, frozen=True, tag="disarm"):
    """Withdraw the arming record: no further entry; care of open positions goes on."""


class ClosePosition(msgspec.Struct, frozen=True, tag="close_position"):
    """Close one position of the account at the market, reduce-only."""

    symbol: str
    side: str
    """BOTH in one-way mode, else LONG or SHORT."""


class CloseAll(msgspec.Struct, frozen=True, tag="close_all"):
    """Close every position of the account at the market; entries stay as they are."""


class MoveStop(msgspec.Struct, frozen=True, tag="move_stop"):
    """Move the protective stop of a position; at no moment is the position without one."""

    symbol: str
    side: str
    price: Decimal


class CancelOrder(msgspec.Struct, frozen=True, tag="cancel_order"):
    """Cancel one open order of the account. A protective stop is put back within seconds: move it instead."""

    symbol: str
    order_id: int
    """The algo service's id for a conditional order."""
    conditional: bool = False


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Accept new entries again."""


class SetTrading(msgspec.Struct, frozen=True, tag="set_trading"):
    """Let decisions become orders (`live`), or keep them on paper from now on."""

    live: bool
    consent: str = ""
    """As in `Arm`."""


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
    | CancelEntries
    | Flatten
    | HaltProcess
    | Arm
    | Disarm
    | ClosePosition
    | CloseAll
    | MoveStop
    | CancelOrder
    | CloseVirtual
    | CloseAllVirtual
    | BypassBreaker
    | ResetBreaker
    | Rearm
    | Shutdown
)

LESSENING = (Halt, CancelEntries, Flatten, HaltProcess, Disarm, ClosePosition, CloseAll, Shutdown)
"""Commands that only take risk off: never kept waiting behind who holds the right to write."""


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


class AskWhatIf(msgspec.Struct, frozen=True, tag="what_if"):
    """Ask what a risky key would do before it becomes an order."""

    symbol: str
    side: str
    """Of the position: BOTH, LONG or SHORT."""
    stop: Decimal | None = None
    """A stop to move to; None asks about closing at the market."""


Question = AskChart | AskSignal | AskPosition | AskWhatIf
