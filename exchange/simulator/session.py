"""One stream connection as the venue sees it: subscriptions, control messages, frames waiting, and why it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from exchange.simulator.connection import POLICY_VIOLATION, Connection
from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.simulator.stream_names import Route, Target

MAX_STREAMS = 1024
MESSAGES_PER_SECOND = 10
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


class Session(Connection):
    """A connection that carries streams."""

    route: Route

    def __init__(
        self,
        target: Target,
        now_ms: int,
        outbox_limit: int,
        changed: Callable[[Session, tuple[str, ...], tuple[str, ...]], None],
    ) -> None:
        """Open a session; `changed(session, added, removed)` is called whenever its subscriptions change."""
        super().__init__(target.route, now_ms, outbox_limit, MESSAGES_PER_SECOND)
        self.combined = target.combined
        self.events = target.events
        self._changed = changed
        self._names: dict[str, None] = {}
        if len(target.names) > MAX_STREAMS:
            self.end(POLICY_VIOLATION, "too many streams")
        else:
            self._subscribe(target.names)

    @property
    def names(self) -> list[str]:
        """Return the subscribed stream names in order of subscription."""
        return list(self._names)

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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ControlError(INVALID_JSON, f"Invalid JSON: {fault}") from fault
    if not isinstance(message, dict):
        raise ControlError(INVALID_REQUEST, "Invalid request: expected an object")
    return message
