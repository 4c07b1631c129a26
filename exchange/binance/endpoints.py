"""The REST calls the client makes, as a table, with what each one weighs."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Security(Enum):
    """What a call must carry."""

    NONE = "none"
    KEY = "key"
    """The key header only; neither timestamp nor signature."""
    SIGNED = "signed"
    """Key header, timestamp and signature."""


class Endpoint(NamedTuple):
    """One call. `weight` is the price of its usual form; calls priced by a parameter say so in their function."""

    method: str
    path: str
    weight: int
    security: Security = Security.NONE

    @property
    def operation(self) -> str:
        """Return the name the breaker, records and texts use: method and path."""
        return f"{self.method} {self.path}"


PING = Endpoint("GET", "/fapi/v1/ping", 1)
TIME = Endpoint("GET", "/fapi/v1/time", 1)
EXCHANGE_INFO = Endpoint("GET", "/fapi/v1/exchangeInfo", 1)
TICKERS = Endpoint("GET", "/fapi/v1/ticker/24hr", 40)
BOOK_TOPS = Endpoint("GET", "/fapi/v1/ticker/bookTicker", 5)
MARK_PRICES = Endpoint("GET", "/fapi/v1/premiumIndex", 10)
KLINES = Endpoint("GET", "/fapi/v1/klines", 1)
DEPTH = Endpoint("GET", "/fapi/v1/depth", 2)
AGG_TRADES = Endpoint("GET", "/fapi/v1/aggTrades", 20)
POSITION_MODE = Endpoint("GET", "/fapi/v1/positionSide/dual", 30, Security.SIGNED)
ACCOUNT = Endpoint("GET", "/fapi/v3/account", 5, Security.SIGNED)
ACCOUNT_V2 = Endpoint("GET", "/fapi/v2/account", 5, Security.SIGNED)
BALANCES = Endpoint("GET", "/fapi/v3/balance", 5, Security.SIGNED)
POSITIONS = Endpoint("GET", "/fapi/v3/positionRisk", 5, Security.SIGNED)
SYMBOL_CONFIGS = Endpoint("GET", "/fapi/v1/symbolConfig", 5, Security.SIGNED)
LEVERAGE_BRACKETS = Endpoint("GET", "/fapi/v1/leverageBracket", 1, Security.SIGNED)
LISTEN_KEY_CREATE = Endpoint("POST", "/fapi/v1/listenKey", 1, Security.KEY)
LISTEN_KEY_KEEPALIVE = Endpoint("PUT", "/fapi/v1/listenKey", 1, Security.KEY)
LISTEN_KEY_CLOSE = Endpoint("DELETE", "/fapi/v1/listenKey", 1, Security.KEY)

_DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_KLINE_LIMIT = 1500


def klines_weight(limit: int) -> int:
    """Return the weight of a klines call; 499 bars for 2 is the cheapest per bar. ValueError outside 1..1500."""
    if not 1 <= limit <= _KLINE_LIMIT:
        message = f"klines takes 1 to {_KLINE_LIMIT} bars, not {limit}"
        raise ValueError(message)
    if limit < 100:
        return 1
    if limit < 500:
        return 2
    return 5 if limit <= 1000 else 10


def depth_weight(limit: int) -> int:
    """Return the weight of a depth call. ValueError for a limit the venue does not offer."""
    if limit not in _DEPTH_LIMITS:
        message = f"depth takes one of {_DEPTH_LIMITS} levels, not {limit}"
        raise ValueError(message)
    if limit <= 50:
        return 2
    return {100: 5, 500: 10}.get(limit, 20)
