"""From a decision to the first byte of an order, and the journal that has to be durable before it.

The desk's own code up to the Rest port: checks, intent, journal (on a disk in memory, so that no disk is measured),
budget, signature, query. Answers the desk reads on the way are ready made and the account has 600 contracts. CPU time
of the process; no network and no simulator runs meanwhile.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import bench_cycle
import uvloop
from hand_world import at_exchange, ready, wanted
from measured import row

from engine.adapters.disk import DirectoryDisk
from engine.adapters.journal_writer import JournalWriter
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog
from engine.journal.record import EventRecord
from exchange.ports import NotSentError, RestAnswer

TOPIC = "hand"
ROUNDS = 60
CONTRACTS = 600
RECORDS = 5_000
STOP = "79000"


class Wire:
    """The Rest port: lets everything through until it is frozen, then answers readings itself and notes orders."""

    def __init__(self, rest):
        self._rest = rest
        self._answers = {}
        self.frozen = False
        self.sent_ns = 0

    async def send(self, method, path, query, headers, deadline):
        if self.frozen and method == "POST" and path.endswith("/order"):
            self.sent_ns = self.sent_ns or time.process_time_ns()
            raise NotSentError("measured")
        if self.frozen and path in self._answers:
            return self._answers[path]
        if self.frozen:
            raise NotSentError("frozen")
        answer = await self._rest.send(method, path, query, headers, deadline)
        if method == "GET" and answer.status == 200:
            self._answers[path] = grown(path, answer)
        return answer


def grown(path, answer):
    """Return the answer as an account with many contracts gives it."""
    if not path.endswith("/symbolConfig"):
        return answer
    rows = json.loads(answer.body)
    more = [{**rows[0], "symbol": f"C{number}USDT"} for number in range(CONTRACTS - len(rows))]
    return RestAnswer(answer.status, answer.headers, json.dumps([*rows, *more]).encode())


def hand_times():
    """Return CPU ms from an accepted signal to its order, and from a price beyond a stop to the closing order."""

    async def script(world):
        wire = Wire(world.rest)
        world.rest = wire
        hand = world.hand()
        running = await ready(world, hand)
        await hand.enter(wanted())
        await world.clock.sleep(5)
        entry = [await signal_to_wire(world, hand, wire) for _ in range(ROUNDS)]
        close = [await crossing_to_wire(world, hand, wire) for _ in range(ROUNDS)]
        running.cancel()
        await asyncio.wait([running])
        return entry, close

    return at_exchange(script)


async def signal_to_wire(world, hand, wire):
    """Decide on an entry of a symbol that is flat; everything else waits."""
    wire.frozen, wire.sent_ns = True, 0
    began = time.process_time_ns()
    task = asyncio.ensure_future(
        hand.enter(wanted("ETHUSDT", quantity="0.1", price="4000", stop="3900", target="4100"))
    )
    while not wire.sent_ns:
        assert not task.done(), task.result()
        await asyncio.sleep(0)
    spent = wire.sent_ns - began
    wire.frozen = False
    await task
    await world.clock.sleep(20)
    return spent / 1e6


async def crossing_to_wire(world, hand, wire):
    """Take the stop out of the desk's picture and show a mark beyond its level: it has to close at once."""
    book = hand.state.book
    (position,) = [one for one in book.positions.values() if one.key.symbol == "BTCUSDT"]
    kept, shown = dict(book.algos), world.seen.quote
    book.algos.clear()
    quote = shown("BTCUSDT")
    beyond = quote.mark * 97 / 100
    crossed = quote._replace(mark=beyond, bid=beyond, ask=beyond)
    world.seen.quote = lambda symbol: crossed if symbol == position.key.symbol else shown(symbol)
    hand.keeper.watches.pop(position.key, None)
    wire.frozen, wire.sent_ns = True, 0
    began = time.process_time_ns()
    hand.tick()
    for _ in range(1_000):
        if wire.sent_ns:
            break
        await asyncio.sleep(0)
    spent = wire.sent_ns - began
    world.seen.quote = shown
    book.algos.update(kept)
    await world.clock.sleep(1)
    hand.keeper.watches.pop(position.key, None)  # it need not be closed any more
    wire.frozen = False
    await world.clock.sleep(20)
    return spent / 1e6


def journal():
    """Return records a second made durable by the writer thread, and ms until one that is waited for is durable."""
    with tempfile.TemporaryDirectory() as folder:
        log = JournalLog(DirectoryDisk(Path(folder)))
        log.open()
        writer = JournalWriter(log)
        rates = []
        for _ in range(9):
            began = time.perf_counter()
            for number in range(RECORDS):
                writer.write(line(number))
            assert writer.flush(30.0)
            rates.append(RECORDS / (time.perf_counter() - began))
        waits = uvloop.run(commits(writer))
        assert not writer.shed
        writer.close(30.0)
        return rates, waits


async def commits(writer):
    waits = []
    for number in range(200):
        began = time.perf_counter()
        assert await writer.commit(line(number), 30.0)
        waits.append((time.perf_counter() - began) * 1e3)
    return waits


def line(number):
    return EventRecord(number, "", event=Event(number, number, EventKind.SYSTEM, Severity.INFO, f"record {number}"))


def rows():
    entry, close = hand_times()
    cycle = next(iter(bench_cycle.rows()))
    yield row("price beyond a stop to the closing order's bytes", "ms CPU", close, "<= 1", topic=TOPIC)
    yield row(
        "accepted signal to the order's bytes, mode, margin type and leverage read anew",
        "ms CPU",
        entry,
        "-",
        topic=TOPIC,
    )
    whole = {key: cycle[key] + row("", "", entry, "")[key] for key in ("min", "median", "max")}
    name = f"closed candle to the order's bytes: a cycle of {bench_cycle.SYMBOLS} symbols and the row above"
    yield {"name": name, "unit": "ms CPU", **whole, "target": "<= 30", "topic": TOPIC}
    rates, waits = journal()
    yield row(f"durable journal, {RECORDS:,} records at once", "records/s", rates, ">= 50,000", topic=TOPIC)
    yield row("a record that is waited for, until it is durable", "ms wall", waits, "-", topic=TOPIC)
