"""What the doctor says of the rights of an API key."""

from __future__ import annotations

import pytest

from exchange.binance.http import HttpRest
from exchange.binance.routes import VENUES, venue_of
from exchange.binance.signing import Credentials
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.server import SocketFront, listen
from exchange.simulator.venue import ExchangeOptions
from tui.rights_check import check_rights

NOW_MS = 1_767_571_200_000


class StillClock:
    def now_ms(self):
        return NOW_MS

    def monotonic(self):
        return 5.0

    async def sleep(self, seconds):
        pass


async def told(transfers_allowed=False, **rights):
    """Ask a simulated exchange, whose keys have these rights, over HTTP."""
    market = make_market("synthetic", symbols=3, seed=1, start_ms=NOW_MS, step_ms=1000)
    exchange = Exchange(market, options=ExchangeOptions())
    exchange.control.act({"action": "key_rights", **rights})
    front = SocketFront(exchange)
    await front.start(listen(0))
    try:
        venue = venue_of(f"http://127.0.0.1:{front.port}")
        async with HttpRest(venue.rest_url, wallet_url=venue.wallet_url) as rest:
            credentials = Credentials(DEMO_KEY, DEMO_SECRET)
            return await check_rights(venue, rest, StillClock(), credentials, transfers_allowed=transfers_allowed)
    finally:
        await front.stop()


async def test_the_rights_of_a_key_made_with_care_are_shown():
    (line,) = await told()
    assert (line.state, line.text) == ("ok", "reads, trades futures, listed addresses only")


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"withdrawals": True}, "may withdraw"),
        ({"internal_transfer": True}, "key_may_transfer"),
        ({"futures": False}, "only looks"),
    ],
)
async def test_a_right_that_keeps_live_orders_off_fails(rights, words):
    (line,) = await told(**rights)
    assert line.state == "fail"
    assert words in line.text


async def test_what_only_needs_a_word_is_a_warning():
    (line,) = await told(ip_restricted=False)
    assert line.state == "warn"
    (line,) = await told(universal_transfer=True, transfers_allowed=True)
    assert line.state == "warn"


async def test_rights_that_cannot_be_read_fail_and_say_what_follows():
    (line,) = await told(served=False)
    assert line.state == "fail"
    assert "sends no entries" in line.remedy


async def test_the_demo_environment_has_no_rights_to_read():
    (line,) = await check_rights(VENUES["demo"], None, StillClock(), None, transfers_allowed=False)
    assert line.state == "ok"
