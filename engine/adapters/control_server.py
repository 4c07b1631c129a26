"""Serves the screen port of a running engine on a unix socket of the data directory: 0600, same user only."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.commands import LESSENING, AckState
from engine.control import (
    LENGTH,
    MAX_REQUEST,
    SOCKET_NAME,
    Ask,
    ControlError,
    Hello,
    News,
    Pull,
    Refusal,
    Reply,
    Request,
    Send,
    Ticket,
    Welcome,
    encode,
    packed,
    read_request,
)

if TYPE_CHECKING:
    from pathlib import Path

    from engine.port import LocalPort

IDLE_S = 30.0
"""A client that asks nothing for this long is let go: a stopped one must not keep the right to write."""
WRITE_S = 5.0
CLIENTS = 16
REMEMBERED = 1_000
"""Commands of a client that are known again when their number comes twice."""
_PEER = struct.Struct("3i")


class _Client:
    def __init__(self) -> None:
        self.asked = False
        """Whether it asked to give commands: one that did may always take risk off."""
        self.writes = False
        self.sent: dict[int, int] = {}
        """Tickets of the commands it gave, by its own numbers."""


class ControlServer:
    """One engine's socket."""

    def __init__(self, port: LocalPort, folder: Path, run: str) -> None:
        """Serve `port` below `folder`; nothing is opened before `start`. The folder's lock must be held.

        `run` names this run of the engine.
        """
        self._port, self._run = port, run
        self._path = folder / SOCKET_NAME
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._encoded: tuple[int, bytes] = (0, b"")
        self.refused = 0
        """Connections of other users, requests nobody understands."""

    async def start(self) -> None:
        """Open the socket. Raises OSError."""
        with suppress(FileNotFoundError):
            self._path.unlink()  # of a desk that is gone: this one holds the folder's lock
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Close the socket and let the clients go."""
        if self._server is not None:
            self._server.close()
            with suppress(FileNotFoundError):
                self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client()
        try:
            if not _is_own(writer) or len(self._clients) >= CLIENTS:
                self.refused += 1
                return
            self._clients.add(client)
            while True:
                request = await asyncio.wait_for(_request(reader), IDLE_S)
                writer.write(packed(self._reply(client, request)))
                await asyncio.wait_for(writer.drain(), WRITE_S)
        except ControlError:
            self.refused += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self._clients.discard(client)
            writer.close()

    def _reply(self, client: _Client, request: Request) -> Reply:
        match request:
            case Hello(writes):
                return self._welcome(client, writes)
            case Pull():
                return self._news(request)
            case Send(number, command, by):
                if not client.writes and not (client.asked and isinstance(command, LESSENING)):
                    return Refusal("this screen may only look: it asked for no more, or another one gives the commands")
                if number not in client.sent:
                    client.sent[number] = self._port.send(command, by)
                    if len(client.sent) > REMEMBERED:
                        del client.sent[next(iter(client.sent))]
                return Ticket(client.sent[number])
            case Ask(question):
                return Ticket(self._port.ask(question))

    def _welcome(self, client: _Client, writes: bool) -> Welcome:
        client.asked = writes
        if writes and any(one.writes for one in self._clients if one is not client):
            text = "another screen gives the commands; this one may look until that one leaves"
            return Welcome(writes=False, text=text, run=self._run)
        client.writes = writes
        return Welcome(writes, run=self._run)

    def _news(self, pull: Pull) -> News:
        snapshot = self._port.snapshot()
        body = b""
        if snapshot is not None and snapshot.seq != pull.seen:
            if self._encoded[0] != snapshot.seq:
                self._encoded = snapshot.seq, encode(snapshot)
            body = self._encoded[1]
        events = self._port.events(pull.after)
        settled = [one for one in map(self._port.ack, pull.acks) if one.state is not AckState.PENDING]
        answers = []
        for ticket in pull.answers:
            answer = self._port.answer(ticket)
            if answer is not None:
                answers.append((ticket, type(answer).__name__, encode(answer)))
        return News(body, events.events, events.missed, tuple(settled), tuple(answers))


async def _request(reader: asyncio.StreamReader) -> Request:
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > MAX_REQUEST:
        raise ControlError(f"a request of {length} bytes")
    return read_request(await reader.readexactly(length))


def _is_own(writer: asyncio.StreamWriter) -> bool:
    """Say whether the peer is a process of the same user."""
    peer = writer.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(raw)
    return bool(uid == os.geteuid())
