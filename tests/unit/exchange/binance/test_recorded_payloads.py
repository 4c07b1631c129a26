"""The recorded bodies and frames beside the repository: each decodes, or is refused for the reason named here."""

import gzip
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.binance import account_wire, candles_wire, rules_wire, wire
from exchange.binance.outcomes import Outcome, classify
from exchange.binance.refusals import error_for
from exchange.binance.streams_wire import FrameDecoder
from exchange.errors import BusinessError, CredentialsError, DecodeError
from exchange.local_book import LocalBook
from exchange.market_data import AggTrade, BookTop, DepthUpdate, KlineUpdate, MarkPrice, Ticker

PAYLOADS = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "payloads"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the repository"),
]

DECODERS = {
    "/fapi/v1/aggTrades": lambda body, where, _: wire.agg_trades(body, "X", where),
    "/fapi/v1/depth": lambda body, where, _: wire.depth(body, "X", where),
    "/fapi/v1/exchangeInfo": rules_wire.instruments,
    "/fapi/v1/klines": lambda body, where, _: candles_wire.candles(body, where),
    "/fapi/v1/premiumIndex": wire.mark_prices,
    "/fapi/v1/ticker/24hr": wire.tickers,
    "/fapi/v1/ticker/bookTicker": wire.book_tops,
    "/fapi/v1/time": lambda body, where, _: wire.server_time(body, where),
    "/fapi/v1/leverageBracket": rules_wire.leverage_brackets,
}


def read(name):
    path = PAYLOADS / name
    return gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()


def decode(path, body, refused):
    return DECODERS[path](body if isinstance(body, bytes) else json.dumps(body).encode(), path, refused.append)


def test_public_bodies_of_2020_to_2023_decode_or_are_api_errors():
    decoded = Counter()
    for record in json.loads(read("recorded_rest_gct/fapi_public.json.gz")):
        if record["path"] not in DECODERS:
            continue
        refused = []
        if isinstance(record["body"], dict) and "code" in record["body"]:
            with pytest.raises(DecodeError):
                decode(record["path"], record["body"], refused)
            continue
        decode(record["path"], record["body"], refused)
        assert refused == []
        decoded[record["path"]] += 1
    assert len(decoded) == 8
    assert sum(decoded.values()) == 20


def test_public_bodies_of_september_2026_decode_with_their_values():
    samples = json.loads(read("live_2026-09/rest_samples.json"))
    results = {}
    for request, body in samples.items():
        path = request.removeprefix("GET ").split("?")[0].split(" ")[0]
        if request.startswith("GET ") and path in DECODERS:
            refused = []
            results[request] = decode(path, body, refused)
            assert refused == []
    assert len(results) == 7
    assert results["GET /fapi/v1/ticker/24hr?symbol=BTCUSDT"] == (
        Ticker("BTCUSDT", 76914.9, -1.138, 13258734360.38, 1789478298702),
    )
    assert results["GET /fapi/v1/ticker/bookTicker?symbol=BTCUSDT"] == (
        BookTop("BTCUSDT", 76914.9, 4.218, 76915.0, 6.128, 1789478303376),
    )
    assert results["GET /fapi/v1/premiumIndex?symbol=XAUUSDT"][0] == MarkPrice(
        "XAUUSDT", 4187.85, 4185.66627452, 0.0000482, 1790769600000, 1790767763307
    )
    assert results["GET /fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1"].close.tolist() == [76965.4]


def test_recorded_errors_are_refusals_of_their_branch():
    for record in json.loads(read("live_2026-09/errors.json")):
        verdict = classify(record["http"], json.dumps(record["body"]).encode())
        assert verdict.outcome is Outcome.REFUSED
        error = error_for(verdict, record["http"], {}, "GET /x", 0)
        assert isinstance(error, CredentialsError if record["http"] == 401 else BusinessError)
        assert (error.code, error.msg) == (record["body"]["code"], record["body"]["msg"])


@pytest.mark.parametrize(
    ("name", "kept", "reasons"),
    [
        ("prod_2025-08-11.json.gz", 550, []),
        ("prod_2026-09-30_sample.json", 7, []),
        ("testnet_2025-12-24.json.gz", 658, ["0 must be above 0", "0 must be above 0"]),
    ],
)
def test_exchange_info_decodes_but_for_symbols_with_a_rule_of_zero(name, kept, reasons):
    body = json.loads(read(f"exchangeInfo/{name}"))
    refused = []
    instruments = decode("/fapi/v1/exchangeInfo", body, refused)
    assert len(instruments) == kept
    assert [error.reason for error in refused] == reasons
    bitcoin = next(instrument for instrument in instruments if instrument.symbol == "BTCUSDT")
    assert bitcoin.is_usdt_perpetual
    assert bitcoin.tick == Decimal("0.1")


def test_all_leverage_brackets_decode():
    refused = []
    brackets = decode("/fapi/v1/leverageBracket", read("leverageBracket/prod_2026-09-29.json.gz"), refused)
    assert len(brackets) == 907
    assert refused == []
    assert brackets["BTCUSDT"][0].max_leverage == 150


def test_every_frame_of_2021_decodes():
    decoder = FrameDecoder()
    kinds = Counter()
    lines = read("recorded_2021_ws/frames.jsonl.gz").splitlines()
    for line in lines[1:]:
        frame = json.dumps(json.loads(line)["msg"], separators=(",", ":")).encode()
        message = decoder.decode(frame)
        assert decoder.decode(frame) == message
        kinds[type(message)] += 1
    assert kinds == {BookTop: 613, AggTrade: 91, KlineUpdate: 67, DepthUpdate: 764}
    assert decoder.refused_rows == 0


def test_the_recorded_changes_of_2021_join_and_follow_their_snapshots_in_local_books():
    bodies = json.loads(read("recorded_2021_ws/rest_snapshots.json.gz"))
    snapshots = [
        (record["url"].partition("symbol=")[2].partition("&")[0], record["body"])
        for record in bodies
        if "/depth?" in record["url"]
    ]
    books = {}
    applied = Counter()
    decoder = FrameDecoder()
    updates = [
        message
        for line in read("recorded_2021_ws/frames.jsonl.gz").splitlines()[1:]
        if isinstance(message := decoder.decode(json.dumps(json.loads(line)["msg"]).encode()), DepthUpdate)
    ]
    assert len(snapshots) == 4
    for symbol, body in snapshots:
        book = books[symbol] = LocalBook(symbol)
        mine = [update for update in updates if update.symbol == symbol]
        for update in mine:
            if update.first_id <= body["lastUpdateId"]:
                book.take(update)
        assert book.settle(wire.depth(json.dumps(body).encode(), symbol, symbol), 1000), book.reason
        for update in mine:
            applied[symbol] += 1
            assert book.take(update), book.reason
        assert book.is_whole
        assert book.rebuilds == 0
        assert book.bids(1)[0][0] < book.asks(1)[0][0]
    assert sum(applied.values()) == len(updates) == 764


def test_the_frame_of_september_2026_decodes():
    samples = json.loads(read("live_2026-09/ws_samples.json"))
    update = FrameDecoder().decode(json.dumps(samples["/market btcusdt@kline_1m"]).encode())
    assert isinstance(update, KlineUpdate)
    assert (update.interval, update.trades, update.closed) == ("1m", 2239, False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nautilus/rust_market/agg_trade_stream.json", AggTrade),
        ("nautilus/rust_market/book_ticker_stream.json", BookTop),
        ("nautilus/rust_market/kline_stream_closed.json", KlineUpdate),
        ("nautilus/rust_market/mark_price_stream.json", MarkPrice),
        ("nautilus/rust_market/ticker_stream.json", Ticker),
        ("nautilus/rust_market/depth_update_stream.json", DepthUpdate),
        ("nautilus/rust_market/liquidation_stream.json", type(None)),
        ("nautilus/ws/ws_futures_book_ticker.json", BookTop),
        ("nautilus/ws/ws_futures_ticker_24hr.json", Ticker),
    ],
)
def test_single_frames_of_other_collections_decode(name, kind):
    assert isinstance(FrameDecoder().decode(read(name)), kind)


def test_the_invented_bar_of_a_fixture_is_refused_because_it_contradicts_itself():
    with pytest.raises(DecodeError, match=r"low 0\.0015 do not span open 0\.001"):
        FrameDecoder().decode(read("nautilus/rust_market/kline_stream_open.json"))


def test_account_bodies_decode_and_the_second_version_of_position_risk_is_refused():
    assert account_wire.hedge_mode(read("nautilus/http/http_futures_account_position_side_dual.json"), "x") is True
    assert len(account_wire.symbol_configs(read("nautilus/http/http_futures_account_symbol_config.json"), "x")) >= 2
    assert account_wire.balances(read("nautilus/rust_http/balance.json"), "x")[0].asset == "USDT"
    assert account_wire.account(read("nautilus/rust_http/account_info_v2.json"), "x").wallet == Decimal("23.72469206")
    with pytest.raises(DecodeError, match=r"notional|initialMargin"):
        account_wire.positions(read("nautilus/rust_http/position_risk.json"), "x")
