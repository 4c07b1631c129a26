"""Commands and questions under way: sent through the port, polled, each with a deadline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.commands import AckState, Command, Question
from tui import texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.port import ScreenPort
    from engine.snapshot import Answer

COMMAND_DEADLINE_S = 10.0
ANSWER_DEADLINE_S = 5.0
NOTICE_S = 8.0
PENDING_MAX = 32


@dataclass(frozen=True)
class Notice:
    """A line for the operator: what was sent and what became of it."""

    text: str
    style: str
    until: float


@dataclass(frozen=True)
class _Pending:
    ticket: int
    label: str
    deadline: float


@dataclass(frozen=True)
class _Asked:
    ticket: int
    deadline: float
    take: Callable[[Answer | None], None]


class Dispatch:
    """Commands are shown pending, then done or refused with the desk's text; an unanswered one says so."""

    def __init__(self, port: ScreenPort, monotonic: Callable[[], float], operator: str) -> None:
        self._port = port
        self._monotonic = monotonic
        self._operator = operator
        self._pending: list[_Pending] = []
        self._asked: dict[str, _Asked] = {}
        self.notice: Notice | None = None

    def send(self, command: Command, label: str) -> None:
        """Send a command; `label` names it to the operator. With 32 unanswered ones no more are sent."""
        if len(self._pending) >= PENDING_MAX:
            self.say(texts.TOO_MANY_PENDING, "alert")
            return
        ticket = self._port.send(command, self._operator)
        self._pending.append(_Pending(ticket, label, self._monotonic() + COMMAND_DEADLINE_S))
        self.say(texts.PENDING.format(label=label), "accent", COMMAND_DEADLINE_S)

    def ask(self, topic: str, question: Question, take: Callable[[Answer | None], None]) -> None:
        """Ask a question; a newer one on the same topic replaces it. `take` gets None when the deadline passes."""
        ticket = self._port.ask(question)
        self._asked[topic] = _Asked(ticket, self._monotonic() + ANSWER_DEADLINE_S, take)

    def say(self, text: str, style: str = "text", seconds: float = NOTICE_S) -> None:
        """Show a line for a while."""
        self.notice = Notice(text, style, self._monotonic() + seconds)

    def poll(self) -> None:
        """Look at everything under way once."""
        now = self._monotonic()
        for item in tuple(self._pending):
            ack = self._port.ack(item.ticket)
            if ack.state is AckState.PENDING:
                if now < item.deadline:
                    continue
                self.say(texts.UNANSWERED.format(label=item.label), "alert")
            elif ack.state is AckState.DONE:
                self.say(texts.DONE.format(label=item.label, text=ack.text).rstrip(": "), "ok")
            else:
                self.say(texts.REFUSED.format(label=item.label, text=ack.text), "alert")
            self._pending.remove(item)
        for topic, asked in tuple(self._asked.items()):
            answer = self._port.answer(asked.ticket)
            if answer is not None or now >= asked.deadline:
                del self._asked[topic]
                asked.take(answer)
        if self.notice and now >= self.notice.until:
            self.notice = None

    @property
    def waiting(self) -> int:
        """Return the number of commands without an answer yet."""
        return len(self._pending)
