import json
from decimal import Decimal

import pytest

from exchange.account_events import (
    AccountUpdate,
    AlgoUpdate,
    KeyExpired,
    LeverageChange,
    MarginCall,
    MultiAssetsChange,
    OrderUpdate,
    Origin,
    TradeHint,
    TradeId,
    TriggerReject,
    origin_of,
)
from exchange.binance.user_wire import UserDecoder
from exchange.errors import DecodeError

ORDER = {
    "s": "BTCUSDT", "c": "a1", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.010", "p": "0", "ap": "80000.00",
    "sp": "0", "x": "TRADE", "X": "FILLED", "i": 8389765739703625592, "l": "0.010", "z": "0.010", "L": "80000.00",
    "N": "USDT", "n": "0.40000000", "T": 1795000000010, "t": 9000000001, "b": "0", "a": "0", "m": False, "R": False,
    "wt": "CONTRACT_PRICE", "ot": "MARKET", "ps": "BOTH", "cp": False, "pP": False, "si": 0, "ss": 0, "rp": "0",
    "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": "0",
}  # fmt: skip
ALGO = {
    "caid": "a1-sl", "aid": 1000000033225453, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
    "ps": "BOTH", "f": "GTC", "q": "0.010", "X": "NEW", "ai": "", "tp": "79000", "p": "0", "V": "EXPIRE_MAKER",
    "wt": "MARK_PRICE", "pm": "NONE", "cp": False, "pP": False, "R": True, "tt": 0, "gtd": 0,
}  # fmt: skip
POSITION = {
    "s": "BTCUSDT", "pa": "-0.010", "ep": "80000.0", "bep": "80040.0", "cr": "0", "up": "0.1", "mt": "cross",
    "iw": "0", "ps": "SHORT",
}  # fmt: skip


def frame(name, **rest):
    return json.dumps({"e": name, "E": 1795000000012, "T": 1795000000010, **rest}).encode()


def order(**changes):
    return frame("ORDER_TRADE_UPDATE", o={**ORDER, **changes})


def account(**changes):
    return frame("ACCOUNT_UPDATE", a={"m": "ORDER", "B": [], "P": [{**POSITION, **changes}]})


def decode(raw):
    return UserDecoder().decode(raw)


def test_a_fill_carries_its_money_as_it_was_written_and_its_identity():
    update = decode(order())
    assert isinstance(update, OrderUpdate)
    assert str(update.commission) == "0.40000000"
    assert update.trade == TradeId("BTCUSDT", 9000000001, 8389765739703625592)
    assert update.is_final
    assert update.origin is Origin.CLIENT


def test_an_order_without_fee_fields_charged_none():
    fields = {name: value for name, value in ORDER.items() if name not in ("n", "N")}
    update = decode(frame("ORDER_TRADE_UPDATE", o=fields))
    assert (update.commission, update.commission_asset) == (0, "")


def test_null_and_missing_fields_of_a_liquidation_are_accepted():
    update = decode(order(c="autoclose-12", x="CALCULATED", sp=None, AP=None, cr=None, V=None, er="5"))
    assert (update.stop, update.activation, update.stp_mode, update.expiry_reason) == (None, None, "", "5")
    assert update.origin is Origin.LIQUIDATION


def test_the_venue_s_own_client_ids_are_told_apart():
    assert origin_of("adl_autoclose") is Origin.DELEVERAGING
    assert origin_of("settlement_autoclose-1") is Origin.SETTLEMENT
    assert origin_of("delivery_autoclose-1") is Origin.SETTLEMENT
    assert origin_of("my-autoclose-1") is Origin.CLIENT


def test_the_modify_id_and_a_new_field_are_accepted_and_unknown_enumerations_kept():
    update = decode(order(x="AMENDMENT", X="SOMETHING_NEW", M=77, o="NEW_TYPE", zz={"deep": [1]}))
    assert (update.modify_id, update.status, update.kind) == ("77", "SOMETHING_NEW", "NEW_TYPE")
    assert not update.is_final


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"q": "NaN"}, "o.q"),
        ({"l": "Infinity"}, "o.l"),
        ({"z": "-1"}, "o.z"),
        ({"L": "1e308"}, "o.L"),
        ({"L": "0"}, "o.L"),
        ({"n": "nan"}, "o.n"),
        ({"l": "0.011"}, "o.z"),
        ({"S": "SIDEWAYS"}, "o.S"),
        ({"ps": "UP"}, "o.ps"),
        ({"s": "BTC\x1b[2J"}, "o.s"),
        ({"s": "BTC\u202eTDSU"}, "o.s"),
        ({"s": ""}, "o.s"),
        ({"s": "X" * 65}, "o.s"),
        ({"i": "12a"}, "o.i"),
    ],
)
def test_an_order_update_that_cannot_be_believed_is_refused_by_the_field_s_name(changes, named):
    with pytest.raises(DecodeError) as refusal:
        decode(order(**changes))
    assert refusal.value.field == named
    assert refusal.value.where == "ORDER_TRADE_UPDATE"
    assert "\x1b" not in str(refusal.value)


@pytest.mark.parametrize("name", ["s", "c", "S", "x", "X", "i", "l", "z", "L", "t", "ps", "rp"])
def test_a_missing_field_is_refused_by_name(name):
    fields = {key: value for key, value in ORDER.items() if key != name}
    with pytest.raises(DecodeError, match=f"`{name}`"):
        decode(frame("ORDER_TRADE_UPDATE", o=fields))


def test_a_chinese_symbol_is_a_symbol():
    assert decode(order(s="币安人生USDT")).symbol == "币安人生USDT"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"e":"TRADE_LITE","e":"TRADE_LITE","E":1}',
        b'{"e":"ORDER_TRADE_UPDATE","E":1',
        b"<html>busy</html>",
        b"[]",
        b"{}",
        order()[:-9] + b"\xe5\xb8" + order()[-9:],
        order().replace(b'"q"', b'"q": "1", "q"', 1),
    ],
)
def test_frames_that_are_no_events_are_refused(raw):
    with pytest.raises(DecodeError):
        decode(raw)


def test_an_account_update_lists_patches_of_wallet_and_positions():
    body = {"m": "FUNDING_FEE", "S": "BTCUSDT", "B": [{"a": "USDT", "wb": "10", "cw": "9", "bc": "-0.08"}]}
    update = decode(frame("ACCOUNT_UPDATE", a=body))
    assert isinstance(update, AccountUpdate)
    assert (update.reason, update.symbol, update.positions) == ("FUNDING_FEE", "BTCUSDT", ())
    assert update.balances[0].change == Decimal("-0.08")
    (position,) = decode(account()).positions
    assert (position.quantity, position.side, position.isolated) == (Decimal("-0.010"), "SHORT", False)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ep": "0"}, "a.P[0].ep"),
        ({"mt": "both"}, "a.P[0].mt"),
        ({"pa": "NaN"}, "a.P[0].pa"),
        ({"ps": ""}, "a.P[0].ps"),
    ],
)
def test_a_position_that_contradicts_itself_is_refused(changes, named):
    with pytest.raises(DecodeError) as refusal:
        decode(account(**changes))
    assert refusal.value.field == named


def test_a_trade_hint_decodes():
    hint = decode(
        frame(
            "TRADE_LITE", s="BTCUSDT", q="1", p="0", m=False, c="a1", S="BUY", L="80000", l="0.5", t=9, i=7
        )
    )  # fmt: skip
    assert isinstance(hint, TradeHint)
    assert (hint.last_price, hint.trade_id, hint.order_id) == (80000, 9, 7)


def test_a_conditional_order_s_life_decodes_with_and_without_its_child():
    waiting = decode(frame("ALGO_UPDATE", o=ALGO))
    assert isinstance(waiting, AlgoUpdate)
    assert waiting.is_working
    assert (waiting.order_id, waiting.filled, waiting.reason, waiting.activated) == (None, None, "", None)
    stuck = decode(frame("ALGO_UPDATE", o={**ALGO, "X": "TRIGGERING"}))
    assert not stuck.is_working
    assert not stuck.is_final
    done = decode(
        frame("ALGO_UPDATE", o={**ALGO, "X": "FINISHED", "ai": "77", "ap": "1.5", "aq": "2", "act": "MARKET"})
    )
    assert (done.order_id, done.average, done.filled, done.is_final) == (77, Decimal("1.5"), 2, True)
    refused = decode(frame("ALGO_UPDATE", o={**ALGO, "X": "REJECTED", "rm": "Reduce Only reject", "ia": True}))
    assert (refused.reason, refused.activated) == ("Reduce Only reject", True)


def test_empty_amounts_of_a_conditional_order_are_nothing_and_bad_ones_refused():
    stop = decode(frame("ALGO_UPDATE", o={**ALGO, "q": "", "cp": True}))
    assert (stop.quantity, stop.close_position) == (0, True)
    for field in ("q", "tp", "p", "ap", "aq"):
        with pytest.raises(DecodeError, match=rf"o\.{field}"):
            decode(frame("ALGO_UPDATE", o={**ALGO, field: "-1"}))
        with pytest.raises(DecodeError, match=rf"o\.{field}"):
            decode(frame("ALGO_UPDATE", o={**ALGO, field: "12x"}))
    with pytest.raises(DecodeError, match="no order id"):
        decode(frame("ALGO_UPDATE", o={**ALGO, "ai": "-5"}))


def test_settings_calls_and_refused_triggers_decode():
    assert decode(frame("ACCOUNT_CONFIG_UPDATE", ac={"s": "BTCUSDT", "l": 20})) == LeverageChange(
        1795000000012, 1795000000010, "BTCUSDT", 20
    )
    assert decode(frame("ACCOUNT_CONFIG_UPDATE", ai={"j": True})) == MultiAssetsChange(
        1795000000012, 1795000000010, enabled=True
    )
    with pytest.raises(DecodeError, match="neither a leverage"):
        decode(frame("ACCOUNT_CONFIG_UPDATE"))
    row = {"s": "ETHUSDT", "ps": "LONG", "pa": "1", "mt": "CROSSED", "iw": "0", "mp": "187", "up": "-1", "mm": "1.6"}
    call = decode(frame("MARGIN_CALL", cw="3.16", p=[row]))
    assert isinstance(call, MarginCall)
    assert (call.cross_wallet, call.positions[0].isolated) == (Decimal("3.16"), False)
    reject = decode(frame("CONDITIONAL_ORDER_TRIGGER_REJECT", **{"or": {"s": "ETHUSDT", "i": 5, "r": "no"}}))
    assert isinstance(reject, TriggerReject)
    assert reject.reason == "no"
    assert decode(frame("listenKeyExpired", listenKey="k")) == KeyExpired(1795000000012)


def test_combined_frames_are_unwrapped():
    wrapped = b'{"stream":"somekey","data":' + order() + b"}"
    assert decode(wrapped) == decode(order())


def test_events_of_no_use_are_counted_by_name_within_bounds():
    decoder = UserDecoder()
    for name in ("STRATEGY_UPDATE", "GRID_UPDATE", "GRID_UPDATE", *(f"NEW_{n}" for n in range(100))):
        assert decoder.decode(frame(name, whatever=[{"e": 1}])) is None
    assert decoder.ignored["GRID_UPDATE"] == 2
    assert sum(decoder.ignored.values()) == 103
    assert len(decoder.ignored) <= 33
