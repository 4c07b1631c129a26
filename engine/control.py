"""What is said over the control socket: one request, one answer, each a length and a msgpack body. Pure.

A client asks and gets what is newest; nothing is pushed, so a client that stopped reading holds nothing up. Ages are
told by one clock: the socket never leaves the machine.
"""

from __future__ import annotations

import struct
from typing import Final, cast

import msgspec

from engine.commands import Ack, Command, Question
from engine.events import Event
from engine.snapshot import Answer, Chart, NoAnswer, PositionDetail, SignalDetail, Snapshot, WhatIf

MAX_REQUEST: Final = 64 << 10
MAX_ANSWER: Final = 32 << 20
MAX_TICKETS: Final = 64
SOCKET_NAME: Final = "control.sock"
LENGTH: Final = struct.Struct(">I")
ANSWERS: Final = {kind.__name__: kind for kind in (Chart, SignalDetail, PositionDetail, WhatIf, NoAnswer)}


class ControlError(Exception):
    """Something on the socket that cannot be believed, or no engine behind it; the text says what to do."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first request of a client."""

    writes: bool
    """Whether it wants to give commands; one client at a time may."""


class Pull(msgspec.Struct, frozen=True, tag="pull"):
    """Ask for news."""

    seen: int = 0
    """Number of the snapshot the client has."""
    after: int = 0
    """Number of the last event it has."""
    acks: tuple[int, ...] = ()
    """Tickets of commands it waits for."""
    answers: tuple[int, ...] = ()


class Send(msgspec.Struct, frozen=True, tag="send"):
    """Give a command. A number that was given before is not carried out again."""

    number: int
    command: Command
    by: str


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Ask a question."""

    question: Question


Request = Hello | Pull | Send | Ask


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Whether the client may give commands, and why not."""

    writes: bool
    text: str = ""
    run: str = ""
    """Name of the engine's run: with another one tickets, events and snapshots are numbered anew."""


class Ticket(msgspec.Struct, frozen=True, tag="ticket"):
    """The engine's number of a command or question."""

    ticket: int


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """A request that is not carried out, and why."""

    text: str


class News(msgspec.Struct, frozen=True, tag="news"):
    """What is new since the last pull. `snapshot` is a whole encoded one, empty while none is newer."""

    snapshot: bytes
    events: tuple[Event, ...]
    missed: int
    acks: tuple[Ack, ...] = ()
    answers: tuple[tuple[int, str, bytes], ...] = ()
    """(ticket, name of the type, encoded answer)."""


Reply = Welcome | Ticket | Refusal | News

_REQUEST: Final = msgspec.msgpack.Decoder(Request)
_REPLY: Final = msgspec.msgpack.Decoder(Reply)
_SNAPSHOT: Final = msgspec.msgpack.Decoder(Snapshot)
_ENCODER: Final = msgspec.msgpack.Encoder()


def packed(message: object) -> bytes:
    """Return a message with its length before it."""
    body = _ENCODER.encode(message)
    return LENGTH.pack(len(body)) + body


def read_request(body: bytes) -> Request:
    """Return a request. Raises ControlError."""
    try:
        request: Request = _REQUEST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ControlError(f"a request that cannot be understood: {error}") from None
    if isinstance(request, Pull) and max(len(request.acks), len(request.answers)) > MAX_TICKETS:
        raise ControlError(f"a pull waits for at most {MAX_TICKETS} tickets")
    return request


def read_reply(body: bytes) -> Reply:
    """Return a reply. Raises ControlError."""
    try:
        reply: Reply = _REPLY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        text = f"the engine speaks another version than this screen ({error}): start both from the same program"
        raise ControlError(text) from None
    return reply


def read_snapshot(body: bytes) -> Snapshot:
    """Return a snapshot. Raises ControlError."""
    try:
        return _SNAPSHOT.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ControlError(f"a snapshot of another version ({error}): start both from the same program") from None


def read_answer(name: str, body: bytes) -> Answer:
    """Return an answer; one that cannot be understood is a NoAnswer that says so."""
    kind = ANSWERS.get(name)
    if kind is None:
        return NoAnswer("an answer of another version: start engine and screen from the same program")
    try:
        return cast("Answer", msgspec.msgpack.decode(body, type=kind))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return NoAnswer(f"an answer of another version ({error}): start engine and screen from the same program")


def encode(value: object) -> bytes:
    """Return the bytes of a snapshot or an answer."""
    return _ENCODER.encode(value)
