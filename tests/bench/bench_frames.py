"""Market frames over TLS on the loopback: received, decoded, in the quote table; the desk's own path and three peers.

The flood is a program of its own (`flood_venue.py`); what is measured is this process's CPU time per message. Clients
take turns, so that every one meets the machine in the same moods.
"""

import asyncio
import gc
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

import aiohttp
import msgspec
import picows
import uvloop
import websockets
from flood_venue import SYMBOL_NAMES

from engine.adapters.clock import SystemClock
from engine.adapters.entropy import RandomEntropy
from engine.market.feed import Feed
from exchange.binance.socket import WebSocketDialer

ROUNDS = 7
WARM, COUNTED = 20_000, 60_000
PACED_S = 3.0


class Row(msgspec.Struct):
    e: str
    E: int
    s: str
    b: float = 0.0
    a: float = 0.0


class Envelope(msgspec.Struct):
    data: Row


DECODE = msgspec.json.Decoder(Envelope, strict=False).decode


class Table:
    """What the peers fill: newest bid and ask by symbol."""

    def __init__(self):
        self.rows = {}
        self.count = 0

    def take_json(self, raw):
        data = json.loads(raw)["data"]
        if data["e"] == "bookTicker":
            self.rows[data["s"]] = (float(data["b"]), float(data["a"]), data["E"])
        self.count += 1

    def take_typed(self, raw):
        data = DECODE(raw).data
        if data.e == "bookTicker":
            self.rows[data.s] = (data.b, data.a, data.E)
        self.count += 1


class Desk:
    """The product: dialer, market streams with their decoder, the feed and its columns."""

    name = "this desk"

    def __init__(self, url, path):
        root = _Rooted(url, path)
        self.feed = Feed(None, root, SystemClock(), RandomEntropy(), _Silent(), len(SYMBOL_NAMES))
        self.feed._slots = {symbol: slot for slot, symbol in enumerate(SYMBOL_NAMES)}
        self.feed._books.know(self.feed._slots)

    @property
    def count(self):
        return self.feed.messages

    async def run(self):
        self.feed.streams.want(f"{symbol.lower()}@bookTicker" for symbol in SYMBOL_NAMES)
        await self.feed.streams.run()

    def check(self):
        quotes = self.feed.quotes
        if not (quotes.bid[: len(SYMBOL_NAMES)] < quotes.ask[: len(SYMBOL_NAMES)]).all():
            raise RuntimeError("the table is not filled")


class _Rooted:
    """The desk's dialer, on the path of this bench."""

    def __init__(self, url, path):
        self.dialer, self.path = WebSocketDialer(url), path

    async def connect(self, path, deadline):
        return await self.dialer.connect(self.path, deadline)


class _Silent:
    def say(self, *words, **more):
        return None


class Peer:
    def __init__(self, url, path):
        self.url, self.table = url + path, Table()

    @property
    def count(self):
        return self.table.count

    def check(self):
        if len(self.table.rows) < len(SYMBOL_NAMES):
            raise RuntimeError("the table is not filled")


class WebsocketsJson(Peer):
    name = "websockets + json"

    async def run(self):
        async with websockets.connect(self.url, compression=None) as socket:
            async for message in socket:
                self.table.take_json(message)


class AiohttpMsgspec(Peer):
    name = "aiohttp + msgspec"

    async def run(self):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(self.url, compress=0, ssl=ssl.create_default_context()) as socket,
        ):
            async for message in socket:
                self.table.take_typed(message.data)


class PicowsMsgspec(Peer):
    name = "picows + msgspec"

    async def run(self):
        table = self.table

        class Listener(picows.WSListener):
            def on_ws_frame(self, transport, frame):
                table.take_typed(frame.get_payload_as_memoryview())

        transport, _ = await picows.ws_connect(Listener, self.url, ssl_context=ssl.create_default_context())
        try:
            await transport.wait_disconnected()
        finally:
            transport.disconnect(graceful=False)


CLIENTS = (Desk, WebsocketsJson, AiohttpMsgspec, PicowsMsgspec)


async def flooded(kind, url):
    """Return microseconds of CPU per message while the venue sends as fast as it can."""
    client = kind(url, "/flood")
    running = asyncio.create_task(client.run())
    try:
        await reached(client, running, WARM)
        counted, used = client.count, time.process_time()
        await reached(client, running, counted + COUNTED)
        cost = (time.process_time() - used) / (client.count - counted) * 1e6
        client.check()
        return cost
    finally:
        await ended(running)


async def paced(kind, url):
    """Return the share of a core in percent at ten thousand messages a second."""
    client = kind(url, "/paced")
    running = asyncio.create_task(client.run())
    try:
        await reached(client, running, 5_000)
        counted, used, began = client.count, time.process_time(), time.perf_counter()
        await asyncio.sleep(PACED_S)
        took = time.perf_counter() - began
        share = (time.process_time() - used) / took * 100
        rate = (client.count - counted) / took
        if not 9_500 < rate < 10_500:
            print(f"{kind.name}: the venue sent {rate:.0f} messages a second", file=sys.stderr)
        return share / rate * 10_000
    finally:
        await ended(running)


async def reached(client, running, count):
    while client.count < count:
        await asyncio.sleep(0.005)
        if running.done():
            running.result()
            raise RuntimeError("the client ended by itself")


async def ended(running):
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def row(name, unit, values, **more):
    return {"name": name, "unit": unit, "min": min(values), "median": median(values), "max": max(values), **more}


def compared(what, unit, measured, target):
    """Return the desk's row with its ratios to the peers, then the peers' own."""
    own = median(measured[Desk])
    ratios = ", ".join(f"{median(measured[peer]) / own:.1f}x {peer.name}" for peer in CLIENTS[1:])
    yield row(what, unit, measured[Desk], target=target, ratio=ratios)
    for peer in CLIENTS[1:]:
        yield row(f"  the same: {peer.name}", unit, measured[peer], target="peer")


def rows():
    """Measure both, clients interleaved."""
    gc.freeze()
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("flood_venue.py")), folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as venue,
    ):  # fmt: skip
        url = f"wss://127.0.0.1:{int(venue.stdout.readline())}"
        os.environ["SSL_CERT_FILE"] = f"{folder}/cert.pem"
        try:
            flood = {kind: [] for kind in CLIENTS}
            for _ in range(ROUNDS):
                for kind in CLIENTS:
                    flood[kind].append(uvloop.run(flooded(kind, url)))
            pace = {kind: [] for kind in CLIENTS}
            for _ in range(ROUNDS // 2):
                for kind in CLIENTS:
                    pace[kind].append(uvloop.run(paced(kind, url)))
        finally:
            del os.environ["SSL_CERT_FILE"]
            venue.terminate()
    return [
        *compared("a market frame over TLS, flood: received, decoded, in the table", "µs CPU", flood, "<= 3"),
        *compared("10,000 frames/s over TLS, each written by itself", "% of a core", pace, "<= 5"),
    ]


if __name__ == "__main__":
    for line in rows():
        print(line)
