import asyncio

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri
from websockets.utils import accept_key

from exchange.binance.socket_connection import Connection
from exchange.ports import StreamClosedError

FRAME = b"\x81\x02hi"


class HeldTransport:
    """Notes what is asked of it."""

    def __init__(self):
        self.written = []
        self.reading = True
        self.resumed = asyncio.Event()
        self.pauses = 0
        self.aborted = False

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.aborted

    def can_write_eof(self):
        return False

    def close(self):
        self.aborted = True

    abort = close

    def pause_reading(self):
        assert self.reading, "paused twice"
        self.reading = False
        self.pauses += 1

    def resume_reading(self):
        assert not self.reading, "resumed without a pause"
        self.reading = True
        self.resumed.set()


def head_of(core, transport):
    key = next(line for line in b"".join(transport.written).split(b"\r\n") if line.lower().startswith(b"sec-websocket"))
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept_key(key.split(b": ")[1].decode()).encode()
        + b"\r\n\r\n"
    )


def begun():
    core = ClientProtocol(parse_uri("ws://h/"), max_size=2**20)
    connection, transport = Connection(core), HeldTransport()
    connection.connection_made(transport)
    return connection, transport, head_of(core, transport)


async def open_connection():
    connection, transport, head = begun()
    connection.data_received(head)
    await connection.opened
    return connection, transport


@pytest.mark.parametrize("cut", [1, 20, -3, -2, -1, None])
async def test_frames_right_behind_the_handshake_are_not_lost_wherever_it_is_cut(cut):
    connection, _, head = begun()
    wire = head + FRAME * 2 + FRAME[:1]
    pieces = [head[:cut], wire[len(head[:cut]) :]] if cut else [wire]
    for piece in pieces:
        connection.data_received(piece)
    connection.data_received(FRAME[1:])
    await connection.opened
    assert await connection.receive_many() == [b"hi"] * 3


async def test_all_that_arrived_is_taken_at_once_and_then_the_end_is_told():
    connection, _ = await open_connection()
    connection.data_received(FRAME * 3 + b"\x88\x02\x03\xe8")
    assert await connection.receive() == b"hi"
    assert await connection.receive_many() == [b"hi", b"hi"]
    with pytest.raises(StreamClosedError) as caught:
        await connection.receive_many()
    assert caught.value.code == 1000


async def test_a_ping_between_frames_is_answered_and_the_frames_keep_their_order():
    connection, transport = await open_connection()
    transport.written.clear()
    connection.data_received(b"\x81\x01a\x89\x01p\x81\x01b")
    assert await connection.receive_many() == [b"a", b"b"]
    assert [data[0] for data in transport.written] == [0x8A]


async def test_a_socket_that_wakes_the_loop_again_and_again_is_left_alone_for_a_moment():
    connection, transport = await open_connection()
    for _ in range(10_000):
        connection.data_received(FRAME)
        if not transport.reading:
            break
    assert not transport.reading
    frames = await connection.receive_many()
    assert len(frames) > 10, "a few frames in a row are no reason to wait"
    async with asyncio.timeout(10):
        await transport.resumed.wait()


async def test_a_single_frame_now_and_then_is_never_held_back():
    connection, transport = await open_connection()
    for _ in range(30):
        connection.data_received(FRAME)
        await asyncio.sleep(0.006)
    assert transport.pauses == 0


async def test_a_full_read_is_no_reason_to_wait_but_a_consumer_that_is_behind_is():
    connection, transport = await open_connection()
    big = b"\x81\x7f" + (2**16).to_bytes(8, "big") + bytes(2**16)
    for _ in range(100):
        connection.data_received(big)
    assert transport.reading
    connection.data_received(FRAME * 20_000)
    assert not transport.reading
    await connection.receive_many()
    assert transport.reading
