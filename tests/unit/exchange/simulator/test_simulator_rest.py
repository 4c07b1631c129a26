import json
from urllib.parse import quote

import pytest
from odd_fields import known
from small_market import START, SYMBOLS, SmallMarket

from exchange.simulator import rest_account
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.venue import ExchangeOptions


def venue(**options):
    exchange = Exchange(SmallMarket(), options=ExchangeOptions(**options))
    exchange.advance(START + 10_000)
    return exchange


def ask(exchange, path, query="", *, method="GET", key=None, at=0):
    headers = {} if key is None else {"x-mbx-apikey": key}
    answer = exchange.request(method, path, query.encode(), b"", headers, exchange.now_ms + at)
    body = known(json.loads(answer.body)) if answer.headers["content-type"] == "application/json" else answer.body
    return answer, body


def signed(exchange, path, query="", *, secret=DEMO_SECRET, at=0):
    text = f"{query}&" * bool(query) + f"timestamp={exchange.now_ms + at}"
    return ask(exchange, path, f"{text}&signature={sign(secret, text.encode())}", key=DEMO_KEY, at=at)


@pytest.mark.parametrize(
    ("path", "query", "code", "text"),
    [
        ("klines", "symbol=BTCUSDT&interval=1s", -1120, "Invalid interval."),
        ("klines", "symbol=BTCUSDT&interval=1m&limit=1501", -1130, "Data sent for parameter 'limit' is not valid."),
        ("klines", "symbol=BTCUSDT&interval=1m&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        (
            "klines",
            "interval=1m",
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
        (
            "klines",
            "symbol=BTCUSDT",
            -1102,
            "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
        ),
        ("klines", "symbol=btcusdt&interval=1m", -1121, "Invalid symbol."),
        ("klines", "symbol=BTCUSDT&interval=1m&startTime=2&endTime=1", -1023, "Start time is greater than end time."),
        (
            "klines",
            "symbol=BTCUSDT&interval=1m&limit=many",
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        ("aggTrades", "symbol=BTCUSDT&limit=1001", -1130, "Data sent for parameter 'limit' is not valid."),
        ("depth", "symbol=BTCUSDT&limit=1500", -1130, "Data sent for parameter 'limit' is not valid."),
        ("depth", "symbol=BTCUSDT&limit=3", -4021, "3 is not valid depth limit"),
        ("premiumIndex", "symbol=NOSUCH", -1121, "Invalid symbol."),
        ("ticker/24hr", "symbol=NOSUCH", -1121, "Invalid symbol."),
    ],
)
def test_a_bad_parameter_gets_the_venues_code_and_text(path, query, code, text):
    answer, body = ask(venue(), f"/fapi/v1/{path}", query)
    assert answer.status == 400
    assert body == {"code": code, "msg": text}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/fapi/v1/nothing"), ("POST", "/fapi/v1/ping"), ("GET", "/fapi/v1/listenKey")]
)
def test_an_unknown_route_or_method_is_404_and_costs_no_weight(method, path):
    exchange = venue()
    answer, _ = ask(exchange, path, method=method)
    assert answer.status == 404
    assert "x-mbx-used-weight-1m" not in answer.headers


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("v1/ping", "", 1),
        ("v1/klines", "symbol=BTCUSDT&interval=1m&limit=99", 1),
        ("v1/klines", "symbol=BTCUSDT&interval=1m&limit=499", 2),
        ("v1/klines", "symbol=BTCUSDT&interval=1m", 5),
        ("v1/klines", "symbol=BTCUSDT&interval=1m&limit=1000", 5),
        ("v1/klines", "symbol=BTCUSDT&interval=1m&limit=1500", 10),
        ("v1/depth", "symbol=BTCUSDT&limit=50", 2),
        ("v1/depth", "symbol=BTCUSDT&limit=100", 5),
        ("v1/depth", "symbol=BTCUSDT", 10),
        ("v1/depth", "symbol=BTCUSDT&limit=1000", 20),
        ("v1/ticker/24hr", "symbol=BTCUSDT", 1),
        ("v1/ticker/24hr", "", 40),
        ("v2/ticker/price", "", 2),
        ("v1/ticker/bookTicker", "", 5),
        ("v1/premiumIndex", "", 10),
        ("v1/aggTrades", "symbol=BTCUSDT", 20),
    ],
)
def test_each_request_costs_the_venues_weight(path, query, weight):
    answer, _ = ask(venue(), f"/fapi/{path}", query)
    assert answer.status == 200
    assert answer.headers["x-mbx-used-weight-1m"] == str(weight)


def test_the_weight_starts_anew_with_the_minute_of_simulated_time():
    exchange = venue()
    ask(exchange, "/fapi/v1/ticker/24hr")
    assert ask(exchange, "/fapi/v1/ping")[0].headers["x-mbx-used-weight-1m"] == "41"
    assert ask(exchange, "/fapi/v1/ping", at=60_000)[0].headers["x-mbx-used-weight-1m"] == "1"


def test_who_exceeds_the_limit_is_refused_and_who_carries_on_is_banned_for_longer_each_time():
    exchange = venue(weight_limit=80)
    assert ask(exchange, "/fapi/v1/ticker/24hr")[0].status == 200
    assert ask(exchange, "/fapi/v1/ticker/24hr")[0].status == 200
    answer, body = ask(exchange, "/fapi/v1/ping")
    assert (answer.status, body["code"], answer.headers["retry-after"]) == (429, -1003, "50")
    while answer.status == 429:
        answer, body = ask(exchange, "/fapi/v1/ping")
    assert (answer.status, answer.headers["retry-after"]) == (418, "120")
    assert f"IP banned until {exchange.now_ms + 120_000}" in body["msg"]
    assert ask(exchange, "/fapi/v1/ping", at=119_999)[0].status == 418
    assert ask(exchange, "/fapi/v1/ping", at=1)[0].status == 200
    answer = ask(exchange, "/fapi/v1/ping")[0]
    while answer.status != 418:
        answer = ask(exchange, "/fapi/v1/ticker/24hr")[0]
    assert answer.headers["retry-after"] == "240"


def test_a_polite_caller_is_never_banned():
    exchange = venue(weight_limit=1)
    for _ in range(12):
        assert ask(exchange, "/fapi/v1/ping", at=60_000)[0].status == 200
        assert ask(exchange, "/fapi/v1/ping")[0].status == 429


def test_funding_requests_have_a_pool_of_their_own_and_no_weight_header():
    exchange = venue()
    answers = [ask(exchange, "/fapi/v1/fundingInfo")[0] for _ in range(501)]
    assert [answer.status for answer in answers[-2:]] == [200, 429]
    assert "x-mbx-used-weight-1m" not in answers[0].headers
    assert ask(exchange, "/fapi/v1/ping")[0].headers["x-mbx-used-weight-1m"] == "1"


READS = [path for method, path in rest_account.ROUTES if method == "GET"]


@pytest.mark.parametrize("path", READS)
def test_every_read_of_the_account_demands_key_time_and_signature(path):
    exchange = venue()
    symbol = "symbol=BTCUSDT"
    assert signed(exchange, path, symbol)[0].status == 200
    refused = [
        ask(exchange, path, symbol)[1],
        ask(exchange, path, symbol, key="a" * 64)[1],
        ask(exchange, path, symbol, key=DEMO_KEY)[1],
        ask(exchange, path, f"{symbol}&timestamp=1&signature=00", key=DEMO_KEY)[1],
        signed(exchange, path, symbol, secret="wrong")[1],
    ]
    assert [body["code"] for body in refused] == [-2014, -2015, -1102, -1021, -1022]


def test_checks_happen_in_the_venues_order():
    exchange = venue()
    stamp = exchange.now_ms
    # Mandatory parameters before time, time before signature, signature before the symbol's existence.
    assert ask(exchange, "/fapi/v1/commissionRate", "timestamp=1&signature=00", key=DEMO_KEY)[1]["code"] == -1102
    query = "symbol=NOSUCH&timestamp={}&signature=00"
    assert ask(exchange, "/fapi/v1/commissionRate", query.format(1), key=DEMO_KEY)[1]["code"] == -1021
    assert ask(exchange, "/fapi/v1/commissionRate", query.format(stamp), key=DEMO_KEY)[1]["code"] == -1022
    assert signed(exchange, "/fapi/v1/commissionRate", "symbol=NOSUCH")[1]["code"] == -1121


def test_a_refused_request_is_weighed_too():
    exchange = venue()
    answer, _ = signed(exchange, "/fapi/v1/positionSide/dual", secret="wrong")
    assert answer.headers["x-mbx-used-weight-1m"] == "30"


def test_exchange_info_is_stale_varies_its_filters_and_speaks_in_text_where_the_venue_does():
    exchange = venue()
    _, info = ask(exchange, "/fapi/v1/exchangeInfo", "symbol=BTCUSDT")
    assert info["serverTime"] < START - 86_400_000
    assert [row["symbol"] for row in info["symbols"]] == list(SYMBOLS)
    orders = [tuple(f["filterType"] for f in row["filters"]) for row in info["symbols"]]
    assert len(set(orders)) == len(orders)
    assert len({frozenset(order) for order in orders}) == 1
    bitcoin = {f["filterType"]: f for f in info["symbols"][0]["filters"]}
    assert bitcoin["PRICE_FILTER"] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.10",
        "maxPrice": "1000000",
        "tickSize": "0.10",
    }
    assert bitcoin["PERCENT_PRICE"]["multiplierDecimal"] == "4"
    assert bitcoin["POSITION_RISK_CONTROL"] == {
        "filterType": "POSITION_RISK_CONTROL",
        "positionControlSide": "NONE",
    }
    assert info["rateLimits"][0]["limit"] == 2400


def test_candle_rows_have_twelve_columns_in_text_by_precision():
    _, rows = ask(venue(), "/fapi/v1/klines", "symbol=BTCUSDT&interval=1m&limit=2")
    assert len(rows) == 2
    row = rows[-1]
    assert (row[0], row[6]) == (START, START + 59_999)
    assert row[1:6] == ["80000.10", "80002.00", "80000.10", "80002.00", "20.000"]
    assert row[7:] == ["1600021.00000", 40, "10.000", "800010.50000", "0"]


def test_candles_from_a_start_are_the_first_ones_and_without_it_the_newest():
    exchange = venue()
    first = START - 600_000
    _, rows = ask(exchange, "/fapi/v1/klines", f"symbol=ETHUSDT&interval=1m&startTime={first}&limit=3")
    assert [row[0] for row in rows] == [first, first + 60_000, first + 120_000]
    _, rows = ask(exchange, "/fapi/v1/klines", "symbol=ETHUSDT&interval=1m&limit=3")
    assert [row[0] for row in rows] == [START - 120_000, START - 60_000, START]
    assert ask(exchange, "/fapi/v1/klines", f"symbol=ETHUSDT&interval=1m&startTime={START * 2}")[1] == []


def test_a_symbol_outside_ascii_is_served():
    symbol = quote(SYMBOLS[2])
    _, row = ask(venue(), "/fapi/v1/ticker/price", f"symbol={symbol}")
    assert row == {"symbol": SYMBOLS[2], "price": "0.2500", "time": START}


def test_one_symbol_carries_update_ids_beyond_what_a_double_holds():
    _, rows = ask(venue(), "/fapi/v1/ticker/bookTicker")
    assert [row["lastUpdateId"] > 2**53 for row in rows] == [False, True, False, False]


def test_a_single_symbol_is_an_object_and_all_symbols_are_an_array():
    exchange = venue()
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker", "premiumIndex"):
        _, rows = ask(exchange, f"/fapi/v1/{path}")
        _, row = ask(exchange, f"/fapi/v1/{path}", "symbol=ETHUSDT")
        assert row == rows[1]
        assert len(rows) == len(SYMBOLS)


def test_depth_answers_levels_best_first():
    _, book = ask(venue(), "/fapi/v1/depth", "symbol=BTCUSDT&limit=5")
    assert book["bids"][0] == ["80001.90", "1.000"]
    assert book["asks"][0] == ["80002.10", "2.000"]
    assert len(book["bids"]) == 5


def test_aggregate_trades_can_be_read_by_id_and_not_by_id_and_time_at_once():
    exchange = venue()
    _, rows = ask(exchange, "/fapi/v1/aggTrades", "symbol=BTCUSDT&limit=2")
    _, again = ask(exchange, "/fapi/v1/aggTrades", f"symbol=BTCUSDT&fromId={rows[0]['a']}&limit=2")
    assert again == rows
    assert rows[0].keys() == {"a", "p", "q", "nq", "f", "l", "T", "m"}
    _, body = ask(exchange, "/fapi/v1/aggTrades", f"symbol=BTCUSDT&fromId=1&startTime={START}")
    assert body["code"] == -1128


def test_the_demo_account_holds_ten_thousand_and_nothing_else():
    exchange = venue()
    _, account = signed(exchange, "/fapi/v3/account")
    assert account["availableBalance"] == account["totalMarginBalance"] == "10000.00000000"
    assert [asset["asset"] for asset in account["assets"]] == ["USDT"]
    assert account["positions"] == []
    _, account = signed(exchange, "/fapi/v2/account")
    assert [row["symbol"] for row in account["positions"]] == list(SYMBOLS)
    assert {row["positionAmt"] for row in account["positions"]} == {"0"}
    assert signed(exchange, "/fapi/v3/positionRisk")[1] == []
    assert signed(exchange, "/fapi/v1/openOrders")[1] == []


def test_symbol_config_names_the_cap_of_the_present_leverage():
    _, rows = signed(venue(), "/fapi/v1/symbolConfig", "symbol=BTCUSDT")
    assert rows == [
        {
            "symbol": "BTCUSDT",
            "marginType": "CROSSED",
            "isAutoAddMargin": False,
            "leverage": 20,
            "maxNotionalValue": "250000",
        }
    ]


def test_leverage_brackets_are_numbers():
    _, rows = signed(venue(), "/fapi/v1/leverageBracket", "symbol=BTCUSDT")
    assert rows[0]["brackets"][1] == {
        "bracket": 2,
        "initialLeverage": 20,
        "notionalCap": 250_000,
        "notionalFloor": 50_000,
        "maintMarginRatio": 0.01,
        "cum": 300,
    }


def test_a_listen_key_is_one_per_account_and_lives_an_hour_after_its_last_extension():
    exchange = Exchange(SmallMarket(step_ms=60_000))

    def call(method, at=0):
        return ask(exchange, "/fapi/v1/listenKey", method=method, key=DEMO_KEY, at=at)

    assert call("PUT")[1] == {"code": -1125, "msg": "This listenKey does not exist."}
    key = call("POST")[1]["listenKey"]
    assert len(key) == 64
    assert call("POST", at=3_000_000)[1]["listenKey"] == key
    assert call("PUT", at=3_599_000)[1] == {"listenKey": key}
    assert call("PUT", at=3_600_000)[1]["code"] == -1125
    assert call("POST")[1]["listenKey"] != key
    assert call("DELETE")[1] == {}
    assert call("PUT")[1]["code"] == -1125
    assert ask(exchange, "/fapi/v1/listenKey", method="POST")[1]["code"] == -2014


def test_the_run_clock_answers_banned_callers_too():
    exchange = venue(weight_limit=1)
    for _ in range(10):
        ask(exchange, "/fapi/v1/ping")
    assert ask(exchange, "/fapi/v1/ping")[0].status == 418
    _, clock = ask(exchange, "/sim/clock")
    assert clock == {
        "now": START + 10_000,
        "speed": 1.0,
        "start": START,
        "market": "synthetic",
        "symbols": 4,
        "exhausted": False,
    }


def test_time_is_the_instant_of_the_request_and_not_of_the_last_market_step():
    assert ask(venue(), "/fapi/v1/time", at=123)[1] == {"serverTime": START + 10_123}
