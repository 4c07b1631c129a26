"""How the simulated venue answers: JSON bodies, error bodies with the venue's codes and texts, and its 404 page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.ports import RestAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON_TYPE = "application/json"


class RefusalError(Exception):
    """A request the venue turns down: HTTP status, venue code and text, and headers that go with it."""

    def __init__(self, status: int, code: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        """Keep what the answer will say."""
        super().__init__(f"HTTP {status}, code {code}: {text}")
        self.status = status
        self.code = code
        self.text = text
        self.headers = dict(headers or {})


def refuse(code: int, text: str) -> RefusalError:
    """Return the usual refusal: HTTP 400 with a code."""
    return RefusalError(400, code, text)


def missing(name: str) -> RefusalError:
    """Return the refusal of an absent or empty mandatory parameter."""
    return refuse(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> RefusalError:
    """Return the refusal of a parameter whose characters do not fit its type."""
    return refuse(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid(name: str) -> RefusalError:
    """Return the refusal of a parameter whose value is out of range."""
    return refuse(-1130, f"Data sent for parameter '{name}' is not valid.")


def invalid_symbol() -> RefusalError:
    """Return the refusal of an unknown symbol."""
    return refuse(-1121, "Invalid symbol.")


def json_answer(body: bytes, headers: Mapping[str, str]) -> RestAnswer:
    """Return HTTP 200 with a JSON body."""
    return RestAnswer(200, {"content-type": JSON_TYPE, **headers}, body)


def refusal_answer(refusal: RefusalError, headers: Mapping[str, str]) -> RestAnswer:
    """Return the error body `{"code":…,"msg":…}` with the refusal's status."""
    body = msgspec.json.encode({"code": refusal.code, "msg": refusal.text})
    return RestAnswer(refusal.status, {"content-type": JSON_TYPE, **headers, **refusal.headers}, body)


def not_found() -> RestAnswer:
    """Return what the venue's gateway says about an unknown path or method: a page, not JSON."""
    body = b"<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>"
    return RestAnswer(404, {"content-type": "text/html"}, body)
