import base64
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from small_market import START, SmallMarket

from exchange.simulator.core import Exchange
from exchange.simulator.keys import HmacSecret, KeyRegistry, read_credential

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RSA = rsa.generate_private_key(65_537, 2_048)
PAYLOAD = b"symbol=BTCUSDT&timestamp=1795000000000"


def pem(private):
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signature(private, payload):
    if private is RSA:
        return base64.b64encode(RSA.sign(payload, padding.PKCS1v15(), SHA256()))
    return base64.b64encode(private.sign(payload))


@pytest.mark.parametrize("private", [ED25519, RSA])
@pytest.mark.parametrize("encode", [lambda raw: raw, lambda raw: quote(raw, safe="").encode()])
def test_a_key_pairs_signature_is_base64_percent_encoded_or_not(private, encode):
    credential = read_credential(pem(private))
    given = encode(signature(private, PAYLOAD))
    assert credential.accepts(PAYLOAD, given)
    assert not credential.accepts(PAYLOAD + b"0", given)
    assert not credential.accepts(PAYLOAD, given[:-4])
    assert not credential.accepts(PAYLOAD, b"no base64")
    assert not credential.accepts(PAYLOAD, b"")


def test_only_ed25519_keys_open_sessions():
    assert read_credential(pem(ED25519)).opens_sessions
    assert not read_credential(pem(RSA)).opens_sessions
    assert not read_credential("secret").opens_sessions


@pytest.mark.parametrize(
    "text",
    [
        pem(ec.generate_private_key(ec.SECP256R1())),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN NONSENSE",
    ],
    ids=["another_kind_of_key", "no_key_inside", "no_end"],  # a key made anew would name the case anew in each worker
)
def test_a_text_that_holds_no_usable_public_key_is_refused(text):
    with pytest.raises(ValueError, match="Ed25519 or RSA"):
        read_credential(text)


def test_a_registry_knows_a_key_until_it_is_revoked():
    keys = KeyRegistry({"a": "secret"})
    assert isinstance(keys["a"], HmacSecret)
    keys.register("b", pem(ED25519))
    assert "b" in keys
    keys.revoke("b")
    keys.revoke("b")
    assert "b" not in keys


@pytest.mark.parametrize("private", [ED25519, RSA])
def test_a_signed_request_is_answered_to_a_key_pair(private):
    exchange = Exchange(SmallMarket(), {"k" * 64: pem(private)})
    text = f"timestamp={START}".encode()

    def status(given):
        query = text + b"&signature=" + quote(given, safe="").encode()
        return exchange.request("GET", "/fapi/v3/account", query, b"", {"x-mbx-apikey": "k" * 64}, START).status

    assert status(signature(private, text)) == 200
    assert status(signature(private, text + b"1")) == 400
