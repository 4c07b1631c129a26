"""Speed as ratios within one run, each the best of several turns: no absolute time is asserted."""

import time

from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri
from websockets.utils import accept_key

from engine.market.book_lane import BookLane
from engine.market.quotes import Quotes
from exchange.binance.frame_cutter import FrameCutter
from exchange.binance.streams_wire import FrameDecoder

SYMBOLS = [f"S{number:02d}USDT" for number in range(40)]
FRAMES = [
    (
        f'{{"stream":"{symbol.lower()}@bookTicker","data":{{"e":"bookTicker","u":{number},"s":"{symbol}",'
        f'"ps":"{symbol}","b":"{number + 1}.5","B":"1.25","a":"{number + 2}.75","A":"3","T":1767600000000,'
        f'"E":{1767600000000 + number},"st":1}}}}'
    ).encode()
    for number, symbol in enumerate(SYMBOLS * 25)
]
WIRE = b"".join(b"\x81\x7e" + len(frame).to_bytes(2, "big") + frame for frame in FRAMES)
TURNS = 9


def best(*works):
    """Return each one's least CPU time; they take turns, so that all meet the machine in the same moods."""
    least = [float("inf")] * len(works)
    for _ in range(TURNS):
        for place, work in enumerate(works):
            began = time.process_time()
            work()
            least[place] = min(least[place], time.process_time() - began)
    return least


def test_the_short_way_of_book_tops_takes_less_than_half_of_decoding_them():
    quotes = Quotes(len(SYMBOLS))
    lane, decoder = BookLane(quotes), FrameDecoder()
    lane.know({symbol: slot for slot, symbol in enumerate(SYMBOLS)})
    assert lane.take(FRAMES) == ()
    short, usual = best(lambda: lane.take(FRAMES), lambda: [decoder.decode(frame) for frame in FRAMES])
    assert short < usual / 2


def test_cutting_frames_takes_less_than_a_third_of_a_protocol_machine():
    def cut():
        cutter = FrameCutter(2**20)
        cutter.feed(WIRE)
        assert len(cutter.run(fragmented=False)[0]) == len(FRAMES)

    def machine():
        core = ClientProtocol(parse_uri("ws://h/"))
        request = core.connect()
        core.send_request(request)
        accepted = accept_key(request.headers["Sec-WebSocket-Key"])
        core.receive_data(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accepted}\r\n\r\n".encode()
        )
        assert core.state is OPEN
        core.receive_data(WIRE)
        assert len(core.events_received()) > len(FRAMES)

    quick, thorough = best(cut, machine)
    assert quick < thorough / 3
