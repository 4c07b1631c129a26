import asyncio
import json
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from order_samples import (
    EPOCH,
    HEDGE,
    ONE_WAY,
    TradingDesk,
    ack_row,
    entry,
    limit_entry,
    refusal,
)
from venue_fakes import answer

from exchange.binance.gate import OpenGate
from exchange.errors import (
    BusinessError,
    DecodeError,
    HeldBackError,
    OverloadedError,
    RateLimitedError,
    UnknownOutcomeError,
    UnsentError,
)
from exchange.order_reports import OrderAck
from exchange.orders import AmendRequest, OrderRef, SelfTrade, Side, TimeInForce
from exchange.ports import LostError, NotSentError
from exchange.priority import Priority
from exchange.reactions import Reaction


class RecordingGate(OpenGate):
    def __init__(self):
        self.entered = []

    async def enter(self, priority, operation):
        self.entered.append((priority, operation))


def failing(desk, error, call):
    async def guarded(desk):
        with pytest.raises(error) as caught:
            await call(desk)
        return caught.value

    return desk.run(guarded)


def test_a_market_entry_in_one_way_mode_carries_neither_position_side_nor_reduce_only():
    desk = TradingDesk(answer(ack_row()))
    ack = desk.run(lambda desk: desk.orders.place(entry()))
    assert desk.query() == (
        "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.010&newClientOrderId=a1&newOrderRespType=ACK"
    )
    assert (ack.order_id, ack.executed, ack.is_open) == (8389765739703625592, 0, True)


def test_a_limit_order_carries_price_time_in_force_and_what_goes_with_it():
    order = limit_entry(
        time_in_force=TimeInForce.GTD, good_till_ms=EPOCH + 700_000, self_trade=SelfTrade.EXPIRE_BOTH, reduces=True,
        side=Side.SELL,
    )  # fmt: skip
    desk = TradingDesk(answer(ack_row(side="SELL")))
    desk.run(lambda desk: desk.orders.place(order))
    assert desk.query() == (
        "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTD&quantity=0.010&price=80000.0&reduceOnly=true"
        "&newClientOrderId=a1&newOrderRespType=ACK&selfTradePreventionMode=EXPIRE_BOTH"
        f"&goodTillDate={EPOCH + 700_000}"
    )


@pytest.mark.parametrize(
    ("side", "reduces", "position_side"),
    [(Side.BUY, False, "LONG"), (Side.SELL, False, "SHORT"), (Side.SELL, True, "LONG"), (Side.BUY, True, "SHORT")],
)
def test_in_hedge_mode_the_position_side_says_what_an_order_is_for(side, reduces, position_side):
    desk = TradingDesk(answer(ack_row(side=side.value, positionSide=position_side)))
    desk.mode.hedge = True
    desk.run(lambda desk: desk.orders.place(entry(side=side, reduces=reduces)))
    query = parse_qs(desk.query())
    assert query["positionSide"] == [position_side]
    assert "reduceOnly" not in query


def test_exits_and_cancels_are_critical_and_entries_are_high():
    gate = RecordingGate()
    desk = TradingDesk(answer(ack_row()), gate=gate)

    async def all_of_them(desk):
        await desk.orders.place(entry())
        await desk.orders.place(entry(reduces=True))
        await desk.orders.cancel("BTCUSDT", OrderRef(client_id="a1"))

    desk.run(all_of_them)
    assert [priority for priority, _ in gate.entered] == [Priority.HIGH, Priority.CRITICAL, Priority.CRITICAL]
    assert [request[4] for request in desk.rest.requests] == [10.0, 2.0, 2.0]


def test_a_symbol_outside_ascii_is_encoded_before_it_is_signed():
    desk = TradingDesk(answer(ack_row(symbol="币安人生USDT")))
    desk.run(lambda desk: desk.orders.place(entry(symbol="币安人生USDT")))
    assert desk.query().startswith("symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&side=BUY")


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (LostError("reset"), UnknownOutcomeError),
        (NotSentError("refused"), UnsentError),
        (refusal(-1007, 408), UnknownOutcomeError),
        (refusal(-1008, 503), OverloadedError),
        (answer(b"Service Unavailable.", 503), OverloadedError),
        (answer(b"<html>", 502), UnknownOutcomeError),
        (refusal(-1015, 429), RateLimitedError),
        (answer(b"{", 200), UnknownOutcomeError),
        (answer({"orderId": 1}), UnknownOutcomeError),
        (answer(ack_row(clientOrderId="another")), UnknownOutcomeError),
        (answer(ack_row(symbol="ETHUSDT")), UnknownOutcomeError),
        (answer(ack_row(side="HOLD")), UnknownOutcomeError),
        (answer(ack_row(executedQty="NaN")), UnknownOutcomeError),
        (answer(ack_row(executedQty="0.011")), UnknownOutcomeError),
        (answer(b'{"code":-2019,"msg":"x"}', 400), BusinessError),
    ],
)
def test_an_order_is_sent_once_whatever_comes_back(trouble, error):
    desk = TradingDesk(trouble)
    failing(desk, error, lambda desk: desk.orders.place(entry()))
    assert desk.operations == ["POST /fapi/v1/order"]


def test_a_duplicate_client_id_says_that_the_earlier_send_was_accepted():
    error = failing(TradingDesk(refusal(-4116)), UnknownOutcomeError, lambda desk: desk.orders.place(entry()))
    assert error.reaction is Reaction.DUPLICATE_ID


def test_an_unknown_status_is_kept_as_text_and_is_neither_open_nor_final():
    desk = TradingDesk(answer(ack_row(status="PONDERING", type="ODD", someNewField=[1])))
    ack = desk.run(lambda desk: desk.orders.place(entry()))
    assert (ack.status, ack.kind, ack.is_open, ack.is_final) == ("PONDERING", "ODD", False, False)


def test_a_missing_field_is_refused_by_its_name():
    row = ack_row()
    del row["executedQty"]
    error = failing(TradingDesk(answer(row)), UnknownOutcomeError, lambda desk: desk.orders.place(entry()))
    assert "executedQty" in str(error)


def test_a_refused_mode_is_read_again_and_the_order_sent_once_more_in_the_other_form():
    desk = TradingDesk(refusal(-4061), HEDGE, answer(ack_row(positionSide="LONG")))
    ack = desk.run(lambda desk: desk.orders.place(entry()))
    assert ack.position_side == "LONG"
    assert desk.operations == ["POST /fapi/v1/order", "GET /fapi/v1/positionSide/dual", "POST /fapi/v1/order"]
    assert "positionSide=LONG" in desk.query()
    assert (desk.mode.hedge, desk.mode.mismatches) == (True, 1)


def test_if_the_mode_cannot_be_read_the_other_one_is_assumed_and_cached_only_when_it_succeeds():
    script = [refusal(-4061), *[LostError("reset")] * 3]
    desk = TradingDesk(*script, answer(ack_row(positionSide="LONG")))
    desk.run(lambda desk: desk.orders.place(entry()))
    assert desk.mode.hedge is True
    desk = TradingDesk(*script, refusal(-2019))
    failing(desk, BusinessError, lambda desk: desk.orders.place(entry()))
    assert desk.mode.hedge is None


def test_a_mode_that_reads_as_before_lets_the_refusal_stand():
    desk = TradingDesk(refusal(-4061), ONE_WAY)
    error = failing(desk, BusinessError, lambda desk: desk.orders.place(entry()))
    assert error.reaction is Reaction.REREAD_MODE
    assert desk.operations.count("POST /fapi/v1/order") == 1


def test_reduce_only_refused_as_not_required_is_a_refused_mode_too():
    desk = TradingDesk(refusal(-1106), HEDGE, answer(ack_row(side="SELL", positionSide="LONG")))
    desk.run(lambda desk: desk.orders.place(entry(side=Side.SELL, reduces=True)))
    assert "positionSide=LONG" in desk.query()


def test_an_entry_waits_for_the_mode_but_an_exit_does_not():
    desk = TradingDesk(LostError("reset"))
    desk.mode.hedge = None
    failing(desk, UnknownOutcomeError, lambda desk: desk.orders.place(entry()))
    assert set(desk.operations) == {"GET /fapi/v1/positionSide/dual"}
    desk = TradingDesk(*[LostError("reset")] * 3, answer(ack_row(side="SELL", reduceOnly=True)))
    desk.mode.hedge = None
    desk.run(lambda desk: desk.orders.place(entry(side=Side.SELL, reduces=True)))
    assert "reduceOnly=true" in desk.query()


def test_an_exit_of_a_position_that_shows_the_mode_waits_for_no_reading_of_it():
    desk = TradingDesk(answer(ack_row()))
    desk.mode.hedge = None
    desk.mode.suppose(True)
    desk.run(lambda desk: desk.orders.place(entry(reduces=True, side=Side.SELL)))
    assert "positionSide=LONG" in desk.query()
    assert desk.mode.hedge is True, "the exchange took the order in this form"


def test_orders_sent_together_share_one_reading_of_the_mode():
    def venue(_method, path, query):
        if path.endswith("dual"):
            return HEDGE
        if b"positionSide" not in query:
            return refusal(-4061)
        name = parse_qs(query.decode())["newClientOrderId"][0]
        return answer(ack_row(clientOrderId=name, positionSide="LONG"))

    desk = TradingDesk(venue)

    async def together(desk):
        await asyncio.gather(*(desk.orders.place(entry(client_id=f"g{number}")) for number in range(4)))
        first = desk.operations.count("GET /fapi/v1/positionSide/dual")
        desk.mode.forget()
        await asyncio.gather(*(desk.orders.place(entry(client_id=f"h{number}")) for number in range(4)))
        return first, desk.operations.count("GET /fapi/v1/positionSide/dual")

    assert desk.run(together) == (1, 2)
    assert desk.mode.hedge is True


def test_an_amendment_names_its_order_and_loses_no_digit():
    desk = TradingDesk(answer(ack_row(type="LIMIT", pair="BTCUSDT", modifyId=7)))
    wanted = AmendRequest(
        symbol="BTCUSDT", side=Side.BUY, order=OrderRef(order_id=8389765739703625592), quantity=Decimal("0.02"),
        price=Decimal("1E+5"), modify_id=7,
    )  # fmt: skip
    desk.run(lambda desk: desk.orders.amend(wanted))
    assert desk.query() == ("symbol=BTCUSDT&side=BUY&quantity=0.02&price=100000&modifyId=7&orderId=8389765739703625592")
    assert desk.operations == ["PUT /fapi/v1/order"]


@pytest.mark.parametrize(("code", "reaction"), [(-2011, Reaction.ALREADY_CLOSED), (-2013, Reaction.NO_SUCH_ORDER)])
def test_a_cancel_that_comes_too_late_says_so(code, reaction):
    desk = TradingDesk(refusal(code))
    error = failing(desk, BusinessError, lambda desk: desk.orders.cancel("BTCUSDT", OrderRef(order_id=1)))
    assert error.reaction is reaction


def test_a_lost_cancel_is_unknown_and_not_repeated():
    desk = TradingDesk(LostError("reset"))
    failing(desk, UnknownOutcomeError, lambda desk: desk.orders.cancel("BTCUSDT", OrderRef(order_id=1)))
    assert len(desk.operations) == 1


def test_cancel_all_and_the_countdown_are_believed_only_when_confirmed():
    done = answer({"code": 200, "msg": "The operation of cancel all open order is done."})
    TradingDesk(done).run(lambda desk: desk.orders.cancel_all("BTCUSDT"))
    odd = TradingDesk(answer({"code": 201, "msg": "?"}))
    failing(odd, UnknownOutcomeError, lambda desk: desk.orders.cancel_all("BTCUSDT"))
    armed = TradingDesk(answer({"symbol": "BTCUSDT", "countdownTime": "60000"}))
    assert armed.run(lambda desk: desk.orders.countdown("BTCUSDT", 60_000)).after_ms == 60_000
    failing(armed, UnknownOutcomeError, lambda desk: desk.orders.countdown("BTCUSDT", 0))
    assert armed.ledger.used(EPOCH) == 20


def test_an_order_may_be_judged_without_being_placed():
    desk = TradingDesk(answer({}))
    desk.run(lambda desk: desk.orders.check(entry()))
    assert desk.operations == ["POST /fapi/v1/order/test"]
    assert desk.client.order_ledger.used(EPOCH) == (0, 0)


def batch_of(count):
    return [entry(client_id=f"b{number}") for number in range(count)]


def settle(script, count=3):
    desk = TradingDesk(script)
    return desk, desk.run(lambda desk: desk.orders.place_batch(batch_of(count)))


def test_a_batch_travels_as_one_parameter_of_text_values():
    desk, settled = settle(answer([ack_row(clientOrderId=f"b{number}") for number in range(3)]))
    (rows,) = parse_qs(desk.query())["batchOrders"]
    assert [row["newClientOrderId"] for row in json.loads(rows)] == ["b0", "b1", "b2"]
    assert all(isinstance(value, str) for row in json.loads(rows) for value in row.values())
    assert [one.client_id for one in settled] == ["b0", "b1", "b2"]
    assert (desk.ledger.used(EPOCH), desk.client.order_ledger.used(EPOCH)) == (5, (5, 1))


def test_each_element_of_a_batch_has_its_own_outcome():
    rows = [ack_row(clientOrderId="b0"), {"code": -2019, "msg": "Margin is insufficient."}, {"code": -1007, "msg": "?"}]
    _, (first, second, third) = settle(answer(rows))
    assert isinstance(first, OrderAck)
    assert isinstance(second, BusinessError)
    assert second.reaction is Reaction.LOWER_SIZE
    assert isinstance(third, UnknownOutcomeError)


def test_what_an_answer_to_a_batch_leaves_out_is_unknown():
    for rows in ([], [ack_row(clientOrderId="b2")], [{"code": -2019, "msg": "whose?"}]):
        _, settled = settle(answer(rows))
        known = {one.client_id for one in settled if isinstance(one, OrderAck)}
        assert known == {row["clientOrderId"] for row in rows if "clientOrderId" in row}
        assert all(isinstance(one, OrderAck | UnknownOutcomeError) for one in settled)
        assert isinstance(settled[2], OrderAck) is ("b2" in known)


def test_an_unreadable_or_foreign_element_is_unknown_and_spoils_no_other():
    rows = [ack_row(clientOrderId="b0"), {"orderId": "??"}, ack_row(clientOrderId="x")]
    desk, settled = settle(answer(rows))
    assert [isinstance(one, OrderAck) for one in settled] == [True, False, False]
    assert (desk.client.quarantine.total, desk.client.quarantine.last.sample) == (1, '{"orderId": "??"}')
    assert all(isinstance(one, UnknownOutcomeError) for one in settled[1:])


def test_an_element_with_a_code_is_refused_even_when_it_looks_like_an_order():
    _, (one,) = settle(answer([ack_row(clientOrderId="b0", code=-2022, msg="ReduceOnly Order is rejected.")]), 1)
    assert isinstance(one, BusinessError)
    assert one.reaction is Reaction.REREAD_POSITION


def test_a_duplicate_id_inside_a_batch_is_resolved_by_evidence():
    _, (one,) = settle(answer([{"code": -4116, "msg": "ClientOrderId is duplicated."}]), 1)
    assert isinstance(one, UnknownOutcomeError)
    assert one.reaction is Reaction.DUPLICATE_ID


def test_a_rate_limit_inside_a_batch_holds_everything_but_critical():
    desk, _ = settle(answer([{"code": -1015, "msg": "Too many new orders"}]), 1)
    assert desk.ledger.held_until_ms() > EPOCH


def test_a_refused_mode_inside_a_batch_is_forgotten_and_nothing_sent_again():
    desk, _ = settle(answer([{"code": -4061, "msg": "mode"}]), 1)
    assert desk.mode.hedge is None
    assert desk.operations == ["POST /fapi/v1/batchOrders"]


def test_a_batch_of_exits_is_critical_and_one_entry_makes_it_high():
    gate = RecordingGate()
    desk = TradingDesk(answer([]), gate=gate)
    exits = [entry(client_id="x", reduces=True), entry(client_id="y", reduces=True)]

    async def both(desk):
        await desk.orders.place_batch(exits)
        await desk.orders.place_batch([*exits, entry(client_id="z")])

    desk.run(both)
    assert [priority for priority, _ in gate.entered] == [Priority.CRITICAL, Priority.HIGH]


@pytest.mark.parametrize("count", [0, 6])
def test_a_batch_of_a_wrong_size_is_not_sent(count):
    desk = TradingDesk(answer([]))
    failing(desk, ValueError, lambda desk: desk.orders.place_batch(batch_of(count)))
    assert desk.operations == []


def test_orders_are_cancelled_in_a_batch_by_either_kind_of_id():
    rows = [ack_row(orderId=5, clientOrderId="p", status="CANCELED"), {"code": -2011, "msg": "Unknown order sent."}]
    desk = TradingDesk(answer(rows))
    first, second = desk.run(
        lambda desk: desk.orders.cancel_batch("BTCUSDT", [OrderRef(order_id=5), OrderRef(order_id=6)])
    )
    assert parse_qs(desk.query())["orderIdList"] == ["[5,6]"]
    assert first.is_final
    assert second.reaction is Reaction.ALREADY_CLOSED
    first, _ = desk.run(
        lambda desk: desk.orders.cancel_batch("BTCUSDT", [OrderRef(client_id="p"), OrderRef(client_id="q")])
    )
    assert parse_qs(desk.query())["origClientOrderIdList"] == ['["p","q"]']
    assert first.order_id == 5
    failing(
        desk, ValueError,
        lambda desk: desk.orders.cancel_batch("BTCUSDT", [OrderRef(client_id="p"), OrderRef(order_id=5)]),
    )  # fmt: skip


def test_orders_are_amended_in_a_batch():
    wanted = [
        AmendRequest(
            symbol="BTCUSDT", side=Side.BUY, order=OrderRef(client_id=f"b{number}"), quantity=Decimal(1),
            price=Decimal(2),
        )
        for number in range(2)
    ]  # fmt: skip
    desk = TradingDesk(answer([ack_row(clientOrderId="b0"), {"code": -5027, "msg": "No need to modify the order."}]))
    first, second = desk.run(lambda desk: desk.orders.amend_batch(wanted))
    assert first.client_id == "b0"
    assert second.reaction is Reaction.QUERY_ORDER
    assert desk.operations == ["PUT /fapi/v1/batchOrders"]


def test_entries_wait_for_room_in_the_order_windows_and_exits_use_the_reserve():
    desk = TradingDesk(lambda *_: answer(ack_row()))

    async def many(desk):
        for _ in range(240):
            await desk.orders.place(entry())
        assert desk.clock.monotonic() < 1.0
        await desk.orders.place(entry(reduces=True))
        assert desk.clock.monotonic() < 1.0
        with pytest.raises(HeldBackError):
            await desk.orders.place(entry())

    desk.run(many)
    assert desk.client.order_ledger.used(EPOCH) == (241, 241)


def test_the_answer_to_a_query_about_another_order_is_refused():
    from order_samples import order_row

    desk = TradingDesk(answer(order_row(clientOrderId="other")))
    failing(desk, DecodeError, lambda desk: desk.account.order("BTCUSDT", OrderRef(client_id="a1")))
