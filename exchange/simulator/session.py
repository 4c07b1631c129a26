"""One stream connection as the venue sees it: subscriptions, control messages, frames waiting, and why it ended."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.simulator.stream_names import Target

MAX_STREAMS = 1024
MESSAGES_PER_SECOND = 10
SECOND_MS = 1_000
LIFE_MS = 86_400_000
POLICY_VIOLATION = 1008
GOING_AWAY = 1001
METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")

INVALID_VALUE = 1
INVALID_REQUEST = 2
INVALID_JSON = 3


class ControlError(Exception):
    """A control message the venue answers with an error: 0 property, 1 value, 2 request, 3 JSON."""

    def __init__(self, code: int, text: str) -> None:
        """Keep code and text."""
        super().__init__(text)
        self.code = code
        self.text = text


class Ending:
    """Why a session ended: WebSocket close code and reason."""

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        """Keep code and reason."""
        self.code = code
        self.reason = reason


class Session:
    """A connection. The front feeds `text` and empties `outbox`; `ending` is set once the venue hangs up."""

    def __init__(
        self,
        target: Target,
        now_ms: int,
        outbox_limit: int,
        changed: Callable[[Session, tuple[str, ...], tuple[str, ...]], None],
    ) -> None:
        """Open a session; `changed(session, added, removed)` is called whenever its subscriptions change."""
        self.route = target.route
        self.combined = target.combined
        self.events = target.events
        self.outbox: deque[bytes] = deque()
        self.tamper: Callable[[bytes], list[bytes]] | None = None
        """What a fault plan does to the frames of streams; answers to control messages are spared."""
        self.ending: Ending | None = None
        self.opened_ms = now_ms
        self._limit = outbox_limit
        self._changed = changed
        self._names: dict[str, None] = {}
        self._arrivals: deque[int] = deque(maxlen=MESSAGES_PER_SECOND)
        if len(target.names) > MAX_STREAMS:
            self.end(POLICY_VIOLATION, "too many streams")
        else:
            self._subscribe(target.names)

    @property
    def names(self) -> list[str]:
        """Return the subscribed stream names in order of subscription."""
        return list(self._names)

    def push(self, frame: bytes) -> None:
        """Queue a frame of a stream, or what a fault plan puts in its place."""
        if self.tamper is None:
            self.queue(frame)
            return
        for replacement in self.tamper(frame):
            self.queue(replacement)

    def queue(self, frame: bytes) -> None:
        """Queue a frame for the client; one that does not read is disconnected."""
        if self.ending is not None:
            return
        if len(self.outbox) >= self._limit:
            self.outbox.clear()
            self.end(POLICY_VIOLATION, "client reads too slowly")
            return
        self.outbox.append(frame)

    def end(self, code: int, reason: str) -> None:
        """Hang up; frames already queued may still be sent. The venue drops the subscriptions at its next move."""
        if self.ending is None:
            self.ending = Ending(code, reason)

    def heard(self, now_ms: int) -> None:
        """Count one incoming message, ping or pong: more than ten in a second end the session."""
        full = len(self._arrivals) == MESSAGES_PER_SECOND
        if full and now_ms - self._arrivals[0] < SECOND_MS:
            self.end(POLICY_VIOLATION, "Too many requests")
        self._arrivals.append(now_ms)

    def text(self, raw: bytes, now_ms: int) -> None:
        """Take one text message and queue its answer."""
        self.heard(now_ms)
        if self.ending is not None:
            return
        request_id: Any = None
        known_id = False
        try:
            message = _decode(raw)
            known_id = "id" in message
            request_id = message.get("id")
            result = self._control(message)
        except ControlError as error:
            problem = {"code": error.code, "msg": error.text}
            self.queue(encode_json({"error": problem, "id": request_id} if known_id else problem))
            return
        self.queue(encode_json({"result": result, "id": request_id}))

    def _control(self, message: dict[str, Any]) -> Any:
        if "method" not in message:
            raise ControlError(INVALID_REQUEST, "Invalid request: missing field `method`")
        method = message["method"]
        if method not in METHODS:
            expected = ", ".join(f"`{name}`" for name in METHODS)
            raise ControlError(
                INVALID_REQUEST, f"Invalid request: unknown variant {method}, expected one of {expected}"
            )
        request_id = message.get("id")
        # Documented as an unsigned integer; the official SDK sends UUID strings and is served.
        if isinstance(request_id, bool) or not isinstance(request_id, int | str | None):
            raise ControlError(INVALID_REQUEST, "Invalid request: request ID must be an unsigned integer or a string")
        params = message.get("params", [])
        if not isinstance(params, list):
            raise ControlError(INVALID_REQUEST, "Invalid request: params must be an array")
        if method == "LIST_SUBSCRIPTIONS":
            return self.names
        if method == "SET_PROPERTY":
            return self._set_property(params)
        if method == "GET_PROPERTY":
            return self._get_property(params)
        if not params or not all(isinstance(name, str) for name in params):
            raise ControlError(INVALID_REQUEST, "Invalid request: params must be an array of stream names")
        if method == "SUBSCRIBE":
            self._subscribe(tuple(params))
        else:
            self._unsubscribe(tuple(params))
        return None

    def _subscribe(self, names: tuple[str, ...]) -> None:
        added = tuple(name for name in dict.fromkeys(names) if name not in self._names)
        if len(self._names) + len(added) > MAX_STREAMS:
            raise ControlError(INVALID_REQUEST, f"Invalid request: more than {MAX_STREAMS} streams on one connection")
        self._names.update(dict.fromkeys(added))
        self._changed(self, added, ())

    def _unsubscribe(self, names: tuple[str, ...]) -> None:
        removed = tuple(name for name in dict.fromkeys(names) if name in self._names)
        for name in removed:
            del self._names[name]
        self._changed(self, (), removed)

    def _set_property(self, params: list[Any]) -> None:
        if len(params) != 2:
            raise ControlError(INVALID_REQUEST, "Invalid request: SET_PROPERTY takes a name and a value")
        _check_property(params[0])
        if not isinstance(params[1], bool):
            raise ControlError(INVALID_VALUE, "Invalid value type: expected Boolean")
        self.combined = params[1]

    def _get_property(self, params: list[Any]) -> bool:
        if len(params) != 1:
            raise ControlError(INVALID_REQUEST, "Invalid request: GET_PROPERTY takes one name")
        _check_property(params[0])
        return self.combined


def _check_property(name: Any) -> None:
    if not isinstance(name, str):
        raise ControlError(INVALID_REQUEST, "Invalid request: property name must be a string")
    if name != "combined":
        raise ControlError(0, "Unknown property")


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ControlError(INVALID_JSON, f"Invalid JSON: {fault}") from fault
    if not isinstance(message, dict):
        raise ControlError(INVALID_REQUEST, "Invalid request: expected an object")
    return message
