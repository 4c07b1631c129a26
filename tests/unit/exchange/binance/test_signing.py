import json
import pickle
from decimal import Decimal
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.binance.signing import Credentials, encode, signed_query

SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
PAYLOAD = (
    b"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def test_the_known_answer_of_the_contract_is_met():
    assert Credentials("key", SECRET).sign(PAYLOAD) == SIGNATURE


def test_a_signed_query_ends_with_the_signature_over_all_that_precedes_it():
    params = (
        ("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("quantity", 1), ("price", 9000),
        ("timeInForce", "GTC"),
    )  # fmt: skip
    query = signed_query(params, Credentials("key", SECRET), 1591702613943, 5000)
    assert query == PAYLOAD + b"&signature=" + SIGNATURE.encode()


def test_signing_twice_gives_the_same_signature():
    credentials = Credentials("key", SECRET)
    assert credentials.sign(PAYLOAD) == credentials.sign(PAYLOAD) == SIGNATURE


def test_symbols_outside_ascii_travel_percent_encoded_as_utf8_and_are_signed_so():
    credentials = Credentials("key", SECRET)
    query = signed_query((("symbol", "币安人生USDT"),), credentials, 1, 5000)
    payload, _, signature = query.partition(b"&signature=")
    assert payload.startswith(b"symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&")
    assert credentials.sign(payload) == signature.decode()


def test_reserved_characters_are_encoded_and_absent_values_left_out():
    assert encode((("a", "x&y=z /?"), ("b", None), ("c", True), ("d", False))) == b"a=x%26y%3Dz%20%2F%3F&c=true&d=false"


def test_decimals_are_sent_without_an_exponent():
    assert (
        encode((("q", Decimal("1E-7")), ("p", Decimal("1E+3")), ("r", Decimal("0.10")))) == b"q=0.0000001&p=1000&r=0.10"
    )


def test_a_number_that_is_not_finite_is_never_sent():
    with pytest.raises(ValueError, match="finite"):
        encode((("q", Decimal("NaN")),))


def test_the_secret_shows_in_no_text_and_cannot_be_serialised():
    credentials = Credentials("visible-key-part", SECRET)
    for text in (repr(credentials), str(credentials), f"{credentials}", f"{[credentials]}"):
        assert SECRET[:8] not in text
        assert "***" in text
    with pytest.raises(TypeError):
        pickle.dumps(credentials)
    with pytest.raises(TypeError):
        json.dumps(credentials)
    with pytest.raises(TypeError):
        msgspec.json.encode(credentials)


@pytest.mark.parametrize(("key", "secret"), [("", "x"), ("x", ""), ("a b", "x"), ("x", "ключ"), ("x\n", "x")])
def test_credentials_that_cannot_be_right_are_refused_without_showing_them(key, secret):
    with pytest.raises(ValueError, match="copy it again") as caught:
        Credentials(key, secret)
    assert not secret or secret == "x" or secret not in str(caught.value)


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.text(max_size=12)), max_size=5))
def test_parameters_are_spelled_as_percent_encoding_spells_them(params):
    spelled = "&".join(f"{name}={quote(value, safe='')}" for name, value in params)
    assert encode(params) == spelled.encode()
