"""Answers of the ports to records and back; what is secret stays out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from engine.inputs.records import (
    Cancelled,
    Ended,
    InputsError,
    Kept,
    Lost,
    Messages,
    Nothing,
    NotSent,
    Predicted,
    Reply,
    Result,
)
from exchange.ports import LostError, NotSentError, RestAnswer, StreamClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

LISTEN_KEY_PATH: Final = "/listenKey"
_HEADERS: Final = frozenset({"retry-after", "date", "content-type"})
_QUERY: Final = re.compile(r"\?\S*")


class _ListenKey(msgspec.Struct):
    listen_key: str = msgspec.field(name="listenKey")


_LISTEN_KEY: Final = msgspec.json.Decoder(_ListenKey)


class Scrubber:
    """Replaces listen keys, which open an account's stream to anyone, by their number."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def reply(self, path: str, answer: RestAnswer) -> Reply:
        """Return an answer without what must not be stored."""
        headers = {k: v for k, v in answer.headers.items() if k in _HEADERS or k.startswith("x-mbx-")}
        body = answer.body
        if path.endswith(LISTEN_KEY_PATH):
            self._learn(body)
            body = self.data(body)
        return Reply(answer.status, headers, body)

    def _learn(self, body: bytes) -> None:
        try:
            key = _LISTEN_KEY.decode(body).listen_key.encode()
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        if key:
            self._known.setdefault(key, b"listen-key-%d" % (len(self._known) + 1))

    def data(self, data: bytes) -> bytes:
        """Return bytes with every known key replaced."""
        for key, name in self._known.items():
            data = data.replace(key, name)
        return data

    def text(self, text: str) -> str:
        """Return words without queries and keys."""
        return self.data(_QUERY.sub("", text).encode("utf-8", "replace")).decode("utf-8", "replace")


def fault(error: BaseException, scrub: Scrubber) -> Result:
    """Return the record of what a port raised."""
    if isinstance(error, NotSentError):
        return NotSent(scrub.text(str(error)))
    if isinstance(error, StreamClosedError):
        return Ended(error.code, scrub.text(error.reason))
    if isinstance(error, LostError):
        return Lost(scrub.text(str(error)), isinstance(error.__cause__, TimeoutError))
    return Cancelled()


def raise_fault(result: Result) -> None:
    """Raise what a port raised; nothing where it answered."""
    match result:
        case NotSent(text):
            raise NotSentError(text)
        case Lost(text, late):
            raise LostError(text) from (TimeoutError() if late else None)
        case Ended(code, reason):
            raise StreamClosedError(code, reason)


def nothing(_value: object) -> Result:
    """Return the record of a wait without a result."""
    return Nothing()


def give_nothing(result: Result) -> None:
    """Return nothing."""
    del result


def give_answer(result: Result) -> RestAnswer:
    """Return the HTTP answer of a record. Raises InputsError."""
    if not isinstance(result, Reply):
        raise InputsError(f"an HTTP answer was expected, {type(result).__name__} is recorded")
    return RestAnswer(result.status, result.headers, result.body)


def give_messages(result: Result) -> list[bytes]:
    """Return the messages of a record. Raises InputsError."""
    if not isinstance(result, Messages):
        raise InputsError(f"messages were expected, {type(result).__name__} is recorded")
    return result.data


def keep_durable(durable: bool) -> Result:
    """Return the record of a commit."""
    return Kept(durable)


def give_durable(result: Result) -> bool:
    """Return whether a record was durable."""
    return isinstance(result, Kept) and result.durable


def keep_rows(rows: npt.NDArray[np.float32] | None) -> Result:
    """Return the record of a prediction."""
    if rows is None:
        return Predicted(0, b"")
    table = np.ascontiguousarray(rows, dtype=np.float32)
    return Predicted(table.shape[1], table.tobytes())


def give_rows(result: Result) -> npt.NDArray[np.float32] | None:
    """Return the prediction of a record."""
    if not isinstance(result, Predicted) or not result.columns:
        return None
    return np.frombuffer(result.rows, np.float32).reshape(-1, result.columns).copy()


def keep_messages(messages: Sequence[bytes]) -> Result:
    """Return the record of messages."""
    return Messages(list(messages))
