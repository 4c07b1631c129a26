from decimal import Decimal

import pytest
from account_bench import BTC, DOGE, ETH, LONG, SHORT, Bench

from exchange.simulator.trading import account_rows as rows
from exchange.simulator.trading.model import Side
from exchange.simulator.trading.position_rows import adl_quantile

D = Decimal


def golden():
    bench = Bench()
    bench.now = 1_795_000_000_010
    bench.trade(BTC, "BUY", "0.010", 80_000)
    bench.prices.marks[BTC] = D(80_010)
    return bench


def test_position_risk_of_the_golden_scenario_is_as_written():
    assert rows.position_risk_v3(golden().book, range(3)) == [
        {
            "symbol": "BTCUSDT",
            "positionSide": "BOTH",
            "positionAmt": "0.010",
            "entryPrice": "80000.0",
            "breakEvenPrice": "80040.0",
            "markPrice": "80010.00000000",
            "unRealizedProfit": "0.10000000",
            "liquidationPrice": "0",
            "isolatedMargin": "0",
            "notional": "800.10000000",
            "marginAsset": "USDT",
            "isolatedWallet": "0",
            "initialMargin": "40.00500000",
            "maintMargin": "3.20040000",
            "positionInitialMargin": "40.00500000",
            "openOrderInitialMargin": "0",
            "adl": 1,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": 1_795_000_000_010,
        }
    ]


def test_the_older_position_risk_shows_flat_symbols_with_leverage_and_margin_type():
    bench = golden()
    btc, eth, _ = rows.position_risk_v2(bench.book, range(3))
    assert (btc["leverage"], btc["marginType"], btc["isAutoAddMargin"]) == ("20", "cross", "false")
    assert btc["unRealizedProfit"] == "0.10000000"
    assert (eth["positionAmt"], eth["entryPrice"], eth["updateTime"]) == ("0", "0.0", 0)


def test_account_totals_add_up():
    bench = golden()
    bench.rest(ETH, Side.BUY, 1, 2_900)
    account = rows.account_v3(bench.book)
    assert account["totalWalletBalance"] == "9999.60000000"
    assert account["totalUnrealizedProfit"] == "0.10000000"
    assert account["totalMarginBalance"] == "9999.70000000"
    assert account["totalPositionInitialMargin"] == "40.00500000"
    assert account["totalOpenOrderInitialMargin"] == "145.00000000"
    assert account["totalInitialMargin"] == "185.00500000"
    assert account["totalMaintMargin"] == "3.20040000"
    assert account["availableBalance"] == "9814.69500000"
    assert account["maxWithdrawAmount"] == "9814.59500000"
    assert [row["symbol"] for row in account["positions"]] == ["BTCUSDT", "ETHUSDT"]
    assert account["assets"][0]["availableBalance"] == account["availableBalance"]


def test_the_older_account_lists_every_symbol_and_empty_assets_with_settings_first():
    account = rows.account_v2(golden().book, range(3))
    assert list(account)[:8] == [
        "feeTier",
        "feeBurn",
        "canTrade",
        "canDeposit",
        "canWithdraw",
        "updateTime",
        "multiAssetsMargin",
        "tradeGroupId",
    ]
    assert len(account["positions"]) == 3
    assert [row["asset"] for row in account["assets"]] == ["USDT", "USDC", "BNB", "BTC"]


def test_in_hedge_mode_a_symbol_has_a_long_and_a_short_row():
    bench = Bench(hedge=True)
    bench.trade(BTC, "SELL", "0.010", 80_000, SHORT)
    assert [(row["positionSide"], row["positionAmt"]) for row in rows.position_risk_v2(bench.book, [BTC])] == [
        ("LONG", "0"),
        ("SHORT", "-0.010"),
    ]
    assert [row["positionSide"] for row in rows.position_risk_v3(bench.book, [BTC])] == ["SHORT"]


def test_an_isolated_position_shows_its_wallet_and_margin():
    bench = Bench(isolated=[BTC])
    bench.trade(BTC, "BUY", "0.1", 80_000)
    bench.prices.marks[BTC] = D(80_100)
    (row,) = rows.position_risk_v3(bench.book, [BTC])
    assert (row["isolatedWallet"], row["isolatedMargin"]) == ("396.00000000", "406.00000000")
    assert rows.position_risk_v2(bench.book, [BTC])[0]["marginType"] == "isolated"
    assert rows.symbol_config(bench.book, BTC)["marginType"] == "ISOLATED"
    totals = rows.totals(bench.book)
    assert totals["totalWalletBalance"] == "9996.00000000"
    assert totals["totalCrossWalletBalance"] == "9600.00000000"
    assert totals["totalCrossUnPnl"] == "0.00000000"
    assert totals["totalUnrealizedProfit"] == "10.00000000"


def test_open_orders_show_in_their_symbols_row():
    bench = Bench()
    bench.rest(DOGE, Side.BUY, 400, "0.2")
    bench.rest(DOGE, Side.SELL, 200, "0.3")
    (row,) = rows.position_risk_v3(bench.book, range(3))
    assert (row["bidNotional"], row["askNotional"]) == ("80.00000000", "60.00000000")
    assert (row["openOrderInitialMargin"], row["initialMargin"]) == ("4.00000000", "4.00000000")


@pytest.mark.parametrize(
    ("mark", "quantile"), [(79_000, 0), (80_000, 0), (80_010, 1), (83_000, 2), (85_000, 3), (95_000, 4)]
)
def test_the_deleveraging_queue_ranks_by_profit_on_margin(mark, quantile):
    bench = golden()
    bench.prices.marks[BTC] = D(mark)
    assert adl_quantile(bench.book, BTC) == {
        "symbol": "BTCUSDT",
        "adlQuantile": {"LONG": quantile, "SHORT": 0, "BOTH": quantile},
    }


def test_a_hedged_cross_symbol_shows_one_quantile_and_the_marker():
    bench = Bench(hedge=True)
    bench.trade(BTC, "BUY", "0.1", 80_000, LONG)
    bench.trade(BTC, "SELL", "0.1", 80_000, SHORT)
    bench.prices.marks[BTC] = D(83_000)
    assert adl_quantile(bench.book, BTC)["adlQuantile"] == {"LONG": 2, "SHORT": 2, "HEDGE": 0}


def test_commission_rates_are_the_contracts():
    assert rows.commission_rate(Bench().book, BTC) == {
        "symbol": "BTCUSDT",
        "makerCommissionRate": "0.000200",
        "takerCommissionRate": "0.000500",
        "rpiCommissionRate": "0.000050",
    }
