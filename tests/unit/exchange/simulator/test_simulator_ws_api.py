import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from small_market import START, SmallMarket

from exchange.simulator.auth import sign
from exchange.simulator.core import Exchange
from exchange.simulator.order_counts import MINUTE_LIMIT
from exchange.simulator.venue import ExchangeOptions
from exchange.simulator.ws_api import check_call_signature, is_api_path
from exchange.simulator.ws_methods import EVERY_METHOD, REST_METHODS, method_of

HMAC_KEY, SECRET = "h" * 64, "secret"
ED_KEY, RSA_KEY = "e" * 64, "r" * 64
PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "79000.00",
}  # fmt: skip


def pem(private):
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


RSA_PEM = pem(rsa.generate_private_key(65_537, 2_048))


def payload(params):
    return "&".join(f"{name}={params[name]}" for name in sorted(params))


class Caller:
    """A client of the WS-API with its user stream beside it."""

    def __init__(self, path="/ws-fapi/v1", **options):
        keys = {HMAC_KEY: SECRET, ED_KEY: pem(PRIVATE), RSA_KEY: RSA_PEM}
        self.exchange = Exchange(SmallMarket(), keys, ExchangeOptions(**options))
        self.exchange.advance(START + 1_000)
        self.session = self.exchange.open(path, self.now)

    @property
    def now(self):
        return self.exchange.now_ms

    def send(self, raw):
        self.session.text(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), self.now)
        return json.loads(self.session.outbox.popleft())

    def call(self, method, /, request_id=1, **params):
        return self.send({"id": request_id, "method": method, "params": params})

    def signed(self, method, /, key=HMAC_KEY, **params):
        params |= {"apiKey": key, "timestamp": self.now}
        if key == HMAC_KEY:
            signature = sign(SECRET, payload(params).encode())
        else:
            signature = base64.b64encode(PRIVATE.sign(payload(params).encode())).decode()
        return self.call(method, **params, signature=signature)

    def log_on(self):
        return self.signed("session.logon", key=ED_KEY)


@pytest.mark.parametrize("request_id", [7, "5633b6a2-90a9-4192-83e7-925c90b6a2fd", None, 2**60])
def test_an_answer_bears_the_id_of_its_request(request_id):
    answer = Caller().call("ticker.price", request_id, symbol="BTCUSDT")
    assert (answer["id"], answer["status"]) == (request_id, 200)
    assert answer["result"]["symbol"] == "BTCUSDT"
    assert list(answer) == ["id", "status", "result", "rateLimits"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", -1135),
        (b"[]", -1135),
        (b"\xff", -1135),
        (b"[" * 100_000, -1135),
        (b'{"id":1,"method":"depth","params":' + b'{"a":' * 50_000, -1135),
        (b'{"id":1}', -1102),
        (b'{"id":1,"method":5}', -1102),
        (b'{"id":1,"method":"order.eat"}', -1020),
        (b'{"id":1,"method":"depth","params":[]}', -1130),
        (b'{"id":{},"method":"depth"}', -1130),
        (b'{"id":true,"method":"depth"}', -1130),
        (b'{"id":1,"method":"depth"}', -1102),
        (b'{"id":1,"method":"depth","params":{"symbol":"NOSUCH"}}', -1121),
        (b'{"id":1,"method":"order.place"}', -1102),
        (b'{"id":1,"method":"order.place","params":{"apiKey":"short"}}', -2014),
        (b'{"id":1,"method":"userDataStream.start"}', -1102),
        (json.dumps({"id": 1, "method": "session.logon", "params": {"apiKey": "u" * 64}}).encode(), -1102),
    ],
)
def test_a_request_that_cannot_be_served_is_told_so_in_the_venues_shape(raw, code):
    answer = Caller().send(raw)
    assert answer["error"]["code"] == code
    assert answer["status"] == (401 if code == -2014 else 400)
    assert "result" not in answer


def test_an_order_goes_its_whole_way():
    caller = Caller()
    placed = caller.signed("order.place", **ORDER, newClientOrderId="a")
    assert placed["status"] == 200
    assert (placed["result"]["status"], placed["result"]["clientOrderId"]) == ("NEW", "a")
    order_id = placed["result"]["orderId"]
    changed = {name: ORDER[name] for name in ("symbol", "side", "quantity")}
    modified = caller.signed("order.modify", **changed, orderId=order_id, price="78000.00")
    assert modified["result"]["price"] == "78000.00"
    asked = caller.signed("order.status", symbol="BTCUSDT", origClientOrderId="a")
    assert asked["result"]["orderId"] == order_id
    gone = caller.signed("order.cancel", symbol="BTCUSDT", orderId=order_id)
    assert gone["result"]["status"] == "CANCELED"
    again = caller.signed("order.cancel", symbol="BTCUSDT", orderId=order_id)
    assert (again["status"], again["error"]) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_a_conditional_order_is_placed_and_cancelled():
    caller = Caller()
    terms = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
    placed = caller.signed("algoOrder.place", **terms, quantity="0.010", triggerPrice="70000")
    assert placed["result"]["algoStatus"] == "NEW"
    gone = caller.signed("algoOrder.cancel", algoId=placed["result"]["algoId"])
    assert gone["result"]["code"] == "200"


ACCOUNT_METHODS = (
    "account.balance", "v2/account.balance", "account.status", "v2/account.status", "account.position",
    "v2/account.position",
)  # fmt: skip


@pytest.mark.parametrize("method", ACCOUNT_METHODS)
def test_account_queries_answer_what_rest_answers(method):
    caller = Caller()
    answer = caller.signed(method)["result"]
    text = f"timestamp={caller.now}"
    query = f"{text}&signature={sign(SECRET, text.encode())}".encode()
    verb, path = REST_METHODS[method]
    rest = caller.exchange.request(verb, path, query, b"", {"x-mbx-apikey": HMAC_KEY}, caller.now)
    assert answer == json.loads(rest.body)


def test_the_time_window_and_the_signature_are_those_of_rest():
    caller = Caller()
    assert caller.call("account.status", apiKey=HMAC_KEY)["error"]["code"] == -1102
    late = caller.call("account.status", apiKey=HMAC_KEY, timestamp=caller.now - 5_001, signature="x")
    assert late["error"]["code"] == -1021
    wrong = caller.call("account.status", apiKey=HMAC_KEY, timestamp=caller.now, signature="x")
    assert (wrong["status"], wrong["error"]["code"]) == (400, -1022)
    unknown = caller.call("account.status", apiKey="u" * 64, timestamp=caller.now, signature="x")
    assert (unknown["status"], unknown["error"]["code"]) == (401, -2015)


@pytest.mark.parametrize("spelling", ["true", "True"])
def test_a_boolean_is_signed_as_the_clients_language_writes_it(spelling):
    credential = Caller().exchange.venue.keys[HMAC_KEY]
    text = f"price=0.1&reduceOnly={spelling}&timestamp=5"
    values = {"timestamp": 5, "reduceOnly": True, "price": 0.1, "none": None}
    check_call_signature(values | {"signature": sign(SECRET, text.encode())}, credential)


def test_a_tiny_number_with_an_exponent_is_a_number():
    caller = Caller()
    answer = caller.signed("order.place", **ORDER | {"quantity": 1e-05})
    assert answer["error"]["code"] == -1111


def test_a_logged_on_session_needs_no_further_signature():
    caller = Caller()
    assert caller.call("session.status")["result"]["apiKey"] is None
    since = caller.now
    logon = caller.log_on()["result"]
    assert logon == {
        "apiKey": ED_KEY, "authorizedSince": since, "connectedSince": since, "returnRateLimits": True,
        "serverTime": since,
    }  # fmt: skip
    assert caller.call("order.place", **ORDER, timestamp=caller.now)["status"] == 200
    assert caller.call("account.status")["error"]["code"] == -1102
    assert caller.call("account.status", timestamp=caller.now, signature="x")["error"]["code"] == -1022
    assert caller.call("account.status", timestamp=caller.now, apiKey=HMAC_KEY)["error"]["code"] == -1102
    assert caller.signed("account.status")["status"] == 200
    assert caller.call("userDataStream.start")["status"] == 200
    assert caller.call("session.logout")["result"]["authorizedSince"] is None
    assert caller.call("account.status", timestamp=caller.now)["error"]["code"] == -1102


def test_only_an_ed25519_key_logs_on():
    caller = Caller()
    for key in (HMAC_KEY, RSA_KEY):
        answer = caller.call("session.logon", apiKey=key, timestamp=caller.now, signature="x")
        assert answer["error"]["code"] == -4056
    bad = caller.call("session.logon", apiKey=ED_KEY, timestamp=caller.now, signature="AAAA")
    assert bad["error"]["code"] == -1022
    assert caller.call("session.status")["result"]["apiKey"] is None


def test_a_revoked_key_revokes_its_session():
    caller = Caller()
    caller.log_on()
    caller.exchange.venue.keys.revoke(ED_KEY)
    assert caller.call("account.status", timestamp=caller.now) == {
        "id": None,
        "status": 401,
        "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."},
    }
    assert caller.call("session.status")["result"]["apiKey"] is None
    assert caller.session.ending is None


def test_a_listen_key_is_the_same_as_over_rest_and_events_are_told_there_only():
    caller = Caller()
    key = caller.call("userDataStream.start", apiKey=HMAC_KEY)["result"]["listenKey"]
    assert caller.call("userDataStream.ping", apiKey=HMAC_KEY)["result"] == {"listenKey": key}
    user = caller.exchange.open(f"/private/ws/{key}", caller.now)
    caller.signed("order.place", **ORDER)
    assert [json.loads(frame)["o"]["x"] for frame in user.outbox] == ["NEW"]
    assert not caller.session.outbox
    assert caller.call("userDataStream.stop", apiKey=HMAC_KEY)["result"] == {}
    assert caller.call("userDataStream.ping", apiKey=HMAC_KEY)["error"]["code"] == -1125


def test_the_rate_limits_block_is_shown_hidden_and_shown_again():
    caller = Caller()
    weight = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400, "count": 6}
    assert caller.call("ticker.price", symbol="BTCUSDT")["rateLimits"] == [weight]
    kinds = [(row["rateLimitType"], row["count"]) for row in caller.signed("order.place", **ORDER)["rateLimits"]]
    assert kinds == [("ORDERS", 1), ("ORDERS", 1), ("REQUEST_WEIGHT", 6)]
    assert "rateLimits" not in caller.call("ticker.price", symbol="BTCUSDT", returnRateLimits=False)
    quiet = Caller("/ws-fapi/v1?returnRateLimits=false")
    assert "rateLimits" not in quiet.call("ticker.price", symbol="BTCUSDT")
    assert "rateLimits" in quiet.call("ticker.price", symbol="BTCUSDT", returnRateLimits=True)
    assert quiet.call("session.status")["result"]["returnRateLimits"] is False


def test_weights_and_order_counts_are_shared_with_rest():
    caller = Caller(weight_limit=40)
    used = caller.exchange.venue.weights.used
    assert used(caller.now) == 5
    caller.call("session.status")
    caller.signed("account.status")
    assert used(caller.now) == 12
    for _ in range(20):
        last = caller.call("ticker.book")
    assert (last["status"], last["error"]["code"]) == (418, -1003)
    assert caller.exchange.open("/ws-fapi/v1", caller.now) is None
    full = Caller()
    full.exchange.venue.order_counts._minute.add(MINUTE_LIMIT, full.now)
    refused = full.signed("order.place", **ORDER)
    assert (refused["status"], refused["error"]["code"]) == (429, -1015)


def test_pings_are_counted_and_requests_are_not():
    caller = Caller()
    for _ in range(30):
        caller.call("ticker.price", symbol="BTCUSDT")
    assert caller.session.ending is None
    for _ in range(6):
        caller.session.heard(caller.now)
    assert caller.session.ending.code == 1008


def test_a_session_ends_after_a_day_and_hears_nothing_then():
    caller = Caller()
    caller.exchange.market.step_ms = 60_000
    caller.exchange.advance(START + 90_000_000)
    assert caller.session.ending.code == 1001
    caller.session.text(b"{}", caller.now)
    assert not caller.session.outbox
    assert caller.exchange.sessions == []


def test_every_method_has_an_answer_and_a_version_may_stand_before_it():
    assert all(method_of(name) == name for name in EVERY_METHOD)
    assert method_of("v3/order.place") == "order.place"
    assert method_of("v2/account.status") == "v2/account.status"
    assert method_of("v9/nothing") is None


@pytest.mark.parametrize("path", ["/ws-fapi/v1", "/ws-fapi/v1/", "/ws-fapi/v1?returnRateLimits=false"])
def test_its_path_is_known(path):
    assert is_api_path(path)
    assert not is_api_path("/ws-fapi/v2")
