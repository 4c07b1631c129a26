"""ccxt, unchanged, trades glances with the simulated venue: markets, tickers, candles, balance, positions."""

import json
import subprocess
import sys
from itertools import pairwise

import ccxt
import pytest

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

CHILD = (
    "import sys\nfrom exchange.simulator.main import RunOptions, run_exchange\n"
    "sys.exit(run_exchange(RunOptions(symbols=30, speed=1.0)))"
)
FRAMES = {"5m": 300_000, "15m": 900_000, "1h": 3_600_000}


@pytest.fixture(scope="module")
def root():
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as child:
        try:
            yield json.loads(child.stdout.readline())["rest"]
        finally:
            child.terminate()
            child.wait(timeout=30)


def client(root, secret=DEMO_SECRET):
    exchange = ccxt.binanceusdm({"apiKey": DEMO_KEY, "secret": secret, "timeout": 30_000})
    for name, address in {
        "fapiPublic": "/fapi/v1",
        "fapiPublicV2": "/fapi/v2",
        "fapiPublicV3": "/fapi/v3",
        "fapiPrivate": "/fapi/v1",
        "fapiPrivateV2": "/fapi/v2",
        "fapiPrivateV3": "/fapi/v3",
        "fapiData": "/futures/data",
        "sapi": "/sapi/v1",
        "sapiV2": "/sapi/v2",
        "sapiV3": "/sapi/v3",
        "public": "/api/v3",
        "private": "/api/v3",
    }.items():
        exchange.urls["api"][name] = root + address
    return exchange


@pytest.fixture(scope="module")
def desk(root):
    exchange = client(root)
    exchange.load_markets()
    yield exchange
    exchange.close()


def test_markets_load_with_their_rules(desk):
    market = desk.market("BTC/USDT:USDT")
    assert (market["id"], market["swap"], market["linear"], market["active"]) == ("BTCUSDT", True, True, True)
    assert market["limits"]["cost"]["min"] > 0
    assert len(desk.markets) >= 30


def test_tickers_cover_every_market(desk):
    tickers = desk.fetch_tickers()
    assert tickers["BTC/USDT:USDT"]["last"] > 0
    assert len(tickers) >= 30
    book = desk.fetch_bids_asks(["BTC/USDT:USDT"])["BTC/USDT:USDT"]
    assert book["bid"] < book["ask"]


@pytest.mark.parametrize("frame", FRAMES)
def test_candles_are_consecutive_and_consistent(desk, frame):
    rows = desk.fetch_ohlcv("BTC/USDT:USDT", frame, limit=499)
    assert len(rows) == 499
    assert {after[0] - before[0] for before, after in pairwise(rows)} == {FRAMES[frame]}
    assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in rows)


def test_trades_and_depth_can_be_read(desk):
    trades = desk.fetch_trades("BTC/USDT:USDT", limit=20)
    assert len(trades) == 20
    book = desk.fetch_order_book("BTC/USDT:USDT", limit=10)
    assert book["bids"][0][0] < book["asks"][0][0]


def test_the_balance_is_the_demo_accounts(desk):
    assert desk.fetch_balance()["USDT"] == {"free": 10_000.0, "used": 0.0, "total": 10_000.0}


def test_there_are_no_positions(desk):
    assert desk.fetch_positions() == []


def test_a_wrong_secret_is_an_authentication_error(root):
    exchange = client(root, secret="wrong")
    exchange.has["fetchCurrencies"] = False
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        exchange.fetch_balance()
    exchange.close()
