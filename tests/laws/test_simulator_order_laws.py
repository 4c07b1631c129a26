"""Laws of the simulated order desk under any sequence of commands, in both position modes."""

import json
import random
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

from hand_trading import HandMarket, RefusedError, Trader
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.simulator.trading.model import OPEN, Side, Status

D = Decimal
NAMES = [f"c{number}" for number in range(16)]
TERMINAL = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
BALANCE = 30_000

sides = st.sampled_from(["BUY", "SELL"])
quantities = st.integers(1, 20).map(lambda twentieths: str(D(twentieths) / 20))


def random_script(chance, length=60):
    """Return commands in proportions under which orders rest, meet, shrink and are knocked out."""
    script = []
    for _ in range(length):
        side, offset, own = chance.choice(["BUY", "SELL"]), chance.randint(-12, 12), chance.choice(NAMES)
        quantity = str(D(chance.randint(1, 20)) / 20)
        reduces, long = chance.random() < 0.3, chance.random() < 0.5
        name = chance.choices(
            ["limit", "market", "cancel", "amend", "move", "trade", "all"], [35, 15, 5, 12, 12, 20, 1]
        )[0]
        script.append(
            {
                "limit": (
                    side, offset, quantity, own, chance.choice(["GTC", "GTC", "GTC", "IOC", "FOK", "GTX", "RPI"]),
                    reduces, chance.choice(["EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "NONE"]), long,
                ),
                "market": (side, quantity, own, reduces, long),
                "cancel": (own,),
                "amend": (own, offset, quantity),
                "move": (chance.randint(-15, 15),),
                "trade": (offset, quantity, chance.random() < 0.5),
                "all": (),
            }[name]
        )  # fmt: skip
        script[-1] = (name, *script[-1])
    return script


class Run:
    """Sends commands and keeps what is needed to judge them."""

    def __init__(self, dual, balance=BALANCE):
        self.market = HandMarket()
        self.balance = balance
        self.trader = Trader(self.market, balance=balance)
        self.dual = dual
        self.middle = 80_000
        if dual:
            self.trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")

    def price(self, offset):
        return f"{self.middle + offset * 0.1:.1f}"

    def positions(self, opens, reduces):
        """Return the parameters that say what an order does to which position."""
        if self.dual:
            return {"positionSide": "LONG" if opens else "SHORT"}
        return {"reduceOnly": "true"} if reduces else {}

    def do(self, name, *values):
        trader = self.trader
        with suppress(RefusedError):
            if name == "limit":
                side, offset, quantity, own, time_in_force, reduces, mode, long = values
                trader.order(
                    side=side, price=self.price(offset), quantity=quantity, timeInForce=time_in_force,
                    newClientOrderId=own, selfTradePreventionMode=mode, **self.positions(long, reduces),
                )  # fmt: skip
            elif name == "market":
                side, quantity, own, reduces, long = values
                trader.market_order(side, quantity, newClientOrderId=own, **self.positions(long, reduces))
            elif name == "cancel":
                trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=values[0])
            elif name == "amend":
                own, offset, quantity = values
                order = trader.house.store.open_client(own)
                trader.call(
                    "PUT", "/fapi/v1/order", symbol="BTCUSDT", side=order.side if order else "BUY",
                    origClientOrderId=own, price=self.price(offset), quantity=quantity,
                )  # fmt: skip
            elif name == "all":
                trader.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        if name == "move":
            self.middle = round(self.middle + values[0] * 0.1, 1)
            self.market.set_book(round(self.middle - 0.1, 1), round(self.middle + 0.1, 1), sizes=(1, 2, 0.5) * 4)
            trader.step()
        elif name == "trade":
            offset, quantity, buyer_is_maker = values
            self.market.trade(float(self.price(offset)), float(quantity), buyer_is_maker=buyer_is_maker)
            trader.step()


def check_orders(run):
    store = run.trader.house.store
    orders = store.orders_of(0, run.trader.now)
    for order in orders:
        assert 0 <= order.executed <= order.quantity
        assert (order.status is Status.FILLED) == (order.executed == order.quantity)
        if order.status is Status.NEW:
            assert not order.executed
        if order.status is Status.PARTIALLY_FILLED:
            assert order.executed
    opened = list(store.open_of(0))
    assert opened == [order for order in orders if order.status in OPEN]
    assert len({order.client_id for order in opened}) == len(opened)
    assert all(order.kind == "LIMIT" and order.time_in_force in {"GTC", "GTX", "RPI"} for order in opened)


def check_reducing(run):
    """What rests to reduce stands against a position and, all together, is no larger than it."""
    house = run.trader.house
    together = defaultdict(D)
    for order in house.store.open_of(0):
        if order.reduce_only:
            position = house.account.position(0, order.position_side)
            assert position.quantity * order.side.sign < 0
            together[position.side] += order.remaining
    for side, quantity in together.items():
        assert quantity <= abs(house.account.position(0, side).quantity)


def check_trades(run):
    """Trades add up to the positions; a reducing one never enlarges or turns its position."""
    house = run.trader.house
    held = defaultdict(D)
    for trade in house.store.trades_of(0, 0):
        before = held[trade.position_side]
        after = before + trade.order.side.sign * trade.quantity
        held[trade.position_side] = after
        if trade.order.reduce_only:
            assert abs(after) < abs(before)
            assert after * before >= 0
        limit = trade.order.price
        assert trade.quantity > 0
        if limit and not trade.order.amendments:
            assert trade.price <= limit if trade.order.side is Side.BUY else trade.price >= limit
    for side in house.account.sides:
        assert house.account.position(0, side).quantity == held[side]
        if run.dual:
            assert held[side] * (1 if side == "LONG" else -1) >= 0
    income = sum((D(row["income"]) for row in run.trader.call("GET", "/fapi/v1/income", limit=1000)), D())
    assert house.account.wallet == run.balance + income


def check_events(events):
    """Each order is new first, its fills ascend, and it ends once; fills come as account, lite, order."""
    seen, filled = {}, defaultdict(D)
    for place, event in enumerate(events):
        if event["e"] != "ORDER_TRADE_UPDATE":
            continue
        order = event["o"]
        number = order["i"]
        assert (order["x"] == "NEW") == (number not in seen)
        assert seen.get(number) not in TERMINAL
        seen[number] = order["X"]
        if order["x"] in {"TRADE", "CALCULATED"}:
            assert [before["e"] for before in events[place - 2 : place]] == ["ACCOUNT_UPDATE", "TRADE_LITE"]
            filled[number] += D(order["l"])
            assert D(order["z"]) == filled[number]
    return seen


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.integers(0, 2**32))
def test_orders_positions_and_events_agree_after_every_command(dual, seed):
    run = Run(dual)
    script = random_script(random.Random(seed))
    events = run.trader.events()
    for command in script:
        run.do(*command)
        check_orders(run)
        check_reducing(run)
        check_trades(run)
        events += run.trader.events()
    seen = check_events(events)
    rows = run.trader.call("GET", "/fapi/v1/allOrders", limit=1000)
    assert {row["orderId"]: row["status"] for row in rows} == seen


@settings(max_examples=40, deadline=None)
@given(st.booleans(), st.integers(0, 2**32))
def test_they_agree_through_liquidations(dual, seed):
    chance = random.Random(seed)
    run = Run(dual, balance=chance.choice([500, 2_000, 8_000]))
    events = run.trader.events()
    for command in random_script(chance):
        run.do(*(("move", chance.randint(-40_000, 40_000)) if command[0] == "move" else command))
        check_orders(run)
        check_reducing(run)
        check_trades(run)
        events += run.trader.events()
    check_events(events)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(sides, quantities), min_size=1, max_size=12))
def test_takers_of_one_step_never_take_more_than_stood_in_the_book(orders):
    run = Run(dual=False)
    stood = {D(str(price)): D(str(size)) for side in run.market.books[0] for price, size in side}
    for side, quantity in orders:
        run.do("market", side, quantity, None, False, True)
    taken = defaultdict(D)
    for trade in run.trader.house.store.trades_of(0, 0):
        taken[trade.price] += trade.quantity
    assert all(quantity <= stood[price] for price, quantity in taken.items())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_equal_commands_give_equal_events(seed):
    told = []
    script = random_script(random.Random(seed))
    for _ in range(2):
        run = Run(dual=False)
        for command in script:
            run.do(*command)
        told.append(json.dumps(run.trader.events()))
    assert told[0] == told[1]
