"""Frames of the market streams as messages of `exchange.market_data`.

The decoder of a combined frame is chosen by the stream's name, found by one look-up on the raw bytes, so that a frame
is parsed once and straight into its type. Raw frames are chosen by their event name.

Repeated keys are refused without a second parse: every key brings one colon, so when a frame has as many colons as keys
that are certainly there, none is there twice. A frame with more of them (an undocumented field) is scanned in full
once, and its undocumented keys are remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from exchange.binance.json_strict import as_decode_error, key_counts
from exchange.binance.stream_rows import KINDS, FrameKind, kind_of_stream
from exchange.errors import DecodeError
from exchange.market_data import MarketMessage

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class ControlReply(msgspec.Struct, frozen=True):
    """The answer to SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS; `code` is None for a success."""

    request_id: int | str | None
    streams: tuple[str, ...] | None
    """The list LIST_SUBSCRIPTIONS asked for, None for other answers."""
    code: int | None
    msg: str


Decoded = MarketMessage | tuple[MarketMessage, ...] | ControlReply | None
"""One message, the rows of an array frame, a control reply, or None for what the desk does not read."""


class _ControlError(msgspec.Struct):
    code: int
    msg: str = ""


class _Probe(msgspec.Struct):
    """Enough of any frame to tell what it is."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    e: str | None = None
    result: list[str] | bool | str | None = None
    id: int | str | None = None
    error: _ControlError | None = None
    code: int | None = None
    msg: str = ""


class _ArrayFrame(msgspec.Struct):
    data: list[msgspec.Raw]


class _Target(NamedTuple):
    """What to do with the frames of one stream."""

    kind: FrameKind | None
    where: str
    extras: list[tuple[bytes, ...]]
    """Sets of undocumented keys seen in frames of this kind, as they stand in the text."""


_PREFIX = b'{"stream":"'
_PREFIX_LENGTH = len(_PREFIX)
_OBJECT_JOINT = b'","data":{'
_ARRAY_JOINT = b'","data":['
_PROBE = msgspec.json.Decoder(_Probe)
_ARRAY_FRAME = msgspec.json.Decoder(_ArrayFrame)
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_KNOWN_STREAMS_BOUND = 8192
_EXTRAS_BOUND = 4
_ENVELOPE = frozenset({"stream", "data"})
_ENVELOPE_KEYS = 2


class FrameDecoder:
    """Decodes the frames of any number of sockets and counts what it refuses.

    Not re-entrant; one decoder belongs to one event loop.
    """

    def __init__(self, on_refused_row: Callable[[DecodeError, bytes], None] | None = None) -> None:
        """Start with no stream seen; `on_refused_row` hears of every row left out, with its text."""
        self._on_refused_row = on_refused_row
        self.refused_rows = 0
        """Rows of array frames that were left out."""
        self.last_refused_row: DecodeError | None = None
        self.ignored = 0
        """Frames of kinds the desk does not read."""
        self._targets: dict[bytes, _Target] = {}
        self._heads: dict[bytes, _Target] = {}
        """What to do with object frames, by their text up to the payload."""
        self._extras: dict[str, list[tuple[bytes, ...]]] = {event: [] for event in ("", *KINDS)}

    def decode(self, raw: bytes) -> Decoded:
        """Decode one frame. Raises DecodeError; a bad row of an array frame is left out and counted instead."""
        # The text up to the payload's brace names the stream; each one is looked at in full only once.
        target = self._heads.get(raw[: raw.find(b"{", _PREFIX_LENGTH)])
        if target is None:
            return self._unusual(raw)
        kind = target.kind
        if kind is None:
            self.ignored += 1
            return None
        try:
            row = kind.wrapped.decode(raw).data
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise as_decode_error(error, target.where, raw) from error
        known = kind.keys(row) + _ENVELOPE_KEYS
        if raw.count(b":") != known:
            _refuse_repeats(raw, known, kind, target.extras, target.where)
        return kind.build(row, target.where)

    def _unusual(self, raw: bytes) -> Decoded:
        """Decode the first frame of a stream, an array frame, or what is no combined frame."""
        if not raw.startswith(_PREFIX):
            return self._other(raw)
        end = raw.find(b'"', _PREFIX_LENGTH)
        name = raw[_PREFIX_LENGTH:end]
        joint = raw[end : end + len(_OBJECT_JOINT)]
        if joint == _OBJECT_JOINT and b"{" not in name and b"\\" not in name:
            if len(self._heads) >= _KNOWN_STREAMS_BOUND:
                self._heads.clear()
            self._heads[raw[: end + len(_OBJECT_JOINT) - 1]] = self._target(name)
            return self.decode(raw)
        if joint != _ARRAY_JOINT:
            return self._other(raw)
        target = self._targets.get(name) or self._target(name)
        rows = _typed(_ARRAY_FRAME, raw, target.where).data
        # Rows, commas and the known envelope account for every byte, or the envelope itself needs a look.
        if end + len(_ARRAY_JOINT) + sum(map(len, map(bytes, rows))) + max(len(rows) - 1, 0) + 2 != len(raw):
            key_counts(raw, target.where)
        return self._array(rows, target)

    def _target(self, name: bytes) -> _Target:
        try:
            where = name.decode()
        except UnicodeDecodeError as error:
            raise DecodeError("frame", "stream", "the stream's name is cut or not UTF-8") from error
        kind = kind_of_stream(where)
        target = _Target(kind, where, self._extras[kind.event if kind else ""])
        if len(self._targets) >= _KNOWN_STREAMS_BOUND:
            self._targets.clear()
        self._targets[name] = target
        return target

    def _array(self, raws: list[msgspec.Raw], target: _Target) -> tuple[MarketMessage, ...] | None:
        if target.kind is None:
            self.ignored += 1
            return None
        messages: list[MarketMessage] = []
        for raw in raws:
            try:
                message = _bare(bytes(raw), target.kind, target)
            except DecodeError as error:
                self.refused_rows += 1
                self.last_refused_row = error
                if self._on_refused_row is not None:
                    self._on_refused_row(error, bytes(raw))
                continue
            if message is not None:
                messages.append(message)
        return tuple(messages)

    def _other(self, raw: bytes) -> Decoded:
        """Decode a raw frame, a control reply, or a combined frame that is spelled unusually."""
        if raw.lstrip()[:1] == b"[":
            raws = _typed(_RAW_ROWS, raw, "frame")
            return self._array(raws, self._target_of_event(_typed(_PROBE, bytes(raws[0]), "frame").e)) if raws else ()
        probe = _typed(_PROBE, raw, "frame")
        data = bytes(probe.data)
        if probe.stream is not None and data:
            key_counts(raw, "frame")
            target = self._target(probe.stream.encode())
            if data[:1] == b"[":
                return self._array(_typed(_RAW_ROWS, data, target.where), target)
            return self._single(data, target)
        if probe.e is not None:
            return self._single(raw, self._target_of_event(probe.e))
        return _control_reply(raw, probe)

    def _single(self, raw: bytes, target: _Target) -> MarketMessage | None:
        if target.kind is None:
            self.ignored += 1
            return None
        return _bare(raw, target.kind, target)

    def _target_of_event(self, event: str | None) -> _Target:
        kind = KINDS.get(event or "")
        return _Target(kind, event or "frame", self._extras[kind.event if kind else ""])


def _bare(raw: bytes, kind: FrameKind, target: _Target) -> MarketMessage | None:
    row = _typed(kind.bare, raw, target.where)
    known = kind.keys(row)
    if raw.count(b":") != known:
        _refuse_repeats(raw, known, kind, target.extras, target.where)
    return kind.build(row, target.where)


def _typed(decoder: msgspec.json.Decoder[_T], raw: bytes, where: str) -> _T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise as_decode_error(error, where, raw) from error


def _refuse_repeats(raw: bytes, known: int, kind: FrameKind, extras: list[tuple[bytes, ...]], where: str) -> None:
    """Refuse a frame that repeats a key; `known` is the number of keys that decoding proved to be there."""
    unproved = raw.count(b":") - known
    for keys in extras:
        if len(keys) == unproved and all(key in raw for key in keys):
            return
    counts = key_counts(raw, where)
    new = {name: times for name, times in counts.items() if name not in kind.names and name not in _ENVELOPE}
    # A key in several objects, or written with escapes or blanks, is not learnt: such frames are scanned each time.
    keys = tuple(b'"' + name.encode() + b'":' for name in new)
    if len(keys) == unproved and all(raw.count(key) == 1 for key in keys):
        if len(extras) >= _EXTRAS_BOUND:
            del extras[0]
        extras.append(keys)


def _control_reply(raw: bytes, probe: _Probe) -> ControlReply:
    if probe.error is not None:
        return ControlReply(probe.id, None, probe.error.code, probe.error.msg)
    if probe.code is not None:
        return ControlReply(probe.id, None, probe.code, probe.msg)
    if b'"result"' not in raw:
        raise DecodeError("frame", "", "neither a stream's frame nor an answer to a request")
    streams = tuple(probe.result) if isinstance(probe.result, list) else None
    return ControlReply(probe.id, streams, None, "")
