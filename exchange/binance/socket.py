"""The Stream port: the sans-I/O core of `websockets` for handshake and control frames, a cutter for whole messages.

No compression is offered (it would cost more CPU than the bytes are worth). The transport is aiofastnet's: uvloop's own
goes on waking the loop for a TLS connection that is paused, and reads each TLS record with a call that lets go of the
interpreter lock.
"""

from __future__ import annotations

import asyncio
import ssl

import aiofastnet
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from exchange.binance.socket_connection import ABNORMAL, Connection
from exchange.ports import NotSentError, StreamClosedError

MAX_MESSAGE = 10 * 2**20
"""Bytes of one message beyond which the socket is closed with 1009."""


class WebSocketDialer:
    """Opens WebSockets below one root such as `wss://fstream.binance.com`."""

    def __init__(self, root_url: str) -> None:
        """Take the root URL without a path; TLS certificates are always verified."""
        self._root_url = root_url
        self._tls = ssl.create_default_context() if root_url.startswith("wss://") else None

    async def connect(self, path: str, deadline: float) -> WebSocketStream:
        """Open the WebSocket at `path` within `deadline` real seconds.

        Raises NotSentError when no connection came about, StreamClosedError when the handshake was refused or lost.
        """
        uri = parse_uri(self._root_url + path)
        loop = asyncio.get_running_loop()
        protocol = Connection(ClientProtocol(uri, max_size=MAX_MESSAGE))
        place = f"{uri.host}:{uri.port}"
        try:
            async with asyncio.timeout(deadline):
                await aiofastnet.create_connection(loop, lambda: protocol, uri.host, uri.port, ssl=self._tls)
                await protocol.opened
        except TimeoutError as error:
            protocol.abort()
            if protocol.connected:
                raise StreamClosedError(
                    ABNORMAL, f"{place} did not answer the handshake in {deadline:.0f} s"
                ) from error
            raise NotSentError(f"no connection to {place} within {deadline:.0f} s") from error
        except ssl.SSLError as error:
            raise NotSentError(f"no TLS connection to {place}: {error.reason or 'handshake failed'}") from error
        except OSError as error:
            raise NotSentError(f"no connection to {place}: {error.strerror or error}") from error
        except asyncio.CancelledError:
            protocol.abort()
            raise
        return WebSocketStream(protocol)


class WebSocketStream:
    """One open WebSocket. One task receives; any task sends."""

    def __init__(self, connection: Connection) -> None:
        """Take an opened connection."""
        self._connection = connection

    async def receive(self) -> bytes:
        """Return the next complete message. Raises StreamClosedError once all received messages are taken."""
        return await self._connection.receive()

    async def receive_many(self) -> list[bytes]:
        """Return all messages that have arrived, at least one. Raises StreamClosedError once all are taken."""
        return await self._connection.receive_many()

    async def send(self, text: bytes) -> None:
        """Send one text message and wait while the transport's buffer is full. Raises StreamClosedError."""
        await self._connection.send(text)

    async def ping(self, deadline: float) -> None:
        """Send a ping and wait for its pong. Raises StreamClosedError, also when the pong is late."""
        await self._connection.ping(deadline)

    async def close(self) -> None:
        """Close in an orderly way within a second, then by force; never raises."""
        await self._connection.close()
