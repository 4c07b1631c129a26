"""What the venue's contract lists, by name: endpoints, streams, events, filters, WS-API methods and error codes.

Sections are the contract's. `REASONS` says why an item is left out on a side; an item without a reason must be there.
"""

ENDPOINTS = """
3.1 GET /fapi/v1/ping
3.1 GET /fapi/v1/time
3.1 GET /fapi/v1/exchangeInfo
3.1 GET /fapi/v1/depth
3.1 GET /fapi/v1/rpiDepth
3.1 GET /fapi/v1/trades
3.1 GET /fapi/v1/historicalTrades
3.1 GET /fapi/v1/aggTrades
3.1 GET /fapi/v1/klines
3.1 GET /fapi/v1/continuousKlines
3.1 GET /fapi/v1/indexPriceKlines
3.1 GET /fapi/v1/markPriceKlines
3.1 GET /fapi/v1/premiumIndexKlines
3.1 GET /fapi/v1/premiumIndex
3.1 GET /fapi/v1/fundingRate
3.1 GET /fapi/v1/fundingInfo
3.1 GET /fapi/v1/ticker/24hr
3.1 GET /fapi/v1/ticker/price
3.1 GET /fapi/v2/ticker/price
3.1 GET /fapi/v1/ticker/bookTicker
3.1 GET /fapi/v1/openInterest
3.1 GET /futures/data/openInterestHist
3.1 GET /futures/data/globalLongShortAccountRatio
3.1 GET /futures/data/topLongShortAccountRatio
3.1 GET /futures/data/topLongShortPositionRatio
3.1 GET /futures/data/takerlongshortRatio
3.1 GET /futures/data/basis
3.1 GET /fapi/v1/indexInfo
3.1 GET /fapi/v1/constituents
3.1 GET /fapi/v1/assetIndex
3.1 GET /fapi/v1/insuranceBalance
3.1 GET /fapi/v1/symbolAdlRisk
3.1 GET /fapi/v1/tradingSchedule
3.2 POST /fapi/v1/stock/contract
3.3 GET /fapi/v2/account
3.3 GET /fapi/v3/account
3.3 GET /fapi/v2/balance
3.3 GET /fapi/v3/balance
3.3 GET /fapi/v2/positionRisk
3.3 GET /fapi/v3/positionRisk
3.3 GET /fapi/v1/symbolConfig
3.3 GET /fapi/v1/accountConfig
3.3 GET /fapi/v1/positionSide/dual
3.3 POST /fapi/v1/positionSide/dual
3.3 GET /fapi/v1/multiAssetsMargin
3.3 POST /fapi/v1/multiAssetsMargin
3.3 POST /fapi/v1/marginType
3.3 POST /fapi/v1/leverage
3.3 POST /fapi/v1/positionMargin
3.3 GET /fapi/v1/positionMargin/history
3.3 GET /fapi/v1/leverageBracket
3.3 GET /fapi/v1/commissionRate
3.3 GET /fapi/v1/rateLimit/order
3.3 GET /fapi/v1/feeBurn
3.3 POST /fapi/v1/feeBurn
3.3 GET /fapi/v1/adlQuantile
3.3 GET /fapi/v1/apiTradingStatus
3.3 POST /fapi/v1/listenKey
3.3 PUT /fapi/v1/listenKey
3.3 DELETE /fapi/v1/listenKey
3.4 POST /fapi/v1/order
3.4 POST /fapi/v1/order/test
3.4 PUT /fapi/v1/order
3.4 GET /fapi/v1/order
3.4 DELETE /fapi/v1/order
3.4 POST /fapi/v1/batchOrders
3.4 PUT /fapi/v1/batchOrders
3.4 DELETE /fapi/v1/batchOrders
3.4 GET /fapi/v1/openOrder
3.4 GET /fapi/v1/openOrders
3.4 GET /fapi/v1/allOrders
3.4 DELETE /fapi/v1/allOpenOrders
3.4 POST /fapi/v1/countdownCancelAll
3.4 GET /fapi/v1/orderAmendment
3.4 GET /fapi/v1/userTrades
3.4 GET /fapi/v1/income
3.4 GET /fapi/v1/forceOrders
4.1 POST /fapi/v1/algoOrder
4.1 DELETE /fapi/v1/algoOrder
4.1 DELETE /fapi/v1/algoOpenOrders
4.1 GET /fapi/v1/algoOrder
4.1 GET /fapi/v1/openAlgoOrders
4.1 GET /fapi/v1/allAlgoOrders
11 GET /api/v3/ping
11 GET /api/v3/time
11 GET /sapi/v1/capital/config/getall
"""

STREAMS = {
    "<s>@aggTrade": "btcusdt@aggTrade",
    "<s>@trade": "btcusdt@trade",
    "<s>@kline_<i>": "btcusdt@kline_5m",
    "<pair>_<type>@continuousKline_<i>": "btcusdt_perpetual@continuousKline_1m",
    "<s>@markPrice": "btcusdt@markPrice",
    "<s>@markPrice@1s": "btcusdt@markPrice@1s",
    "!markPrice@arr": "!markPrice@arr",
    "!markPrice@arr@1s": "!markPrice@arr@1s",
    "<s>@miniTicker": "btcusdt@miniTicker",
    "!miniTicker@arr": "!miniTicker@arr",
    "<s>@ticker": "btcusdt@ticker",
    "!ticker@arr": "!ticker@arr",
    "<s>@bookTicker": "btcusdt@bookTicker",
    "!bookTicker": "!bookTicker",
    "<s>@depth5/10/20[@100ms, @500ms]": "btcusdt@depth5",
    "<s>@depth[@100ms, @500ms]": "btcusdt@depth@100ms",
    "<s>@rpiDepth@500ms": "btcusdt@rpiDepth@500ms",
    "<s>@forceOrder": "btcusdt@forceOrder",
    "!forceOrder@arr": "!forceOrder@arr",
    "!contractInfo": "!contractInfo",
    "<s>@compositeIndex": "defiusdt@compositeIndex",
    "!assetIndex@arr": "!assetIndex@arr",
    "<a>@assetIndex": "btcusd@assetIndex",
    "tradingSession": "tradingSession",
}
"""Stream forms of section 8.2 with one name of each."""

EVENTS = (
    "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE", "ALGO_UPDATE", "ACCOUNT_CONFIG_UPDATE", "MARGIN_CALL",
    "listenKeyExpired", "CONDITIONAL_ORDER_TRIGGER_REJECT", "STRATEGY_UPDATE", "GRID_UPDATE",
)  # fmt: skip
"""Events of the user stream, section 9."""

FILTERS = (
    "PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MAX_NUM_ORDERS", "MIN_NOTIONAL", "PERCENT_PRICE",
    "POSITION_RISK_CONTROL",
)  # fmt: skip

METHODS = (
    "order.place", "order.modify", "order.cancel", "order.status", "algoOrder.place", "algoOrder.cancel",
    "account.balance", "v2/account.balance", "account.status", "v2/account.status", "account.position",
    "v2/account.position", "depth", "ticker.price", "ticker.book", "userDataStream.start", "userDataStream.ping",
    "userDataStream.stop", "session.logon", "session.status", "session.logout",
)  # fmt: skip
"""Methods of the WS-API, section 9.1."""

CODES = (
    -1000, -1001, -1002, -1003, -1006, -1007, -1008, -1010, -1011, -1013, -1014, -1015, -1016, -1020, -1021, -1022,
    -1023, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1111, -1114, -1115, -1116, -1117, -1120, -1121, -1122,
    -1125, -1127, -1130, -1136, -2010, -2011, -2013, -2014, -2015, -2017, -2018, -2019, -2020, -2021, -2022, -2023,
    -2024, -2025, -2026, -2027, -2028, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4021, -4023,
    -4024, -4028, -4045, -4046, -4047, -4048, -4050, -4051, -4054, -4055, -4059, -4060, -4061, -4062, -4067, -4068,
    -4082, -4083, -4087, -4088, -4105, -4106, -4107, -4109, -4116, -4117, -4118, -4120, -4130, -4131, -4135, -4137,
    -4138, -4140, -4141, -4142, -4161, -4164, -4165, -4167, -4168, -4169, -4170, -4171, -4172, -4183, -4184, -4189,
    -4192, -4202, -4203, -4205, -4206, -4208, -4209, -4210, -4211, -4400, -4401, -4402, -4403, -4509, -4531, -5021,
    -5022, -5024, -5025, -5026, -5027, -5028, -5029, -5037, -5038, -5039, -5040, -5041, -5043, -5047,
)  # fmt: skip
"""Error codes of sections 3 to 6."""

_NOT_NEEDED = "the desk needs none of it; other clients do"
_SAME = "the newer version of the same call is used"
_SPOT = "a service of another product that some clients ask while they load"
_INDEX = "composite and asset indices belong to multi-assets mode, which the desk does not trade in"
_REST_INSTEAD = "the client trades over REST, where every rule of outcomes is proven; the socket is served for others"
_ON_REQUEST = "not a rule of matching or margin: a fault plan sends it (`error_answer`)"
_RESTRICTION = "region, identity and agreement rules of real accounts; a fault plan sends it (`error_answer`)"
_GRIDS = "grids of the website are never run for this account"

_WHY: dict[tuple[str, str], tuple[str, ...]] = {
    ("client", _NOT_NEEDED): (
        "GET /fapi/v1/rpiDepth", "GET /fapi/v1/historicalTrades", "GET /fapi/v1/continuousKlines",
        "GET /fapi/v1/premiumIndexKlines", "GET /fapi/v1/constituents", "GET /fapi/v1/insuranceBalance",
        "GET /fapi/v1/symbolAdlRisk", "GET /fapi/v1/tradingSchedule", "POST /fapi/v1/stock/contract",
        "GET /fapi/v1/ticker/price", "GET /fapi/v2/ticker/price", "<s>@trade", "<pair>_<type>@continuousKline_<i>",
        "<s>@miniTicker", "!miniTicker@arr", "<s>@rpiDepth@500ms", "<s>@forceOrder", "!forceOrder@arr",
        "tradingSession",
    ),
    ("client", _SAME): ("GET /fapi/v2/balance", "GET /fapi/v2/positionRisk"),
    ("client", _SPOT): ("GET /api/v3/ping", "GET /api/v3/time", "GET /sapi/v1/capital/config/getall"),
    ("client", _INDEX): (
        "GET /fapi/v1/indexInfo", "GET /fapi/v1/assetIndex", "<s>@compositeIndex", "!assetIndex@arr", "<a>@assetIndex",
    ),
    ("client", _GRIDS + "; counted and ignored"): ("STRATEGY_UPDATE", "GRID_UPDATE"),
    ("client", _REST_INSTEAD): METHODS,
    ("simulator", _NOT_NEEDED.replace("; other clients do", "")): ("POST /fapi/v1/stock/contract",),
    ("simulator", "accepted and silent: the synthetic market has no such index"): (
        "<s>@compositeIndex", "!assetIndex@arr", "<a>@assetIndex", "tradingSession",
    ),
    ("simulator", _GRIDS): ("STRATEGY_UPDATE", "GRID_UPDATE"),
    ("simulator", _ON_REQUEST): tuple(
        map(
            str,
            (
                -1000, -1001, -1002, -1006, -1010, -1011, -1013, -1014, -1101, -1103, -1104, -1105, -1122, -2010,
                -2017, -2024, -2026, -4083, -4109, -5028,
            ),
        )
    ),
    ("simulator", _RESTRICTION): tuple(
        map(str, (-4202, -4203, -4205, -4206, -4208, -4209, -4210, -4211, -4402, -4403))
    ),
}  # fmt: skip
REASONS: dict[tuple[str, str], str] = {(item, side): why for (side, why), items in _WHY.items() for item in items}
"""(item, side) where side is client, simulator or test: why it is left out."""
