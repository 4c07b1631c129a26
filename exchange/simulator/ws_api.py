"""The WS-API: orders and account queries over a socket of their own, `/ws-fapi/v1` (contract 9.1).

A request is checked in the order of REST: ban, weight, API key, mandatory parameters, timestamp, signature, order
counts, then the endpoint's own rules. User events are not delivered here.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from exchange.simulator.answers import RefusalError, invalid, refuse
from exchange.simulator.auth import bad_signature, check_time, known_key
from exchange.simulator.connection import Connection
from exchange.simulator.encode import encode_json, plain
from exchange.simulator.order_counts import NO_ORDER, rate_limits
from exchange.simulator.params import Params
from exchange.simulator.rest import KEY_ROUTES, ROUTES
from exchange.simulator.routes import Access
from exchange.simulator.ws_methods import KEY_METHODS, REST_METHODS, method_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchange.simulator.keys import Credential
    from exchange.simulator.venue import Venue

PATH = "/ws-fapi/v1"
HANDSHAKE_WEIGHT = 5
SESSION_WEIGHT = 2
PINGS_PER_SECOND = 5


class ApiRoute(Enum):
    """The route of these sockets, as fault plans name it."""

    API = "ws-fapi"


class Call(NamedTuple):
    """One request that can be answered: its method and its parameters as they came and as text."""

    method: str
    values: dict[str, Any]
    params: Params


class Logon(NamedTuple):
    """Whose requests need no signature of their own."""

    api_key: str
    since_ms: int


class RevokedError(Exception):
    """The key that logged the session on is no longer known."""


def is_api_path(path: str) -> bool:
    """Say whether a WebSocket path with its query belongs to the WS-API."""
    return path.partition("?")[0].rstrip("/") == PATH


def connect_api(venue: Venue, path: str, reach: Callable[[int], int], now_ms: int) -> ApiSession | None:
    """Open a session, None where the address is banned or out of weight: a handshake costs five."""
    try:
        venue.weights.check_ban(now_ms)
        venue.weights.spend(HANDSHAKE_WEIGHT, now_ms)
    except RefusalError:
        return None
    shown = parse_qs(path.partition("?")[2]).get("returnRateLimits", ["true"])[-1].lower() != "false"
    return ApiSession(venue, reach, now_ms, shows_limits=shown)


class ApiSession(Connection):
    """One connection of the WS-API."""

    def __init__(self, venue: Venue, reach: Callable[[int], int], now_ms: int, *, shows_limits: bool) -> None:
        """Open a session; `reach` lets simulated time reach an instant and returns where it stands."""
        super().__init__(ApiRoute.API, now_ms, venue.options.outbox_limit, PINGS_PER_SECOND)
        self._venue = venue
        self._reach = reach
        self._shows_limits = shows_limits
        self._logon: Logon | None = None

    def text(self, raw: bytes, now_ms: int) -> None:
        """Take one request and queue its answer."""
        if self.ending is not None:
            return
        now_ms = self._reach(now_ms)
        request_id: Any = None
        call: Call | None = None
        status, told = 200, {}
        try:
            message = _decode(raw)
            request_id = _id(message)
            call = _call(message)
            told["result"] = self._answer(call, now_ms)
        except RevokedError:
            self._logon = None
            self.queue(encode_json({"id": None, "status": 401, "error": _error(_unknown_key())}))
            return
        except RefusalError as refusal:
            status, told["error"] = refusal.status, _error(refusal)
        answer = {"id": request_id, "status": status, **told}
        if self._wants_limits(call):
            counts = call is not None and _cost(call.method) != NO_ORDER
            answer["rateLimits"] = rate_limits(self._venue.weights, self._venue.order_counts, now_ms, order=counts)
        self.queue(encode_json(answer))

    def _answer(self, call: Call, now_ms: int) -> Any:
        venue = self._venue
        venue.weights.check_ban(now_ms)
        if call.method in REST_METHODS:
            return self._rest(call, now_ms)
        if call.method in KEY_METHODS:
            endpoint = KEY_ROUTES[KEY_METHODS[call.method]]
            venue.weights.spend(endpoint.weight, now_ms)
            return msgspec.Raw(endpoint.answer(venue, self._key(call), now_ms))
        venue.weights.spend(SESSION_WEIGHT, now_ms)
        if call.method == "session.logon":
            self._log_on(call, now_ms)
        elif call.method == "session.logout":
            self._logon = None
        return self._status(now_ms)

    def _rest(self, call: Call, now_ms: int) -> msgspec.Raw:
        venue = self._venue
        endpoint = ROUTES[REST_METHODS[call.method]]
        venue.weights.spend(endpoint.weight(call.params), now_ms)
        if endpoint.access is Access.SIGNED:
            self._check_signed(call, endpoint.mandatory, now_ms)
        venue.order_counts.spend(endpoint.orders, now_ms)
        return msgspec.Raw(endpoint.answer(venue, call.params, now_ms))

    def _key(self, call: Call) -> str:
        """Return the key of a request, by default the one that logged on. Raises RefusalError or RevokedError."""
        given = call.params.text("apiKey")
        if given is not None:
            return known_key(given, self._venue.keys)
        if self._logon is None:
            call.params.required("apiKey")
            raise AssertionError  # an absent parameter has been refused
        if self._logon.api_key not in self._venue.keys:
            raise RevokedError
        return self._logon.api_key

    def _check_signed(self, call: Call, mandatory: tuple[str, ...], now_ms: int) -> None:
        key = self._key(call)
        params = call.params
        logged_on = self._logon is not None and self._logon.api_key == key and params.text("signature") is None
        for name in (*mandatory, "timestamp", *(() if logged_on else ("signature",))):
            params.required(name)
        check_time(params, self._venue.clock_ms(now_ms))
        if not logged_on:
            check_call_signature(call.values, self._venue.keys[key])

    def _log_on(self, call: Call, now_ms: int) -> None:
        for name in ("apiKey", "signature", "timestamp"):
            call.params.required(name)
        key = known_key(call.params.required("apiKey"), self._venue.keys)
        credential = self._venue.keys[key]
        if not credential.opens_sessions:
            raise refuse(-4056, "Invalid api key type.")
        check_time(call.params, self._venue.clock_ms(now_ms))
        check_call_signature(call.values, credential)
        self._logon = Logon(key, now_ms)

    def _status(self, now_ms: int) -> dict[str, Any]:
        return {
            "apiKey": None if self._logon is None else self._logon.api_key,
            "authorizedSince": None if self._logon is None else self._logon.since_ms,
            "connectedSince": self.opened_ms,
            "returnRateLimits": self._shows_limits,
            "serverTime": self._venue.clock_ms(now_ms),
        }

    def _wants_limits(self, call: Call | None) -> bool:
        wish = None if call is None else call.params.text("returnRateLimits")
        return self._shows_limits if wish is None else wish.lower() != "false"


def check_call_signature(values: Mapping[str, Any], credential: Credential) -> None:
    """Raise RefusalError -1022 unless the signature covers the other parameters, sorted by name, joined by `&`.

    A JSON boolean is signed as the client's language writes it: both spellings are taken.
    """
    signature = _text(values.get("signature")).encode()
    signed = sorted(name for name in values if name != "signature" and values[name] is not None)
    for spell in (_text, str):
        payload = "&".join(f"{name}={spell(values[name])}" for name in signed)
        if credential.accepts(payload.encode(), signature):
            return
    raise bad_signature()


def _text(value: Any) -> str:
    """Return a JSON value as the parameter's text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "" if value is None else msgspec.json.encode(value).decode()


def _parameter(value: Any) -> str:
    """Return a JSON value as the endpoint reads it: the same, but numbers without exponent."""
    return plain(Decimal(repr(value))) if isinstance(value, float) else _text(value)


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise refuse(-1135, "Invalid JSON Request") from fault
    if not isinstance(message, dict):
        raise refuse(-1135, "Invalid JSON Request")
    return message


def _id(message: Mapping[str, Any]) -> Any:
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int | str | None):
        raise invalid("id")
    return request_id


def _call(message: Mapping[str, Any]) -> Call:
    name = message.get("method")
    if not isinstance(name, str):
        raise refuse(-1102, "Mandatory parameter 'method' was not sent, was empty/null, or malformed.")
    method = method_of(name)
    if method is None:
        raise refuse(-1020, "This operation is not supported.")
    values = message.get("params")
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise invalid("params")
    texts = {name: _parameter(value) for name, value in values.items() if value is not None}
    return Call(method, values, Params.of(texts))


def _cost(method: str) -> Any:
    route = REST_METHODS.get(method)
    return NO_ORDER if route is None else ROUTES[route].orders


def _unknown_key() -> RefusalError:
    return RefusalError(401, -2015, "Invalid API-key, IP, or permissions for action.")


def _error(refusal: RefusalError) -> dict[str, Any]:
    return {"code": refusal.code, "msg": refusal.text}
