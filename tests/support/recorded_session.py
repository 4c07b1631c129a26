"""Sessions for tests: recorded of an exchange in memory on the virtual clock, and served again by another one."""

import asyncio
import contextlib
import json

from virtual_loop import VirtualClock, run_virtual

from engine.adapters.entropy import RandomEntropy
from exchange.binance.weights import WeightLedger
from exchange.ports import NotSentError
from exchange.recorder.collect import Collector
from exchange.recorder.manifest import MANIFEST_NAME, Manifest, encode_manifest, segment_name
from exchange.recorder.records import SCHEMA
from exchange.recorder.segment import SegmentEncoder
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront

SESSION = "0123456789abcdef"


def manifest(plan):
    return Manifest(
        schema=SCHEMA,
        session=SESSION,
        venue="simulator",
        rest_url="memory",
        stream_url="memory",
        symbols=plan.symbols,
        streams=plan.channels,
        intervals=plan.intervals,
        started_us=1,
    )


def store(folder, plan, records):
    """Write records as one segment with its manifest."""
    folder.mkdir(exist_ok=True)
    encoder = SegmentEncoder(1, SESSION.encode())
    for record in records:
        encoder.add(record)
    (folder / segment_name(1)).write_bytes(encoder.header + encoder.flush())
    (folder / MANIFEST_NAME).write_bytes(encode_manifest(manifest(plan)))
    return folder


class CutDialer:
    """A dialer that a test can cut off: open sockets end, new ones do not come about."""

    def __init__(self, dialer, exchange):
        self._dialer = dialer
        self._exchange = exchange
        self.cut = False

    def cut_off(self):
        self.cut = True
        for session in self._exchange.sessions:
            self._exchange.close(session, 1006, "cut")

    async def connect(self, path, deadline):
        if self.cut:
            raise NotSentError("cut off")
        return await self._dialer.connect(path, deadline)


def recorded(market, plan, seconds, *, latency=0.0, gap=None):
    """Record an exchange on `market` for that many simulated seconds after it is ready; return the records.

    `gap` is when, after that, the streams are cut off, and for how long.
    """
    records = []

    async def run():
        clock = VirtualClock(market.now_ms)
        front = MemoryFront(Exchange(market), clock, latency=latency)
        serving = asyncio.create_task(front.run())
        dialer = CutDialer(front.dialer, front.exchange)
        collector = Collector(front.rest, dialer, clock, RandomEntropy(1), WeightLedger(2400), records.append)
        recording = asyncio.create_task(collector.run(plan))
        await collector.ready.wait()
        if gap:
            await asyncio.sleep(gap[0])
            dialer.cut_off()
            front.wake()
            await asyncio.sleep(gap[1])
            dialer.cut = False
            await asyncio.sleep(seconds - sum(gap))
        else:
            await asyncio.sleep(seconds)
        for task in (recording, serving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert not collector.faults

    run_virtual(run())
    return records


def frames_of(exchange, streams, until_ms):
    """Let an exchange run to an instant and return its frames by stream."""
    session = exchange.open("/stream?streams=" + "/".join(streams), exchange.now_ms)
    frames = {}
    while exchange.now_ms < until_ms:
        exchange.advance(min(exchange.now_ms + 1000, until_ms))
        while session.outbox:
            frame = json.loads(session.outbox.popleft())
            if "stream" in frame:
                frames.setdefault(frame["stream"], []).append(frame["data"])
    return frames
