"""The screen port of an engine in another process, over its control socket, on a thread of its own."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from engine.commands import Ack, AckState
from engine.control import (
    LENGTH,
    MAX_ANSWER,
    SOCKET_NAME,
    Ask,
    ControlError,
    Hello,
    News,
    Pull,
    Refusal,
    Send,
    Ticket,
    Welcome,
    packed,
    read_answer,
    read_reply,
    read_snapshot,
)
from engine.port import ACK_RING, ANSWER_RING, EVENT_RING, EventSlice
from engine.snapshot import NoAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from engine.commands import Command, Question
    from engine.control import Reply, Request
    from engine.events import Event
    from engine.snapshot import Answer, Snapshot

PULL_S = 0.25
AGAIN_S = 1.0
RIGHT_S = 2.0
"""Between two requests for the right to give commands while another screen has it."""
DEADLINE_S = 10.0
UNKNOWN = "what became of it is not known: {}"
NOT_SENT = "not sent: the engine does not answer; give it again when it does"


class ControlLine:
    """One connection: a request and its reply at a time. Methods raise ControlError."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        """Connect to the engine of a data directory."""
        path = folder / SOCKET_NAME
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise ControlError(f"no engine answers at {path} ({error.strerror}): start perpdesk --headless") from None
        self.writes, self.text, self.run = False, "", ""
        try:
            self.greet(writes=writes)
        except ControlError:
            self._socket.close()
            raise

    def greet(self, *, writes: bool) -> None:
        """Say what is wanted and take note of what is granted."""
        welcome = self.ask(Hello(writes))
        if isinstance(welcome, Welcome):
            self.writes, self.text, self.run = welcome.writes, welcome.text, welcome.run
        elif isinstance(welcome, Refusal):
            self.writes, self.text = False, welcome.text

    def ask(self, request: Request) -> Reply:
        """Send a request and return the reply."""
        try:
            self._socket.sendall(packed(request))
            (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
            if length > MAX_ANSWER:
                raise ControlError(f"a reply of {length} bytes")
            return read_reply(self._exactly(length))
        except OSError as error:
            raise ControlError(f"the engine does not answer: {error}") from None

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                raise ControlError("the engine closed the connection")
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Leave."""
        self._socket.close()


class RemotePort:
    """`engine.port.ScreenPort` over a socket. No method waits; a lost engine is looked for until `stop`."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        """Connect at once, so that a missing engine is told. Raises ControlError."""
        self._folder, self._wants = folder, writes
        self._line: ControlLine | None = ControlLine(folder, writes=writes)
        self.writes, self.text = self._line.writes, self._line.text
        self._asked_at = time.monotonic()
        self._run_name = self._line.run
        self._snapshot: Snapshot | None = None
        self._events: deque[Event] = deque(maxlen=EVENT_RING)
        self._before = 0
        """Events of the runs before this one: ours are numbered on over a restart of the engine."""
        self._seen = self._after = 0
        """Numbers of the last snapshot and event as the engine counts."""
        self._numbers = itertools.count(1)
        self._waiting: deque[tuple[int, Send | Ask]] = deque()
        self._acks: dict[int, Ack] = {}
        self._answers: dict[int, Answer] = {}
        self._open_acks: dict[int, int] = {}
        """Our number of each command not settled yet, by the engine's ticket."""
        self._open_answers: dict[int, int] = {}
        self._ending = threading.Event()
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="engine line", daemon=True)
        self._thread.start()

    def snapshot(self) -> Snapshot | None:
        """Return the latest snapshot that came."""
        return self._snapshot

    def events(self, after: int) -> EventSlice:
        """Return the events numbered above `after`."""
        ring = tuple(self._events)
        new = tuple(event for event in ring if event.seq > after)
        missed = max(0, new[0].seq - after - 1) if new and after else 0
        return EventSlice(new, missed)

    def send(self, command: Command, by: str) -> int:
        """Hand a command to the engine. One given while the engine is gone is refused: it must not act late."""
        number = next(self._numbers)
        self._waiting.append((number, Send(number, command, by)))
        self._news.set()
        return number

    def ack(self, ticket: int) -> Ack:
        """Return what became of a command."""
        return self._acks.get(ticket) or Ack(ticket, AckState.PENDING)

    def ask(self, question: Question) -> int:
        """Hand a question to the engine."""
        number = next(self._numbers)
        self._waiting.append((number, Ask(question)))
        self._news.set()
        return number

    def answer(self, ticket: int) -> Answer | None:
        """Return the answer, None while it is on its way."""
        return self._answers.get(ticket)

    def stop(self) -> None:
        """Leave the engine; it goes on."""
        self._ending.set()
        self._news.set()
        self._thread.join(DEADLINE_S)

    # The thread.

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._turn(self._line or self._connect())
            except ControlError as error:
                self._lost(str(error))
                self._ending.wait(AGAIN_S)
                continue
            self._news.wait(PULL_S)
            self._news.clear()
        if self._line is not None:
            self._line.close()

    def _connect(self) -> ControlLine:
        self._refuse_waiting()
        self._line = line = ControlLine(self._folder, writes=self._wants)
        self._refuse_waiting()  # what was given while the engine was looked for
        if line.run != self._run_name:
            self._run_name = line.run
            self._before, self._seen, self._after = self._before + self._after, 0, 0
        self._note_right(line)
        return line

    def _note_right(self, line: ControlLine) -> None:
        self.writes, self.text, self._asked_at = line.writes, line.text, time.monotonic()

    def _refuse_waiting(self) -> None:
        while self._waiting:
            number, request = self._waiting.popleft()
            self._refuse(number, request, NOT_SENT)

    def _refuse(self, number: int, request: Send | Ask, text: str) -> None:
        if isinstance(request, Send):
            self._settle(Ack(number, AckState.REFUSED, text))
        else:
            self._reply(number, NoAnswer(text))

    def _settle(self, ack: Ack) -> None:
        self._acks[ack.ticket] = ack
        if len(self._acks) > ACK_RING:
            del self._acks[next(iter(self._acks))]

    def _reply(self, number: int, answer: Answer) -> None:
        self._answers[number] = answer
        if len(self._answers) > ANSWER_RING:
            del self._answers[next(iter(self._answers))]

    def _lost(self, text: str) -> None:
        """Forget the line; what waits for an answer gets one."""
        if self._line is not None:
            self._line.close()
        self._line = None
        for number in self._open_acks.values():
            self._settle(Ack(number, AckState.REFUSED, UNKNOWN.format(text)))
        for number in self._open_answers.values():
            self._reply(number, NoAnswer(text))
        self._open_acks.clear()
        self._open_answers.clear()

    def _turn(self, line: ControlLine) -> None:
        while self._waiting:
            number, request = self._waiting.popleft()
            try:
                reply = line.ask(request)
            except ControlError as error:
                self._refuse(number, request, UNKNOWN.format(error))
                raise
            if isinstance(reply, Ticket):
                (self._open_acks if isinstance(request, Send) else self._open_answers)[reply.ticket] = number
            else:
                text = reply.text if isinstance(reply, Refusal) else "the engine gave no ticket"
                self._refuse(number, request, text)
        if self._wants and not line.writes and time.monotonic() - self._asked_at >= RIGHT_S:
            line.greet(writes=True)
            self._note_right(line)
        reply = line.ask(Pull(self._seen, self._after, tuple(self._open_acks)[:64], tuple(self._open_answers)[:64]))
        if isinstance(reply, News):
            self._take(reply)

    def _take(self, news: News) -> None:
        if news.snapshot:
            self._snapshot = read_snapshot(news.snapshot)
            self._seen = self._snapshot.seq
        for event in news.events:
            self._after = event.seq
            self._events.append(msgspec.structs.replace(event, seq=self._before + event.seq))
        for ack in news.acks:
            number = self._open_acks.pop(ack.ticket, None)
            if number is not None:
                self._settle(Ack(number, ack.state, ack.text))
        for ticket, name, body in news.answers:
            number = self._open_answers.pop(ticket, None)
            if number is not None:
                self._reply(number, read_answer(name, body))


def wait_for_ack(port: RemotePort, ticket: int, seconds: float) -> Ack:
    """Wait until a command is settled, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ack = port.ack(ticket)
        if ack.state is not AckState.PENDING:
            return ack
        time.sleep(0.05)
    return port.ack(ticket)
