"""The words of `perpdesk command`: one line to one command. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from engine.commands import (
    Arm,
    BypassBreaker,
    CancelEntries,
    CancelOrder,
    CloseAll,
    CloseAllVirtual,
    ClosePosition,
    CloseVirtual,
    Disarm,
    Flatten,
    Halt,
    HaltProcess,
    MoveStop,
    Rearm,
    ResetBreaker,
    Resume,
    SetFlag,
    SetMode,
    Shutdown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.commands import Command

RISKY = (Resume, Flatten, CloseAll, ClosePosition, Arm, HaltProcess, BypassBreaker)
"""Commands that ask for --yes."""
SIDES = frozenset({"BOTH", "LONG", "SHORT"})


class WordsError(ValueError):
    """A line that is no command; the text says what is known."""


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise WordsError(f"{text} is no number") from None
    if not value.is_finite() or value <= 0:
        raise WordsError(f"{text} must be above 0")
    return value


def _place(words: Sequence[str]) -> tuple[str, str, list[str]]:
    """Return symbol, side and the words behind them."""
    if not words:
        raise WordsError("name the symbol")
    rest = list(words[1:])
    side = rest.pop(0).upper() if rest and rest[0].upper() in SIDES else "BOTH"
    return words[0].upper(), side, rest


def _flag(words: Sequence[str]) -> Command:
    if len(words) != 2 or words[1] not in ("on", "off"):
        raise WordsError("flag NAME on|off")
    return SetFlag(words[0].upper(), words[1] == "on")


def _mode(words: Sequence[str]) -> Command:
    if len(words) != 1:
        raise WordsError("mode NAME")
    return SetMode(words[0])


def _close(words: Sequence[str]) -> Command:
    symbol, side, rest = _place(words)
    if rest:
        raise WordsError("close SYMBOL [LONG|SHORT]")
    return ClosePosition(symbol, side)


def _move_stop(words: Sequence[str]) -> Command:
    symbol, side, rest = _place(words)
    if len(rest) != 1:
        raise WordsError("move-stop SYMBOL [LONG|SHORT] PRICE")
    return MoveStop(symbol, side, _number(rest[0]))


def _cancel(words: Sequence[str]) -> Command:
    if len(words) not in (2, 3) or not words[1].isdigit() or words[2:] not in ([], ["conditional"]):
        raise WordsError("cancel SYMBOL ID [conditional]")
    return CancelOrder(words[0].upper(), int(words[1]), conditional=len(words) == 3)


def _bypass(words: Sequence[str]) -> Command:
    if len(words) < 2 or not words[0].isdigit():
        raise WordsError("bypass SECONDS REASON")
    return BypassBreaker(int(words[0]), " ".join(words[1:]))


def _reason(make: Callable[[str], Command], usage: str) -> Callable[[Sequence[str]], Command]:
    def parse(words: Sequence[str]) -> Command:
        if not words:
            raise WordsError(usage)
        return make(" ".join(words))

    return parse


def _plain(command: Command) -> Callable[[Sequence[str]], Command]:
    def parse(words: Sequence[str]) -> Command:
        if words:
            raise WordsError("this command takes no words behind it")
        return command

    return parse


def _arm(words: Sequence[str]) -> Command:
    if len(words) > 2:
        raise WordsError("arm [HOURS [CONSENT]]")
    hours = float(_number(words[0])) if words else Arm().hours
    return Arm(hours, words[1] if len(words) == 2 else "")


WORDS: dict[str, Callable[[Sequence[str]], Command]] = {
    "mode": _mode,
    "flag": _flag,
    "halt": _plain(Halt()),
    "resume": _plain(Resume()),
    "cancel-entries": _plain(CancelEntries()),
    "flatten": _plain(Flatten()),
    "halt-process": _plain(HaltProcess()),
    "arm": _arm,
    "disarm": _plain(Disarm()),
    "close": _close,
    "close-all": _plain(CloseAll()),
    "move-stop": _move_stop,
    "cancel": _cancel,
    "close-virtual": _reason(CloseVirtual, "close-virtual ID"),
    "close-all-virtual": _plain(CloseAllVirtual()),
    "bypass": _bypass,
    "reset": _reason(ResetBreaker, "reset REASON"),
    "rearm": _reason(Rearm, "rearm REASON"),
    "shutdown": _reason(Shutdown, "shutdown REASON"),
}
"""First word to the parser of the others."""


def read_command(text: str) -> Command:
    """Return the command of a line. Raises WordsError."""
    words = text.split()
    parse = WORDS.get(words[0].lower()) if words else None
    if parse is None:
        raise WordsError(f"{text or 'nothing'} is no command; there are {', '.join(WORDS)}")
    return parse(words[1:])
