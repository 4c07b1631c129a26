"""The REST calls the client makes, as a table, with what each one weighs."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from exchange.binance.weights import NO_ORDERS, ONE_ORDER, OrderCost, Pool

if TYPE_CHECKING:
    from exchange.binance.signing import Params


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
    pool: Pool = Pool.WEIGHT
    """The counter the weight goes to; 1 a request in pools without weights."""
    orders: OrderCost = NO_ORDERS

    @property
    def operation(self) -> str:
        """Return the name the breaker, records and texts use: method and path."""
        return f"{self.method} {self.path}"


def _signed(method: str, path: str, weight: int, orders: OrderCost = NO_ORDERS) -> Endpoint:
    return Endpoint(method, path, weight, Security.SIGNED, Pool.WEIGHT, orders)


def _statistics(name: str) -> Endpoint:
    return Endpoint("GET", f"/futures/data/{name}", 1, pool=Pool.STATISTICS)


PING = Endpoint("GET", "/fapi/v1/ping", 1)
TIME = Endpoint("GET", "/fapi/v1/time", 1)
EXCHANGE_INFO = Endpoint("GET", "/fapi/v1/exchangeInfo", 1)
TICKERS = Endpoint("GET", "/fapi/v1/ticker/24hr", 40)
BOOK_TOPS = Endpoint("GET", "/fapi/v1/ticker/bookTicker", 5)
MARK_PRICES = Endpoint("GET", "/fapi/v1/premiumIndex", 10)
KLINES = Endpoint("GET", "/fapi/v1/klines", 1)
DEPTH = Endpoint("GET", "/fapi/v1/depth", 2)
AGG_TRADES = Endpoint("GET", "/fapi/v1/aggTrades", 20)
TRADES = Endpoint("GET", "/fapi/v1/trades", 5)
MARK_KLINES = Endpoint("GET", "/fapi/v1/markPriceKlines", 1)
INDEX_KLINES = Endpoint("GET", "/fapi/v1/indexPriceKlines", 1)
OPEN_INTEREST = Endpoint("GET", "/fapi/v1/openInterest", 1)
FUNDING_RATES = Endpoint("GET", "/fapi/v1/fundingRate", 1, pool=Pool.FUNDING)
FUNDING_INFO = Endpoint("GET", "/fapi/v1/fundingInfo", 1, pool=Pool.FUNDING)
OPEN_INTEREST_HISTORY = _statistics("openInterestHist")
LONG_SHORT_ACCOUNTS = _statistics("globalLongShortAccountRatio")
TOP_LONG_SHORT_ACCOUNTS = _statistics("topLongShortAccountRatio")
TOP_LONG_SHORT_POSITIONS = _statistics("topLongShortPositionRatio")
TAKER_RATIO = _statistics("takerlongshortRatio")
BASIS = _statistics("basis")

POSITION_MODE = _signed("GET", "/fapi/v1/positionSide/dual", 30)
SET_POSITION_MODE = _signed("POST", "/fapi/v1/positionSide/dual", 1)
MULTI_ASSETS = _signed("GET", "/fapi/v1/multiAssetsMargin", 30)
SET_MULTI_ASSETS = _signed("POST", "/fapi/v1/multiAssetsMargin", 1)
ACCOUNT = _signed("GET", "/fapi/v3/account", 5)
ACCOUNT_V2 = _signed("GET", "/fapi/v2/account", 5)
ACCOUNT_CONFIG = _signed("GET", "/fapi/v1/accountConfig", 5)
BALANCES = _signed("GET", "/fapi/v3/balance", 5)
POSITIONS = _signed("GET", "/fapi/v3/positionRisk", 5)
SYMBOL_CONFIGS = _signed("GET", "/fapi/v1/symbolConfig", 5)
SET_LEVERAGE = _signed("POST", "/fapi/v1/leverage", 1)
SET_MARGIN_TYPE = _signed("POST", "/fapi/v1/marginType", 1)
POSITION_MARGIN = _signed("POST", "/fapi/v1/positionMargin", 1)
POSITION_MARGIN_HISTORY = _signed("GET", "/fapi/v1/positionMargin/history", 1)
LEVERAGE_BRACKETS = _signed("GET", "/fapi/v1/leverageBracket", 1)
COMMISSION_RATE = _signed("GET", "/fapi/v1/commissionRate", 20)
FEE_BURN = _signed("GET", "/fapi/v1/feeBurn", 30)
SET_FEE_BURN = _signed("POST", "/fapi/v1/feeBurn", 1)
ADL_QUANTILES = _signed("GET", "/fapi/v1/adlQuantile", 5)
TRADING_STATUS = _signed("GET", "/fapi/v1/apiTradingStatus", 1)
ORDER_LIMITS = _signed("GET", "/fapi/v1/rateLimit/order", 1)
INCOME = _signed("GET", "/fapi/v1/income", 30)
USER_TRADES = _signed("GET", "/fapi/v1/userTrades", 5)
FORCE_ORDERS = _signed("GET", "/fapi/v1/forceOrders", 20)

KEY_RIGHTS = Endpoint("GET", "/sapi/v1/account/apiRestrictions", 1, Security.SIGNED, Pool.WALLET)

PLACE_ORDER = _signed("POST", "/fapi/v1/order", 0, ONE_ORDER)
TEST_ORDER = _signed("POST", "/fapi/v1/order/test", 0)
AMEND_ORDER = _signed("PUT", "/fapi/v1/order", 0, ONE_ORDER)
QUERY_ORDER = _signed("GET", "/fapi/v1/order", 1)
CANCEL_ORDER = _signed("DELETE", "/fapi/v1/order", 1)
PLACE_BATCH = _signed("POST", "/fapi/v1/batchOrders", 5, OrderCost(5, 1))
AMEND_BATCH = _signed("PUT", "/fapi/v1/batchOrders", 5, OrderCost(5, 1))
CANCEL_BATCH = _signed("DELETE", "/fapi/v1/batchOrders", 1)
CANCEL_ALL = _signed("DELETE", "/fapi/v1/allOpenOrders", 1)
COUNTDOWN = _signed("POST", "/fapi/v1/countdownCancelAll", 10)
OPEN_ORDER = _signed("GET", "/fapi/v1/openOrder", 1)
OPEN_ORDERS = _signed("GET", "/fapi/v1/openOrders", 1)
ALL_ORDERS = _signed("GET", "/fapi/v1/allOrders", 5)
AMENDMENTS = _signed("GET", "/fapi/v1/orderAmendment", 1)

PLACE_ALGO = _signed("POST", "/fapi/v1/algoOrder", 0, ONE_ORDER)
CANCEL_ALGO = _signed("DELETE", "/fapi/v1/algoOrder", 1)
CANCEL_ALL_ALGO = _signed("DELETE", "/fapi/v1/algoOpenOrders", 1)
QUERY_ALGO = _signed("GET", "/fapi/v1/algoOrder", 1)
OPEN_ALGO = _signed("GET", "/fapi/v1/openAlgoOrders", 1)
ALL_ALGO = _signed("GET", "/fapi/v1/allAlgoOrders", 5)

LISTEN_KEY_CREATE = Endpoint("POST", "/fapi/v1/listenKey", 1, Security.KEY)
LISTEN_KEY_KEEPALIVE = Endpoint("PUT", "/fapi/v1/listenKey", 1, Security.KEY)
LISTEN_KEY_CLOSE = Endpoint("DELETE", "/fapi/v1/listenKey", 1, Security.KEY)

_DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_KLINE_LIMIT = 1500


def bars_asked(interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> Params:
    """Return the parameters that all calls for bars share, in the order they are sent."""
    return (("interval", interval), ("startTime", start_ms), ("endTime", end_ms), ("limit", limit))


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


def open_orders_weight(symbol: str | None) -> int:
    """Return the weight of a list of open orders, of one symbol or of all."""
    return 40 if symbol is None else 1
