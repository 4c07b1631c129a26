from exchange.bad_input import Quarantine, readable, source_of
from exchange.errors import DecodeError


def refused(quarantine, where="GET /fapi/v1/depth", raw=b"x", reason="no", time=5):
    return quarantine.refuse(DecodeError(where, "bids[0][0]", reason), raw, time)


def test_refusals_are_counted_by_source_and_the_last_sample_kept():
    quarantine = Quarantine()
    refused(quarantine, raw=b"first")
    refused(quarantine, raw=b"second", time=9)
    refused(quarantine, "btcusdt@bookTicker")
    refused(quarantine, "ethusdt@bookTicker", raw=b"third")
    assert quarantine.total == 4
    assert [(row.source, row.count, row.sample, row.time) for row in quarantine.rows()] == [
        ("GET /fapi/v1/depth", 2, "second", 9), ("bookTicker", 2, "third", 5),
    ]  # fmt: skip
    assert quarantine.last.text == "bookTicker (x2): bids[0][0]: no"


def test_rows_of_an_answer_count_for_their_endpoint_and_raw_events_for_themselves():
    assert source_of("GET /fapi/v1/ticker/24hr BTCUSDT") == "GET /fapi/v1/ticker/24hr"
    assert source_of("!markPrice@arr@1s") == "arr@1s"
    assert source_of("ORDER_TRADE_UPDATE") == "ORDER_TRADE_UPDATE"
    assert source_of("frame") == "frame"


def test_samples_are_short_printable_and_without_keys():
    assert readable(b"ok \x1b[2J\x00\n \xff\xe5\xb8\x81") == "ok \\x1b[2J\\x00\\n \\xff币"
    assert "\u202e" not in readable("a\u202eb".encode())
    key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    assert readable(f'{{"listenKey":"{key}"}}'.encode()) == '{"listenKey":"***"}'
    long = readable(b"\x00" * 10_000_000)
    assert len(long) <= 803


def test_the_number_of_sources_is_bounded():
    quarantine = Quarantine()
    for number in range(1000):
        refused(quarantine, f"kind{number}")
    assert len(quarantine.rows()) == 65
    assert quarantine.total == 1000
    assert quarantine.rows()[0].source == "other"
    assert quarantine.rows()[0].count == 936
