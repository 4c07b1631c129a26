from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from order_samples import HEDGE, TradingDesk, algo_row, refusal, stop
from venue_fakes import answer

from exchange.conditional_orders import AlgoRef, ConditionalKind, WorkingType
from exchange.errors import BusinessError, DecodeError, UnknownOutcomeError
from exchange.orders import PriceMatch, TimeInForce
from exchange.ports import LostError
from exchange.priority import Priority
from exchange.reactions import Reaction


def failing(desk, error, call):
    async def guarded(desk):
        with pytest.raises(error) as caught:
            await call(desk)
        return caught.value

    return desk.run(guarded)


def test_a_protective_stop_travels_with_the_names_of_the_algo_service():
    desk = TradingDesk(answer(algo_row()))
    report = desk.run(lambda desk: desk.algo.place(stop()))
    assert desk.query() == (
        "algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&quantity=0.010&triggerPrice=79000"
        "&workingType=MARK_PRICE&reduceOnly=true&clientAlgoId=a1-sl"
    )
    assert desk.rest.requests[0][4] == 2.0, "protection has the short deadline"
    assert (report.algo_id, report.is_working, report.child_order_id) == (1000000226909486, True, None)
    assert desk.client.order_ledger.used(0) == (0, 0)


def test_in_hedge_mode_a_stop_carries_the_side_of_the_position_it_closes():
    desk = TradingDesk(answer(algo_row(positionSide="LONG", reduceOnly=False)))
    desk.mode.hedge = True
    desk.run(lambda desk: desk.algo.place(stop()))
    query = parse_qs(desk.query())
    assert query["positionSide"] == ["LONG"]
    assert "reduceOnly" not in query


def test_a_close_position_stop_carries_neither_quantity_nor_reduce_only():
    desk = TradingDesk(answer(algo_row(closePosition=True, quantity="0.000")))
    desk.run(lambda desk: desk.algo.place(stop(quantity=None, close_position=True)))
    query = parse_qs(desk.query())
    assert query["closePosition"] == ["true"]
    assert not {"quantity", "reduceOnly"} & set(query)


def test_a_trailing_stop_and_a_stop_limit_carry_what_is_theirs():
    trailing = stop(
        kind=ConditionalKind.TRAILING_STOP_MARKET, trigger_price=None, callback_percent=Decimal("0.5"),
        activate_price=Decimal(81000), working=WorkingType.LAST,
    )  # fmt: skip
    desk = TradingDesk(answer(algo_row(orderType="TRAILING_STOP_MARKET", triggerPrice="", callbackRate="0.5")))
    report = desk.run(lambda desk: desk.algo.place(trailing))
    query = parse_qs(desk.query())
    assert (query["callbackRate"], query["activatePrice"]) == (["0.5"], ["81000"])
    assert "triggerPrice" not in query
    assert report.trigger_price == 0
    limit = stop(kind=ConditionalKind.STOP, price_match=PriceMatch.QUEUE, time_in_force=TimeInForce.GTX)
    desk = TradingDesk(answer(algo_row(orderType="STOP")))
    desk.run(lambda desk: desk.algo.place(limit))
    query = parse_qs(desk.query())
    assert (query["priceMatch"], query["timeInForce"]) == (["QUEUE"], ["GTX"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"close_position": True}, "without quantity"),
        ({"quantity": None}, "needs a quantity"),
        ({"quantity": Decimal(-1)}, "quantity must be"),
        ({"quantity": Decimal("NaN")}, "quantity must be"),
        ({"trigger_price": None}, "trigger_price"),
        ({"trigger_price": Decimal(0)}, "trigger_price must be"),
        ({"callback_percent": Decimal(1)}, "callback_percent"),
        ({"activate_price": Decimal(1)}, "activate_price"),
        ({"price": Decimal(1)}, "neither price"),
        ({"kind": ConditionalKind.STOP}, "a price or a price_match"),
        ({"time_in_force": TimeInForce.GTD}, "good_till_ms"),
        ({"client_id": "a b"}, "client_id"),
        ({"client_id": "autoclose-1"}, "venue's own"),
    ],
)
def test_what_the_algo_service_would_refuse_is_never_built(changes, words):
    with pytest.raises(ValueError, match=words):
        stop(**changes)


def test_protection_is_critical_and_a_conditional_entry_is_high():
    assert stop().priority is Priority.CRITICAL
    assert stop(reduces=False).priority is Priority.HIGH


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        (-2021, Reaction.CLOSE_NOW),
        (-4130, Reaction.CLOSE_POSITION_CONFLICT),
        (-4509, Reaction.CLOSE_POSITION_CONFLICT),
        (-4045, Reaction.CANCEL_STALE),
        (-2022, Reaction.REREAD_POSITION),
    ],
)
def test_a_refused_stop_says_what_to_do(code, reaction):
    error = failing(TradingDesk(refusal(code)), BusinessError, lambda desk: desk.algo.place(stop()))
    assert error.reaction is reaction


def test_a_stop_is_sent_once_and_an_answer_about_another_one_proves_nothing():
    for trouble in (LostError("reset"), answer(algo_row(clientAlgoId="x")), answer(b"<html>", 200), refusal(-1007)):
        desk = TradingDesk(trouble)
        failing(desk, UnknownOutcomeError, lambda desk: desk.algo.place(stop()))
        assert desk.operations == ["POST /fapi/v1/algoOrder"]


def test_a_stop_refused_for_the_mode_is_sent_once_more_in_the_other_form():
    desk = TradingDesk(refusal(-4061), HEDGE, answer(algo_row(positionSide="LONG")))
    desk.run(lambda desk: desk.algo.place(stop()))
    assert "positionSide=LONG" in desk.query()


def test_a_cancel_reads_the_code_that_this_service_spells_as_text():
    desk = TradingDesk(answer({"algoId": 7, "clientAlgoId": "a1-sl", "code": "200", "msg": "success"}))
    desk.run(lambda desk: desk.algo.cancel(AlgoRef(algo_id=7)))
    desk.run(lambda desk: desk.algo.cancel(AlgoRef(client_id="a1-sl")))
    assert desk.query() == "clientAlgoId=a1-sl"
    failing(desk, UnknownOutcomeError, lambda desk: desk.algo.cancel(AlgoRef(algo_id=8)))


@pytest.mark.parametrize(("code", "reaction"), [(-2011, Reaction.ALREADY_CLOSED), (-4117, Reaction.STOP_TRIGGERING)])
def test_a_cancel_that_meets_the_trigger_says_so(code, reaction):
    error = failing(TradingDesk(refusal(code)), BusinessError, lambda desk: desk.algo.cancel(AlgoRef(algo_id=1)))
    assert error.reaction is reaction


def test_all_conditional_orders_of_a_symbol_are_cancelled():
    desk = TradingDesk(answer({"code": 200, "msg": "The operation of cancel all open order is done."}))
    desk.run(lambda desk: desk.algo.cancel_all("BTCUSDT"))
    assert desk.operations == ["DELETE /fapi/v1/algoOpenOrders"]


def test_a_triggered_order_names_its_child():
    row = algo_row(algoStatus="FINISHED", actualOrderId="88937381063", actualPrice="0.13856", actualQty="38")
    report = TradingDesk(answer(row)).run(lambda desk: desk.account.algo_order(AlgoRef(client_id="a1-sl")))
    assert (report.child_order_id, report.child_price, report.child_quantity) == (
        88937381063, Decimal("0.13856"), Decimal(38),
    )  # fmt: skip
    assert report.is_final
    assert not report.is_working


def test_an_order_that_is_triggering_protects_nothing_and_is_not_final():
    row = algo_row(algoStatus="TRIGGERING", actualOrderId="")
    (report,) = TradingDesk(answer([row])).run(lambda desk: desk.account.open_algo_orders("BTCUSDT"))
    assert (report.is_working, report.is_final, report.child_order_id) == (False, False, None)


def test_fields_that_come_and_go_are_tolerated_and_those_that_protect_are_not():
    bare = {name: value for name, value in algo_row().items() if name not in {
        "price", "workingType", "triggerTime", "goodTillDate", "icebergQuantity", "priceMatch", "algoType"
    }}  # fmt: skip
    TradingDesk(answer([bare | {"isActivated": False}])).run(lambda desk: desk.account.open_algo_orders())
    for name in ("algoStatus", "orderType", "triggerPrice", "side", "closePosition"):
        row = {key: value for key, value in algo_row().items() if key != name}
        error = failing(TradingDesk(answer([row])), DecodeError, lambda desk: desk.account.open_algo_orders())
        assert name in str(error)


@pytest.mark.parametrize(
    "changes",
    [
        {"triggerPrice": "NaN"}, {"quantity": "-1"}, {"quantity": "1e308"}, {"actualOrderId": "abc"},
        {"side": "UP"}, {"positionSide": "LEFT"}, {"price": "??"},
    ],
)  # fmt: skip
def test_one_bad_row_refuses_the_list_of_conditional_orders(changes):
    desk = TradingDesk(answer([algo_row(), algo_row(**changes)]))
    failing(desk, DecodeError, lambda desk: desk.account.open_algo_orders())


def test_the_lists_of_all_symbols_weigh_forty():
    desk = TradingDesk(answer([]))

    async def both(desk):
        await desk.account.open_algo_orders()
        await desk.account.open_orders()
        await desk.account.open_algo_orders("BTCUSDT")
        await desk.account.open_orders("BTCUSDT")
        await desk.account.all_algo_orders("BTCUSDT", from_algo_id=3)
        return desk.ledger.used(desk.client.venue_ms())

    assert desk.run(both) == 40 + 40 + 1 + 1 + 5
    assert desk.query() == "symbol=BTCUSDT&algoId=3&limit=500"
