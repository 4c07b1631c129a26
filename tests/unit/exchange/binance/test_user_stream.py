import asyncio
import contextlib
import json
from collections import deque

import pytest
from venue_fakes import HeldDialer, HeldStream, ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.account_events import OrderUpdate, Resync, TradeHint
from exchange.bad_input import Quarantine
from exchange.binance.user_effects import UserLimits, UserLost, UserOpened, UserRefused, UserRotated
from exchange.binance.user_stream import UserStream
from exchange.errors import BusinessError, CredentialsError, RateLimitedError, UnsentError
from exchange.ports import NotSentError, StreamClosedError

GONE = BusinessError("no such key", status=400, code=-1125)


class Keys:
    """The listen key calls of a client: each answers from its script, then with success."""

    def __init__(self):
        self.created, self.renewed = [], []
        self.create_script, self.renew_script = deque(), deque()
        self.key = "k1"

    async def listen_key_create(self, *, priority):
        self.created.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        if self.create_script:
            raise self.create_script.popleft()
        return self.key

    async def listen_key_keepalive(self, *, priority):
        self.renewed.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        if self.renew_script:
            raise self.renew_script.popleft()


class DeafStream(HeldStream):
    """Never answers a ping."""

    async def ping(self, deadline):
        await asyncio.sleep(deadline)
        raise StreamClosedError(1006, "no pong")


class Watch:
    def __init__(self, *failures, capacity=1024, limits=None):
        self.dialer = HeldDialer(*failures)
        self.clock = VirtualClock(0)
        self.keys = Keys()
        self.events, self.items = [], []
        self.quarantine = Quarantine()
        self.stream = UserStream(
            self.keys, self.dialer, self.clock, ScriptedEntropy(), self.events.append, self.quarantine,
            capacity=capacity, limits=limits,
        )  # fmt: skip

    @property
    def last(self):
        return self.dialer.streams[-1]

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def got(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    async def consume(self):
        while True:
            self.items.append(await self.stream.receive())


def play(watch, script, *, consume=True):
    async def main():
        tasks = [asyncio.create_task(watch.stream.run())]
        if consume:
            tasks.append(asyncio.create_task(watch.consume()))
        try:
            await script()
            assert not tasks[0].done(), "the stream ended by itself"
            watch.stats = watch.stream.stats()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    return run_virtual(main())


def hint(number, symbol="BTCUSDT"):
    return json.dumps(
        {
            "e": "TRADE_LITE", "E": number, "T": number, "s": symbol, "q": "1", "p": "1", "m": False, "c": "a",
            "S": "BUY", "L": "1", "l": "1", "t": number, "i": 1,
        }
    ).encode()  # fmt: skip


async def chatter(watch, seconds, every=10.0, start=1):
    """Let time pass while every open socket of the account tells the same."""
    end, number = watch.clock.monotonic() + seconds, start
    while watch.clock.monotonic() < end:
        for stream in watch.dialer.streams:
            if not stream.closed:
                stream.push(hint(number))
        number += 1
        await asyncio.sleep(every)
    return number


def numbers(watch):
    return [item.trade_id for item in watch.got(TradeHint)]


def test_the_stream_begins_with_a_resync_and_then_tells_events_in_order():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        for number in range(1, 101):
            watch.last.push(hint(number))
        await asyncio.sleep(1)

    play(watch, script)
    assert watch.items[0] == Resync("the desk starts", None)
    assert numbers(watch) == list(range(1, 101))
    assert watch.last.path == "/private/ws?listenKey=k1"
    assert watch.last.closed, "stopping closes the socket"


def test_a_lost_connection_is_made_again_with_the_gap_told():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        watch.last.push(hint(1))
        await asyncio.sleep(10)
        watch.last.end(1001, "going away")
        await asyncio.sleep(5)
        watch.last.push(hint(2))
        await asyncio.sleep(1)

    play(watch, script)
    assert [type(item) for item in watch.items] == [Resync, TradeHint, Resync, TradeHint]
    again = watch.items[2]
    assert again.reason == "going away"
    assert 10 < again.gap_s < 12
    assert len(watch.keys.created) == 2
    assert [lost.reason for lost in watch.told(UserLost)] == ["going away"]


def test_the_key_is_renewed_every_half_hour_and_the_socket_rotated_within_the_day():
    watch = Watch()
    day = 24 * 3600

    async def script():
        watch.pushed = await chatter(watch, day + 1800, every=20.0)

    play(watch, script)
    assert len(watch.keys.renewed) == 48
    assert len(watch.dialer.streams) == 2
    assert watch.told(UserRotated) == [UserRotated()]
    assert numbers(watch) == list(range(2, watch.pushed)), "nothing lost and nothing repeated over the rotation"
    assert len(watch.got(Resync)) == 1
    assert len(watch.keys.created) == 1


def test_rotation_in_a_storm_loses_and_repeats_nothing():
    watch = Watch(limits=UserLimits(rotate_s=50.0))

    async def script():
        await asyncio.sleep(1)
        watch.pushed = await chatter(watch, 120, every=0.01)

    play(watch, script)
    assert len(watch.told(UserRotated)) == 2
    assert numbers(watch) == list(range(1, watch.pushed))


def test_a_silent_stream_is_proved_alive_within_a_minute_by_ping_and_renewal():
    watch = Watch()

    async def script():
        for _ in range(50):
            await asyncio.sleep(10)
            assert watch.stream.is_alive

    play(watch, script)
    assert len(watch.keys.renewed) == 11
    assert len(watch.dialer.streams) == 1


def test_a_half_open_socket_is_found_and_replaced():
    watch = Watch()
    watch.dialer.kinds.append(DeafStream)

    async def script():
        await asyncio.sleep(60)
        assert len(watch.dialer.streams) == 2
        assert watch.dialer.streams[0].closed

    play(watch, script)
    assert [item.reason for item in watch.got(Resync)] == ["the desk starts", "no pong"]


def test_an_expired_key_is_replaced_and_the_silent_socket_left():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        watch.keys.key = "k2"
        watch.last.push({"e": "listenKeyExpired", "E": 5, "listenKey": "k1"})
        await asyncio.sleep(2)
        assert watch.dialer.streams[0].closed
        assert watch.last.path.endswith("k2")

    play(watch, script)
    assert [item.reason for item in watch.got(Resync)] == ["the desk starts", "the listen key expired"]


def test_a_key_forgotten_by_the_venue_is_found_by_the_probe():
    watch = Watch()
    watch.keys.renew_script.append(GONE)

    async def script():
        await asyncio.sleep(50)
        assert len(watch.dialer.streams) == 2

    play(watch, script)
    assert len(watch.keys.created) == 2
    assert watch.got(Resync)[1].reason == "the venue does not know the listen key any more"


def test_a_renewal_that_fails_costs_no_connection():
    watch = Watch()
    watch.keys.renew_script.extend([UnsentError("no network")] * 3)

    async def script():
        await asyncio.sleep(46)
        assert not watch.stream.is_alive or watch.stream.stats().silent_s < 60
        await asyncio.sleep(15)
        assert watch.stream.is_alive or watch.stream.stats().silent_s > 60
        await asyncio.sleep(60)
        assert watch.stream.is_alive

    play(watch, script)
    assert len(watch.dialer.streams) == 1
    assert len(watch.got(Resync)) == 1


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (UnsentError("no network"), 0.4),
        (CredentialsError("refused", status=401), 60.0),
        (RateLimitedError("too many", status=429, retry_after_s=33.0), 33.0),
    ],
)
def test_a_key_that_cannot_be_had_is_asked_for_again_in_due_time(error, pause):
    watch = Watch()
    watch.keys.create_script.append(error)

    async def script():
        await asyncio.sleep(100)
        assert watch.stream.stats().phase == "open"

    play(watch, script)
    assert watch.keys.created[1] - watch.keys.created[0] == pytest.approx(pause, abs=0.2)


def test_a_storm_of_refused_connections_is_ridden_out_with_pauses():
    watch = Watch(*[NotSentError("refused"), StreamClosedError(1006, "HTTP 503")] * 6)

    async def script():
        await asyncio.sleep(400)
        assert watch.stream.is_alive

    play(watch, script)
    pauses = [later - earlier for earlier, later in zip(watch.dialer.attempts, watch.dialer.attempts[1:], strict=False)]
    assert pauses[:6] == sorted(pauses[:6])
    assert max(pauses) < 16
    assert len(watch.dialer.attempts) == 13


def test_an_event_that_cannot_be_read_leads_to_a_reading_and_the_stream_goes_on():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        watch.last.push(hint(1))
        watch.last.push(b'{"e":"ORDER_TRADE_UPDATE","E":1,"T":1,"o":{"s":"BTC\\u001b[2J"}}')
        watch.last.push(b"<html>busy</html>")
        watch.last.push(b'{"e":"GRID_UPDATE","gu":{}}')
        watch.last.push(hint(2))
        await asyncio.sleep(10)

    play(watch, script)
    assert [type(item) for item in watch.items] == [Resync, TradeHint, Resync, TradeHint, Resync]
    stats = watch.stats
    assert (stats.refused_frames, stats.ignored) == (2, {"GRID_UPDATE": 1})
    assert len(watch.told(UserRefused)) == 2
    assert {row.source for row in watch.quarantine.rows()} == {"ORDER_TRADE_UPDATE", "user stream"}
    assert "\x1b" not in watch.quarantine.rows()[0].sample


def test_a_slow_consumer_makes_the_readers_wait_and_loses_nothing():
    watch = Watch(capacity=16)

    async def script():
        await asyncio.sleep(1)
        for number in range(1, 201):
            watch.last.push(hint(number))
        await asyncio.sleep(100)
        assert watch.stream.stats().waiting == 16, "nothing more is read"
        assert watch.last._frames.qsize() > 100
        assert not watch.last.closed, "a queue of our own is no sign of a dead stream"
        consumer = asyncio.create_task(watch.consume())
        await asyncio.sleep(10)
        consumer.cancel()

    play(watch, script, consume=False)
    assert numbers(watch) == list(range(1, 201))


def test_a_venue_that_cuts_off_a_slow_consumer_leads_to_a_reading_behind_the_events():
    watch = Watch(capacity=4)

    async def script():
        await asyncio.sleep(1)
        for number in range(1, 5):
            watch.last.push(hint(number))
        watch.last.end(1008, "too slow")
        await asyncio.sleep(5)
        consumer = asyncio.create_task(watch.consume())
        await asyncio.sleep(5)
        consumer.cancel()

    play(watch, script, consume=False)
    assert numbers(watch) == [1, 2, 3, 4]
    assert watch.items[-1].reason == "too slow"


def test_two_gaps_nobody_read_between_are_told_as_one():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        for _ in range(3):
            watch.last.end(1001, "again")
            await asyncio.sleep(5)
        consumer = asyncio.create_task(watch.consume())
        await asyncio.sleep(1)
        consumer.cancel()

    play(watch, script, consume=False)
    assert [type(item) for item in watch.items] == [Resync]
    assert watch.items[0].reason == "again"
    assert len(watch.told(UserOpened)) == 4


def test_orders_decode_on_the_way():
    watch = Watch()

    async def script():
        await asyncio.sleep(1)
        order = {
            "s": "BTCUSDT", "c": "a", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "1", "p": "1", "ap": "0", "x": "NEW",
            "X": "NEW", "i": 1, "l": "0", "z": "0", "L": "0", "T": 1, "t": 0, "m": False, "R": False, "ps": "BOTH",
            "rp": "0",
        }  # fmt: skip
        watch.last.push({"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": order})
        await asyncio.sleep(1)

    play(watch, script)
    assert len(watch.got(OrderUpdate)) == 1
