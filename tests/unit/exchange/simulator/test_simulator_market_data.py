import json
from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np
import pytest
from odd_fields import known
from small_market import START, SYMBOLS, SmallMarket

from exchange.simulator.auth import DEMO_KEY
from exchange.simulator.core import Exchange
from exchange.simulator.funding_history import FundingHistory
from exchange.simulator.hashed_noise import smooth
from exchange.simulator.long_bars import bar_opens, next_opens
from exchange.simulator.market import INTERVALS
from exchange.simulator.rest_market import ROUTES
from exchange.simulator.synthetic import SyntheticMarket
from exchange.simulator.venue import ExchangeOptions

LIVE_START = 1_773_147_600_000
DAY = 86_400_000


@pytest.fixture(scope="module")
def live():
    market = SyntheticMarket(8, seed=2, start_ms=LIVE_START, step_ms=1_000)
    exchange = Exchange(market, options=ExchangeOptions(weight_limit=1_000_000))
    exchange.advance(LIVE_START + 1_500_000)
    return exchange


def get(exchange, path, *, key=None, **params):
    headers = {} if key is None else {"x-mbx-apikey": key}
    answer = exchange.request("GET", path, urlencode(params).encode(), b"", headers, exchange.now_ms)
    return answer.status, known(json.loads(answer.body))


def ok(exchange, path, **params):
    status, body = get(exchange, f"/fapi/v1/{path}" if "/" not in path else path, **params)
    assert status == 200, body
    return body


def test_trades_are_single_ascending_and_end_with_the_newest(live):
    rows = ok(live, "trades", symbol="BTCUSDT", limit=50)
    assert len(rows) == 50
    assert all(before["id"] < after["id"] for before, after in pairwise(rows))
    assert set(rows[0]) == {"id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isRPITrade"}
    newest = ok(live, "aggTrades", symbol="BTCUSDT", limit=1)[0]
    assert newest["f"] <= rows[-1]["id"] <= newest["l"]
    assert float(rows[-1]["quoteQty"]) == pytest.approx(float(rows[-1]["price"]) * float(rows[-1]["qty"]))


def test_older_trades_want_a_key_and_begin_at_an_id(live):
    assert get(live, "/fapi/v1/historicalTrades", symbol="BTCUSDT") == (
        401,
        {"code": -2014, "msg": "API-key format invalid."},
    )
    kept = ok(live, "historicalTrades", symbol="BTCUSDT", limit=500, key=DEMO_KEY)
    again = ok(live, "historicalTrades", symbol="BTCUSDT", limit=20, fromId=kept[100]["id"], key=DEMO_KEY)
    assert again == kept[100:120]
    status, body = get(live, "/fapi/v1/historicalTrades", symbol="BTCUSDT", limit=501, key=DEMO_KEY)
    assert (status, body["code"]) == (400, -1130)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("trades", {"symbol": "BTCUSDT", "limit": 1001}, -1130),
        ("trades", {}, -1102),
        ("rpiDepth", {"symbol": "BTCUSDT", "limit": 5}, -4021),
        ("continuousKlines", {"pair": "BTCUSDT", "interval": "1m"}, -1102),
        ("continuousKlines", {"contractType": "PERPETUAL", "interval": "1m"}, -1102),
        ("continuousKlines", {"pair": "NOSUCH", "contractType": "PERPETUAL", "interval": "1m"}, -4144),
        ("continuousKlines", {"pair": "BTCUSDT", "contractType": "WEEKLY", "interval": "1m"}, -1130),
        ("continuousKlines", {"pair": "BTCUSDT", "contractType": "PERPETUAL", "interval": "1s"}, -1120),
        ("indexPriceKlines", {"symbol": "BTCUSDT", "interval": "1m"}, -1102),
        ("markPriceKlines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 1501}, -1130),
        ("premiumIndexKlines", {"symbol": "NOSUCH", "interval": "1m"}, -1121),
        ("fundingRate", {"symbol": "NOSUCH"}, -1121),
        ("fundingRate", {"symbol": "BTCUSDT", "limit": 1001}, -1130),
        ("fundingRate", {"startTime": 2, "endTime": 1}, -1023),
        ("openInterest", {}, -1102),
        ("/futures/data/openInterestHist", {"symbol": "BTCUSDT"}, -1102),
        ("/futures/data/openInterestHist", {"symbol": "BTCUSDT", "period": "7m"}, -1120),
        ("/futures/data/takerlongshortRatio", {"symbol": "BTCUSDT", "period": "5m", "limit": 501}, -1130),
        ("/futures/data/takerlongshortRatio", {"symbol": "BTCUSDT", "period": "5m", "startTime": 1}, -1130),
        ("/futures/data/basis", {"pair": "BTCUSDT", "period": "5m"}, -1102),
        ("constituents", {"symbol": "NOSUCH"}, -1121),
    ],
)
def test_refusals_name_the_code(live, path, params, code):
    status, body = get(live, path if "/" in path else f"/fapi/v1/{path}", **params)
    assert (status, body["code"]) == (400, code)


def test_every_route_of_market_data_is_weighed_as_documented(live):
    weights = {
        "rpiDepth": 20,
        "trades": 5,
        "openInterest": 1,
        "constituents": 2,
        "tradingSchedule": 5,
        "assetIndex": 10,
    }
    for path, weight in weights.items():
        before = live.venue.weights.used(live.now_ms)
        query = b"" if path in {"assetIndex", "tradingSchedule"} else b"symbol=BTCUSDT"
        answer = live.request("GET", f"/fapi/v1/{path}", query, b"", {}, live.now_ms)
        assert (answer.status, answer.headers["x-mbx-used-weight-1m"]) == (200, str(before + weight))
    assert ("GET", "/fapi/v1/historicalTrades") in ROUTES


def test_a_pairs_klines_are_those_of_its_contract(live):
    plain = ok(live, "klines", symbol="BTCUSDT", interval="5m", limit=20)
    assert ok(live, "continuousKlines", pair="BTCUSDT", contractType="PERPETUAL", interval="5m", limit=20) == plain
    assert ok(live, "continuousKlines", pair="BTCUSDT", contractType="NEXT_QUARTER", interval="5m", limit=20) == []


def test_klines_answer_for_coin_margined_perpetuals_too(live):
    assert ok(live, "klines", symbol="BTCUSD_PERP", interval="1m", limit=3)
    assert get(live, "/fapi/v1/klines", symbol="DOGEUSD_PERP", interval="1m")[0] == 400


@pytest.mark.parametrize("path", ["markPriceKlines", "indexPriceKlines"])
def test_priced_klines_join_and_end_at_the_present_price(live, path):
    name = "pair" if path == "indexPriceKlines" else "symbol"
    rows = ok(live, path, **{name: "BTCUSDT"}, interval="1m", limit=20)
    present = ok(live, "premiumIndex", symbol="BTCUSDT")
    now = present["indexPrice"] if path == "indexPriceKlines" else present["markPrice"]
    assert float(rows[-1][4]) == pytest.approx(float(now), abs=1e-7)
    for row in rows:
        opened, high, low, closed = map(float, row[1:5])
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert [row[at] for at in (5, 7, 9, 10, 11)] == ["0"] * 5
        assert row[6] == row[0] + 59_999
        assert len(row[4].partition(".")[2]) == 8


def test_the_premium_is_what_contract_and_index_are_apart(live):
    premium = ok(live, "premiumIndexKlines", symbol="BTCUSDT", interval="1m", limit=10)
    plain = ok(live, "klines", symbol="BTCUSDT", interval="1m", limit=10)
    index = ok(live, "indexPriceKlines", pair="BTCUSDT", interval="1m", limit=10)
    for of, contract, underlying in zip(premium, plain, index, strict=True):
        assert float(of[4]) == pytest.approx(float(contract[4]) / float(underlying[4]) - 1.0, abs=2e-7)


@pytest.mark.parametrize(("interval", "days"), [("3d", 3), ("1w", 7), ("1M", 31)])
def test_long_bars_are_the_join_of_their_days(live, interval, days):
    daily = ok(live, "klines", symbol="ETHUSDT", interval="1d", limit=60)
    rows = ok(live, "klines", symbol="ETHUSDT", interval=interval, limit=60)
    assert rows
    assert rows[-1][4] == daily[-1][4]
    assert sum(float(row[5]) for row in rows) == pytest.approx(sum(float(row[5]) for row in daily))
    for row in rows:
        inside = [one for one in daily if row[0] <= one[0] <= row[6]]
        assert 1 <= len(inside) <= days
        assert (row[1], row[4]) == (inside[0][1], inside[-1][4])
        assert float(row[2]) == max(float(one[2]) for one in inside)
        assert row[8] == sum(one[8] for one in inside)
    newest = ok(live, "klines", symbol="ETHUSDT", interval=interval, limit=1)
    assert newest == rows[-1:]
    from_there = ok(live, "klines", symbol="ETHUSDT", interval=interval, startTime=rows[-1][0], limit=5)
    assert from_there == rows[-1:]


@pytest.mark.parametrize(
    ("interval", "at", "opens", "closes"),
    [
        ("1w", "2026-03-11T05:00", "2026-03-09", "2026-03-16"),
        ("1w", "2026-03-09T00:00", "2026-03-09", "2026-03-16"),
        ("1M", "2024-02-29T23:00", "2024-02-01", "2024-03-01"),
        ("1M", "2025-12-31T23:00", "2025-12-01", "2026-01-01"),
        ("3d", "1970-01-05T01:00", "1970-01-04", "1970-01-07"),
    ],
)
def test_weeks_begin_on_monday_and_months_with_the_calendar(interval, at, opens, closes):
    def ms(text):
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)

    opened = bar_opens(interval, np.array([ms(at)]))
    assert (opened[0], next_opens(interval, opened)[0]) == (ms(opens), ms(closes))


def test_funding_before_the_run_is_drawn_and_stays_the_same(live):
    rows = ok(live, "fundingRate", symbol="BTCUSDT", limit=50)
    assert rows == ok(live, "fundingRate", symbol="BTCUSDT", limit=50)
    assert len(rows) == 50
    late = {row["fundingTime"] % (8 * 3_600_000) for row in rows}
    assert len(late) > 1
    assert max(late) < 13
    assert {row["rateType"] for row in rows} == {"Regular"}
    assert ok(live, "fundingRate", symbol="BTCUSDT", startTime=rows[10]["fundingTime"], limit=5) == rows[10:15]
    assert ok(live, "fundingRate", symbol="BTCUSDT", endTime=rows[10]["fundingTime"], limit=5) == rows[6:11]
    every = ok(live, "fundingRate", limit=1000)
    assert len({row["symbol"] for row in every}) > 5
    assert [row["fundingTime"] for row in every] == sorted(row["fundingTime"] for row in every)


def test_a_funding_of_the_run_keeps_rate_and_mark_price_of_its_instant():
    market = SmallMarket(step_ms=60_000)
    history = FundingHistory(market.listings, START)
    due = (START // 28_800_000 + 1) * 28_800_000
    history.tick(due - 60_000, due, market.columns)
    newest = history.of(0, None, None, 1)[0]
    assert 0 <= newest.time_ms - due < 13
    assert (newest.rate, newest.mark) == (0.0001, float(market.columns.mark[0]))
    history.special(0, -0.002, 5.0, due + 20)
    assert [(one.kind, one.rate) for one in history.of(0, due, None, 10)] == [
        ("Regular", 0.0001),
        ("Special", -0.002),
    ]


STATISTICS = {
    "openInterestHist": {"symbol", "sumOpenInterest", "sumOpenInterestValue", "CMCCirculatingSupply", "timestamp"},
    "globalLongShortAccountRatio": {"symbol", "longAccount", "longShortRatio", "shortAccount", "timestamp"},
    "topLongShortAccountRatio": {"symbol", "longAccount", "longShortRatio", "shortAccount", "timestamp"},
    "topLongShortPositionRatio": {"symbol", "longAccount", "longShortRatio", "shortAccount", "timestamp"},
    "takerlongshortRatio": {"buySellRatio", "buyVol", "sellVol", "timestamp"},
    "basis": {
        "indexPrice", "contractType", "basisRate", "futuresPrice", "annualizedBasisRate", "basis", "pair", "timestamp",
    },
}  # fmt: skip


@pytest.mark.parametrize("path", STATISTICS)
def test_statistics_have_the_venues_fields_one_row_a_period_and_no_future(live, path):
    asked = {"symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "period": "15m"}
    rows = ok(live, f"/futures/data/{path}", **asked)
    assert len(rows) == 30
    assert {frozenset(row) for row in rows} == {frozenset(STATISTICS[path])}
    assert {after["timestamp"] - before["timestamp"] for before, after in pairwise(rows)} == {15 * 60_000}
    assert rows[-1]["timestamp"] == live.now_ms // 900_000 * 900_000
    span = {"startTime": rows[5]["timestamp"], "endTime": rows[9]["timestamp"]}
    inside = ok(live, f"/futures/data/{path}", **asked, **span)
    assert {row["timestamp"] for row in inside} <= set(range(span["startTime"], span["endTime"] + 1))
    assert all(row in rows for row in inside)
    assert len(inside) >= 4


def test_open_interest_now_follows_its_history(live):
    now = float(ok(live, "openInterest", symbol="BTCUSDT")["openInterest"])
    (row,) = ok(live, "/futures/data/openInterestHist", symbol="BTCUSDT", period="5m", limit=1)
    assert now == pytest.approx(float(row["sumOpenInterest"]), rel=0.02)


def test_a_pair_without_the_contract_type_has_no_basis(live):
    assert ok(live, "/futures/data/basis", pair="BTCUSDT", contractType="CURRENT_QUARTER", period="5m") == []


def test_noise_is_smooth_and_repeats():
    at = np.arange(0, 3 * DAY, 60_000)
    values = smooth(at, "any")
    assert np.array_equal(values, smooth(at, "any"))
    assert np.abs(values).max() <= 1.0
    assert np.abs(np.diff(values)).max() < 0.02


def test_the_venue_tells_about_itself(live):
    assert ok(live, "indexInfo") == []
    sources = ok(live, "constituents", symbol="BTCUSDT")
    assert sum(float(row["weight"]) for row in sources["constituents"]) == pytest.approx(1.0)
    assert {"USDCUSD", "BTCUSD"} <= {row["symbol"] for row in ok(live, "assetIndex")}
    assert ok(live, "assetIndex", symbol="BTCUSD")["symbol"] == "BTCUSD"
    assert ok(live, "insuranceBalance", symbol="BTCUSDT")["symbols"] == ["BTCUSDT"]
    assert ok(live, "insuranceBalance")[0]["assets"]
    assert ok(live, "symbolAdlRisk", symbol="BTCUSDT")["adlRisk"] == "low"
    assert len(ok(live, "symbolAdlRisk")) == len(live.venue.tape.listed())
    schedule = ok(live, "tradingSchedule")["marketSchedules"]["EQUITY"]["sessions"]
    assert all(before["endTime"] == after["startTime"] for before, after in pairwise(schedule))
    assert {row["type"] for row in schedule} >= {"REGULAR", "NO_TRADING"}


def test_answers_hold_a_field_that_no_document_names(live):
    for path, query in (("ticker/24hr", b""), ("depth", b"symbol=BTCUSDT&limit=5"), ("trades", b"symbol=BTCUSDT")):
        body = json.loads(live.request("GET", f"/fapi/v1/{path}", query, b"", {}, live.now_ms).body)
        assert body != known(body)
    bars = live.request("GET", "/fapi/v1/klines", b"symbol=BTCUSDT&interval=1m", b"", {}, live.now_ms).body
    assert json.loads(bars) == known(json.loads(bars))
    assert live.request("GET", "/fapi/v1/ping", b"", b"", {}, live.now_ms).body == b"{}"


def test_the_known_fidelity_items_are_there(live):
    """Checklist of contract section 12: what a client must get along with."""
    info = ok(live, "exchangeInfo")
    assert info["serverTime"] < live.now_ms - DAY
    by_status = {row["status"] for row in info["symbols"]}
    assert {"TRADING", "SETTLING"} <= by_status
    assert [row for row in info["symbols"] if row["contractType"] == ""]
    assert [row for row in info["symbols"] if not row["symbol"].isascii()]
    assert all(any(rule["filterType"] == "POSITION_RISK_CONTROL" for rule in row["filters"]) for row in info["symbols"])
    assert ok(live, "depth", symbol="ETHUSDT", limit=5)["lastUpdateId"] > 2**53
    assert all("settleBand" in row for row in info["symbols"])


def test_rest_intervals_are_those_of_the_contract():
    market = SmallMarket()
    exchange = Exchange(market)
    exchange.advance(START + 1_000)
    for interval in (*INTERVALS, "3d", "1w", "1M"):
        rows = ok(exchange, "klines", symbol=SYMBOLS[0], interval=interval, limit=2)
        assert rows[-1][0] <= exchange.now_ms <= rows[-1][6]
