"""The recorded and documented bodies of the account's endpoints beside the repository: each decodes with its values."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from exchange.binance import account_wire, algo_wire, order_wire, rules_wire, settings_wire, statistics_wire
from exchange.binance.batches import Element, settle_batch
from exchange.errors import BusinessError, DecodeError, UnknownOutcomeError
from exchange.reactions import Reaction

PAYLOADS = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "payloads"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the repository"),
]

EXAMPLES = {
    "account_trade_list": order_wire.user_trades,
    "all_orders": order_wire.orders,
    "current_all_open_orders": order_wire.orders,
    "query_current_open_order": order_wire.order,
    "query_order": order_wire.order,
    "users_force_orders": order_wire.orders,
    "new_order": order_wire.acknowledged,
    "modify_order": order_wire.acknowledged,
    "cancel_order": order_wire.acknowledged,
    "test_order": order_wire.acknowledged,
    "get_order_modify_history": order_wire.amendments,
    "auto_cancel_all_open_orders": order_wire.countdown,
    "cancel_all_open_orders": order_wire.success,
    "cancel_all_algo_open_orders": order_wire.success,
    "change_margin_type": order_wire.success,
    "change_multi_assets_mode": order_wire.success,
    "change_position_mode": order_wire.success,
    "toggle_bnb_burn_on_futures_trade": order_wire.success,
    "modify_isolated_position_margin": order_wire.success,
    "get_position_margin_change_history": order_wire.margin_changes,
    "new_algo_order": algo_wire.algo_order,
    "query_algo_order": algo_wire.algo_order,
    "query_all_algo_orders": algo_wire.algo_orders,
    "current_all_algo_open_orders": algo_wire.algo_orders,
    "cancel_algo_order": algo_wire.algo_cancelled,
    "change_initial_leverage": settings_wire.leverage_set,
    "futures_account_configuration": settings_wire.account_config,
    "futures_trading_quantitative_rules_indicators": settings_wire.trading_status,
    "get_bnb_burn_status": settings_wire.fee_burn,
    "get_current_multi_assets_mode": settings_wire.multi_assets,
    "get_current_position_mode": account_wire.hedge_mode,
    "get_income_history": settings_wire.income,
    "query_user_rate_limit": settings_wire.order_limits,
    "user_commission_rate": settings_wire.commission_rate,
    "position_adl_quantile_estimation": settings_wire.adl_quantiles,
    "account_information_v2": account_wire.account,
    "account_information_v3": account_wire.account,
    "futures_account_balance_v2": account_wire.balances,
    "futures_account_balance_v3": account_wire.balances,
    "position_information_v3": account_wire.positions,
    "symbol_configuration": account_wire.symbol_configs,
    "get_funding_rate_history": statistics_wire.funding_rates,
    "get_funding_rate_info": statistics_wire.funding_terms,
    "open_interest": statistics_wire.open_interest,
    "open_interest_statistics": statistics_wire.open_interest_history,
    "long_short_ratio": statistics_wire.long_short_ratios,
    "top_trader_long_short_ratio_accounts": statistics_wire.long_short_ratios,
    "top_trader_long_short_ratio_positions": statistics_wire.long_short_ratios,
    "taker_buy_sell_volume": statistics_wire.taker_volumes,
    "basis": statistics_wire.basis,
    "recent_trades_list": lambda body, where: statistics_wire.trades(body, "X", where),
}


def read(name):
    path = PAYLOADS / name
    return gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_documented_body_decodes(name):
    body = json.loads(read("official_examples/rest.json"))[name]
    EXAMPLES[name](json.dumps(body).encode(), name)


@pytest.mark.parametrize(
    ("name", "client_id", "order_id", "branch", "reaction"),
    [
        ("place_multiple_orders", "testOrder", None, BusinessError, Reaction.REREAD_POSITION),
        ("modify_multiple_orders", None, 20072994037, BusinessError, Reaction.REREAD_POSITION),
        ("cancel_multiple_orders", "myOrder1", None, BusinessError, Reaction.ALREADY_CLOSED),
    ],
)
def test_a_documented_batch_element_that_is_order_and_error_at_once_is_the_error(
    name, client_id, order_id, branch, reaction
):
    body = json.dumps(json.loads(read("official_examples/rest.json"))[name]).encode()
    (one,) = settle_batch(body, [Element("BTCUSDT", order_id, client_id)], name, 0, [].append)
    assert type(one) is branch
    assert one.reaction is reaction
    first, second = settle_batch(body, [Element("BTCUSDT", order_id, client_id)] * 2, name, 0, [].append)
    assert isinstance(first, UnknownOutcomeError)
    assert isinstance(second, UnknownOutcomeError)


def test_the_algo_service_of_october_2026_is_read():
    samples = json.loads(read("live_2026-09/rest_samples.json"))
    placed, listed, cancelled = (
        next(json.dumps(body).encode() for name, body in samples.items() if part in name)
        for part in ("POST algoOrder", "GET openAlgoOrders", "DELETE algoOrder")
    )
    assert algo_wire.algo_order(placed, "x").is_working
    (report,) = algo_wire.algo_orders(listed, "x")
    assert (report.algo_id, report.trigger_price, report.child_order_id) == (1000000226909486, 10000, None)
    assert algo_wire.algo_cancelled(cancelled, "x") == (1000000226909486, "cmquota1")


def test_a_list_that_says_type_where_the_venue_says_order_type_is_refused_by_name():
    with pytest.raises(DecodeError, match="orderType"):
        algo_wire.algo_orders(read("nautilus/rust_http/open_algo_orders.json"), "x")


def test_bodies_of_other_collections_decode():
    trades = order_wire.user_trades(read("nautilus/http/http_futures_account_trades.json"), "x")
    assert trades[1].realized == Decimal("-0.00325")
    orders = order_wire.orders(read("nautilus/http/http_futures_account_orders.json"), "x")
    assert orders[0].original_kind == "TRAILING_STOP_MARKET"
    assert order_wire.acknowledged(read("nautilus/rust_http/order_response.json"), "x").quantity == Decimal("0.001")
    for name in ("btcusdt", "ethusdt", "btcusdt_quarterly"):
        settings_wire.commission_rate(read(f"nautilus/http/http_futures_wallet_commission_rate_{name}.json"), "x")


def test_production_rules_of_2025_tell_risk_control_and_trigger_protection():
    refused = []
    instruments = rules_wire.instruments(read("exchangeInfo/prod_2025-08-11.json.gz"), "x", refused.append)
    assert {instrument.position_control for instrument in instruments} == {"NONE"}
    assert next(one for one in instruments if one.symbol == "BTCUSDT").trigger_protect == Decimal("0.0500")
