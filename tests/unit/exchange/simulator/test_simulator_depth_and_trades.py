import itertools
import json

import pytest
from small_market import START, SmallMarket

from exchange.simulator.core import Exchange
from exchange.simulator.frames import stray
from exchange.simulator.liquidations import Liquidation, Liquidations
from exchange.simulator.single_trades import single_trades
from exchange.simulator.stream_names import Kind, Route, Topic, is_served, parse_topic
from exchange.simulator.synthetic import SyntheticMarket
from exchange.simulator.venue import ExchangeOptions

LOWER = {"btcusdt": 0, "tslausdt": 3}
SYNTHETIC_START = 1_773_147_600_000
DEPTH_KEYS = {"e", "E", "T", "s", "ps", "U", "u", "pu", "b", "a", "st", stray("BTCUSDT")[0]}


def heard(exchange, path, span_ms):
    session = exchange.open(path, exchange.now_ms)
    exchange.advance(exchange.now_ms + span_ms)
    return [json.loads(frame) for frame in session.outbox]


def synthetic(**options):
    return Exchange(
        SyntheticMarket(3, seed=1, start_ms=SYNTHETIC_START, step_ms=100), options=ExchangeOptions(**options)
    )


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("btcusdt@depth", Topic(Kind.DEPTH, "@250", 0)),
        ("btcusdt@depth@100ms", Topic(Kind.DEPTH, "@100", 0)),
        ("btcusdt@depth@500ms", Topic(Kind.DEPTH, "@500", 0)),
        ("btcusdt@depth20@100ms", Topic(Kind.PARTIAL, "20@100", 0)),
        ("btcusdt@depth5", Topic(Kind.PARTIAL, "5@250", 0)),
        ("btcusdt@rpiDepth@500ms", Topic(Kind.RPI_DEPTH, "@500", 0)),
        ("btcusdt@trade", Topic(Kind.TRADE, "", 0)),
        ("btcusdt@forceOrder", Topic(Kind.FORCE, "", 0)),
        ("!forceOrder@arr", Topic(Kind.EVERY_FORCE, "", -1)),
        ("!contractInfo", Topic(Kind.CONTRACT_INFO, "", -1)),
        ("btcusdt_perpetual@continuousKline_1s", Topic(Kind.CONTINUOUS, "perpetual@1s", 0)),
        ("tslausdt_tradifi_perpetual@continuousKline_1M", Topic(Kind.CONTINUOUS, "tradifi_perpetual@1M", 3)),
        ("btcusdt@kline_1w", Topic(Kind.KLINE, "1w", 0)),
        ("btcusdt@kline_1s", None),
        ("btcusdt@depth7", None),
        ("btcusdt@depth@50ms", None),
        ("btcusdt@rpiDepth", None),
        ("btcusdt@depth1000", None),
        ("btcusdt_next_quarter@continuousKline_1m", None),
        ("btcusdt@compositeIndex", None),
        ("!assetIndex@arr", None),
        ("tradingSession", None),
    ],
)
def test_names_of_books_trades_and_contracts(name, topic):
    assert parse_topic(name, LOWER) == topic


@pytest.mark.parametrize("name", ["btcusdt@compositeIndex", "!assetIndex@arr", "usdcusd@assetIndex", "tradingSession"])
def test_streams_without_a_subject_are_accepted_and_silent(name):
    exchange = Exchange(SmallMarket())
    session = exchange.open(f"/market/ws/{name}", START)
    exchange.advance(START + 5_000)
    assert (session.names, session.ending, list(session.outbox)) == ([name], None, [])


@pytest.mark.parametrize("kind", [Kind.DEPTH, Kind.PARTIAL, Kind.RPI_DEPTH, Kind.TRADE])
def test_books_and_trades_belong_to_the_public_route(kind):
    served = {route for route in Route if is_served(kind, route, strict=True)}
    assert served == {Route.PUBLIC, Route.UNROUTED}


@pytest.mark.parametrize(("levels", "speed", "pause"), [(5, "@100ms", 100), (10, "", 250), (20, "@500ms", 500)])
def test_the_best_levels_are_those_that_rest_answers(levels, speed, pause):
    exchange = synthetic()
    frames = heard(exchange, f"/public/ws/btcusdt@depth{levels}{speed}", 20 * pause)
    last = frames[-1]
    assert last.keys() == DEPTH_KEYS
    assert (len(last["b"]), len(last["a"])) == (levels, levels)
    assert all(before["u"] == after["pu"] for before, after in itertools.pairwise(frames))
    query = f"symbol=BTCUSDT&limit={levels}".encode()
    book = json.loads(exchange.request("GET", "/fapi/v1/depth", query, b"", {}, exchange.now_ms).body)
    assert (book["bids"], book["asks"]) == (last["b"], last["a"])


def test_an_unchanged_book_is_not_sent_again():
    frames = heard(Exchange(SmallMarket()), "/public/ws/ethusdt@depth5", 4_000)
    assert [frame["E"] for frame in frames] == [START + 1_000 * n for n in range(1, 5)]


def test_the_book_with_retail_orders_holds_at_least_the_other_one_at_every_price():
    exchange = synthetic()
    bodies = [
        json.loads(
            exchange.request("GET", f"/fapi/v1/{path}", b"symbol=BTCUSDT&limit=1000", b"", {}, exchange.now_ms).body
        )
        for path in ("depth", "rpiDepth")
    ]
    plain, retail = ({side: dict(body[side]) for side in ("bids", "asks")} for body in bodies)
    for side in ("bids", "asks"):
        assert plain[side].keys() == retail[side].keys()
        more = [price for price in plain[side] if float(retail[side][price]) > float(plain[side][price])]
        assert 0 < len(more) < len(plain[side])
        assert all(float(retail[side][price]) >= float(plain[side][price]) for price in plain[side])
    assert heard(exchange, "/public/ws/btcusdt@rpiDepth@500ms", 2_000)[-1].keys() == DEPTH_KEYS


def test_single_trades_add_up_to_their_aggregate():
    exchange = synthetic()
    streams = heard(exchange, "/stream?streams=btcusdt@trade/btcusdt@aggTrade", 20_000)
    singles = [frame["data"] for frame in streams if frame["stream"].endswith("@trade")]
    aggregates = [frame["data"] for frame in streams if frame["stream"].endswith("@aggTrade")]
    assert len(singles) > len(aggregates) > 0
    for aggregate in aggregates:
        inside = [trade for trade in singles if aggregate["f"] <= trade["t"] <= aggregate["l"]]
        assert sum(round(float(trade["q"]) * 1000) for trade in inside) == round(float(aggregate["q"]) * 1000)
        assert {(trade["p"], trade["T"], trade["m"]) for trade in inside} == {
            (aggregate["p"], aggregate["T"], aggregate["m"])
        }
    assert all(float(trade["q"]) > 0 for trade in singles)
    ids = [trade["t"] for trade in singles]
    assert ids == sorted(set(ids))


def test_a_trade_of_fewer_lots_than_ids_leaves_ids_out():
    rows = SmallMarket()
    rows.advance(START + 250)
    row = rows.trades()
    row["quantity"], row["last"] = 0.002, row["first"] + 4
    assert [(trade.quantity, trade.trade_id - row["first"][0]) for trade in single_trades(row, 0.001)] == [
        (0.001, 0),
        (0.001, 1),
    ]


def test_the_largest_liquidation_of_a_second_is_shown_once_the_second_is_over():
    exchange = Exchange(SmallMarket())
    single = exchange.open("/market/ws/btcusdt@forceOrder", START)
    every = exchange.open("/market/ws/!forceOrder@arr", START)
    for quantity, side in ((0.1, "SELL"), (0.3, "BUY"), (0.2, "SELL")):
        exchange.venue.liquidations.report(Liquidation(0, side, 79_000.0, 79_500.0, quantity, START + 100))
    exchange.advance(START + 750)
    assert not single.outbox
    exchange.advance(START + 2_000)
    (frame,) = [json.loads(frame) for frame in single.outbox]
    assert frame == {
        "e": "forceOrder",
        "E": START + 1_000,
        "o": {
            "s": "BTCUSDT", "S": "BUY", "o": "LIMIT", "f": "IOC", "q": "0.300", "p": "79000.00", "ap": "79500.00",
            "X": "FILLED", "l": "0.300", "z": "0.300", "T": START + 100,
        },
    }  # fmt: skip
    (other,) = [json.loads(frame) for frame in every.outbox]
    assert other == {**frame, "ps": "BTCUSDT", "st": 1, **dict([stray("BTCUSDT")])}


def test_the_market_has_liquidations_of_its_own():
    frames = heard(synthetic(), "/market/ws/!forceOrder@arr", 1_800_000)
    assert frames
    assert {frame["o"]["S"] for frame in frames} <= {"BUY", "SELL"}
    assert {(frame["st"], frame["o"]["s"].endswith("USD_PERP")) for frame in frames} == {(1, False), (2, True)}
    for frame in frames:
        order = frame["o"]
        worse = (
            float(order["p"]) < float(order["ap"]) if order["S"] == "SELL" else float(order["p"]) > float(order["ap"])
        )
        assert worse
        assert float(order["z"]) > 0


def test_taken_liquidations_are_forgotten():
    kept = Liquidations()
    kept.report(Liquidation(1, "BUY", 2.0, 2.0, 3.0, 0))
    assert [one.listing for one in kept.take()] == [1]
    assert kept.take() == []


def test_a_continuous_kline_names_pair_and_contract_type_and_no_symbol():
    exchange = Exchange(SmallMarket())
    path = "/market/ws/btcusdt_perpetual@continuousKline_1m/btcusdt_tradifi_perpetual@continuousKline_1m"
    frames = heard(exchange, path, 1_000)
    assert len(frames) == 4
    frame = frames[-1]
    assert (frame["e"], frame["ps"], frame["ct"]) == ("continuous_kline", "BTCUSDT", "PERPETUAL")
    assert "s" not in frame
    assert set(frame["k"]) == {"t", "T", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q", "B"}


def test_bars_of_one_second_are_the_trades_of_that_second_and_close_when_quiet_too():
    exchange = synthetic()
    names = "btcusdt_perpetual@continuousKline_1s/btcusdt@aggTrade"
    streams = heard(exchange, f"/stream?streams={names}", 30_000)
    bars = [frame["data"]["k"] for frame in streams if "continuous" in frame["stream"]]
    trades = [frame["data"] for frame in streams if "aggTrade" in frame["stream"]]
    closed = [bar for bar in bars if bar["x"]]
    assert [bar["t"] for bar in closed] == [SYNTHETIC_START + 1_000 * n for n in range(30)]
    for bar in closed:
        inside = [trade for trade in trades if bar["t"] <= trade["T"] <= bar["T"]]
        assert bar["n"] == sum(trade["l"] - trade["f"] + 1 for trade in inside)
        if inside:
            prices = [float(trade["p"]) for trade in inside]
            ends = (float(bar["o"]), float(bar["h"]), float(bar["l"]), float(bar["c"]))
            assert ends == (prices[0], max(prices), min(prices), prices[-1])
        else:
            assert (bar["f"], bar["L"], bar["o"], bar["v"]) == (-1, -1, bar["c"], "0.000")


def test_klines_of_a_week_grow_with_their_days():
    exchange = synthetic()
    frames = heard(exchange, "/market/ws/btcusdt@kline_1w", 3_000)
    query = b"symbol=BTCUSDT&interval=1w&limit=1"
    (row,) = json.loads(exchange.request("GET", "/fapi/v1/klines", query, b"", {}, exchange.now_ms).body)
    bar = frames[-1]["k"]
    assert [bar[key] for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")] == row
