"""The narrow port between the desk and its screens.

Latest snapshot, numbered event ring, acknowledged commands, answered questions: the only thing a screen knows of the
engine. The desk side runs on the engine's loop; the screen side may run on any thread and never waits.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from engine.commands import Ack, AckState, Command, Question
from engine.events import Event, EventKind, Severity
from engine.snapshot import Answer, NoAnswer, Snapshot

if TYPE_CHECKING:
    import asyncio

EVENT_RING = 5000
ACK_RING = 500
ANSWER_RING = 64


class EventSlice(NamedTuple):
    """Events after a number, and how many were lost between (the ring is bounded)."""

    events: tuple[Event, ...]
    missed: int


class Handlers(NamedTuple):
    """What the desk does with what screens send."""

    on_command: Callable[[int, Command, str], None]
    on_question: Callable[[int, Question], None]


class ScreenPort(Protocol):
    """What a screen may do, in process or over a socket. No method waits for the engine."""

    @property
    def writes(self) -> bool:
        """Say whether the engine takes commands from this screen now."""

    def snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, None before the first."""

    def events(self, after: int) -> EventSlice:
        """Return the events numbered above `after`, oldest first."""

    def send(self, command: Command, by: str) -> int:
        """Hand a command to the desk on behalf of `by` and return its ticket."""

    def ack(self, ticket: int) -> Ack:
        """Return what became of a command; PENDING until the desk has looked at it."""

    def ask(self, question: Question) -> int:
        """Hand a question to the desk and return its ticket."""

    def answer(self, ticket: int) -> Answer | None:
        """Return the answer, None while it is being prepared."""


class LocalPort:
    """The port inside one process. Single assignments and bounded rings only; no lock is held by either side."""

    def __init__(self) -> None:
        """Start with nothing published."""
        self._snapshot: Snapshot | None = None
        self._ring: deque[Event] = deque(maxlen=EVENT_RING)
        self._seq = 0
        self._tickets = itertools.count(1)
        self._acks: dict[int, Ack] = {}
        self._answers: dict[int, Answer] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_command: Callable[[int, Command, str], None] | None = None
        self._on_question: Callable[[int, Question], None] | None = None
        self.between: Callable[[Handlers], Handlers] = lambda handlers: handlers
        """Stands between the screens and the desk's two callbacks; set it before `attach`."""

    # The desk's side.

    def attach(
        self,
        loop: asyncio.AbstractEventLoop,
        on_command: Callable[[int, Command, str], None],
        on_question: Callable[[int, Question], None],
    ) -> None:
        """Name the loop and the two callbacks that run on it."""
        self._on_command, self._on_question = self.between(Handlers(on_command, on_question))
        self._loop = loop

    def detach(self) -> None:
        """Stop taking commands; what was published stays readable."""
        self._loop = None

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the latest snapshot."""
        self._snapshot = snapshot

    def emit(self, time: int, kind: EventKind, severity: Severity, text: str, symbol: str = "", ref: str = "") -> Event:
        """Append an event to the ring under the next number."""
        self._seq += 1
        event = Event(self._seq, time, kind, severity, text, symbol, ref)
        self._ring.append(event)
        return event

    def settle(self, ack: Ack) -> None:
        """Record what became of a command."""
        self._acks[ack.ticket] = ack
        while len(self._acks) > ACK_RING:
            self._acks.pop(next(iter(self._acks)))

    def reply(self, ticket: int, answer: Answer) -> None:
        """Record the answer to a question."""
        self._answers[ticket] = answer
        while len(self._answers) > ANSWER_RING:
            self._answers.pop(next(iter(self._answers)))

    # The screen's side.

    writes = True

    def snapshot(self) -> Snapshot | None:
        """Return the latest snapshot, None before the first."""
        return self._snapshot

    def events(self, after: int) -> EventSlice:
        """Return the events numbered above `after`, oldest first."""
        ring = tuple(self._ring)
        if not ring or ring[-1].seq <= after:
            return EventSlice((), 0)
        missed = max(0, ring[0].seq - after - 1)
        return EventSlice(ring[max(0, after + 1 - ring[0].seq) :], missed)

    def send(self, command: Command, by: str) -> int:
        """Hand a command to the desk on behalf of `by` and return its ticket."""
        ticket = next(self._tickets)
        loop, handler = self._loop, self._on_command
        if loop is None or handler is None:
            self.settle(Ack(ticket, AckState.REFUSED, "the engine is not running"))
        else:
            loop.call_soon_threadsafe(handler, ticket, command, by)
        return ticket

    def ack(self, ticket: int) -> Ack:
        """Return what became of a command; PENDING until the desk has looked at it."""
        return self._acks.get(ticket) or Ack(ticket, AckState.PENDING)

    def ask(self, question: Question) -> int:
        """Hand a question to the desk and return its ticket."""
        ticket = next(self._tickets)
        loop, handler = self._loop, self._on_question
        if loop is None or handler is None:
            self.reply(ticket, NoAnswer("the engine is not running"))
        else:
            loop.call_soon_threadsafe(handler, ticket, question)
        return ticket

    def answer(self, ticket: int) -> Answer | None:
        """Return the answer, None while it is being prepared."""
        return self._answers.get(ticket)
