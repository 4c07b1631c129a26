from decimal import Decimal

import pytest
from order_samples import EPOCH, TradingDesk, order_row, refusal
from venue_fakes import answer

from exchange.account import OrderLimit
from exchange.errors import BusinessError, DecodeError, UnknownOutcomeError
from exchange.orders import OrderRef
from exchange.reactions import Reaction

SUCCESS = answer({"code": 200, "msg": "success"})


def failing(desk, error, call):
    async def guarded(desk):
        with pytest.raises(error) as caught:
            await call(desk)
        return caught.value

    return desk.run(guarded)


def test_a_queried_order_tells_what_was_executed():
    row = order_row(status="PARTIALLY_FILLED", executedQty="0.004", avgPrice="80000.5", cumQuote="320.002")
    report = TradingDesk(answer(row)).run(lambda desk: desk.account.order("BTCUSDT", OrderRef(client_id="a1")))
    assert (report.executed, report.average_price, report.executed_quote) == (
        Decimal("0.004"), Decimal("80000.5"), Decimal("320.002"),
    )  # fmt: skip
    assert report.order_id == 8389765739703625592
    assert report.is_open


def test_a_query_needs_the_fields_a_placement_lacks():
    for name in ("avgPrice", "cumQuote", "time", "stopPrice", "status"):
        row = {key: value for key, value in order_row().items() if key != name}
        error = failing(TradingDesk(answer([row])), DecodeError, lambda desk: desk.account.open_orders())
        assert name in str(error)


def test_an_order_nobody_shows_is_no_proof():
    desk = TradingDesk(refusal(-2013))
    error = failing(desk, BusinessError, lambda desk: desk.account.order("BTCUSDT", OrderRef(client_id="a1")))
    assert error.reaction is Reaction.NO_SUCH_ORDER


def test_an_order_is_named_by_one_id():
    for ids in ({}, {"order_id": 1, "client_id": "a"}):
        with pytest.raises(ValueError, match="one of the two"):
            OrderRef(**ids)


def test_history_is_asked_for_with_its_bounds():
    desk = TradingDesk(answer([]))

    async def reads(desk):
        await desk.account.all_orders("BTCUSDT", from_order_id=9, start_ms=1, end_ms=2, limit=1000)
        await desk.account.user_trades("BTCUSDT", order_id=4, start_ms=1)
        await desk.account.income(kind="FUNDING_FEE", start_ms=5)
        await desk.account.force_orders(end_ms=7)
        await desk.account.open_orders()

    desk.run(reads)
    assert [desk.query(number) for number in range(4)] == [
        "symbol=BTCUSDT&orderId=9&startTime=1&endTime=2&limit=1000",
        "symbol=BTCUSDT&orderId=4&startTime=1&limit=500",
        "incomeType=FUNDING_FEE&startTime=5&limit=1000",
        "endTime=7&limit=50",
    ]
    assert desk.ledger.used(EPOCH) == 5 + 5 + 30 + 50 + 40
    failing(desk, ValueError, lambda desk: desk.account.user_trades("BTCUSDT", from_id=1, start_ms=1))


def test_executions_and_bookings_keep_every_digit():
    trade = {
        "id": 9000000001, "symbol": "BTCUSDT", "pair": "BTCUSDT", "orderId": 5, "side": "SELL", "positionSide": "BOTH",
        "price": "81000.00", "qty": "0.010", "quoteQty": "810.00000", "realizedPnl": "10.00000000",
        "commission": "0.16200000", "commissionAsset": "USDT", "time": EPOCH, "buyer": False, "maker": True,
    }  # fmt: skip
    (one,) = TradingDesk(answer([trade])).run(lambda desk: desk.account.user_trades("BTCUSDT"))
    assert (one.realized, one.commission, one.maker) == (Decimal("10.00000000"), Decimal("0.16200000"), True)
    row = {
        "symbol": "", "incomeType": "SOMETHING_NEW", "income": "-0.37500000", "asset": "USDT", "info": "x",
        "time": EPOCH, "tranId": 9689322392, "tradeId": "",
    }  # fmt: skip
    (booking,) = TradingDesk(answer([row])).run(lambda desk: desk.account.income())
    assert (booking.kind, booking.income, booking.trade_id) == ("SOMETHING_NEW", Decimal("-0.375"), None)
    (booking,) = TradingDesk(answer([row | {"tradeId": "17"}])).run(lambda desk: desk.account.income())
    assert booking.trade_id == 17
    failing(TradingDesk(answer([row | {"tradeId": "x"}])), DecodeError, lambda desk: desk.account.income())
    for poison in ("NaN", "Infinity", "1e308"):
        failing(TradingDesk(answer([row | {"income": poison}])), DecodeError, lambda desk: desk.account.income())
        failing(
            TradingDesk(answer([trade | {"price": poison}])), DecodeError,
            lambda desk: desk.account.user_trades("BTCUSDT"),
        )  # fmt: skip


def test_amendments_and_changes_of_margin_are_read():
    row = {
        "amendmentId": 5363, "symbol": "BTCUSDT", "pair": "BTCUSDT", "orderId": 20072994037, "clientOrderId": "a1",
        "time": EPOCH, "amendment": {
            "price": {"before": "30004", "after": "30003.2"}, "origQty": {"before": "1", "after": "2"}, "count": 3,
        },
    }  # fmt: skip
    (change,) = TradingDesk(answer([row])).run(
        lambda desk: desk.account.amendments("BTCUSDT", OrderRef(order_id=20072994037))
    )
    assert (change.price_after, change.quantity_after, change.modify_id) == (Decimal("30003.2"), 2, None)
    row = {
        "symbol": "BTCUSDT", "type": 2, "deltaType": "USER_ADJUST", "amount": "-23.3", "asset": "USDT", "time": EPOCH,
        "positionSide": "BOTH",
    }  # fmt: skip
    (margin,) = TradingDesk(answer([row])).run(lambda desk: desk.account.margin_changes("BTCUSDT"))
    assert (margin.amount, margin.added) == (Decimal("23.3"), False)
    failing(TradingDesk(answer([row | {"type": 3}])), DecodeError, lambda desk: desk.account.margin_changes("BTCUSDT"))


def test_what_the_account_is_set_to_is_read():
    config = {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": False, "dualSidePosition": True,
        "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1,
    }  # fmt: skip
    read = TradingDesk(answer(config)).run(lambda desk: desk.account.config())
    assert (read.hedge, read.multi_assets, read.can_withdraw) == (True, False, False)
    desk = TradingDesk(answer({"multiAssetsMargin": True}))
    assert desk.run(lambda desk: desk.account.multi_assets()) is True
    assert TradingDesk(answer({"feeBurn": True})).run(lambda desk: desk.account.fee_burn()) is True
    row = {"symbol": "BTCUSDT", "makerCommissionRate": "-0.0001", "takerCommissionRate": "0.0005"}
    rate = TradingDesk(answer(row)).run(lambda desk: desk.account.commission_rate("BTCUSDT"))
    assert (rate.maker, rate.taker) == (Decimal("-0.0001"), Decimal("0.0005"))


def test_the_order_limits_of_the_account_fill_its_ledger():
    rows = [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 400},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
    ]
    desk = TradingDesk(answer(rows))
    limits = desk.run(lambda desk: desk.account.order_limits())
    assert limits == (OrderLimit(10, 100), OrderLimit(60, 400))
    failing(
        TradingDesk(answer([rows[0] | {"interval": "FORTNIGHT"}])), DecodeError,
        lambda desk: desk.account.order_limits(),
    )  # fmt: skip


def test_queue_places_and_locked_symbols_are_read():
    rows = [{"symbol": "ETHUSDT", "adlQuantile": {"LONG": 3, "SHORT": 0, "HEDGE": 0}}]
    (place,) = TradingDesk(answer(rows)).run(lambda desk: desk.account.adl_quantiles())
    assert place.quantiles["LONG"] == 3
    status = {"indicators": {"BTCUSDT": [
        {"indicator": "UFR", "isLocked": True, "plannedRecoverTime": EPOCH, "triggerValue": 0.995, "value": 0.05}
    ]}, "updateTime": EPOCH}  # fmt: skip
    (indicator,) = TradingDesk(answer(status)).run(lambda desk: desk.account.trading_status())
    assert (indicator.symbol, indicator.locked) == ("BTCUSDT", True)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        (-4046, lambda desk: desk.settings.set_isolated("BTCUSDT", isolated=True)),
        (-4059, lambda desk: desk.settings.set_position_mode(hedge=True)),
        (-4171, lambda desk: desk.settings.set_multi_assets(enabled=False)),
    ],
)
def test_nothing_to_change_is_a_success(code, call):
    assert TradingDesk(refusal(code)).run(call) is False
    assert TradingDesk(SUCCESS).run(call) is True


@pytest.mark.parametrize("code", [-4047, -4048, -4067, -4068, -4531])
def test_what_blocks_a_change_is_to_be_cleaned_up_first(code):
    error = failing(
        TradingDesk(refusal(code)), BusinessError, lambda desk: desk.settings.set_isolated("X", isolated=False)
    )
    assert error.reaction is Reaction.CLEAN_UP_FIRST


def test_settings_travel_in_the_venues_spelling():
    desk = TradingDesk(SUCCESS)

    async def all_of_them(desk):
        await desk.settings.set_isolated("BTCUSDT", isolated=False)
        await desk.settings.set_position_mode(hedge=True)
        await desk.settings.set_fee_burn(enabled=True)
        await desk.settings.adjust_margin("BTCUSDT", "LONG", Decimal("1E+1"), add=False)

    desk.run(all_of_them)
    assert [desk.query(number) for number in range(4)] == [
        "symbol=BTCUSDT&marginType=CROSSED",
        "dualSidePosition=true",
        "feeBurn=true",
        "symbol=BTCUSDT&positionSide=LONG&amount=10&type=2",
    ]


def test_a_mode_that_was_set_is_used_and_one_of_unknown_fate_is_forgotten():
    desk = TradingDesk(SUCCESS)
    desk.run(lambda desk: desk.settings.set_position_mode(hedge=True))
    assert desk.mode.hedge is True
    desk = TradingDesk(refusal(-1007, 408))
    failing(desk, UnknownOutcomeError, lambda desk: desk.settings.set_position_mode(hedge=True))
    assert desk.mode.hedge is None


def test_the_leverage_is_what_the_venue_confirms():
    body = {"leverage": 21, "maxNotionalValue": "1000000", "symbol": "BTCUSDT"}
    confirmed = TradingDesk(answer(body)).run(lambda desk: desk.settings.set_leverage("BTCUSDT", 21))
    assert (confirmed.leverage, confirmed.max_notional) == (21, 1_000_000)
    failing(TradingDesk(answer(body)), UnknownOutcomeError, lambda desk: desk.settings.set_leverage("BTCUSDT", 20))
    for code, reaction in ((-4028, Reaction.LOWER_LEVERAGE), (-2028, Reaction.KEEP_LEVERAGE),
                           (-4161, Reaction.KEEP_LEVERAGE)):  # fmt: skip
        error = failing(
            TradingDesk(refusal(code)), BusinessError, lambda desk: desk.settings.set_leverage("BTCUSDT", 500)
        )
        assert error.reaction is reaction


RIGHTS = {
    "ipRestrict": False, "createTime": 1698645219000, "enableReading": True, "enableWithdrawals": False,
    "enableInternalTransfer": False, "enableMargin": False, "enableFutures": True, "permitsUniversalTransfer": True,
    "enableVanillaOptions": False, "enableSpotAndMarginTrading": False,
}  # fmt: skip


def test_the_rights_of_a_key_are_read_with_both_kinds_of_transfer_as_one():
    rights = TradingDesk(answer({**RIGHTS, "tradingAuthorityExpirationTime": 1628985600000})).run(
        lambda desk: desk.account.key_rights()
    )
    assert (rights.transfers, rights.withdraws, rights.futures) == (True, False, True)
    assert (rights.ip_restricted, rights.expires_ms) == (False, 1628985600000)


def test_rights_without_their_dangerous_part_are_not_believed():
    for name in ("enableWithdrawals", "permitsUniversalTransfer", "enableInternalTransfer", "ipRestrict"):
        row = {key: value for key, value in RIGHTS.items() if key != name}
        assert name in str(failing(TradingDesk(answer(row)), DecodeError, lambda desk: desk.account.key_rights()))
