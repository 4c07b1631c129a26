"""A few lines that behave as a desk does at its ports, to be recorded and repeated."""

import asyncio

from engine.adapters.entropy import RandomEntropy
from engine.adapters.memory_disk import MemoryDisk
from engine.backtest.desk import Decision, StillVitals
from engine.inputs.player import Player
from engine.inputs.recorder import Recorder
from engine.inputs.records import decode_turn
from engine.inputs.taps import tap
from engine.port import Handlers
from engine.ports import NoModels, Ports
from exchange.ports import LostError, RestAnswer, StreamClosedError


class FakeClock:
    """Real order of events, made-up time."""

    def __init__(self):
        self.time = 1_767_571_200_000

    def now_ms(self):
        self.time += 7
        return self.time

    def monotonic(self):
        return self.now_ms() / 1000

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / 1000)


class FakeVenue:
    """Answers `/lost` never, everything else with a counter; its stream has three messages."""

    def __init__(self):
        self.asked = 0

    async def send(self, method, path, query, headers, deadline):
        del method, query, headers, deadline
        await asyncio.sleep(0)
        self.asked += 1
        if path == "/lost":
            raise LostError("reset before an answer")
        return RestAnswer(200, {}, b"%d" % self.asked)

    async def connect(self, path, deadline):
        del path, deadline
        return FakeStream()


class FakeStream:
    def __init__(self):
        self._left = [b"1", b"2", b"3"]

    async def receive_many(self):
        if not self._left:
            raise StreamClosedError(1006, "over")
        return [self._left.pop(0)]

    async def receive(self):
        return (await self.receive_many())[0]

    async def send(self, text):
        del text
        await asyncio.get_running_loop().create_future()

    async def ping(self, deadline):
        del deadline

    async def close(self):
        await asyncio.sleep(0)


class FakeJournal:
    records = durable = 0
    lag_ms = 0.5
    failed = view_fault = None

    def write(self, record):
        del record

    async def commit(self, record, deadline):
        del record, deadline
        await asyncio.sleep(0)
        return True

    def flush(self, deadline):
        del deadline
        return True

    def close(self, deadline):
        del deadline
        return True


class Toy:
    """Asks, listens, waits, and decides what it heard; `work` is what a test wants it to do besides."""

    def __init__(self, gate, work):
        ports = Ports(FakeClock(), FakeVenue(), FakeVenue(), MemoryDisk(), RandomEntropy(1), NoModels())
        self.tapped = tap(ports, FakeJournal(), StillVitals(), gate)
        self.gate = gate
        self.clock, self.rest = self.tapped.ports.clock, self.tapped.ports.rest
        self.dialer, self.entropy = self.tapped.ports.dialer, self.tapped.ports.entropy
        self.stopped = asyncio.Event()
        self._work = work

    def decide(self, what):
        self.gate.decided(Decision(self.clock.now_ms(), str(what), str(what).encode()))

    async def run(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._work(self))
            await self.stopped.wait()
            task.cancel()

    def stop(self, reason):
        self.decide(reason)
        self.stopped.set()

    def on_command(self, ticket, command, by):
        self.decide(f"{ticket} {type(command).__name__} {by}")

    def on_question(self, ticket, question):
        self.decide(f"{ticket} {type(question).__name__}")


def record(work, *, during=None, limit=10**9):
    """Record a toy until its work is done; `during` may do something with its handlers. Return the turns."""
    data, given_up = [], []

    def take(one):
        if len(data) >= limit:
            return False
        data.append(one)
        return True

    recorder = Recorder(take, lambda: given_up.append(True))

    async def whole():
        toy = recorder.make(lambda: Toy(recorder, work))
        handlers = recorder.between(Handlers(toy.on_command, toy.on_question))
        running = asyncio.create_task(recorder.run(toy.run))
        await asyncio.sleep(0.02)
        if during is not None:
            during(handlers)
        await asyncio.sleep(0.03)
        recorder.stop("enough", toy.stop)
        await running
        recorder.finish(0)

    asyncio.run(whole())
    assert bool(given_up) == (len(data) >= limit)
    return [decode_turn(one) for one in data]


def play(turns, work):
    """Repeat a toy over turns; return the player."""
    player = Player(iter(turns))
    toys = []

    def make():
        toy = Toy(player, work)
        player.between(Handlers(toy.on_command, toy.on_question))
        toys.append(toy)
        return toy.run

    player.play(make, lambda reason: toys[0].stop(reason))
    return player


async def busy(toy):
    """Use every kind of port, in two tasks at once."""
    news = asyncio.Event()

    async def listen():
        stream = await toy.dialer.connect("/ws?streams=a", 5.0)
        try:
            while True:
                for message in await stream.receive_many():
                    toy.decide(message)
                    news.set()
        except StreamClosedError as error:
            toy.decide(f"closed {error.code}")
        await stream.close()

    async def ask():
        await news.wait()
        for path in ("/one", "/lost", "/two"):
            try:
                answer = await toy.rest.send("GET", path, b"signature=x", {"X-MBX-APIKEY": "k"}, 1.0)
                toy.decide(answer.body)
            except LostError as error:
                toy.decide(error)
            await toy.clock.sleep(1.0)
        toy.decide(toy.entropy.token(4))
        toy.decide(toy.entropy.uniform())
        toy.decide(await toy.tapped.journal.commit(None, 1.0))

    async with asyncio.TaskGroup() as group:
        group.create_task(listen())
        group.create_task(ask())
