"""An account traded through everything that goes wrong on its private stream: book = exchange, every fill once."""

import pytest
from account_at_simulator import play

from exchange.account_events import Resync
from exchange.binance.user_effects import UserRefused
from exchange.orders import Side

ALL = {"route": "private", "until": 1200.0}
STORM = (
    {"kind": "repeated_frame", "rate": 0.3, **ALL},
    {"kind": "swapped_frames", "rate": 0.1, **ALL},
    {"kind": "malformed_frame", "rate": 0.05, "variant": "cut", **ALL},
    {"kind": "malformed_frame", "rate": 0.05, "variant": "nan", **ALL},
    {"kind": "late_frame", "rate": 0.1, "seconds": 2.0, **ALL},
    {"kind": "lost_frame", "rate": 0.05, **ALL},
    {"kind": "stall", "route": "private", "after": 300.0, "until": 420.0},
    {"kind": "action", "at": [200.0, 640.0], "do": {"action": "disconnect"}},
    {"kind": "action", "at": [800.0], "do": {"action": "expire_listen_keys"}},
    {"kind": "refuse_connections", "after": 640.0, "until": 670.0},
    {"kind": "lost_answer", "on": ["P* /fapi/v1/listenKey"], "rate": 0.3, "until": 1200.0},
    {"kind": "error_answer", "on": ["PUT /fapi/v1/listenKey"], "status": 503, "rate": 0.2, "until": 1200.0},
)


@pytest.mark.parametrize("seed", range(6))
def test_through_a_storm_the_book_becomes_the_exchange_s_again_and_no_fill_counts_twice(seed):
    async def scenario(account):
        await account.read()
        for number in range(70):
            await account.market(Side.BUY if number % 3 else Side.SELL)
            await account.clock.sleep(20)
            # What the stream loses without a trace, the comparison every minute finds.
            if account.merge.wanted is not None or number % 3 == 0:
                await account.read()
        await account.clock.sleep(70)
        assert account.stream.is_alive
        if account.merge.wanted is not None:
            assert await account.read()
        for _ in range(5):  # after the storm the stream alone tells everything
            await account.market(Side.SELL)
        account.by_stream = account.held, sorted(account.booked)
        assert await account.read()

    account = play(scenario, *STORM, seed=seed)
    assert account.by_stream == (account.held, sorted(account.booked))
    assert len(account.booked) == len(set(account.booked))
    assert len({trade.order_id for trade in account.booked}) == 75
    reasons = {item.reason for item in account.got(Resync)}
    assert any("listen key expired" in reason or "does not know" in reason for reason in reasons)
    assert any(isinstance(event, UserRefused) for event in account.events)
    assert account.quarantine.total > 0


def test_a_half_open_stream_is_never_believed_for_more_than_a_minute():
    """Pings are answered and the key lives, but what happens is not told: the comparison by REST finds it."""

    async def scenario(account):
        await account.read()
        await account.market(Side.BUY)
        assert account.held == {}
        await account.read()
        assert account.held != {}

    account = play(scenario, {"kind": "stall", "route": "private"})
    assert len(account.got(Resync)) == 1


def test_a_private_route_that_refuses_for_half_an_hour_ends_in_one_resync():
    async def scenario(account):
        await account.read()
        await account.clock.sleep(1800)
        assert not account.stream.is_alive
        await account.clock.sleep(60)
        assert account.stream.is_alive
        assert account.merge.wanted is not None
        assert await account.read()
        await account.market(Side.BUY)
        assert account.held != {}

    refused = {"kind": "refuse_connections", "after": 10.0, "until": 1810.0}
    account = play(scenario, {"kind": "action", "at": [10.0], "do": {"action": "disconnect"}}, refused)
    assert len(account.got(Resync)) == 2
