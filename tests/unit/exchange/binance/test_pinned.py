import copy
import json

import pytest

from exchange.binance import pinned
from exchange.capability import Capability, Weight

SYMBOL = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3, "onboardDate": 1,
    "liquidationFee": "0.0125", "marketTakeBound": "0.05", "triggerProtect": "0.05",
    "filters": [{"filterType": kind, **dict.fromkeys(fields, "1")} for kind, fields in pinned.FILTERS.items()],
    "orderTypes": ["LIMIT", "MARKET", "STOP"], "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
}  # fmt: skip
INFO = {
    "rateLimits": [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for (kind, interval, number), limit in pinned.RATE_LIMITS.items()
    ],
    "symbols": [SYMBOL, {**SYMBOL, "symbol": "ETHUSDT"}, {"symbol": "BTCUSD_PERP", "status": "TRADING"}],
}


def info(change=None):
    body = copy.deepcopy(INFO)
    if change is not None:
        change(body)
    return pinned.exchange_info(json.dumps(body).encode(), "GET exchangeInfo")


def only(findings):
    (finding,) = findings
    return finding


def test_a_venue_as_pinned_has_no_findings():
    assert info() == []


def test_new_fields_and_the_undocumented_filter_are_no_findings():
    def change(body):
        body["news"] = 1
        body["symbols"][0]["more"] = {}
        body["symbols"][0]["filters"].append({"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"})

    assert info(change) == []


def test_a_missing_filter_is_named_once_for_all_symbols_that_lack_it():
    def change(body):
        for row in body["symbols"][:2]:
            row["filters"] = [one for one in row["filters"] if one["filterType"] != "LOT_SIZE"]

    finding = only(info(change))
    assert finding.name == "filter LOT_SIZE"
    assert "BTCUSDT, ETHUSDT" in finding.seen
    assert finding.weight is Weight.BLOCKS


def test_a_filter_without_one_of_its_fields_is_named_with_the_field():
    def change(body):
        del body["symbols"][1]["filters"][0]["tickSize"]

    finding = only(info(change))
    assert (finding.name, finding.expected) == ("filter PRICE_FILTER", "tickSize")
    assert "ETHUSDT" in finding.seen


def test_a_filter_that_was_removed_tells_of_an_older_venue():
    def change(body):
        body["symbols"][0]["filters"].append({"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10})

    assert only(info(change)).name == "removed filter"


def test_an_unknown_filter_and_status_warn_only():
    def change(body):
        body["symbols"][0]["filters"].append({"filterType": "BRAND_NEW"})
        body["symbols"][2]["status"] = "SLEEPING"

    findings = info(change)
    assert {finding.name for finding in findings} == {"filters", "symbol status"}
    assert {finding.weight for finding in findings} == {Weight.WARNS}


@pytest.mark.parametrize(
    ("limit", "weight"), [(1200, Weight.BLOCKS), (None, Weight.BLOCKS), ("2400", Weight.BLOCKS), (6000, Weight.WARNS)]
)
def test_a_smaller_budget_blocks_and_a_larger_one_is_told(limit, weight):
    def change(body):
        body["rateLimits"][0]["limit"] = limit

    finding = only(info(change))
    assert finding.name == "rate limit REQUEST_WEIGHT per 1 MINUTE"
    assert finding.weight is weight


def test_order_types_and_fields_are_looked_for():
    def change(body):
        body["symbols"][0]["orderTypes"] = ["LIMIT"]
        body["symbols"][0]["timeInForce"] = None
        del body["symbols"][1]["pricePrecision"]

    assert {finding.name for finding in info(change)} == {"orderTypes", "timeInForce", "fields of a symbol"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"symbols":null}', b'{"symbols":[1,{}],"rateLimits":[3]}', b""])
def test_anything_else_is_a_finding_and_never_an_exception(body):
    assert any(finding.weight is Weight.BLOCKS for finding in pinned.exchange_info(body, "x"))
    assert pinned.brackets(body, "x")


def test_brackets_are_numbers():
    step = {
        "bracket": 1, "initialLeverage": 150, "notionalCap": 300000, "notionalFloor": 0, "maintMarginRatio": 0.004,
        "cum": 0.0,
    }  # fmt: skip
    whole = {"symbol": "BTCUSDT", "brackets": [step]}
    assert pinned.brackets(json.dumps([whole]).encode(), "x") == []
    assert pinned.brackets(json.dumps(whole).encode(), "x") == [], "a bare object is accepted"
    text = {"symbol": "BTCUSDT", "brackets": [{**step, "cum": "0"}]}
    assert "cum" in only(pinned.brackets(json.dumps([text]).encode(), "x")).seen
    assert only(pinned.brackets(b'[{"symbol":"A","brackets":[]}]', "x")).seen == "none (A)"


def test_conditional_orders_keep_their_fields():
    row = dict.fromkeys(pinned.ALGO_FIELDS, "1")
    assert pinned.algo_orders(b"[]", "x") == []
    assert pinned.algo_orders(json.dumps([row]).encode(), "x") == []
    renamed = {name: value for name, value in row.items() if name != "orderType"}
    assert "orderType" in only(pinned.algo_orders(json.dumps([row, renamed]).encode(), "x")).seen


def test_a_capability_tells_why_entries_are_off():
    findings = tuple(info(lambda body: body["symbols"].clear()))
    capability = Capability(0, ("trading rules",), findings)
    assert capability.entries_off == "the exchange is not as expected (symbols)"
    assert Capability(0, (), ()).entries_off == ""
    assert "nothing can be traded" in findings[0].text
