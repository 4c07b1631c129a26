"""The Rest port over aiohttp. It decides nothing: one request, one answer, or how far the bytes got.

Redirects are not followed, proxies of the environment are not trusted, and TLS is always verified.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import aiohttp
from yarl import URL

from exchange.ports import LostError, NotSentError, RestAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

MAX_BODY = 32 * 2**20
"""Bytes of an answer beyond which it is given up; exchangeInfo has about 1.1 MB."""
WALLET_PATHS = "/sapi/"
_CHUNK = 2**16
_TIMEOUTS_BOUND = 16
_CONNECT_SHARE = 0.8
"""Share of a deadline that may go into connecting, so that a connect that hangs is told apart from a lost answer."""


class HttpRest:
    """A session with one venue. Use as an async context manager, or call `close`."""

    def __init__(self, base_url: str, *, wallet_url: str = "", connections: int = 20) -> None:
        """Take URLs without a path, such as `https://fapi.binance.com`. Needs a running loop.

        `/sapi` paths go to `wallet_url`; without one they go where all others go.
        """
        base, wallet = URL(base_url), URL(wallet_url or base_url)
        self._scheme, self._authority = base.scheme, base.authority
        self._wallet = wallet.scheme, wallet.authority
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}
        """By deadline: there are two or three of them, and making one costs as much as signing."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=True,
        )
        # aiohttp sends PUT and DELETE a second time on a stale connection; whether to send again is decided above.
        self._session._retry_connection = False  # noqa: SLF001 - no public switch exists

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def _timeout(self, deadline: float) -> aiohttp.ClientTimeout:
        connect = deadline * _CONNECT_SHARE
        # Its total time swallows a cancellation that falls into the same instant; `send` keeps the deadline itself.
        timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect)
        if len(self._timeouts) < _TIMEOUTS_BOUND:
            self._timeouts[deadline] = timeout
        return timeout

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Send and wait at most `deadline` real seconds. Raises NotSentError or LostError, nothing else."""
        scheme, authority = self._wallet if path.startswith(WALLET_PATHS) else (self._scheme, self._authority)
        url = URL.build(scheme=scheme, authority=authority, path=path, query_string=query.decode("ascii"), encoded=True)
        timeout = self._timeouts.get(deadline) or self._timeout(deadline)
        try:
            async with (
                asyncio.timeout(deadline),
                self._session.request(method, url, headers=headers, timeout=timeout, allow_redirects=False) as response,
            ):
                body = await _body(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return RestAnswer(response.status, names, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSentError(_cause(error, deadline)) from error
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise LostError(_cause(error, deadline)) from error
        except ValueError as error:  # a header or chunk that is no HTTP
            raise LostError(f"the answer is not HTTP: {type(error).__name__}") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Read the whole body, unless it exceeds the limit."""
    if (response.content_length or 0) > MAX_BODY:
        message = f"the answer announces {response.content_length} bytes; at most {MAX_BODY} are read"
        raise LostError(message)
    if response.content_length is not None and "Content-Encoding" not in response.headers:
        return await response.read()
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        size += len(chunk)
        if size > MAX_BODY:
            message = f"the answer exceeds {MAX_BODY} bytes"
            raise LostError(message)
        parts.append(chunk)
    return b"".join(parts)


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "no connection in time (deadline {deadline:.1f} s)"),
    (TimeoutError, "no complete answer within {deadline:.1f} s"),
    (aiohttp.ClientConnectorDNSError, "the host name {host} was not found"),
    (aiohttp.ClientConnectorCertificateError, "the certificate of {host} was not accepted"),
    (aiohttp.ClientConnectorSSLError, "no TLS connection to {host}:{port}"),
    (aiohttp.ClientConnectorError, "no connection to {host}:{port} ({reason})"),
    (aiohttp.ServerDisconnectedError, "the venue closed the connection before its answer was complete"),
    (aiohttp.ClientPayloadError, "the answer was cut off"),
    (Exception, "the connection broke ({kind})"),
)
"""What each failure means, the first row that fits; none shows the URL, which may carry a signature."""


def _cause(error: Exception, deadline: float) -> str:
    text = next(text for kind, text in _CAUSES if isinstance(error, kind))
    return text.format(
        deadline=deadline,
        host=getattr(error, "host", "the venue"),
        port=getattr(error, "port", ""),
        reason=getattr(error, "strerror", None) or "refused",
        kind=type(error).__name__,
    )
