"""The methods of the WS-API and the REST routes that answer them: one set of rules, two ways to ask (contract 9.1)."""

from __future__ import annotations

import re

STARTS_WITH_VERSION = re.compile(r"v[0-9]+/")

REST_METHODS: dict[str, tuple[str, str]] = {
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.status": ("GET", "/fapi/v2/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "depth": ("GET", "/fapi/v1/depth"),
    "ticker.price": ("GET", "/fapi/v2/ticker/price"),
    "ticker.book": ("GET", "/fapi/v1/ticker/bookTicker"),
}
KEY_METHODS: dict[str, tuple[str, str]] = {
    "userDataStream.start": ("POST", "/fapi/v1/listenKey"),
    "userDataStream.ping": ("PUT", "/fapi/v1/listenKey"),
    "userDataStream.stop": ("DELETE", "/fapi/v1/listenKey"),
}
SESSION_METHODS = ("session.logon", "session.status", "session.logout")
EVERY_METHOD = frozenset({*REST_METHODS, *KEY_METHODS, *SESSION_METHODS})


def method_of(name: str) -> str | None:
    """Return the method a name means, None for an unknown one; a version that changes nothing may stand before it."""
    if name in EVERY_METHOD:
        return name
    bare = STARTS_WITH_VERSION.sub("", name, count=1)
    return bare if bare in EVERY_METHOD else None
