import asyncio

import pytest
from venue_fakes import ScriptedEntropy, ScriptedRest, answer
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.ports import LostError, StreamClosedError
from exchange.recorder.collect import Plan, RecordingError, choose_symbols, parse_wish
from exchange.recorder.records import SOCKET_LOST, SOCKET_OPENED, Answer, Frame, Note
from exchange.recorder.taps import Stopwatch, TappedDialer, TappedRest
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.memory import MemoryFront

EPOCH = 1_800_000_000_000


def send(step, method="GET", headers=None):
    """Send one request through a tap on a transport that answers with `step`; return the answer and the records."""
    kept = []

    async def run():
        rest = TappedRest(ScriptedRest(step), Stopwatch(VirtualClock(EPOCH)), kept.append)
        return await rest.send(method, "/fapi/v1/klines", b"symbol=BTCUSDT", headers or {}, 5.0)

    try:
        return run_virtual(run()), kept
    except LostError as error:
        return error, kept


def test_an_answer_is_recorded_as_it_came_and_passed_on():
    got, kept = send(answer(b"[1]"))
    assert got.body == b"[1]"
    assert kept == [Answer(EPOCH * 1000, EPOCH * 1000, "/fapi/v1/klines", "symbol=BTCUSDT", 200, b"[1]")]


@pytest.mark.parametrize("header", ["X-MBX-APIKEY", "x-mbx-apikey"])
def test_a_request_with_a_key_is_never_recorded(header):
    assert send(answer(b"[1]"), headers={header: "k"})[1] == []


def test_a_request_that_changes_something_is_never_recorded():
    assert send(answer(b"{}"), method="POST")[1] == []


def test_a_lost_answer_leaves_no_record_and_is_passed_on():
    got, kept = send(LostError("gone"))
    assert isinstance(got, LostError)
    assert kept == []


class Dialer:
    def __init__(self, stream):
        self.stream = stream

    async def connect(self, path, deadline):
        return self.stream


class Ending:
    """A socket that gives two messages and ends."""

    def __init__(self):
        self.batches = [[b"one", b"two"]]
        self.sent = []

    async def receive(self):
        (message,) = (await self.receive_many())[:1]
        return message

    async def receive_many(self):
        if not self.batches:
            raise StreamClosedError(1001, "bye")
        return self.batches.pop()

    async def send(self, text):
        self.sent.append(text)

    async def ping(self, deadline):
        self.sent.append(b"ping")

    async def close(self):
        self.sent.append(b"close")


@pytest.mark.parametrize("many", [False, True])
def test_frames_opening_and_end_of_a_socket_are_recorded(many):
    kept, stream = [], Ending()

    async def run():
        dialer = TappedDialer(Dialer(stream), Stopwatch(VirtualClock(EPOCH)), kept.append)
        tap = await dialer.connect("/market/stream", 1.0)
        await tap.send(b"hello")
        await tap.ping(1.0)
        got = await tap.receive_many() if many else [await tap.receive()]
        with pytest.raises(StreamClosedError):
            await (tap.receive_many() if many else tap.receive())
        await tap.close()
        return got

    got = run_virtual(run())
    assert stream.sent == [b"hello", b"ping", b"close"]
    at = EPOCH * 1000
    assert kept == [
        Note(at, SOCKET_OPENED, "1 /market/stream"),
        *(Frame(at, 1, data) for data in got),
        Note(at, SOCKET_LOST, "1 1001 bye"),
    ]


def test_receipt_never_steps_back_with_the_wall_clock():
    async def run():
        clock = VirtualClock(EPOCH)
        watch = Stopwatch(clock)
        first = watch.now_us()
        clock.now_ms = lambda: EPOCH - 60_000
        await asyncio.sleep(1.5)
        return watch.now_us() - first

    assert run_virtual(run()) == 1_500_000


def chosen(text):
    async def run():
        market = make_market("synthetic", symbols=8, seed=3, start_ms=EPOCH, step_ms=60_000)
        clock = VirtualClock(EPOCH)
        front = MemoryFront(Exchange(market), clock)
        client = BinanceClient(front.rest, clock, WeightLedger(1920), OpenGate(), ScriptedEntropy())
        return await choose_symbols(client, parse_wish(text))

    return run_virtual(run())


def test_symbols_are_chosen_by_name_or_by_turnover():
    assert chosen("ethusdt, BTCUSDT,ETHUSDT") == ("ETHUSDT", "BTCUSDT")
    assert len(chosen("top:3")) == 3
    assert chosen("top:3")[:2] == chosen("top:2")
    assert len(chosen("top:1000")) <= 8


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "is empty"), ("top:0", "N from 1"), ("top:many", "N from 1"), ("NOSUCHUSDT,BTCUSDT", "NOSUCHUSDT is not")],
)
def test_symbols_that_cannot_be_chosen_are_refused_by_name(text, told):
    with pytest.raises(RecordingError, match=told):
        chosen(text)


def test_a_plan_names_its_streams_as_the_venue_spells_them():
    plan = Plan(("BTCUSDT", "币安人生USDT"), channels=("bookTicker", "kline_1m"))
    assert plan.streams() == [
        "btcusdt@bookTicker", "btcusdt@kline_1m", "币安人生usdt@bookTicker", "币安人生usdt@kline_1m",
    ]  # fmt: skip
