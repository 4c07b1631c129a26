import asyncio
import json

import pytest
from small_market import START, SmallMarket
from virtual_loop import VirtualClock, run_virtual

from exchange.ports import LostError, StreamClosedError
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions

PATH = "/market/stream?streams=btcusdt@kline_1m/btcusdt@aggTrade/!markPrice@arr@1s"


def at_the_venue(scenario, *, latency=0.0, shuffle_seed=None, **options):
    """Run `scenario(front, clock)` on a virtual loop beside the front's pump."""

    async def run():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket(), options=ExchangeOptions(**options)), clock, latency=latency)
        pump = asyncio.create_task(front.run())
        try:
            return await scenario(front, clock)
        finally:
            pump.cancel()

    return run_virtual(run(), shuffle_seed=shuffle_seed)


async def transcript(front, clock):
    lines = []
    stream = await front.dialer.connect(PATH, 5.0)

    async def read():
        while True:
            lines.append((clock.now_ms(), await stream.receive()))

    reader = asyncio.create_task(read())
    for _ in range(5):
        await clock.sleep(13.37)
        answer = await front.rest.send("GET", "/fapi/v1/klines", b"symbol=BTCUSDT&interval=1m&limit=3", {}, 5.0)
        lines.append((clock.now_ms(), answer.body))
    reader.cancel()
    return lines


@pytest.mark.parametrize("latency", [0.0, 0.04])
def test_two_runs_give_one_transcript(latency):
    first = at_the_venue(transcript, latency=latency)
    assert len(first) > 300
    assert first == at_the_venue(transcript, latency=latency)


def test_the_order_in_which_tasks_wake_does_not_change_what_arrives():
    assert sorted(at_the_venue(transcript)) == sorted(at_the_venue(transcript, shuffle_seed=3))


def test_frames_arrive_at_the_instant_of_their_market_step():
    async def scenario(front, clock):
        stream = await front.dialer.connect("/ws/btcusdt@aggTrade", 5.0)
        frames = [(json.loads(await stream.receive())["E"], clock.now_ms()) for _ in range(8)]
        assert [event for event, _ in frames] == [START + 250 * n for n in range(1, 9)]
        assert all(event == seen for event, seen in frames)

    at_the_venue(scenario)


def test_latency_is_paid_both_ways():
    async def scenario(front, clock):
        answer = await front.rest.send("GET", "/fapi/v1/time", b"", {}, 5.0)
        assert json.loads(answer.body) == {"serverTime": START + 100}
        assert clock.now_ms() == START + 200

    at_the_venue(scenario, latency=0.1)


def test_a_wire_slower_than_the_deadline_loses_the_answer_after_the_venue_has_acted():
    async def scenario(front, clock):
        with pytest.raises(LostError):
            await front.rest.send("GET", "/fapi/v1/ping", b"", {}, 0.1)
        answer = await front.rest.send("GET", "/fapi/v1/ping", b"", {}, 5.0)
        assert answer.headers["x-mbx-used-weight-1m"] == "2"

    at_the_venue(scenario, latency=0.1)


def test_header_names_reach_the_venue_in_any_case():
    async def scenario(front, clock):
        answer = await front.rest.send("POST", "/fapi/v1/listenKey", b"", {"X-MBX-APIKEY": "a" * 64}, 5.0)
        assert json.loads(answer.body)["code"] == -2015

    at_the_venue(scenario)


def test_a_subscription_is_answered_and_served():
    async def scenario(front, clock):
        stream = await front.dialer.connect("/ws", 5.0)
        await stream.send(b'{"method":"SUBSCRIBE","params":["ethusdt@aggTrade"],"id":4}')
        assert json.loads(await stream.receive()) == {"result": None, "id": 4}
        assert json.loads(await stream.receive())["s"] == "ETHUSDT"
        await stream.ping(1.0)

    at_the_venue(scenario)


def test_a_refused_handshake_is_a_closed_stream():
    async def scenario(front, clock):
        with pytest.raises(StreamClosedError, match="404"):
            await front.dialer.connect("/nowhere", 5.0)

    at_the_venue(scenario)


def test_a_reader_that_lags_is_cut_with_1008():
    async def scenario(front, clock):
        stream = await front.dialer.connect("/ws/btcusdt@aggTrade", 5.0)
        await clock.sleep(60)
        with pytest.raises(StreamClosedError) as caught:
            await stream.receive()
        assert caught.value.code == 1008

    at_the_venue(scenario, outbox_limit=50)


def test_what_is_closed_stays_closed():
    async def scenario(front, clock):
        stream = await front.dialer.connect("/ws/btcusdt@aggTrade", 5.0)
        waiting = asyncio.create_task(stream.receive())
        await asyncio.sleep(0)
        await stream.close()
        with pytest.raises(StreamClosedError) as caught:
            await waiting
        assert caught.value.code == 1000
        for call in (stream.receive(), stream.send(b"{}"), stream.ping(1.0)):
            with pytest.raises(StreamClosedError):
                await call
        assert front.exchange.sessions == []

    at_the_venue(scenario)


def test_too_late_a_pong_ends_the_stream():
    async def scenario(front, clock):
        stream = await front.dialer.connect("/ws", 5.0)
        with pytest.raises(StreamClosedError, match="pong"):
            await stream.ping(0.1)

    at_the_venue(scenario, latency=0.1)
