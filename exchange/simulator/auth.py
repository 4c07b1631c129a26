"""Who asks: API keys, signatures over the bytes received, and the time window of a signed request.

Source of every rule and text: the venue's general information on signed endpoints and its error code list.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from exchange.simulator.answers import RefusalError, invalid, missing, refuse

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from exchange.simulator.keys import Credential
    from exchange.simulator.params import Params

KEY_HEADER = "x-mbx-apikey"
DEFAULT_WINDOW_MS = 5_000
MAX_WINDOW_MS = 60_000
AHEAD_MS = 1_000
KEY_FORM = re.compile(r"[A-Za-z0-9]{64}")

DEMO_KEY = "perpdeskDemoKeyThatOpensOnlyTheSimulatedExchange0000000000000000"
DEMO_SECRET = "perpdeskDemoSecretThatIsNoSecretAtAll000000000000000000000000000"  # noqa: S105 - published on purpose
"""Credentials the simulated exchange accepts unless told otherwise. They open nothing else and are not secret."""


def identify(headers: Mapping[str, str], keys: Container[str]) -> str:
    """Return the known API key of a request. Raises RefusalError 401 -2014 (absent or malformed) or -2015 (unknown)."""
    return known_key(headers.get(KEY_HEADER, ""), keys)


def known_key(key: str, keys: Container[str]) -> str:
    """Return the API key if the venue knows it. Raises RefusalError 401 -2014 (malformed) or -2015 (unknown)."""
    if key in keys:
        return key
    if KEY_FORM.fullmatch(key) is None:
        raise RefusalError(401, -2014, "API-key format invalid.")
    raise RefusalError(401, -2015, "Invalid API-key, IP, or permissions for action.")


def without_signature(raw: bytes) -> tuple[bytes, bytes | None]:
    """Take the signature pair out of raw parameters; every other byte stays as received."""
    pairs = raw.split(b"&")
    kept = [pair for pair in pairs if not pair.startswith(b"signature=")]
    if len(kept) == len(pairs):
        return raw, None
    signature = next(pair for pair in pairs if pair.startswith(b"signature="))
    return b"&".join(kept), signature.removeprefix(b"signature=")


def check_time(params: Params, now_ms: int) -> None:
    """Raise RefusalError -1021 unless timestamp < now + 1000 and now - timestamp <= recvWindow."""
    window = params.integer("recvWindow")
    if window is None:
        window = DEFAULT_WINDOW_MS
    if window > MAX_WINDOW_MS:
        raise invalid("recvWindow")
    stamp = params.integer("timestamp")
    if stamp is None:
        raise missing("timestamp")
    if stamp >= now_ms + AHEAD_MS:
        raise refuse(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - stamp > window:
        raise refuse(-1021, "Timestamp for this request is outside of the recvWindow.")


def sign(secret: str, payload: bytes) -> str:
    """Return the HMAC-SHA256 of the payload in lower-case hex."""
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def check_signature(query: bytes, body: bytes, credential: Credential) -> None:
    """Raise RefusalError -1022 unless the signature covers exactly the received query followed by the body.

    Only the signature pair itself is left out; nothing is decoded and encoded again.
    """
    bare_query, in_query = without_signature(query)
    bare_body, in_body = without_signature(body)
    given = in_query if in_query is not None else in_body
    if given is None or not credential.accepts(bare_query + bare_body, given):
        raise bad_signature()


def bad_signature() -> RefusalError:
    """Return the refusal of a signature that does not fit."""
    return refuse(-1022, "Signature for this request is not valid.")
