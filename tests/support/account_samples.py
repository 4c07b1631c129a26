"""Events of the private stream for tests, by the few fields that matter."""

from decimal import Decimal

from exchange.account_events import AccountUpdate, AlgoUpdate, BalanceChange, OrderUpdate, PositionChange

ZERO = Decimal(0)


def order_update(time, *, trade_id=0, order_id=1, symbol="BTCUSDT", side="BUY", filled="1", status="FILLED"):
    fill = Decimal(1) if trade_id else ZERO
    return OrderUpdate(
        event_time=time,
        transaction_time=time,
        symbol=symbol,
        order_id=order_id,
        client_id=f"c{order_id}",
        side=side,
        position_side="BOTH",
        kind="LIMIT",
        original_kind="LIMIT",
        time_in_force="GTC",
        execution="TRADE" if trade_id else "NEW",
        status=status,
        quantity=Decimal(filled),
        price=Decimal(100),
        average=Decimal(100),
        stop=None,
        last_quantity=fill,
        filled=Decimal(filled),
        last_price=Decimal(100),
        trade_id=trade_id,
        trade_time=time,
        maker=False,
        commission=fill / 100,
        commission_asset="USDT",
        realised=fill,
        reduce_only=False,
        close_position=False,
        working_type="CONTRACT_PRICE",
        activation=None,
        callback=None,
        stp_mode="NONE",
        price_match="NONE",
        good_till=0,
        expiry_reason="0",
        modify_id="",
    )


def account_update(time, *, symbol="BTCUSDT", quantity="1", wallet="10", reason="ORDER"):
    size = Decimal(quantity)
    position = PositionChange(
        symbol, "BOTH", size, Decimal(100) if size else ZERO, None, ZERO, ZERO, isolated=False, isolated_wallet=ZERO
    )  # fmt: skip
    return AccountUpdate(
        time, time, reason, (BalanceChange("USDT", Decimal(wallet), Decimal(wallet), ZERO),), (position,), ""
    )


def algo_update(time, *, algo_id=3, status="NEW", symbol="BTCUSDT"):
    return AlgoUpdate(
        event_time=time,
        transaction_time=time,
        symbol=symbol,
        algo_id=algo_id,
        client_id=f"a{algo_id}",
        algo_kind="CONDITIONAL",
        kind="STOP_MARKET",
        side="SELL",
        position_side="BOTH",
        time_in_force="GTC",
        status=status,
        quantity=Decimal(1),
        trigger=Decimal(90),
        price=ZERO,
        order_id=None,
        filled=None,
        average=None,
        order_kind="",
        working_type="MARK_PRICE",
        stp_mode="EXPIRE_MAKER",
        price_match="NONE",
        close_position=False,
        price_protect=False,
        reduce_only=True,
        trigger_time=0,
        good_till=0,
        reason="",
        activated=None,
    )
