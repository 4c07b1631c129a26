"""What the doctor says of an exchange that answers, one that does not, and one that is something else."""

from __future__ import annotations

import pytest

from exchange.binance.http import HttpRest
from exchange.binance.routes import VENUES, Venue, venue_of
from exchange.ports import LostError, NotSentError, RestAnswer
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.server import SocketFront, listen
from exchange.simulator.venue import ExchangeOptions
from tui.venue_check import DEADLINE_S, check_venue

NOW_MS = 1_767_571_200_000
LIVE = VENUES["live"]
LOCAL = Venue("http://127.0.0.1:8770", "ws://127.0.0.1:8770", "127.0.0.1:8770")


class StillClock:
    def now_ms(self):
        return NOW_MS

    def monotonic(self):
        return 5.0

    async def sleep(self, seconds):
        raise AssertionError("a check does not wait")


class Answers:
    """A Rest port with one answer, or one failure, per path; it notes the deadlines it was given."""

    def __init__(self, **by_name):
        self.by_name, self.deadlines = by_name, []

    async def send(self, method, path, query, headers, deadline):
        self.deadlines.append(deadline)
        answer = self.by_name.get(path.rpartition("/")[2], RestAnswer(404, {}, b""))
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(body=b"{}", status=200, **headers):
    return RestAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def at(instant):
    return answer(b'{"serverTime":%d}' % instant, x_mbx_used_weight_1m="17")


async def checks(venue, rest):
    return await check_venue(venue, rest, StillClock())


async def test_a_venue_that_answers_is_named_with_its_weight_and_its_clock():
    rest = Answers(ping=answer(), time=at(NOW_MS + 40))
    reached, clock = await checks(LIVE, rest)
    assert (reached.state, clock.state) == ("ok", "ok")
    assert "https://fapi.binance.com answers in 0 ms, weight used 17 in this minute" in reached.text
    assert clock.text == "40 ms ahead of this machine"
    assert rest.deadlines == [DEADLINE_S] * 2


@pytest.mark.parametrize(("offset", "words"), [(2500, "2500 ms ahead of"), (-7000, "7000 ms behind")])
async def test_a_clock_far_away_is_a_warning_with_its_remedy(offset, words):
    _, clock = await checks(LIVE, Answers(ping=answer(), time=at(NOW_MS + offset)))
    assert clock.state == "warn"
    assert words in clock.text
    assert "NTP" in clock.remedy


@pytest.mark.parametrize("error", [NotSentError("the host name was not found"), LostError("no complete answer")])
async def test_a_live_host_that_cannot_be_reached_is_named_with_what_to_look_at(error):
    (line,) = await checks(LIVE, Answers(ping=error))
    assert line.state == "fail"
    assert line.text == f"https://fapi.binance.com: {error}"
    assert "fapi.binance.com:443" in line.remedy


async def test_a_local_exchange_that_is_not_there_comes_with_the_command_that_starts_it():
    (line,) = await checks(LOCAL, Answers(ping=NotSentError("no connection")))
    assert line.state == "fail"
    assert "`perpdesk exchange --port 8770`" in line.remedy


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "firewall"), (418, "banned"), (429, "too many"), (451, "does not serve this location"), (502, "try again")],
)
async def test_a_refusal_says_what_its_status_means(status, words):
    (line,) = await checks(LIVE, Answers(ping=answer(b"<html>", status)))
    assert line.state == "fail"
    assert f"status {status}" in line.text
    assert words in line.remedy


async def test_something_else_at_that_address_is_told_from_an_exchange():
    (line,) = await checks(LOCAL, Answers(ping=answer(), time=answer(b"<html>hello</html>")))
    assert line.state == "fail"
    assert "HTML" in line.text
    assert "exchange.venue" in line.remedy


async def test_a_real_simulator_over_http_is_recognised_and_its_fast_clock_is_no_fault():
    market = make_market("synthetic", symbols=3, seed=1, start_ms=NOW_MS, step_ms=1000)
    front = SocketFront(Exchange(market, options=ExchangeOptions(speed=20.0)))
    await front.start(listen(0))
    try:
        venue = venue_of(f"http://127.0.0.1:{front.port}")
        async with HttpRest(venue.rest_url) as rest:
            reached, clock = await checks(venue, rest)
    finally:
        await front.stop()
    assert (reached.state, clock.state) == ("ok", "ok")
    assert "weight used" in reached.text
    assert "a simulator at x20, synthetic market" in clock.text
