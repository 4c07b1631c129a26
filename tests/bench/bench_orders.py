"""A signed order from intent to the last byte of its answer: the client's CPU time, against raw bytes and three peers.

The venue is a program of its own that acknowledges at once (`order_venue.py`). Every client keeps one connection and
sends the same limit order with another client id each time, one after the other, in turns with the other clients.
"""

import asyncio
import gc
import hashlib
import hmac
import subprocess
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import aiohttp
import uvloop
from binance.async_client import AsyncClient
from ccxt.async_support import binanceusdm

from engine.adapters.clock import SystemClock
from engine.adapters.entropy import RandomEntropy
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.http import HttpRest
from exchange.binance.order_client import OrderClient
from exchange.binance.position_mode import PositionMode
from exchange.binance.signing import Credentials
from exchange.binance.weights import OrderLedger, WeightLedger
from exchange.orders import OrderKind, OrderRequest, Side

KEY, SECRET = "k" * 64, "s" * 64
ROUNDS = 9
WARM, COUNTED = 50, 300
AMPLE = 10**9
"""Budgets that never keep an order back: they are counted all the same."""
FIELDS = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.012",
    "price": "60000.1",
}


class Desk:
    """The product: order client, budget, signature, HTTP adapter, verdict, typed acknowledgement."""

    name = "this desk"

    async def open(self, url):
        self.rest = HttpRest(url)
        self.client = BinanceClient(
            self.rest,
            SystemClock(),
            WeightLedger(AMPLE),
            OpenGate(),
            RandomEntropy(),
            Credentials(KEY, SECRET),
            orders=OrderLedger(AMPLE, AMPLE),
        )
        self.orders = OrderClient(self.client.calls, PositionMode(self._one_way))

    async def _one_way(self):
        return False

    async def place(self, client_id):
        request = OrderRequest(
            symbol="BTCUSDT", side=Side.BUY, kind=OrderKind.LIMIT, quantity=Decimal("0.012"),
            price=Decimal("60000.1"), client_id=client_id, reduces=False,
        )  # fmt: skip
        await self.orders.place(request)

    async def close(self):
        await self.rest.close()


class Raw(asyncio.Protocol):
    """The floor: a signature, one write, the answer's bytes; nothing is checked and nothing can go wrong."""

    name = "raw bytes"

    async def open(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, host, int(port))
        self.head = f" HTTP/1.1\r\nHost: {host}\r\nX-MBX-APIKEY: {KEY}\r\nContent-Length: 0\r\n\r\n"
        self.mac = hmac.new(SECRET.encode(), digestmod=hashlib.sha256)

    def data_received(self, data):
        self.answer.set_result(data)

    async def place(self, client_id):
        query = (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.012&price=60000.1"
            f"&newClientOrderId={client_id}&timestamp={time.time_ns() // 1_000_000}"
        )
        mac = self.mac.copy()
        mac.update(query.encode())
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(f"POST /fapi/v1/order?{query}&signature={mac.hexdigest()}{self.head}".encode())
        await self.answer

    async def close(self):
        self.transport.close()


class PlainAiohttp:
    """aiohttp as its manual shows it, and a signature."""

    name = "aiohttp"

    async def open(self, url):
        self.url, self.session = url, aiohttp.ClientSession(headers={"X-MBX-APIKEY": KEY})

    async def place(self, client_id):
        query = urlencode(FIELDS | {"newClientOrderId": client_id, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        async with self.session.post(f"{self.url}/fapi/v1/order?{query}&signature={signature}") as answer:
            await answer.json()

    async def close(self):
        await self.session.close()


class PythonBinance:
    name = "python-binance"

    async def open(self, url):
        self.client = AsyncClient(KEY, SECRET)
        self.client.FUTURES_URL = url + "/fapi"

    async def place(self, client_id):
        await self.client.futures_create_order(**FIELDS, newClientOrderId=client_id)

    async def close(self):
        await self.client.close_connection()


class Ccxt:
    """Its implicit method: the request is signed and sent, the answer parsed as JSON; no unified order is made."""

    name = "ccxt"

    async def open(self, url):
        self.client = binanceusdm({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
        self.client.urls["api"] = dict.fromkeys(self.client.urls["api"], url + "/fapi/v1")

    async def place(self, client_id):
        await self.client.fapiPrivatePostOrder(FIELDS | {"newClientOrderId": client_id})

    async def close(self):
        await self.client.close()


CLIENTS = (Desk, Raw, PlainAiohttp, PythonBinance, Ccxt)


async def measured(kind, url, mark):
    """Return microseconds of CPU per order."""
    client = kind()
    await client.open(url)
    try:
        for number in range(WARM):
            await client.place(f"w{mark}-{number}")
        used = time.process_time()
        for number in range(COUNTED):
            await client.place(f"c{mark}-{number}")
        return (time.process_time() - used) / COUNTED * 1e6
    finally:
        with suppress(Exception):
            await client.close()


def row(name, values, **more):
    return {"name": name, "unit": "µs CPU", "min": min(values), "median": median(values), "max": max(values), **more}


def rows():
    gc.freeze()
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("order_venue.py"))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as venue:  # fmt: skip
        url = f"http://127.0.0.1:{int(venue.stdout.readline())}"
        try:
            taken = {kind: [] for kind in CLIENTS}
            for mark in range(ROUNDS):
                for kind in CLIENTS:
                    taken[kind].append(uvloop.run(measured(kind, url, mark)))
        finally:
            venue.terminate()
    own = median(taken[Desk])
    ratios = ", ".join(f"{median(taken[peer]) / own:.2f}x {peer.name}" for peer in CLIENTS[1:])
    yield row("a signed order, intent to the last byte of its answer", taken[Desk], target="<= 250", ratio=ratios)
    for peer in CLIENTS[1:]:
        yield row(f"  the same: {peer.name}", taken[peer], target="peer" if peer is not Raw else "floor")


if __name__ == "__main__":
    for line in rows():
        print(line)
