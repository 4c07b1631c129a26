import json
from urllib.parse import urlencode

import pytest
from small_market import START, SmallMarket

from exchange.simulator.answers import RefusalError
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.order_counts import BATCH, NO_ORDER, ONE_ORDER, OrderCounts, rate_limits
from exchange.simulator.venue import ExchangeOptions
from exchange.simulator.weights import FIRST_BAN_MS, LONGEST_BAN_MS, PATIENCE, WeightLedger

TEN, MINUTE = 10_000, 60_000


def counts(**limits):
    return OrderCounts(WeightLedger(), **limits)


def used(ledger, now):
    return tuple(int(value) for value in ledger.headers(now).values())


def test_an_order_counts_one_and_a_batch_five_and_one():
    ledger = counts()
    ledger.spend(ONE_ORDER, START)
    assert used(ledger, START) == (1, 1)
    ledger.spend(BATCH, START)
    assert used(ledger, START) == (6, 2)
    ledger.spend(NO_ORDER, START)
    assert used(ledger, START) == (6, 2)


def test_each_window_of_the_wall_clock_begins_empty():
    ledger = counts()
    ledger.spend(ONE_ORDER, START + TEN - 1)
    assert used(ledger, START + TEN - 1) == (1, 1)
    assert used(ledger, START + TEN) == (0, 1)
    assert used(ledger, START + MINUTE) == (0, 0)


@pytest.mark.parametrize(
    ("limits", "unit", "wait"), [({"ten_seconds": 3}, "10 SECOND", "9"), ({"minute": 3}, "1 MINUTE", "59")]
)
def test_one_order_too_many_is_refused_and_not_counted(limits, unit, wait):
    ledger = counts(**limits)
    for _ in range(3):
        ledger.spend(ONE_ORDER, START)
    with pytest.raises(RefusalError) as refusal:
        ledger.spend(ONE_ORDER, START + 1_000)
    assert (refusal.value.status, refusal.value.code) == (429, -1015)
    assert refusal.value.text == f"Too many new orders; current limit is 3 orders per {unit}."
    assert refusal.value.headers == {"retry-after": wait}
    assert used(ledger, START + 1_000) == (3, 3)


def test_who_carries_on_after_too_many_orders_is_banned():
    ledger = counts(ten_seconds=1)
    ledger.spend(ONE_ORDER, START)
    told = []
    for _ in range(PATIENCE + 1):
        with pytest.raises(RefusalError) as refusal:
            ledger.spend(ONE_ORDER, START)
        told.append(refusal.value.status)
    assert told == [429] * PATIENCE + [418]


def banned(ledger, now):
    """Carry on until the address is banned and return that refusal."""
    while True:
        try:
            ledger.spend(1, now)
        except RefusalError as refusal:
            if refusal.status == 418:
                return refusal


def test_bans_grow_from_two_minutes_to_three_days_and_end_to_the_millisecond():
    ledger = WeightLedger(limit=1)
    now, spans = START, []
    for _ in range(14):
        refusal = banned(ledger, now)
        text = refusal.text
        until = int(text.removeprefix("Way too many requests; IP banned until ").split(".")[0])
        assert refusal.headers == {"retry-after": str((until - now) // 1000)}
        spans.append(until - now)
        with pytest.raises(RefusalError, match=str(until)):
            ledger.check_ban(until - 1)
        ledger.check_ban(until)
        now = until
    doubling = [min(FIRST_BAN_MS * 2**n, LONGEST_BAN_MS) for n in range(14)]
    assert spans == doubling
    assert spans[-1] == LONGEST_BAN_MS == 3 * 86_400_000


@pytest.mark.parametrize(
    ("path", "limit"), [("/fapi/v1/fundingInfo", 500), ("/fapi/v1/fundingRate", 500), ("/futures/data/basis", 1_000)]
)
def test_small_pools_have_a_limit_of_their_own_and_no_weight_header(path, limit):
    exchange = Exchange(SmallMarket())
    query = b"pair=BTCUSDT&contractType=PERPETUAL&period=5m&symbol=BTCUSDT&limit=1"
    answers = [exchange.request("GET", path, query, b"", {}, START) for _ in range(limit + 1)]
    assert {answer.status for answer in answers[:-1]} == {200}
    assert answers[-1].status == 429
    assert json.loads(answers[-1].body)["code"] == -1003
    assert not [answer for answer in answers if "x-mbx-used-weight-1m" in answer.headers]
    assert exchange.request("GET", "/fapi/v1/ping", b"", b"", {}, START).headers["x-mbx-used-weight-1m"] == "1"


def test_funding_rates_and_intervals_share_one_pool():
    exchange = Exchange(SmallMarket())
    for _ in range(500):
        exchange.request("GET", "/fapi/v1/fundingInfo", b"", b"", {}, START)
    assert exchange.request("GET", "/fapi/v1/fundingRate", b"", b"", {}, START).status == 429
    assert exchange.request("GET", "/fapi/v1/fundingRate", b"", b"", {}, START + 300_000).status == 200


def call(exchange, method, path, **params):
    query = urlencode({**params, "timestamp": exchange.now_ms}).encode()
    query += b"&signature=" + sign(DEMO_SECRET, query).encode()
    return exchange.request(method, path, query, b"", {"x-mbx-apikey": DEMO_KEY}, exchange.now_ms)


ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "79000",
}


def test_answers_to_orders_carry_the_counts_and_other_answers_do_not():
    exchange = Exchange(SmallMarket())
    answer = call(exchange, "POST", "/fapi/v1/order", **ORDER)
    assert answer.status == 200
    assert (answer.headers["x-mbx-order-count-10s"], answer.headers["x-mbx-order-count-1m"]) == ("1", "1")
    batch = call(exchange, "POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([ORDER]))
    assert (batch.headers["x-mbx-order-count-10s"], batch.headers["x-mbx-order-count-1m"]) == ("6", "2")
    cancel = call(exchange, "DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=json.loads(answer.body)["orderId"])
    assert cancel.status == 200
    assert "x-mbx-order-count-10s" not in cancel.headers


def test_the_account_has_three_hundred_orders_in_ten_seconds():
    exchange = Exchange(SmallMarket())
    for _ in range(60):
        assert call(exchange, "POST", "/fapi/v1/batchOrders", batchOrders=json.dumps([ORDER])).status == 200
    refused = call(exchange, "POST", "/fapi/v1/order", **ORDER)
    assert (refused.status, json.loads(refused.body)["code"]) == (429, -1015)
    assert "x-mbx-order-count-10s" not in refused.headers
    exchange.advance((exchange.now_ms // TEN + 1) * TEN)
    assert call(exchange, "POST", "/fapi/v1/order", **ORDER).headers["x-mbx-order-count-10s"] == "1"


def test_the_limits_are_told():
    rows = json.loads(call(Exchange(SmallMarket()), "GET", "/fapi/v1/rateLimit/order").body)
    assert rows == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]


def test_answers_over_the_socket_tell_the_weight_and_for_orders_the_counts():
    weights = WeightLedger()
    orders = OrderCounts(weights)
    weights.spend(7, START)
    orders.spend(ONE_ORDER, START)
    assert [row["count"] for row in rate_limits(weights, orders, START, order=True)] == [1, 1, 7]
    assert [row["rateLimitType"] for row in rate_limits(weights, orders, START, order=False)] == ["REQUEST_WEIGHT"]


def test_a_banned_address_is_refused_until_the_ban_is_over_whatever_it_asks():
    exchange = Exchange(SmallMarket(), options=ExchangeOptions(weight_limit=1))
    bodies = [exchange.request("GET", "/fapi/v1/ping", b"", b"", {}, START) for _ in range(PATIENCE + 2)]
    assert [answer.status for answer in bodies] == [200, *[429] * PATIENCE, 418]
    until = START + FIRST_BAN_MS
    for path in ("/fapi/v1/time", "/fapi/v1/fundingInfo", "/futures/data/basis"):
        answer = exchange.request("GET", path, b"", b"", {}, until - 1)
        assert (answer.status, json.loads(answer.body)["code"]) == (418, -1003)
        assert str(until) in json.loads(answer.body)["msg"]
    assert exchange.request("GET", "/fapi/v1/ping", b"", b"", {}, until).status == 200
