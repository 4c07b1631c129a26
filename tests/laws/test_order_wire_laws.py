"""What must hold for any order that is asked for and any bytes a venue may answer with."""

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from urllib.parse import parse_qsl, unquote_to_bytes

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from order_samples import EPOCH, ack_row, algo_row, order_row

from exchange.binance import algo_wire, order_params, order_wire, settings_wire
from exchange.binance.batches import Element, settle_batch
from exchange.binance.signing import Credentials, encode, signed_query, text_of
from exchange.errors import DecodeError, ExchangeError, UnknownOutcomeError
from exchange.order_reports import OrderAck
from exchange.orders import OrderKind, OrderRequest, Side

WEIRD = st.one_of(
    st.sampled_from(["", "0", "-0", "NaN", "sNaN", "Infinity", "-inf", "1e308", "1_0", " 1", "\uff11", "1" * 60]),
    st.decimals(allow_nan=True).map(str), st.floats(allow_nan=False, allow_infinity=False), st.none(), st.booleans(),
    st.integers(), st.lists(st.integers(), max_size=2), st.text(max_size=5), st.dictionaries(st.text(), st.none()),
)  # fmt: skip
SECRET = "s" * 32
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(), st.booleans(), st.none(),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e12"), max_value=Decimal("1e12")),
)  # fmt: skip
parameters = st.lists(st.tuples(names, values), max_size=8).map(tuple)


def pem(private):
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


HMAC_KEY, ED_KEY, RSA_KEY = (Credentials("key", text) for text in (SECRET, pem(ED25519), pem(RSA)))


@settings(max_examples=200, deadline=None)
@given(parameters)
def test_what_is_encoded_is_read_back_by_any_reader_of_urls(params):
    encoded = encode(params)
    assert encoded.isascii()
    read = parse_qsl(encoded.decode(), keep_blank_values=True, strict_parsing=bool(encoded))
    assert read == [(name, text_of(value)) for name, value in params if value is not None]


@settings(max_examples=100, deadline=None)
@given(parameters, st.integers(1, 2**43), st.integers(1, 60_000))
def test_a_signature_covers_every_byte_before_it_and_stands_last(params, stamp, window):
    expected = encode((*params, ("recvWindow", window), ("timestamp", stamp)))
    query = signed_query(params, HMAC_KEY, stamp, window)
    payload, _, signature = query.rpartition(b"&signature=")
    assert payload == expected
    assert signature.decode() == hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest()
    query = signed_query(params, ED_KEY, stamp, window)
    payload, _, signature = query.rpartition(b"&signature=")
    assert payload == expected
    ED25519.public_key().verify(base64.b64decode(unquote_to_bytes(signature), validate=True), payload)


@settings(max_examples=20, deadline=None)
@given(parameters)
def test_rsa_signatures_are_verified_by_the_public_half(params):
    payload, _, signature = signed_query(params, RSA_KEY, 1, 5000).rpartition(b"&signature=")
    raw = base64.b64decode(unquote_to_bytes(signature), validate=True)
    RSA.public_key().verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(Side), st.booleans(), st.booleans(), st.decimals("0.00000001", "1e9", places=8))
def test_a_close_always_says_that_it_closes_and_keeps_its_size(side, reduces, hedge, quantity):
    if not quantity:
        return
    request = OrderRequest(
        symbol="BTCUSDT", side=side, kind=OrderKind.MARKET, quantity=quantity, client_id="a", reduces=reduces
    )
    sent = dict(parse_qsl(encode(order_params.place(request, hedge=hedge)).decode()))
    assert Decimal(sent["quantity"]) == quantity
    assert "e" not in sent["quantity"].lower()
    if hedge:
        assert "reduceOnly" not in sent
        closes = (sent["side"], sent["positionSide"]) in {("SELL", "LONG"), ("BUY", "SHORT")}
    else:
        assert "positionSide" not in sent
        closes = sent.get("reduceOnly") == "true"
    assert closes is reduces


def finite(*numbers):
    return all(number is None or (number.is_finite() and number >= 0) for number in numbers)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(order_row())), WEIRD))
def test_an_order_is_refused_by_name_or_believable(changes):
    body = json.dumps(order_row() | changes).encode()
    try:
        report = order_wire.order(body, "x")
    except DecodeError:
        return
    assert report.side in {"BUY", "SELL"}
    assert finite(report.quantity, report.executed, report.price, report.average_price, report.executed_quote)
    assert report.executed <= report.quantity or report.quantity == 0
    assert not (report.is_open and report.is_final)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*algo_row(), "actualOrderId", "actualPrice", "actualQty"]), WEIRD))
def test_a_conditional_order_is_refused_by_name_or_believable(changes):
    body = json.dumps([algo_row() | changes]).encode()
    try:
        (report,) = algo_wire.algo_orders(body, "x")
    except DecodeError:
        return
    assert finite(report.quantity, report.trigger_price, report.price, report.child_price, report.child_quantity)
    assert report.side in {"BUY", "SELL"}
    assert not (report.is_working and report.is_final)


LISTS = (
    order_wire.orders, order_wire.user_trades, order_wire.amendments, order_wire.margin_changes,
    order_wire.acknowledged, order_wire.countdown, order_wire.success, algo_wire.algo_cancelled,
    settings_wire.income, settings_wire.account_config, settings_wire.order_limits, settings_wire.leverage_set,
    settings_wire.trading_status, settings_wire.adl_quantiles, settings_wire.commission_rate,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.recursive(
    WEIRD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(order_row())), inner)
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_no_answer_raises_anything_but_a_decode_error(body):
    for decode in LISTS:
        try:
            decode(body, "x")
        except DecodeError:
            continue


elements = st.one_of(
    st.integers(0, 4).map(lambda number: ack_row(clientOrderId=f"b{number}")),
    st.sampled_from([-2019, -4116, -1007, -1000, -1015, 200, 0]).map(lambda code: {"code": code, "msg": "x"}),
    WEIRD,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 5), st.lists(elements, max_size=7))
def test_every_order_of_a_batch_gets_one_outcome_that_is_proven_or_unknown(count, rows):
    wanted = [Element("BTCUSDT", None, f"b{number}") for number in range(count)]
    try:
        settled = settle_batch(json.dumps(rows).encode(), wanted, "x", EPOCH, [].append)
    except DecodeError:
        assert not rows or not isinstance(rows, list)
        return
    assert len(settled) == count
    shown = [row["clientOrderId"] for row in rows if isinstance(row, dict) and "clientOrderId" in row]
    for number, outcome in enumerate(settled):
        if isinstance(outcome, OrderAck):
            assert outcome.client_id == f"b{number}"
        else:
            assert isinstance(outcome, ExchangeError)
            assert f"b{number}" not in shown, "an acknowledgement is never lost"
            if len(rows) != count:
                assert isinstance(outcome, UnknownOutcomeError), "a refusal out of step proves nothing"
