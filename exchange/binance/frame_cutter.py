"""Cuts a server's bytes into WebSocket frames; whole unfragmented messages need no more than that.

A market socket carries hardly anything else, and cutting one costs a tenth of what a complete protocol machine spends
on it. Every other frame (control frames, fragments, whatever breaks RFC 6455) is handed to such a machine, which keeps
its say on all of them.
"""

from __future__ import annotations

_WHOLE = frozenset({0x81, 0x82})
"""First byte of an unfragmented text or binary frame without extensions."""
_LONG = 126
"""A length from here on stands in two further bytes, or with 127 in eight."""


class FrameCutter:
    """Takes bytes as they arrive, gives whole frames. One per connection, from the first byte after the handshake."""

    def __init__(self, limit: int) -> None:
        """Take the number of payload bytes (at least 125) beyond which a frame is left to the protocol machine."""
        self._limit = limit
        self._data = b""
        self._at = 0
        self._parts: list[bytes] = []
        self._held = 0
        self._wanted = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes; call `run` until it returns no odd frame before adding more."""
        if not self._parts:
            self._data, self._at = data, 0
            return
        self._parts.append(data)
        self._held += len(data)
        if self._held >= self._wanted:
            self._data, self._at = b"".join(self._parts), 0
            self._parts.clear()

    def run(self, *, fragmented: bool) -> tuple[list[bytes], bytes]:
        """Return the messages up to the next odd frame, and that frame; empty bytes when more must arrive first.

        With `fragmented` (a fragmented message has begun) every frame is odd. A frame that cannot be cut (masked, or
        beyond the limit) comes with all that follows it: the machine fails the connection over it.
        """
        data, start = self._data, self._at
        end = len(data)
        wanted = 2
        messages: list[bytes] = []
        take = messages.append
        while end - start >= 2:
            size = data[start + 1]
            body = start + 2
            if size == _LONG:
                body += 2
                if body > end:
                    wanted = body - start
                    break
                size = data[start + 2] << 8 | data[start + 3]
            elif size > _LONG:
                body += 8
                if size == 127 and body > end:
                    wanted = body - start
                    break
                size = int.from_bytes(data[start + 2 : body], "big") if size == 127 else self._limit + 1
            if size > self._limit:
                self._data, self._at = b"", 0
                return messages, data[start:]
            stop = body + size
            if stop > end:
                wanted = stop - start
                break
            if data[start] not in _WHOLE or fragmented:
                self._at = stop
                return messages, data[start:stop]
            take(data[body:stop])
            start = stop
        self._data, self._at = b"", 0
        if start < end:
            self._parts.append(data[start:])
            self._held, self._wanted = end - start, wanted
        return messages, b""

    def rest(self) -> bytes:
        """Return and forget whatever was not cut."""
        rest = b"".join((*self._parts, self._data[self._at :]))
        self._parts.clear()
        self._data, self._at = b"", 0
        return rest
