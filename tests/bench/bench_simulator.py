"""The simulated exchange: 240 symbols at speed 10 over loopback sockets, signed requests, candle answers, memory.

The exchange runs as a child process; its CPU time is read from /proc. Frames are counted by a bare reader, so that the
client costs little of the machine it shares.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median

import aiohttp

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign

CHILD = """
import sys
from exchange.simulator.main import RunOptions, run_exchange
sys.exit(run_exchange(RunOptions(symbols=240, speed=10.0, start="2026-01-05T00:00:00Z", die_with_parent=True)))
"""
ORDER_CHILD = """
import asyncio, json, sys, uvloop
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.order_counts import OrderCounts
from exchange.simulator.server import SocketFront, listen
from exchange.simulator.venue import ExchangeOptions

UNLIMITED = 10**9

async def serve():
    market = make_market("synthetic", symbols=240, seed=1, start_ms=1_767_571_200_000, step_ms=250)
    exchange = Exchange(market, options=ExchangeOptions(weight_limit=UNLIMITED, balance=10**7))
    exchange.venue.order_counts = OrderCounts(exchange.venue.weights, ten_seconds=UNLIMITED, minute=UNLIMITED)
    front = SocketFront(exchange)
    await front.start(listen(0))
    print(json.dumps({"rest": f"http://127.0.0.1:{front.port}"}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await front.stop()

asyncio.Runner(loop_factory=uvloop.new_event_loop).run(serve())
"""
"""The venue's own order limits (30 a second) lifted: they would be what is measured."""
INTERVALS = ("1m", "5m", "15m", "1h")
COPIES = 2
"""Each socket is opened twice: two desks, and above the 20,000 frames a second that the target speaks of."""
ROUNDS = 5
BOOKS = 10
ROUND_S = 2.0
WEIGHTLESS = "/sapi/v1/capital/config/getall"
SIGNED_REQUESTS = 2_000
CANDLE_REQUESTS = 600
ORDER_REQUESTS = 3_000
TAKER_REQUESTS = 1_500
ORDER_SYMBOLS = 20


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return None


async def open_stream(root, names, counts):
    """Open a combined socket and count its frames until cancelled."""
    port = int(root.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /stream?streams={'/'.join(names)} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 101 " not in head:
        raise RuntimeError(f"no stream: {head!r}")

    async def count():
        while data := await reader.read(1 << 20):
            counts.append(data.count(b'{"stream":'))

    return writer, asyncio.create_task(count())


async def stream_rows(root, pid, symbols):
    counts = []
    lower = [symbol.lower() for symbol in symbols if symbol.isascii()]
    klines = [f"{symbol}@kline_{interval}" for symbol in lower for interval in INTERVALS]
    others = [f"{symbol}@{kind}" for symbol in lower for kind in ("bookTicker", "aggTrade")]
    sockets = [
        await open_stream(root, names, counts)
        for _ in range(COPIES)
        for names in (klines, [*others, "!markPrice@arr@1s", "!ticker@arr"])
    ]
    await asyncio.sleep(1.0)
    frames, cores = [], []
    for _ in range(ROUNDS):
        counts.clear()
        used, began = cpu_seconds(pid), time.perf_counter()
        await asyncio.sleep(ROUND_S)
        took = time.perf_counter() - began
        frames.append(sum(counts) / took)
        cores.append((cpu_seconds(pid) - used) / took)
    for writer, counting in sockets:
        counting.cancel()
        writer.close()
    per_core = [count / core for count, core in zip(frames, cores, strict=True)]
    return [
        row("simulator: frames out, 240 symbols at speed 10", "frames/s", frames),
        row("simulator: CPU of that", "cores", cores, target="<= 1 at 20,000 frames/s"),
        row("simulator: frames per CPU second", "frames", per_core, target=">= 20,000"),
    ]


async def book_rows(root, pid, symbols):
    """Measure what differences of a few books cost; books nobody listens to cost nothing."""
    names = [f"{symbol.lower()}@depth@100ms" for symbol in symbols if symbol.isascii()][:BOOKS]
    writer, counting = await open_stream(root, names, [])
    await asyncio.sleep(1.0)
    cores = []
    for _ in range(ROUNDS):
        used, began = cpu_seconds(pid), time.perf_counter()
        await asyncio.sleep(ROUND_S)
        cores.append((cpu_seconds(pid) - used) / (time.perf_counter() - began))
    counting.cancel()
    writer.close()
    return [row(f"simulator: CPU of {BOOKS} books of differences at speed 10", "cores", cores)]


async def request_rows(client, pid):
    rates = []
    for _ in range(ROUNDS):
        now = (await (await client.get("/sim/clock")).json())["now"]
        query = f"timestamp={now}&recvWindow=60000"
        target = f"{WEIGHTLESS}?{query}&signature={sign(DEMO_SECRET, query.encode())}"
        used = cpu_seconds(pid)
        for _ in range(SIGNED_REQUESTS // ROUNDS):
            async with client.get(target, headers={"X-MBX-APIKEY": DEMO_KEY}) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())
        rates.append(SIGNED_REQUESTS / ROUNDS / (cpu_seconds(pid) - used))
    return [row("simulator: signed requests per CPU second", "requests", rates, target=">= 1,000")]


async def signed_call(client, method, text, now):
    text = f"{text}&recvWindow=60000&timestamp={now}"
    target = f"/fapi/v1/order?{text}&signature={sign(DEMO_SECRET, text.encode())}"
    async with client.request(method, target, headers={"X-MBX-APIKEY": DEMO_KEY}) as answer:
        if answer.status != 200:
            raise RuntimeError(await answer.text())


def resting(book, number):
    """Return an order that rests 3 % below the best bid, worth about 100 USDT."""
    symbol, price, quantity = book
    return (
        f"symbol={symbol}&side=BUY&type=LIMIT&timeInForce=GTC&quantity={quantity:f}&price={price:f}"
        f"&newClientOrderId=bench{number}"
    )


async def order_books(client):
    """Return (symbol, price on the tick, quantity on the step) of the symbols orders go to."""
    info = await (await client.get("/fapi/v1/exchangeInfo")).json()
    books = []
    for row in info["symbols"]:
        if row["status"] != "TRADING" or not row["symbol"].isascii():
            continue
        rules = {rule["filterType"]: rule for rule in row["filters"]}
        ticker = await (await client.get(f"/fapi/v1/ticker/bookTicker?symbol={row['symbol']}")).json()
        tick, step = Decimal(rules["PRICE_FILTER"]["tickSize"]), Decimal(rules["LOT_SIZE"]["stepSize"])
        price = Decimal(ticker["bidPrice"]) * Decimal("0.97") // tick * tick
        books.append((row["symbol"], price, 100 / price // step * step + step))
        if len(books) == ORDER_SYMBOLS:
            return books
    return books


async def order_rows(root, pid):
    async with aiohttp.ClientSession(root) as client:
        books = await order_books(client)
        rested, taken = [], []
        number = 0
        for turn in range(ROUNDS):
            now = (await (await client.get("/sim/clock")).json())["now"]
            used = cpu_seconds(pid)
            for _ in range(ORDER_REQUESTS // ROUNDS // 2):
                number += 1
                book = books[number % len(books)]
                await signed_call(client, "POST", resting(book, number), now)
                await signed_call(client, "DELETE", f"symbol={book[0]}&origClientOrderId=bench{number}", now)
            rested.append(ORDER_REQUESTS // ROUNDS / (cpu_seconds(pid) - used))
            used = cpu_seconds(pid)
            for place in range(TAKER_REQUESTS // ROUNDS):
                symbol, _, quantity = books[place % len(books)]
                side = "SELL" if turn % 2 else "BUY"
                text = f"symbol={symbol}&side={side}&type=MARKET&quantity={quantity:f}"
                await signed_call(client, "POST", text, now)
            taken.append(TAKER_REQUESTS // ROUNDS / (cpu_seconds(pid) - used))
    return [
        row("simulator: orders placed and cancelled per CPU second", "requests", rested, target=">= 1,000"),
        row("simulator: market orders filled per CPU second", "requests", taken, target=">= 1,000"),
    ]


async def candle_rows(client, pid, symbols):
    costs = []
    for symbol in symbols[: CANDLE_REQUESTS // len(INTERVALS) // 3]:
        used = cpu_seconds(pid)
        for interval in INTERVALS:
            url = f"/fapi/v1/klines?symbol={symbol}&interval={interval}&limit=499"
            async with client.get(url) as answer:
                await answer.read()
        costs.append((cpu_seconds(pid) - used) / len(INTERVALS) * 1000)
    # One tick of the CPU clock is 10 ms, so single costs are coarse and their mean is what counts.
    mean = sum(costs) / len(costs)
    return [row("simulator: GET klines, 499 bars", "ms CPU, mean", [mean], target="<= 3")]


def row(name, unit, values, target=None):
    shown = {"name": name, "unit": unit, "min": min(values), "median": median(values), "max": max(values)}
    return shown if target is None else shown | {"target": target}


async def measure(root, pid):
    async with aiohttp.ClientSession(root) as client:
        info = await (await client.get("/fapi/v1/exchangeInfo")).json()
        symbols = [symbol["symbol"] for symbol in info["symbols"]]
        candles = await candle_rows(client, pid, symbols)
        requests = await request_rows(client, pid)
        return candles + requests + await stream_rows(root, pid, symbols) + await book_rows(root, pid, symbols)


def rows():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        ready = json.loads(child.stdout.readline())
        try:
            measured = asyncio.run(measure(ready["rest"], child.pid))
            peak = peak_mib(child.pid)
        finally:
            child.terminate()
    return [*measured, *measure_orders(), row("simulator: peak memory", "MiB", [peak], target="<= 300")]


def measure_orders():
    with subprocess.Popen(
        [sys.executable, "-c", ORDER_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        ready = json.loads(child.stdout.readline())
        try:
            return asyncio.run(order_rows(ready["rest"], child.pid))
        finally:
            child.terminate()


if __name__ == "__main__":
    for line in rows():
        print(line)
