"""Frames of the private stream as events of `exchange.account_events`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.binance.json_strict import as_decode_error, decode, refuse_repeated_keys
from exchange.binance.user_rows import USER_KINDS
from exchange.errors import DecodeError

if TYPE_CHECKING:
    from exchange.account_events import AccountEvent, KeyExpired


class _Probe(msgspec.Struct):
    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    e: str | None = None


_PROBE = msgspec.json.Decoder(_Probe)
_NAMES_BOUND = 32
_NAME_LENGTH = 40


class UserDecoder:
    """Decodes raw and combined frames, and counts the events that the desk does not read.

    Account events come a few a second at most, so every frame is scanned for repeated keys in full.
    """

    def __init__(self) -> None:
        self.ignored: dict[str, int] = {}
        """Events by name that are no part of the desk's world: STRATEGY_UPDATE, GRID_UPDATE, unknown ones."""

    def decode(self, raw: bytes) -> AccountEvent | KeyExpired | None:
        """Return the event, None for one that is not read. Raises DecodeError."""
        where = "user stream"
        probe = decode(_PROBE, raw, where)
        body = raw
        if probe.e is None and probe.stream is not None and bytes(probe.data):
            body = bytes(probe.data)
            probe = decode(_PROBE, body, where)
        if probe.e is None:
            raise DecodeError(where, "e", "a frame without an event name")
        kind = USER_KINDS.get(probe.e)
        if kind is None:
            self._ignore(probe.e)
            return None
        where = probe.e
        try:
            row = kind.decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise as_decode_error(error, where, body) from error
        refuse_repeated_keys(body, where)
        return kind.build(row, where)

    def _ignore(self, name: str) -> None:
        known = name[:_NAME_LENGTH]
        if known not in self.ignored and len(self.ignored) >= _NAMES_BOUND:
            known = "others"
        self.ignored[known] = self.ignored.get(known, 0) + 1
