import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from websockets.utils import accept_key

from exchange.binance.frame_cutter import FrameCutter

LIMIT = 100_000


def frame(payload, first=0x81):
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 2**16:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def cut(pieces, fragmented=False):
    """Return messages and odd frames in the order in which they came out."""
    cutter = FrameCutter(LIMIT)
    out = []
    for piece in pieces:
        cutter.feed(piece)
        while True:
            messages, odd = cutter.run(fragmented=fragmented)
            out += messages
            if not odd:
                break
            out.append(("odd", odd))
    return out, cutter.rest()


def test_messages_come_out_whole_and_in_order():
    payloads = [b"a", b"", b"x" * 125, b"y" * 126, b"z" * 70_000, b"end"]
    wire = b"".join(map(frame, payloads))
    assert cut([wire]) == (payloads, b"")
    assert cut([wire[at : at + 1] for at in range(len(wire))]) == (payloads, b"")


def test_control_frames_and_fragments_are_left_to_the_protocol_machine_one_by_one():
    ping, first, last = frame(b"p", 0x89), frame(b"ab", 0x01), frame(b"cd", 0x80)
    wire = frame(b"one") + ping + first + last + frame(b"two", 0x82)
    assert cut([wire]) == ([b"one", ("odd", ping), ("odd", first), ("odd", last), b"two"], b"")


def test_within_a_fragmented_message_no_frame_is_taken():
    wire = frame(b"one") + frame(b"two")
    assert cut([wire], fragmented=True) == ([("odd", frame(b"one")), ("odd", frame(b"two"))], b"")


@pytest.mark.parametrize(
    "bad",
    [
        b"\x81\x83abcdxyz",
        b"\x81\xfe\x00\x03",
        b"\x81\xff",
        frame(b"x" * (LIMIT + 1))[:10],
    ],
    ids=["masked", "masked and long", "masked and very long", "beyond the limit"],
)
def test_what_cannot_be_cut_comes_with_everything_after_it(bad):
    assert cut([frame(b"one") + bad + frame(b"two")]) == ([b"one", ("odd", bad + frame(b"two"))], b"")


def test_bytes_of_a_frame_that_is_not_complete_are_kept():
    wire = frame(b"a" * 300)
    assert cut([frame(b"one") + wire[:100]]) == ([b"one"], wire[:100])


FRAMES = st.lists(
    st.tuples(
        st.sampled_from([0x81, 0x82, 0x89, 0x8A]),
        st.one_of(st.binary(max_size=130), st.integers(65_530, 65_540).map(lambda size: b"k" * size)),
    ).map(lambda pair: frame(pair[1][:125] if pair[0] > 0x82 else pair[1], pair[0])),
    max_size=8,
)


@given(FRAMES, st.lists(st.integers(1, 200), max_size=30), st.binary(max_size=12))
def test_the_cutter_agrees_with_the_protocol_machine_on_any_bytes(frames, sizes, noise):
    wire = b"".join(frames) + noise
    pieces, at = [], 0
    for size in sizes:
        pieces.append(wire[at : at + size])
        at += size
    pieces = [piece for piece in (*pieces, wire[at:]) if piece]

    alone = machine()
    expected = payloads(alone, wire)

    guided, cutter, got = machine(), FrameCutter(LIMIT), []
    for piece in pieces:
        if guided.state is not OPEN:
            break
        cutter.feed(piece)
        while guided.state is OPEN:
            messages, odd = cutter.run(fragmented=guided.current_size is not None)
            got += messages
            if not odd:
                break
            got += payloads(guided, odd)
    assert got == expected
    if guided.state is not OPEN:
        assert (alone.close_sent, alone.close_rcvd) == (guided.close_sent, guided.close_rcvd)


def machine():
    """A protocol machine after its handshake."""
    core = ClientProtocol(parse_uri("ws://h/"), max_size=LIMIT)
    request = core.connect()
    core.send_request(request)
    core.data_to_send()
    accepted = accept_key(request.headers["Sec-WebSocket-Key"])
    core.receive_data(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accepted}\r\n\r\n".encode()
    )
    core.events_received()
    assert core.state is OPEN
    return core


def payloads(core, data):
    core.receive_data(data)
    kinds = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
    return [bytes(e.data) for e in core.events_received() if isinstance(e, Frame) and e.opcode in kinds]
