"""Whatever a venue sends: refused, counted by its source, a sample kept for the operator, and the client goes on."""

import asyncio
import json

import pytest
from venue_fakes import HeldDialer, ScriptedEntropy, ScriptedRest, answer, book_frame
from virtual_loop import VirtualClock, run_virtual

from exchange.bad_input import Quarantine
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.signing import Credentials
from exchange.binance.streams import MarketStreams
from exchange.binance.weights import WeightLedger
from exchange.errors import DecodeError, ExchangeError, UnknownOutcomeError

DEPTH = {"lastUpdateId": 5, "E": 1, "T": 1, "bids": [["1.0", "1"]], "asks": [["2.0", "1"]]}
TICKER = {"symbol": "BTCUSDT", "lastPrice": "1", "priceChangePercent": "1", "quoteVolume": "1", "closeTime": 1}


def ask(body, call):
    async def main():
        client = BinanceClient(
            ScriptedRest(answer(body)), VirtualClock(1_800_000_000_000), WeightLedger(), OpenGate(),
            ScriptedEntropy(), Credentials("k", "s"),
        )  # fmt: skip
        try:
            result = await call(client)
        except ExchangeError as error:
            result = error
        return result, client.quarantine

    return run_virtual(main())


def depth(client):
    return client.depth("BTCUSDT", 5)


def changed(**changes):
    return json.dumps({**DEPTH, **changes}).encode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (changed(bids=[["NaN", "1"]]), "bids[0][0]"),
        (changed(bids=[["Infinity", "1"]]), "bids[0][0]"),
        (changed(bids=[["-1", "1"]]), "bids[0][0]"),
        (changed(asks=[["2", "-1"]]), "asks[0][1]"),
        (changed(bids=[["1e999", "1"]]), "bids[0][0]"),
        (changed(asks=[["1e308", "1"]]), "asks[0][0]"),
        (changed(asks=[["2", "1e308"]]), "asks[0][1]"),
        (changed(bids=[["2.0", "1"]]), "bids[0][0]"),
        (changed().replace(b'"T"', b'"E"'), "E"),
        (changed()[:-8], ""),
        (b'{"lastUpdateId":5,"E":1,"bids":[["\xe5\xb8","1"]],"asks":[]}', "bids[0][0]"),
        (json.dumps({name: DEPTH[name] for name in DEPTH if name != "asks"}).encode(), ""),
        (b"[]", ""),
    ],
)
def test_an_answer_that_cannot_be_believed_is_refused_by_field_and_kept(body, field):
    error, quarantine = ask(body, depth)
    assert isinstance(error, DecodeError)
    if field:
        assert error.field == field
    (row,) = quarantine.rows()
    assert (row.source, row.count) == ("GET /fapi/v1/depth", 1)
    assert row.sample.isprintable()


def test_new_fields_are_accepted():
    book, quarantine = ask(changed(news={"deep": [1]}), depth)
    assert book.update_id == 5
    assert quarantine.total == 0


def test_an_html_page_with_status_200_is_kept_for_each_attempt():
    error, quarantine = ask(b"<html>maintenance</html>", depth)
    assert isinstance(error, UnknownOutcomeError)
    (row,) = quarantine.rows()
    assert (row.sample, row.count) == ("<html>maintenance</html>", 3)


@pytest.mark.parametrize("name", ["BTC\x1b[2JUSDT", "A\u202eB", "", "X" * 65, "BTC USDT", "\x00"])
def test_a_row_with_a_poisoned_symbol_is_left_out_and_kept_and_the_others_stay(name):
    body = json.dumps([TICKER, {**TICKER, "symbol": name}]).encode()
    tickers, quarantine = ask(body, lambda client: client.tickers())
    assert [ticker.symbol for ticker in tickers] == ["BTCUSDT"]
    (row,) = quarantine.rows()
    assert row.source == "GET /fapi/v1/ticker/24hr"
    assert row.field == "symbol"
    assert row.sample.isprintable()
    assert '"lastPrice"' in row.sample


def test_a_listen_key_never_stands_in_a_sample():
    key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    body = json.dumps({"listenKey": [key]}).encode()
    error, quarantine = ask(body, lambda client: client.listen_key_create())
    assert isinstance(error, UnknownOutcomeError)
    assert key[:8] not in str(quarantine.rows())


def watched(frames):
    """Feed frames to market streams; return the messages and what was kept."""
    messages, quarantine = [], Quarantine()

    async def main():
        dialer = HeldDialer()
        streams = MarketStreams(
            dialer, VirtualClock(0), ScriptedEntropy(), messages.extend, lambda _: None, quarantine=quarantine
        )
        task = asyncio.create_task(streams.run())
        streams.want(["btcusdt@bookTicker", "!markPrice@arr"])
        await asyncio.sleep(1)
        for frame in frames:
            dialer.streams[0].push(frame)
        dialer.streams[0].push(book_frame(time=77))
        await asyncio.sleep(0.1)
        assert not task.done()
        task.cancel()

    run_virtual(main())
    return messages, quarantine


BOOK = json.dumps(book_frame(), separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "frame",
    [
        BOOK.replace(b'"100.0"', b'"NaN"'),
        BOOK.replace(b'"100.0"', b'"Infinity"'),
        BOOK.replace(b'"100.0"', b'"1e308"'),
        BOOK.replace(b'"100.1"', b'"1e308"'),
        BOOK.replace(b'"100.0"', b'"-1"'),
        BOOK.replace(b'"100.0"', b'"100.1"'),
        BOOK.replace(b'"s":"BTCUSDT"', b'"s":"BTC\\u001b[2J"'),
        BOOK.replace(b'"s":"BTCUSDT"', '"s":"BTC\u202e"'.encode()),
        BOOK.replace(b'"u":1', b'"u":1,"u":2'),
        BOOK.replace(b'"s":"BTCUSDT",', b""),
        BOOK[:-20],
        BOOK.replace(b"BTCUSDT", b"\xe5\xb8"),
        b"<html>busy</html>",
        b'{"stream":"btcusdt@bookTicker","data":"' + b"x" * 10_000_000 + b'"}',
        b"[" * 100_000,
        b"\x00\x01\x02",
        b"",
    ],
)
def test_a_frame_that_cannot_be_believed_is_kept_and_the_stream_goes_on(frame):
    messages, quarantine = watched([frame])
    assert [message.event_time for message in messages] == [77]
    (row,) = quarantine.rows()
    assert row.count == 1
    assert row.sample.isprintable()
    assert len(row.sample) <= 803


def test_a_bad_row_of_an_array_frame_is_left_out_and_kept():
    good = {"e": "markPriceUpdate", "E": 5, "s": "BTCUSDT", "p": "1", "i": "1", "r": "0.0001", "T": 9}
    frame = {"stream": "!markPrice@arr", "data": [good, {**good, "p": "NaN"}, {**good, "s": "\x1b"}]}
    messages, quarantine = watched([json.dumps(frame, separators=(",", ":")).encode()])
    assert len(messages) == 2
    (row,) = quarantine.rows()
    assert (row.source, row.count, row.field) == ("arr", 2, "s")
