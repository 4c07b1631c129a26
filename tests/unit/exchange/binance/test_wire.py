import json
from decimal import Decimal

import numpy as np
import pytest

from exchange.binance import account_wire, candles_wire, rules_wire, wire
from exchange.errors import DecodeError
from exchange.market_data import MarkPrice, Ticker

W = "GET /x"
BAR = [60_000, "10.0", "12.0", "9.0", "11.0", "5.5", 119_999, "60.5", 7, "2.5", "27.5", "0"]


def encoded(value):
    return json.dumps(value).encode()


def refuse(error):
    raise AssertionError(f"no row was to be refused: {error}")


def bar(**changes):
    row = list(BAR)
    for index, value in changes.items():
        row[int(index[1:])] = value
    return row


def test_klines_become_columns():
    columns = candles_wire.candles(encoded([bar(), bar(i0=120_000, i6=179_999)]), W)
    assert len(columns) == 2
    assert columns.open_time.tolist() == [60_000, 120_000]
    assert columns.open_time.dtype == np.int64
    assert (columns.open[0], columns.high[0], columns.low[0], columns.close[0]) == (10.0, 12.0, 9.0, 11.0)
    assert (columns.volume[0], columns.quote_volume[0], columns.taker_base[0], columns.taker_quote[0]) == (
        5.5, 60.5, 2.5, 27.5,
    )  # fmt: skip
    assert columns.trades.tolist() == [7, 7]
    assert all(column.flags.c_contiguous for column in (columns.open, columns.close, columns.volume))


def test_no_bars_are_no_error():
    assert len(candles_wire.candles(b"[]", W)) == 0


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (bar(i1="NaN"), "open"),
        (bar(i2="Infinity"), "high"),
        (bar(i3="0.0"), "low"),
        (bar(i4="-1.0"), "close"),
        (bar(i5="-0.1"), "volume"),
        (bar(i7="NaN"), "quote volume"),
        (bar(i9="inf"), "taker base"),
        (bar(i2="10.5"), "high"),
        (bar(i3="10.5"), "high"),
        (bar(i1=None), "[1]"),
        (bar(i8="seven"), "[1]"),
        (bar(i1="1_0"), "[1]"),
        (bar(i1=""), "[1]"),
        (bar(i1=True), "[1]"),
        (bar(i0=60_000), "open time"),
        (BAR[:5], "[1]"),
    ],
)
def test_a_bar_that_cannot_be_believed_refuses_the_answer_and_names_row_and_field(row, field):
    second = row if row[0] == 60_000 and "open time" in field else [120_000, *row[1:]]
    with pytest.raises(DecodeError) as caught:
        candles_wire.candles(encoded([bar(), second]), W)
    assert field in str(caught.value)
    assert "[1]" in caught.value.field


@pytest.mark.parametrize(
    "body", [b"", b"<html>busy</html>", b"{", b"null", b'{"code":-1121}', b"\xff\xfe", b'"x"', b"[[1]]"]
)
def test_bodies_of_another_shape_are_refused_everywhere(body):
    for decode in (
        lambda: candles_wire.candles(body, W),
        lambda: wire.server_time(body, W),
        lambda: rules_wire.instruments(body, W, refuse),
        lambda: wire.tickers(body, W, refuse),
        lambda: wire.book_tops(body, W, refuse),
        lambda: wire.mark_prices(body, W, refuse),
        lambda: wire.depth(body, "X", W),
        lambda: wire.agg_trades(body, "X", W),
        lambda: rules_wire.leverage_brackets(body, W, refuse),
        lambda: wire.listen_key(body, W),
        lambda: account_wire.account(body, W),
        lambda: account_wire.balances(body, W),
        lambda: account_wire.positions(body, W),
        lambda: account_wire.symbol_configs(body, W),
        lambda: account_wire.hedge_mode(body, W),
    ):
        with pytest.raises(DecodeError, match=r"GET /x"):
            decode()


def test_html_with_200_is_called_by_its_name():
    with pytest.raises(DecodeError, match="HTML"):
        wire.server_time(b"  <!DOCTYPE html><html></html>", W)


def test_a_repeated_key_is_refused():
    with pytest.raises(DecodeError, match="twice") as caught:
        wire.server_time(b'{"serverTime":1,"serverTime":2}', W)
    assert caught.value.field == "serverTime"


def test_unknown_fields_are_accepted():
    assert wire.server_time(b'{"serverTime":5,"novelty":{"a":[1]}}', W) == 5


def ticker(**changes):
    row = {
        "symbol": "BTCUSDT", "priceChange": "1", "priceChangePercent": "-1.138", "weightedAvgPrice": "1",
        "lastPrice": "76914.90", "lastQty": "1", "openPrice": "1", "highPrice": "1", "lowPrice": "1", "volume": "1",
        "quoteVolume": "13258734360.38", "openTime": 1, "closeTime": 99, "firstId": 1, "lastId": 2, "count": 3,
    }  # fmt: skip
    return row | changes


def test_tickers_come_as_an_array_or_as_one_object():
    expected = Ticker("BTCUSDT", 76914.9, -1.138, 13258734360.38, 99)
    assert wire.tickers(encoded([ticker()]), W, refuse) == (expected,)
    assert wire.tickers(encoded(ticker()), W, refuse) == (expected,)


def test_one_poisoned_row_does_not_blind_the_others_and_is_reported():
    refused = []
    rows = [ticker(), ticker(symbol="BADUSDT", lastPrice="0.0"), ticker(symbol="ETHUSDT"), ticker(lastPrice=None)]
    good = wire.tickers(encoded(rows), W, refused.append)
    assert [row.symbol for row in good] == ["BTCUSDT", "ETHUSDT"]
    assert [error.field for error in refused] == ["lastPrice", "lastPrice"]
    assert "BADUSDT" in str(refused[0])


def test_an_answer_without_a_sound_row_is_unavailable_and_not_empty():
    with pytest.raises(DecodeError):
        wire.tickers(encoded([ticker(lastPrice="NaN")]), W, refuse)
    with pytest.raises(DecodeError, match="unavailable"):
        wire.tickers(b"[]", W, refuse)


def test_coin_margined_rows_are_left_out():
    rows = [ticker(st=1), ticker(symbol="BTCUSD_PERP", st=2)]
    assert [row.symbol for row in wire.tickers(encoded(rows), W, refuse)] == ["BTCUSDT"]


def book(**changes):
    row = {"symbol": "BTCUSDT", "bidPrice": "100.0", "bidQty": "1", "askPrice": "100.1", "askQty": "0", "time": 7}
    return row | changes


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bidPrice": "100.1"}, "bidPrice"),
        ({"bidPrice": "101"}, "bidPrice"),
        ({"bidPrice": "0"}, "bidPrice"),
        ({"askPrice": "NaN"}, "askPrice"),
        ({"askQty": "-1"}, "askQty"),
        ({"bidQty": "Infinity"}, "bidQty"),
        ({"time": "soon"}, "time"),
        ({"askPrice": []}, "askPrice"),
    ],
)
def test_crossed_books_and_poison_numbers_are_refused(changes, field):
    with pytest.raises(DecodeError) as caught:
        wire.book_tops(encoded([book(**changes)]), W, refuse)
    assert caught.value.field == field


def test_mark_prices_tolerate_delivery_rows_and_leave_them_out():
    perpetual = {
        "symbol": "BTCUSDT", "markPrice": "1.5", "indexPrice": "1.4", "estimatedSettlePrice": "1.4",
        "lastFundingRate": "-0.0001", "interestRate": "0.0001", "nextFundingTime": 9, "time": 8,
    }  # fmt: skip
    delivery = perpetual | {"symbol": "BTCUSDT_270326", "lastFundingRate": "", "interestRate": "", "nextFundingTime": 0}
    assert wire.mark_prices(encoded([perpetual, delivery]), W, refuse) == (
        MarkPrice("BTCUSDT", 1.5, 1.4, -0.0001, 9, 8),
    )
    with pytest.raises(DecodeError, match="lastFundingRate"):
        wire.mark_prices(encoded([perpetual | {"lastFundingRate": "NaN"}]), W, refuse)


def depth(bids, asks):
    return encoded({"lastUpdateId": 4, "E": 5, "T": 5, "bids": bids, "asks": asks})


def test_a_book_is_read_best_first():
    snapshot = wire.depth(depth([["10", "1"], ["9", "2"]], [["11", "3"]]), "BTCUSDT", W)
    assert (snapshot.update_id, snapshot.bids, snapshot.asks) == (4, ((10.0, 1.0), (9.0, 2.0)), ((11.0, 3.0),))


@pytest.mark.parametrize(
    ("bids", "asks", "field"),
    [
        ([["10", "1"]], [["10", "1"]], "bids[0][0]"),
        ([["9", "1"], ["10", "1"]], [["11", "1"]], "bids[1][0]"),
        ([["9", "1"]], [["11", "1"], ["11", "1"]], "asks[1][0]"),
        ([["0", "1"]], [], "bids[0][0]"),
        ([["9", "-1"]], [], "bids[0][1]"),
        ([["9"]], [], "bids[0]"),
    ],
)
def test_an_unordered_or_crossed_book_is_refused(bids, asks, field):
    with pytest.raises(DecodeError) as caught:
        wire.depth(depth(bids, asks), "BTCUSDT", W)
    assert caught.value.field.startswith(field)


def test_aggregate_trades_ascend():
    row = {"a": 5, "p": "1.5", "q": "2", "nq": "2", "f": 1, "l": 1, "T": 9, "m": True}
    (trade,) = wire.agg_trades(encoded([row]), "BTCUSDT", W)
    assert (trade.trade_id, trade.price, trade.quantity, trade.buyer_is_maker) == (5, 1.5, 2.0, True)
    with pytest.raises(DecodeError, match="does not follow"):
        wire.agg_trades(encoded([row, row]), "BTCUSDT", W)


def symbol(**changes):
    row = {
        "symbol": "BTCUSDT", "contractType": "PERPETUAL", "onboardDate": 3, "status": "TRADING", "baseAsset": "BTC",
        "quoteAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3, "liquidationFee": "0.0125",
        "marketTakeBound": "0.05",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "50"},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95", "multiplierDecimal": "4"},
        ],
    }  # fmt: skip
    return row | changes


def test_trading_rules_are_found_by_type_and_keep_their_digits():
    (instrument,) = rules_wire.instruments(encoded({"symbols": [symbol()]}), W, refuse)
    assert instrument.tick == Decimal("0.10")
    assert str(instrument.tick) == "0.10"
    assert (instrument.lot.maximum, instrument.market_lot.maximum) == (Decimal(1000), Decimal(120))
    assert (instrument.min_notional, instrument.multiplier_up) == (Decimal(50), Decimal("1.05"))
    assert instrument.max_orders == 200
    assert instrument.is_usdt_perpetual
    assert instrument.is_trading


def test_open_enums_and_non_ascii_symbols_are_kept_as_text():
    rows = [
        symbol(symbol="币安人生USDT", contractType="", status="SETTLING"),
        symbol(contractType="CURRENT_QUARTER DELIVERING"),
    ]
    first, second = rules_wire.instruments(encoded({"symbols": rows}), W, refuse)
    assert (first.symbol, first.contract_type, first.is_trading) == ("币安人生USDT", "", False)
    assert second.contract_type == "CURRENT_QUARTER DELIVERING"


@pytest.mark.parametrize("missing", ["PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MIN_NOTIONAL", "PERCENT_PRICE"])
def test_a_symbol_without_a_needed_filter_is_refused_by_name(missing):
    filters = [rule for rule in symbol()["filters"] if rule["filterType"] != missing]
    refused = []
    rows = [symbol(), symbol(symbol="ODDUSDT", filters=filters)]
    kept = rules_wire.instruments(encoded({"symbols": rows}), W, refused.append)
    assert [instrument.symbol for instrument in kept] == ["BTCUSDT"]
    assert missing in refused[0].field
    assert "ODDUSDT" in str(refused[0])


@pytest.mark.parametrize("tick", ["0", "-0.1", "NaN", "Infinity", "1e5000", ""])
def test_a_senseless_tick_refuses_the_symbol(tick):
    filters = [dict(rule) for rule in symbol()["filters"]]
    filters[0]["tickSize"] = tick
    with pytest.raises(DecodeError):
        rules_wire.instruments(encoded({"symbols": [symbol(filters=filters)]}), W, refuse)


def brackets(rows):
    names = ("bracket", "initialLeverage", "notionalFloor", "notionalCap", "maintMarginRatio", "cum")
    return {"symbol": "BTCUSDT", "brackets": [dict(zip(names, row, strict=True)) for row in rows]}


ROWS = [(1, 150, 0, 300000, 0.004, 0.0), (2, 100, 300000, 800000, 0.005, 300.0)]


def test_brackets_come_as_an_object_or_an_array_of_numbers():
    as_object = rules_wire.leverage_brackets(encoded(brackets(ROWS)), W, refuse)
    as_array = rules_wire.leverage_brackets(encoded([brackets(ROWS[::-1])]), W, refuse)
    assert as_object == as_array
    first, second = as_object["BTCUSDT"]
    assert (first.max_leverage, first.mmr, second.cum, second.floor) == (
        150,
        Decimal("0.004"),
        Decimal("300.0"),
        300000,
    )


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(1, 0, 0, 10, 0.1, 0)],
        [(1, 5, 10, 10, 0.1, 0)],
        [(1, 5, 0, 10, 0, 0)],
        [(1, 5, 0, 10, 0.1, 0), (2, 4, 11, 20, 0.2, 0)],
        [(1, 5, 0, 10, 0.1, -1)],
    ],
)
def test_brackets_that_do_not_adjoin_or_make_sense_are_refused(rows):
    with pytest.raises(DecodeError):
        rules_wire.leverage_brackets(encoded(brackets(rows)), W, refuse)


def position(**changes):
    row = {
        "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "-0.010", "entryPrice": "80000.0",
        "breakEvenPrice": "80040.0", "markPrice": "80010.0", "unRealizedProfit": "-0.1", "liquidationPrice": "0",
        "isolatedMargin": "0", "notional": "-800.1", "marginAsset": "USDT", "isolatedWallet": "0",
        "initialMargin": "40.005", "maintMargin": "3.2004", "adl": 1, "updateTime": 5,
    }  # fmt: skip
    return row | changes


def test_positions_keep_their_sign_and_may_be_none():
    (row,) = account_wire.positions(encoded([position()]), W)
    assert (row.quantity, row.entry, row.notional) == (Decimal("-0.010"), Decimal(80000), Decimal("-800.1"))
    assert account_wire.positions(b"[]", W) == ()


@pytest.mark.parametrize(
    "changes",
    [{"positionAmt": "NaN"}, {"positionAmt": ""}, {"entryPrice": "0"}, {"markPrice": "-1"}, {"positionSide": "UP"}],
)
def test_a_position_that_cannot_be_believed_makes_the_account_unavailable(changes):
    with pytest.raises(DecodeError):
        account_wire.positions(encoded([position(), position(**changes)]), W)


def test_a_wallet_without_assets_is_unavailable_and_not_empty():
    with pytest.raises(DecodeError, match="unavailable"):
        account_wire.balances(b"[]", W)


def test_symbol_settings_are_read_and_unknown_margin_types_refused():
    row = {
        "symbol": "BTCUSDT",
        "marginType": "CROSSED",
        "isAutoAddMargin": False,
        "leverage": 21,
        "maxNotionalValue": "1",
    }
    (config,) = account_wire.symbol_configs(encoded([row]), W)
    assert (config.isolated, config.leverage) == (False, 21)
    with pytest.raises(DecodeError, match="marginType"):
        account_wire.symbol_configs(encoded([row | {"marginType": "cross"}]), W)
    assert account_wire.hedge_mode(b'{"dualSidePosition":true}', W) is True
    with pytest.raises(DecodeError):
        account_wire.hedge_mode(b'{"dualSidePosition":"true"}', W)
