"""The three kinds of API keys: HMAC secrets, and Ed25519 and RSA private keys in PEM form.

`cryptography` is imported only where a PEM key is given. Texts of errors say what the operator has to do and never
show a part of the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PEM_START = "-----BEGIN "
_RSA_BITS = 2048
_REMEDY = "make one with `openssl genpkey -algorithm ed25519 -out key.pem` and register its public half at the venue"


class Signer(Protocol):
    """Signs payloads with one key."""

    kind: str
    """`HMAC`, `Ed25519` or `RSA`."""

    def sign(self, payload: bytes) -> str:
        """Return the signature as the venue takes it: lower-case hex of HMAC, base64 of the others."""


class HmacSigner:
    """HMAC-SHA256 with the API secret."""

    kind = "HMAC"
    __slots__ = ("_mac",)

    def __init__(self, secret: str) -> None:
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def sign(self, payload: bytes) -> str:
        """Return the MAC in hex."""
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest()


class Ed25519Signer:
    """Pure Ed25519 over the payload; the one kind that may log on to the WebSocket interface."""

    kind = "Ed25519"
    __slots__ = ("_private",)

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def sign(self, payload: bytes) -> str:
        """Return the signature in base64."""
        return base64.b64encode(self._private.sign(payload)).decode()


class RsaSigner:
    """RSA with PKCS #1 v1.5 padding and SHA-256."""

    kind = "RSA"
    __slots__ = ("_private",)

    def __init__(self, private: RSAPrivateKey) -> None:
        self._private = private

    def sign(self, payload: bytes) -> str:
        """Return the signature in base64."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415 - only for PEM keys
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        return base64.b64encode(self._private.sign(payload, PKCS1v15(), SHA256())).decode()


def signer_of(secret: str) -> Signer:
    """Return the signer of a secret: a PEM text is a private key, anything else an HMAC secret.

    Raises ValueError with the remedy for a secret that cannot sign.
    """
    if secret.lstrip().startswith(PEM_START):
        return _pem_signer(secret.strip())
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        message = "the API secret is empty or holds blanks or characters outside ASCII; copy it again from the venue"
        raise ValueError(message)
    return HmacSigner(secret)


def _pem_signer(pem: str) -> Signer:
    label = pem.split("\n", 1)[0].removeprefix(PEM_START).rstrip("- \r")
    if "PUBLIC" in label or "CERTIFICATE" in label:
        raise ValueError(f"the private key file holds a {label.lower()}; give the private half")
    if "ENCRYPTED" in label or "ENCRYPTED" in pem[:200]:
        raise ValueError(
            "the private key is encrypted; write it without a passphrase into a file of mode 0600 "
            "(`openssl pkey -in key.pem -out plain.pem`)"
        )
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - only for PEM keys
            load_pem_private_key,
            load_ssh_private_key,
        )
    except ImportError as error:
        raise ValueError(
            "an Ed25519 or RSA key needs the package cryptography; install it, or use a key with an API secret"
        ) from error
    load = load_ssh_private_key if "OPENSSH" in label else load_pem_private_key
    try:
        private = load(pem.encode() + b"\n", None)
    except Exception:  # noqa: BLE001 - whatever the parser says may hold a part of the key
        raise ValueError(f"the private key cannot be read: it is no complete PEM text; {_REMEDY}") from None
    if isinstance(private, Ed25519PrivateKey):
        return Ed25519Signer(private)
    if isinstance(private, RSAPrivateKey):
        if private.key_size < _RSA_BITS:
            raise ValueError(f"the RSA key has {private.key_size} bits; the venue takes {_RSA_BITS} or more; {_REMEDY}")
        return RsaSigner(private)
    kind = type(private).__name__.removeprefix("_").removesuffix("PrivateKey")
    raise ValueError(f"the venue takes Ed25519 and RSA keys, not {kind}; {_REMEDY}")
