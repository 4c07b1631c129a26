"""Whatever bytes arrive, the simulated venue answers in its manner and lives on."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.rest import KEY_ROUTES, ROUTES
from exchange.simulator.venue import ExchangeOptions

START = 1_767_571_200_000
HUGE = 10**18


@pytest.fixture(scope="module")
def exchange():
    market = make_market("synthetic", symbols=4, seed=2, start_ms=START, step_ms=250)
    exchange = Exchange(market, options=ExchangeOptions(weight_limit=HUGE))
    exchange.advance(START + 30_000)
    return exchange


ROUTE = st.sampled_from([*ROUTES, *KEY_ROUTES])
NAMES = st.sampled_from(
    ["symbol", "interval", "limit", "startTime", "endTime", "fromId", "timestamp", "recvWindow", "side", "type",
     "quantity", "price", "timeInForce", "newClientOrderId", "origClientOrderId", "orderId", "batchOrders",
     "orderIdList", "countdownTime", "reduceOnly", "priceMatch", "goodTillDate"]
)  # fmt: skip
NUMBERS = st.integers(0, 10**20) | st.integers(START - 10**9, START + 10**6) | st.sampled_from([0, 1, 5, 1500])
VALUES = (
    st.sampled_from(
        ["BTCUSDT", "1m", "1h", "", "%00", "-1", "1e3", "BUY", "LIMIT", "MARKET", "GTC", "0.01", "true", "[1]", "[{}]"]
    )
    | NUMBERS.map(str)
    | st.text(max_size=5)
)
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode()
)


@settings(max_examples=300, deadline=None)
@given(ROUTE, QUERIES | st.binary(max_size=40), QUERIES | st.binary(max_size=40), st.booleans())
def test_any_query_and_body_get_an_answer_in_the_venues_manner(exchange, route, query, body, signs):
    method, path = route
    if signs:
        query = b"&".join(part for part in query.split(b"&") if not part.startswith((b"timestamp", b"signature")))
        query += f"&timestamp={exchange.now_ms}".encode()
        query += f"&signature={sign(DEMO_SECRET, query + body)}".encode()
    answer = exchange.request(method, path, query, body, {"x-mbx-apikey": DEMO_KEY}, exchange.now_ms)
    said = json.loads(answer.body)
    assert answer.status in {200, 400, 401, 429}
    if answer.status != 200:
        assert said.keys() == {"code", "msg"}
        assert said["code"] < 0


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_path_is_answered(exchange, path, query):
    answer = exchange.request("GET", path, query.encode(), b"", {}, exchange.now_ms)
    assert answer.status in {200, 400, 401, 404}
    session = exchange.open(f"/ws/{path}?{query}", exchange.now_ms)
    exchange.close(session)


MESSAGES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["SUBSCRIBE", "combined"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["method", "params", "id", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(MESSAGES.map(lambda message: json.dumps(message).encode()) | st.binary(max_size=40))
def test_any_control_message_gets_exactly_one_reply(exchange, raw):
    session = exchange.open("/ws", exchange.now_ms)
    session.text(raw, exchange.now_ms)
    (reply,) = session.outbox
    assert json.loads(reply).keys() & {"result", "error", "code"}
    exchange.close(session)


TEXTS = st.sampled_from(
    ["BUY", "SELL", "LIMIT", "MARKET", "GTC", "IOC", "FOK", "GTX", "GTD", "RPI", "QUEUE", "true", "FALSE", "LONG",
     "BOTH", "NaN", "Infinity", "-0", "0", "0.001", "0.010", "99999999999999999999", "1e308", "0.00000000000000000001",
     "RESULT"]
)  # fmt: skip
ORDERS = st.fixed_dictionaries(
    {"symbol": st.sampled_from(["BTCUSDT", "ETHUSDT"])},
    optional={
        name: TEXTS | st.text(max_size=6) | st.integers(-5, 10**21).map(str)
        for name in (
            "side", "type", "quantity", "price", "timeInForce", "positionSide", "reduceOnly", "closePosition",
            "newClientOrderId", "newOrderRespType", "priceMatch", "selfTradePreventionMode", "goodTillDate",
            "workingType", "origClientOrderId", "orderId", "modifyId", "stopPrice",
        )
    },
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
BATCHES = st.lists(
    ORDERS | st.dictionaries(st.sampled_from(["symbol", "side", "type", "quantity", "price"]), JSON_VALUES), max_size=6
).map(lambda orders: {"batchOrders": json.dumps(orders)})


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["POST", "PUT", "DELETE", "GET"]),
    st.sampled_from(["/fapi/v1/order", "/fapi/v1/order/test", "/fapi/v1/batchOrders"]),
    ORDERS | BATCHES,
)
def test_any_order_is_placed_or_refused_in_the_venues_manner(exchange, method, path, params):
    query = urlencode(params | {"timestamp": exchange.now_ms})
    query += f"&signature={sign(DEMO_SECRET, query.encode())}"
    key = {"x-mbx-apikey": DEMO_KEY}
    answer = exchange.request(method, path, query.encode(), b"", key, exchange.now_ms)
    assert answer.status in {200, 400, 404, 418, 429}
    exchange.advance(exchange.now_ms + 250)
    said = json.loads(answer.body) if answer.status != 404 else {}
    if answer.status == 400:
        assert said["code"] < 0
    for row in said if isinstance(said, list) else [said]:
        assert answer.status != 200 or row.get("code", -1) < 0 or row["symbol"] in {"BTCUSDT", "ETHUSDT"}
