import asyncio
import contextlib

import pytest
from venue_fakes import HeldDialer, HeldStream, ScriptedEntropy, book_frame
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.handover import Handover
from exchange.binance.session import SessionLimits
from exchange.binance.stream_events import (
    FrameRefused,
    SocketLost,
    SocketOpened,
    SocketRotated,
    StreamsLive,
    SubscriptionsLost,
)
from exchange.binance.streams import MarketStreams
from exchange.errors import VenueError
from exchange.ports import NotSentError, StreamClosedError

STREAMS = ["btcusdt@bookTicker", "ethusdt@bookTicker"]


class Watch:
    """Market streams over held sockets, with everything they told."""

    def __init__(self, *failures, per_socket=200, limits=None):
        self.dialer = HeldDialer(*failures)
        self.clock = VirtualClock(0)
        self.messages, self.events, self.gaps = [], [], []
        self.streams = MarketStreams(
            self.dialer, self.clock, ScriptedEntropy(), self.messages.extend, self.events.append, self.gaps.append,
            per_socket=per_socket, limits=limits,
        )  # fmt: skip

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def last(self):
        return self.dialer.streams[-1]


@contextlib.asynccontextmanager
async def running(watch):
    task = asyncio.create_task(watch.streams.run())
    try:
        yield
        watch.stats = watch.streams.stats()
        assert not task.done(), "the streams ended by themselves"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def play(watch, script):
    async def main():
        async with running(watch):
            await script()

    return run_virtual(main())


async def feed(watch, seconds, every=1.0):
    """Let time pass while every open socket delivers a frame now and then."""
    end = watch.clock.monotonic() + seconds
    while watch.clock.monotonic() < end:
        for stream in watch.dialer.streams:
            if not stream.closed and stream.subscribed:
                stream.push(book_frame())
        await asyncio.sleep(every)


def test_wanted_streams_flow_and_messages_arrive_in_order():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        for time in range(100):
            watch.last.push(book_frame(time=time))
        await asyncio.sleep(0.1)

    play(watch, script)
    assert [message.event_time for message in watch.messages] == list(range(100))
    assert [type(event) for event in watch.events] == [SocketOpened, StreamsLive]
    assert watch.gaps == [], "a first connection is no gap"
    assert watch.last.closed, "stopping closes the socket"


def test_streams_are_spread_over_sockets_by_route_and_size():
    watch = Watch(per_socket=3)

    async def script():
        watch.streams.want([f"s{n}@bookTicker" for n in range(7)] + [f"s{n}@kline_5m" for n in range(2)])
        await asyncio.sleep(2)
        assert sorted(len(stream.subscribed) for stream in watch.dialer.streams) == [1, 2, 3, 3]
        assert sorted(stream.path for stream in watch.dialer.streams) == ["/market/stream"] + ["/public/stream"] * 3
        stats = watch.streams.stats()
        assert sum(socket.confirmed for socket in stats) == 9
        assert {socket.phase for socket in stats} == {"open"}

    play(watch, script)


def test_the_wanted_set_may_change_while_running():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 3)
        watch.streams.want([*STREAMS[:1], "solusdt@bookTicker", "btcusdt@kline_5m"])
        await feed(watch, 3)
        public, market = watch.dialer.streams
        assert set(public.subscribed) == {"btcusdt@bookTicker", "solusdt@bookTicker"}
        assert set(market.subscribed) == {"btcusdt@kline_5m"}
        watch.streams.want([])
        await feed(watch, 3)
        assert public.closed
        assert market.closed
        watch.streams.want(STREAMS)
        await feed(watch, 3)
        assert set(watch.last.subscribed) == set(STREAMS)

    play(watch, script)


def test_a_name_that_is_no_stream_is_refused_at_once():
    with pytest.raises(VenueError):
        Watch().streams.want(["btcusdt"])


def test_a_reconnect_storm_is_ridden_out_with_growing_pauses():
    failures = [NotSentError("refused"), StreamClosedError(1006, "HTTP 503")] * 5
    watch = Watch(*failures)

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 200)

    play(watch, script)
    pauses = [later - earlier for earlier, later in zip(watch.dialer.attempts, watch.dialer.attempts[1:], strict=False)]
    assert len(watch.told(SocketLost)) == 10
    assert pauses[:6] == sorted(pauses[:6])
    assert pauses[-1] == pytest.approx(15.0, abs=0.1)
    assert set(watch.last.subscribed) == set(STREAMS)
    assert watch.messages


def test_a_venue_that_accepts_and_drops_at_once_is_not_stormed():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        end = watch.clock.monotonic() + 300
        while watch.clock.monotonic() < end:
            for stream in watch.dialer.streams:
                if not stream.closed:
                    stream.closed = True
                    stream.end(1008, "too many connections")
            await asyncio.sleep(0.05)

    play(watch, script)
    assert len(watch.dialer.attempts) < 30
    assert watch.told(SocketLost)[0].reason == "too many connections"


def test_after_a_reconnect_everything_is_subscribed_again_and_the_gap_reported_for_back_fill():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 60)
        watch.last.end(1001, "going away")
        await asyncio.sleep(3)
        assert set(watch.last.subscribed) == set(STREAMS)

    play(watch, script)
    assert len(watch.dialer.streams) == 2
    (gap,) = watch.gaps
    assert set(gap.streams) == set(STREAMS)
    assert 0 < gap.silent_s < 4
    assert watch.stats[0].reconnects == 1


def test_a_subscription_lost_on_the_way_is_found_by_the_audit_and_restored():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 2)
        del watch.last.subscribed["ethusdt@bookTicker"]
        await feed(watch, 130)
        assert set(watch.last.subscribed) == set(STREAMS)

    play(watch, script)
    (lost,) = watch.told(SubscriptionsLost)
    assert lost.streams == ("ethusdt@bookTicker",)
    assert [gap.streams for gap in watch.gaps] == [("ethusdt@bookTicker",)]
    assert watch.stats[0].lost_subscriptions == 1
    assert len(watch.dialer.streams) == 1, "the socket itself was sound"


def test_a_silent_socket_is_replaced_within_ten_seconds():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 30)
        silent_from = watch.clock.monotonic()
        await asyncio.sleep(30)
        assert watch.dialer.attempts[1] - silent_from <= 10.5
        assert watch.dialer.streams[0].closed

    play(watch, script)
    assert watch.told(SocketLost)[0].reason.startswith("no frame for")


async def numbered(watch, seconds, every, start=0):
    """Let time pass while every open socket that subscribed tells the same, a number each."""
    end, number = watch.clock.monotonic() + seconds, start
    while watch.clock.monotonic() < end:
        for stream in watch.dialer.streams:
            if not stream.closed and "btcusdt@bookTicker" in stream.subscribed:
                stream.push(book_frame(time=number))
        number += 1
        await asyncio.sleep(every)
    return number


def test_a_socket_is_rotated_before_its_day_is_over_and_nothing_is_lost_or_repeated():
    watch = Watch(limits=SessionLimits(rotate_s=600.0))

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        watch.end = await numbered(watch, 1300, 0.05)

    play(watch, script)
    assert len(watch.dialer.streams) == 3
    assert [stream.closed for stream in watch.dialer.streams[:2]] == [True, True]
    assert [message.event_time for message in watch.messages] == list(range(watch.end))
    assert len(watch.told(SocketRotated)) == 2
    assert len(watch.told(SocketOpened)) == 1
    assert watch.told(SocketLost) == watch.gaps == []
    assert watch.stats[0].frames >= watch.end
    assert watch.stats[0].reconnects == 0


def test_a_changed_wish_during_a_rotation_reaches_both_sockets():
    watch = Watch(limits=SessionLimits(rotate_s=600.0))

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        number = await numbered(watch, 606, 0.5)
        assert len(watch.dialer.streams) == 2
        watch.streams.want([STREAMS[0], "solusdt@bookTicker"])
        await numbered(watch, 20, 0.5, number)
        assert set(watch.last.subscribed) == {STREAMS[0], "solusdt@bookTicker"}
        assert watch.dialer.streams[0].closed

    play(watch, script)
    assert len(watch.told(SocketRotated)) == 1


def test_a_rotation_whose_new_socket_fails_at_first_is_tried_on_while_the_old_one_delivers():
    watch = Watch(limits=SessionLimits(rotate_s=600.0))

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        watch.dialer.failures.extend([NotSentError("refused"), StreamClosedError(1006, "HTTP 503")])
        number = await numbered(watch, 607, 0.05)
        assert len(watch.dialer.streams) == 2
        watch.last.end(1006, "reset")
        watch.end = await numbered(watch, 60, 0.05, number)

    play(watch, script)
    assert len(watch.told(SocketRotated)) == 1
    assert watch.told(SocketLost) == []
    assert [message.event_time for message in watch.messages] == list(range(watch.end))


def test_an_old_socket_that_ends_during_its_rotation_comes_back_with_its_gap_told():
    watch = Watch(limits=SessionLimits(rotate_s=600.0))

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        number = await numbered(watch, 606.5, 0.05)
        watch.dialer.streams[0].end(1001, "going away")
        await numbered(watch, 60, 0.05, number)
        assert watch.dialer.streams[1].closed, "the successor is given up"
        assert not watch.dialer.streams[2].closed

    play(watch, script)
    assert [lost.reason for lost in watch.told(SocketLost)] == ["going away"]
    assert len(watch.gaps) == 1


def test_a_rotation_that_would_have_to_keep_too_much_costs_a_gap_instead_of_memory(monkeypatch):
    monkeypatch.setattr("exchange.binance.streams.Handover", lambda: Handover(bound=20))
    watch = Watch(limits=SessionLimits(rotate_s=600.0))

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        await numbered(watch, 640, 0.05)

    play(watch, script)
    assert ["24 h" in lost.reason for lost in watch.told(SocketLost)] == [True]
    assert len(watch.gaps) == 1


def test_malformed_frames_are_counted_sampled_and_never_stop_the_flow():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        for number in range(50):
            watch.last.push(book_frame(time=number))
            watch.last.push(b'{"stream":"btcusdt@bookTicker","data":{"b":"NaN"' + b"x" * 10_000)
        watch.last.push(b"<html>busy</html>")
        await asyncio.sleep(0.1)

    play(watch, script)
    (socket,) = watch.stats
    assert len(watch.messages) == 50
    assert socket.refused_frames == 51
    assert socket.refused_sample == b"<html>busy</html>"
    assert socket.reconnects == 0
    assert len(watch.told(FrameRefused)) == 1, "told at most once a second"


def test_a_flood_of_nothing_but_malformed_frames_is_a_stall():
    watch = Watch()

    async def script():
        watch.streams.want(STREAMS)
        for _ in range(40):
            await asyncio.sleep(0.5)
            watch.dialer.streams[0].push(b"<html>")

    play(watch, script)
    assert len(watch.dialer.streams) >= 2
    assert len(watch.stats[0].refused_sample) <= 2048


def test_a_socket_whose_writes_hang_is_given_up():
    watch = Watch()

    class Hanging(HeldStream):
        async def send(self, text):
            await asyncio.sleep(1e6)

    watch.dialer.kinds.append(Hanging)

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 20)
        assert set(watch.last.subscribed) == set(STREAMS)

    play(watch, script)
    assert any("could not be written" in event.reason for event in watch.told(SocketLost))


def test_a_socket_that_dies_while_a_write_hangs_is_lost_once():
    watch = Watch()

    class Hanging(HeldStream):
        async def send(self, text):
            await asyncio.sleep(1e6)

    watch.dialer.kinds.append(Hanging)

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        watch.last.end(1006, "reset")
        await feed(watch, 20)
        assert set(watch.last.subscribed) == set(STREAMS)

    play(watch, script)
    assert [event.reason for event in watch.told(SocketLost)] == ["reset"]


def test_an_hour_of_steady_flow_costs_few_wake_ups():
    """The driver sleeps until something is due instead of polling."""
    watch = Watch()
    naps = []
    rest = watch.clock.sleep

    async def counted(seconds):
        naps.append(seconds)
        await rest(seconds)

    watch.clock.sleep = counted

    async def script():
        watch.streams.want(STREAMS)
        await feed(watch, 3600.0, every=5.0)

    play(watch, script)
    assert len(watch.dialer.streams) == 1
    assert len(naps) < 3600 / 3


def test_array_frames_are_delivered_row_by_row():
    watch = Watch()
    mark = {"e": "markPriceUpdate", "E": 5, "p": "1.5", "i": "1.4", "P": "1.4", "r": "0.1", "T": 9, "ap": "1"}

    async def script():
        watch.streams.want(["!markPrice@arr@1s"])
        await asyncio.sleep(1)
        watch.last.push({"stream": "!markPrice@arr@1s", "data": [mark | {"s": f"S{n}USDT"} for n in range(5)]})
        await asyncio.sleep(0.1)

    play(watch, script)
    assert [message.symbol for message in watch.messages] == [f"S{n}USDT" for n in range(5)]


def test_frames_that_the_lane_takes_are_not_decoded_but_prove_that_data_flows():
    watch = Watch()
    taken = []

    def lane(frames):
        taken.extend(frame for frame in frames if b"ETHUSDT" in frame)
        return [frame for frame in frames if b"ETHUSDT" not in frame]

    watch.streams.lane = lane

    async def script():
        watch.streams.want(STREAMS)
        await asyncio.sleep(1)
        for time in range(60):
            watch.last.push(book_frame("ETHUSDT", time=time))
            await asyncio.sleep(1)
        watch.last.push(book_frame("BTCUSDT"))
        await asyncio.sleep(1)

    play(watch, script)
    assert len(taken) == 60
    assert [message.symbol for message in watch.messages] == ["BTCUSDT"]
    assert watch.told(SocketLost) == [], "a minute of frames for the lane is no silence"
