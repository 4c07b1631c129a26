"""What can go wrong between the desk and a venue, as one tree.

    ExchangeError
    ├── RefusedError             the venue certainly did not do it (code, msg, status)
    │   ├── RateLimitedError     429, -1003, -1015: too many requests or orders (retry_after_s)
    │   ├── BannedError          418: this address is shut out (until_ms)
    │   ├── OverloadedError      -1008, 503 of the certain kind: try again after a pause
    │   ├── ClockError           -1021: our timestamp does not fit the venue's clock
    │   ├── CredentialsError     401, -1022, -2014, -2015: the key or the signature is not accepted
    │   ├── RestrictedError      403, 451: a firewall, or a location the venue does not serve
    │   └── BusinessError        the request itself: a filter, a margin, an unknown symbol
    ├── UnsentError              no byte left this process
    │   └── HeldBackError        the desk's own budget or breaker kept it back
    ├── UnknownOutcomeError      bytes left, nothing certain came back: resolve by evidence, never send again
    ├── DecodeError              an answer or a frame that cannot be believed (field)
    └── VenueError               a venue name or address that is not accepted

Callers catch at the level they mean. `RefusedError` and `UnknownOutcomeError` carry a `reaction`
(`exchange.reactions`), the decision the venue's code asks for: an order that would trigger at once, a setting that
already is as asked, an id that is taken. The transport's own `NotSentError` and `LostError` (`exchange.ports`) end at
the client, which turns them into `UnsentError` and `UnknownOutcomeError`. Texts are written for an operator and carry
path and code, never a query string, a header or a key.
"""

from __future__ import annotations

from exchange.reactions import Reaction


class ExchangeError(Exception):
    """Anything that kept the desk from getting a believable answer out of a venue."""


class RefusedError(ExchangeError):
    """The venue certainly did not accept the request; the same intent may be sent again if it is still wanted."""

    reaction: Reaction = Reaction.SHOW

    def __init__(self, text: str, *, status: int, code: int | None = None, msg: str = "") -> None:
        """Keep the HTTP status, the venue's code and its message beside the operator's text."""
        super().__init__(text)
        self.status = status
        self.code = code
        self.msg = msg


class RateLimitedError(RefusedError):
    """Too many requests or orders; go on after `retry_after_s` desk seconds."""

    def __init__(self, text: str, *, status: int, code: int | None = None, msg: str = "", retry_after_s: float) -> None:
        """Keep the pause asked for."""
        super().__init__(text, status=status, code=code, msg=msg)
        self.retry_after_s = retry_after_s


class BannedError(RefusedError):
    """This network address is shut out until `until_ms` (venue clock, UTC milliseconds)."""

    def __init__(self, text: str, *, status: int, code: int | None = None, msg: str = "", until_ms: int) -> None:
        """Keep the end of the ban."""
        super().__init__(text, status=status, code=code, msg=msg)
        self.until_ms = until_ms


class OverloadedError(RefusedError):
    """The venue throttles everybody; the request was not executed."""


class ClockError(RefusedError):
    """The timestamp lies outside the venue's window."""


class CredentialsError(RefusedError):
    """Key, permission, address list or signature is not accepted. Sending again cannot help."""


class RestrictedError(RefusedError):
    """A web firewall or a restricted location stands in the way."""


class BusinessError(RefusedError):
    """The request breaks a rule of the venue; never a sign of a sick connection."""


class UnsentError(ExchangeError):
    """No byte of the request left this process."""


class HeldBackError(UnsentError):
    """The desk itself did not send: the weight budget, a pause or the circuit breaker."""


class UnknownOutcomeError(ExchangeError):
    """Whether the venue acted is not known."""

    reaction: Reaction = Reaction.RECONCILE

    def __init__(self, text: str, *, status: int | None = None, code: int | None = None) -> None:
        """Keep what did come back, if anything."""
        super().__init__(text)
        self.status = status
        self.code = code


def printable(text: str) -> str:
    """Return text that no terminal obeys: what cannot be printed stands as its escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class DecodeError(ExchangeError):
    """An answer or frame that cannot be believed. Names and values of the venue appear in it as printable text."""

    def __init__(self, where: str, field: str, reason: str) -> None:
        """Name the endpoint or stream, the field and what is wrong with it."""
        where, field, reason = printable(where), printable(field), printable(reason)
        super().__init__(f"{where}: {field or 'body'}: {reason}")
        self.sample = b""
        """The row of a longer answer that this is about, where it is one."""
        self.where = where
        self.field = field
        self.reason = reason


class VenueError(ExchangeError):
    """A venue name or address that is not accepted, with the remedy in its text."""
