"""A venue that floods: one TLS server that accepts WebSockets and sends recorded-looking market frames without end.

It is a program of its own, so that its CPU time is not the client's. Every frame is one TLS record, as a venue that
sends them as they happen makes it. `/flood` writes a hundred records at once and as fast as they are taken, `/paced`
writes ten thousand a second, each by itself. Prints its port when it listens.

    python flood_venue.py FOLDER    (the folder receives cert.pem)
"""

import asyncio
import base64
import hashlib
import json
import random
import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SYMBOLS = 200
FRAMES = 4_000
BOOK_SHARE = 0.9
PACE = 10_000
BURST = 100
START_MS = 1_767_600_000_000
SYMBOL_NAMES = [f"S{number:03d}USDT" for number in range(SYMBOLS)]


def market_frames(seed=1):
    """Return book tops and 5m bars of random symbols as the combined stream spells them."""
    draw = random.Random(seed)
    for number in range(FRAMES):
        symbol = draw.choice(SYMBOL_NAMES)
        price = draw.uniform(0.01, 90_000)
        bid, ask, now = f"{price:.4f}", f"{price * 1.0001 + 0.0001:.4f}", START_MS + number
        if draw.random() < BOOK_SHARE:
            stream, data = "bookTicker", {
                "e": "bookTicker", "u": 10**12 + number, "s": symbol, "ps": symbol, "b": bid,
                "B": f"{draw.uniform(0, 100):.3f}", "a": ask, "A": f"{draw.uniform(0, 100):.3f}", "T": now,
                "E": now + 1, "st": 1,
            }  # fmt: skip
        else:
            opened = now // 300_000 * 300_000
            stream, data = "kline_5m", {
                "e": "kline", "E": now, "s": symbol, "st": 1, "k": {
                    "t": opened, "T": opened + 299_999, "s": symbol, "i": "5m", "f": 100, "L": 200, "o": bid, "c": ask,
                    "h": ask, "l": bid, "v": "1000.5", "n": 100, "x": False, "q": "100000.5", "V": "500.25",
                    "Q": "50000.25", "B": "0",
                },
            }  # fmt: skip
        yield json.dumps({"stream": f"{symbol.lower()}@{stream}", "data": data}, separators=(",", ":")).encode()


def wire_frame(message):
    size = len(message)
    return bytes((0x81, size) if size < 126 else (0x81, 126, *size.to_bytes(2, "big"))) + message


def certificate(folder):
    """Write cert.pem and key.pem for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Peer(asyncio.Protocol):
    """One connection: TLS in memory, so that the sizes of records and writes are known."""

    def __init__(self, context, frames):
        self.frames = frames
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.shaken = False
        self.received = b""
        self.sending = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=1 << 18, low=1 << 16)

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def connection_lost(self, exc):
        if self.sending is not None:
            self.sending.cancel()

    def data_received(self, data):
        self.incoming.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while data := self.tls.read(1 << 16):
                self.take(data)
            self.transport.abort()  # the client said goodbye
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.transport.abort()
            return
        self.flush()

    def flush(self):
        if self.outgoing.pending:
            self.transport.write(self.outgoing.read())

    def take(self, data):
        if self.sending is None:
            self.received += data
            if b"\r\n\r\n" in self.received:
                self.accept()
        elif data and data[0] == 0x81:
            self.answer(data)

    def accept(self):
        head = self.received.decode().split("\r\n")
        key = next(line.split(":", 1)[1].strip() for line in head if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        self.tls.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept + b"\r\n\r\n"
        )  # fmt: skip
        send = self.pace if "/paced" in head[0] else self.flood
        self.sending = asyncio.get_running_loop().create_task(send())

    def answer(self, data):
        """Confirm a subscription; requests are short enough to come in one piece, or are left unanswered."""
        size, at = data[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        mask, body = data[at : at + 4], data[at + 4 : at + 4 + size]
        text = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        self.tls.write(wire_frame(json.dumps({"result": None, "id": json.loads(text)["id"]}).encode()))

    async def flood(self):
        at = 0
        while True:
            for _ in range(BURST):
                self.tls.write(self.frames[at])
                at = (at + 1) % FRAMES
            await self.writable.wait()
            self.flush()
            await asyncio.sleep(0)

    async def pace(self):
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            due = int((loop.time() - began) * PACE)
            for at in range(sent, due):
                self.tls.write(self.frames[at % FRAMES])
                self.flush()
            sent = due
            await asyncio.sleep(0.001)


async def main(folder):
    certificate(folder)
    frames = [wire_frame(message) for message in market_frames()]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = await asyncio.get_running_loop().create_server(lambda: Peer(context, frames), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().connect_read_pipe(Orphan, sys.stdin)
    await server.serve_forever()


class Orphan(asyncio.Protocol):
    """Ends the program when whoever started it is gone."""

    def connection_lost(self, exc):
        asyncio.get_running_loop().stop()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
