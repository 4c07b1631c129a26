"""Whether the configured exchange answers, how far its clock is from ours, and what request weight is used there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from engine.venue import SimulatorClock
from exchange.binance.endpoints import PING, TIME
from exchange.binance.json_strict import decode
from exchange.binance.routes import VENUES
from exchange.binance.wire import server_time
from exchange.errors import DecodeError
from exchange.ports import LostError, NotSentError, RestAnswer
from tui.check import Check

if TYPE_CHECKING:
    from exchange.binance.endpoints import Endpoint
    from exchange.binance.routes import Venue
    from exchange.ports import Clock, Rest

DEADLINE_S: Final = 3.0
"""Real seconds each of the three requests may take."""
CLOCK_WARN_MS: Final = 1000
"""The venue refuses signed requests stamped this far ahead of its clock."""
_USED_WEIGHT: Final = "x-mbx-used-weight-1m"
_CLOCK: Final = msgspec.json.Decoder(SimulatorClock)
_STATUS: Final = {
    403: "the venue's firewall turned the request away; wait some minutes, then try again",
    404: "something else answers there; point exchange.venue at an exchange that speaks the protocol",
    418: "this address is banned for asking too often; send nothing until the ban ends",
    429: "too many requests a minute from this address; stop other programs that use it",
    451: "the venue does not serve this location; use --exchange demo or the simulator",
}


class _FailedError(Exception):
    """A request did not lead to an answer; the text says why, `remedy` what to do."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


async def check_venue(venue: Venue, rest: Rest, clock: Clock) -> list[Check]:
    """Ping the venue and compare clocks: one line for the exchange, one for its clock where that could be read.

    `clock` is the machine's UTC clock. Takes at most three times DEADLINE_S and never raises for what a venue does.
    """
    try:
        began = clock.monotonic()
        answer = await _ask(venue, rest, PING)
        took_ms = (clock.monotonic() - began) * 1000
        told = await _simulated(venue, rest)
        before = clock.now_ms()
        timed = await _ask(venue, rest, TIME)
        after = clock.now_ms()
        theirs = server_time(timed.body, TIME.operation)
    except _FailedError as error:
        return [Check("exchange", "fail", f"{venue.rest_url}: {error}", error.remedy)]
    except DecodeError as error:
        return [Check("exchange", "fail", f"{venue.rest_url}: {error}", _STATUS[404])]
    used = timed.headers.get(_USED_WEIGHT) or answer.headers.get(_USED_WEIGHT)
    weight = f"weight used {used} in this minute" if used else "it does not tell the weight used"
    lines = [Check("exchange", "ok", f"{venue.rest_url} answers in {took_ms:.0f} ms, {weight}")]
    if told is not None:
        text = f"a simulator at x{told.speed:g}, {told.market.partition(':')[0]} market; its clock is its own"
        return [*lines, Check("venue clock", "ok", text)]
    return [*lines, _clock(theirs - (before + after) // 2)]


def _clock(ahead_ms: int) -> Check:
    text = f"{abs(ahead_ms)} ms {'ahead of' if ahead_ms >= 0 else 'behind'} this machine"
    if abs(ahead_ms) >= CLOCK_WARN_MS:
        return Check("venue clock", "warn", text, "let NTP set this machine's clock")
    return Check("venue clock", "ok", text)


async def _ask(venue: Venue, rest: Rest, call: Endpoint) -> RestAnswer:
    try:
        answer = await rest.send(call.method, call.path, b"", {}, DEADLINE_S)
    except (NotSentError, LostError) as error:
        raise _FailedError(str(error), _remedy(venue)) from error
    if answer.status != 200:
        remedy = _STATUS.get(answer.status, "the venue has trouble of its own; try again later")
        raise _FailedError(f"{call.operation} was answered with status {answer.status}", remedy)
    return answer


async def _simulated(venue: Venue, rest: Rest) -> SimulatorClock | None:
    """Return what a simulator says of its time, None for a real venue."""
    if venue.name in VENUES:
        return None
    try:
        answer = await rest.send("GET", "/sim/clock", b"", {}, DEADLINE_S)
        return decode(_CLOCK, answer.body, "GET /sim/clock") if answer.status == 200 else None
    except (NotSentError, LostError, DecodeError):
        return None


def _remedy(venue: Venue) -> str:
    if venue.name in VENUES:
        host = venue.rest_url.removeprefix("https://")
        return (
            f"check network, name service and firewall towards {host}:443; "
            "`perpdesk --exchange simulator` needs no network"
        )
    port = venue.rest_url.rpartition(":")[2]
    start = f"`perpdesk exchange --port {port}`" if port.isdigit() else "`perpdesk exchange`"
    return f"start the exchange there ({start}) or leave exchange.venue at simulator"
