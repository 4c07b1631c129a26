"""API keys and what proves them: an HMAC secret, or the public half of an Ed25519 or RSA key.

Source: the venue's general information on signed endpoints; base64 signatures of key pairs are percent-encoded.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PEM_OPENING = "-----BEGIN"


class Credential(Protocol):
    """What the venue knows of one API key."""

    opens_sessions: bool
    """Whether session.logon takes it: Ed25519 keys only."""

    def accepts(self, payload: bytes, signature: bytes) -> bool:
        """Say whether the signature, as received, covers the payload."""


class HmacSecret:
    """A shared secret; signatures are hexadecimal in either case."""

    opens_sessions = False

    def __init__(self, secret: str) -> None:
        """Keep the keyed state, which each check copies: that is cheaper than keying anew."""
        self._keyed = hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def accepts(self, payload: bytes, signature: bytes) -> bool:
        """Compare with the HMAC-SHA256 of the payload in constant time."""
        keyed = self._keyed.copy()
        keyed.update(payload)
        return hmac.compare_digest(signature.lower(), keyed.hexdigest().encode())


class PublicKey:
    """The public half of a key pair; signatures are base64, percent-encoded where a URL carried them."""

    def __init__(self, verify: Callable[[bytes, bytes], bool], *, opens_sessions: bool) -> None:
        """Keep `verify(signature, payload)`."""
        self._verify = verify
        self.opens_sessions = opens_sessions

    def accepts(self, payload: bytes, signature: bytes) -> bool:
        """Decode and verify; what is no base64 is no signature."""
        try:
            raw = base64.b64decode(unquote_to_bytes(signature), validate=True)
        except (binascii.Error, ValueError):
            return False
        return self._verify(raw, payload)


def read_credential(text: str) -> Credential:
    """Return the credential a text stands for: a PEM public key, or else an HMAC secret.

    Raises ValueError where the PEM holds no Ed25519 or RSA public key.
    """
    if not text.lstrip().startswith(PEM_OPENING):
        return HmacSecret(text)
    return _public_key(text.strip().encode())


def _public_key(pem: bytes) -> PublicKey:
    # Imported here because a venue without key pairs need not pay for the import.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise ValueError("the PEM text holds no public key: give the public half of an Ed25519 or RSA pair") from fault

    if isinstance(key, Ed25519PublicKey):
        edwards = key

        def check(signature: bytes, payload: bytes) -> None:
            edwards.verify(signature, payload)
    elif isinstance(key, RSAPublicKey):
        rsa = key

        def check(signature: bytes, payload: bytes) -> None:
            rsa.verify(signature, payload, PKCS1v15(), SHA256())
    else:
        raise ValueError(  # noqa: TRY004 - the text is at fault, not its type
            f"a {type(key).__name__} cannot sign requests: use an Ed25519 or RSA key"
        )

    def verify(signature: bytes, payload: bytes) -> bool:
        try:
            check(signature, payload)
        except InvalidSignature:
            return False
        return True

    return PublicKey(verify, opens_sessions=isinstance(key, Ed25519PublicKey))


class KeyRegistry:
    """The API keys of the account."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Register each API key with its HMAC secret or PEM public key. Raises ValueError on an unusable PEM."""
        self._credentials = {key: read_credential(text) for key, text in secrets.items()}

    def __contains__(self, api_key: object) -> bool:
        return api_key in self._credentials

    def __getitem__(self, api_key: str) -> Credential:
        return self._credentials[api_key]

    def register(self, api_key: str, text: str) -> None:
        """Add or replace an API key. Raises ValueError on an unusable PEM."""
        self._credentials[api_key] = read_credential(text)

    def revoke(self, api_key: str) -> None:
        """Forget an API key: from now on it is -2015."""
        self._credentials.pop(api_key, None)
