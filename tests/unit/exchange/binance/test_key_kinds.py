import base64
import subprocess
import sys
from urllib.parse import unquote_to_bytes

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from exchange.binance.key_kinds import signer_of
from exchange.binance.signing import Credentials, signed_query

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RFC_8032_SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
RFC_8032_SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
PAYLOAD = b"symbol=BTCUSDT&timestamp=1"


def pem(private, form=serialization.PrivateFormat.PKCS8, lock=None):
    encryption = serialization.BestAvailableEncryption(lock) if lock else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def test_the_kind_of_a_key_is_detected():
    assert Credentials("key", "s" * 32).kind == "HMAC"
    assert Credentials("key", pem(ED25519)).kind == "Ed25519"
    assert Credentials("key", pem(RSA)).kind == "RSA"
    assert Credentials("key", pem(RSA, serialization.PrivateFormat.TraditionalOpenSSL)).kind == "RSA"
    assert Credentials("key", pem(ED25519, serialization.PrivateFormat.OpenSSH)).kind == "Ed25519"
    assert Credentials("key", "\n  " + pem(ED25519).replace("\n", "\r\n")).kind == "Ed25519"


def test_an_ed25519_signature_meets_the_known_answer_of_rfc_8032():
    private = ed25519.Ed25519PrivateKey.from_private_bytes(RFC_8032_SEED)
    assert base64.b64decode(signer_of(pem(private)).sign(b"\xaf\x82")) == RFC_8032_SIGNATURE


@pytest.mark.parametrize("private", [ED25519, RSA], ids=["ed25519", "rsa"])
def test_a_query_signed_with_a_private_key_is_verified_by_its_public_half(private):
    query = signed_query((("symbol", "币安人生USDT"),), Credentials("key", pem(private)), 1, 5000)
    payload, _, text = query.rpartition(b"&signature=")
    assert not set(text.decode()) & set("+/="), "base64 is percent-encoded"
    signature = base64.b64decode(unquote_to_bytes(text), validate=True)

    def verify(over):
        if private is RSA:
            private.public_key().verify(signature, over, padding.PKCS1v15(), hashes.SHA256())
        else:
            private.public_key().verify(signature, over)

    verify(payload)
    with pytest.raises(InvalidSignature):
        verify(payload + b" ")


def test_keys_that_cannot_sign_are_refused_with_the_remedy():
    public = ED25519.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for text, words in (
        (public.decode(), "give the private half"),
        (pem(ED25519, lock=b"passphrase"), "without a passphrase"),
        (pem(RSA, serialization.PrivateFormat.TraditionalOpenSSL, b"passphrase"), "without a passphrase"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not E.*openssl genpkey"),
        (pem(weak), "1024 bits"),
        (pem(ED25519)[:60], "no complete PEM text"),
        ("-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----", "no complete PEM text"),
        ("", "copy it again"),
        ("with blank", "copy it again"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            Credentials("key", text)
        assert "CANARY" not in str(caught.value)


def test_no_private_key_shows_in_a_text():
    credentials = Credentials("visible-key-part", pem(ED25519))
    body = pem(ED25519).splitlines()[1]
    for text in (repr(credentials), str(credentials), repr(credentials._signer)):
        assert body[:8] not in text


def test_an_hmac_key_never_imports_the_package_of_the_others():
    code = (
        "import sys; from exchange.binance.signing import Credentials; Credentials('k', 's' * 8).sign(b'x'); "
        "assert not any(name.startswith('cryptography') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
