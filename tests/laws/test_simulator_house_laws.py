"""The whole trading side at once: settings, plain and conditional orders, control actions, two symbols, both modes.

Whatever is asked of the venue, its books agree with each other and with what its user stream has told.
"""

import random
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

from hand_trading import SYMBOLS, HandMarket, RefusedError, Trader
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.simulator.answers import RefusalError
from exchange.simulator.faults.actions import ActionError
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.symbol_life import LifeError

D = Decimal
BTC, ETH = SYMBOLS[:2]
TICKS = (0.1, 0.01)
OPEN = {"NEW", "PARTIALLY_FILLED"}
ALGO_PATHS = {
    None: {"NEW"},
    "NEW": {"NEW", "CANCELED", "EXPIRED", "REJECTED", "TRIGGERING"},
    "TRIGGERING": {"TRIGGERED", "EXPIRED", "REJECTED"},
    "TRIGGERED": {"FINISHED"},
}
KINDS = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
PREVENTIONS = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
SETTINGS = (
    ("/fapi/v1/leverage", {"leverage": 5}),
    ("/fapi/v1/leverage", {"leverage": 125}),
    ("/fapi/v1/marginType", {"marginType": "ISOLATED"}),
    ("/fapi/v1/marginType", {"marginType": "CROSSED"}),
    ("/fapi/v1/positionSide/dual", {"dualSidePosition": "true"}),
    ("/fapi/v1/positionSide/dual", {"dualSidePosition": "false"}),
    ("/fapi/v1/countdownCancelAll", {"countdownTime": 400}),
)


class Run:
    """One account and the chance that drives it."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        pick = self.chance.choice
        answers = OpenQuestions(
            reduce_only_capped=pick((False, True)), taker_fee_reserved=pick((False, True)),
            algo_latency_ms=pick((0, 11, 300)),
        )  # fmt: skip
        self.market = HandMarket()
        self.trader = Trader(self.market, balance=pick((300, 2_000, 100_000)), questions=answers)
        self.house = self.trader.house
        self.prices = [80_000.0, 3_000.0]
        self.numbers = 0
        self.orders, self.algos = {}, {}
        self.held = defaultdict(D)
        self.wallet = None
        for symbol in (BTC, ETH):
            if pick((False, True)):
                self.ask("POST", "/fapi/v1/marginType", symbol=symbol, marginType="ISOLATED")
        if pick((False, True)):
            self.ask("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")

    def ask(self, method, path, **params):
        with suppress(RefusedError):
            self.trader.call(method, path, **params)

    def act(self, **action):
        with suppress(ActionError, RefusalError):
            self.trader.exchange.control.act(action)

    def price(self, index):
        price = self.prices[index] * (1 + self.chance.uniform(-0.01, 0.01))
        return f"{round(price / TICKS[index]) * TICKS[index]:.2f}"

    def drawn(self, index):
        """Return symbol, side, quantity and what says which position is meant."""
        pick = self.chance.choice
        size = pick((0.001, 0.01, 0.1, 0.5, 1, 3)) * (1, 10)[index]
        terms = {"symbol": SYMBOLS[index], "side": pick(("BUY", "SELL")), "quantity": f"{size:.3f}"}
        if self.house.account.dual_side:
            return terms | {"positionSide": pick(("LONG", "SHORT"))}
        return terms | {"reduceOnly": pick(("true", "false", "false"))}

    def plain(self, index):
        pick = self.chance.choice
        self.numbers += 1
        terms = self.drawn(index) | {"type": pick(("MARKET", "LIMIT")), "newClientOrderId": f"c{self.numbers}"}
        if terms["type"] == "LIMIT":
            terms |= {
                "price": self.price(index), "timeInForce": pick(("GTC", "IOC", "FOK", "GTX", "GTD")),
                "selfTradePreventionMode": pick(PREVENTIONS), "goodTillDate": self.trader.now + 601_000,
            }  # fmt: skip
        self.ask("POST", "/fapi/v1/order", **terms)

    def conditional(self, index):
        pick = self.chance.choice
        self.numbers += 1
        kind = pick(KINDS)
        terms = self.drawn(index) | {"algoType": "CONDITIONAL", "type": kind, "clientAlgoId": f"a{self.numbers}"}
        terms |= {"workingType": pick(("CONTRACT_PRICE", "MARK_PRICE")), "timeInForce": pick(("GTC", "GTE_GTC"))}
        terms |= {"callbackRate": "0.2"} if kind.startswith("TRAILING") else {"triggerPrice": self.price(index)}
        if kind in {"STOP", "TAKE_PROFIT"}:
            terms["price"] = self.price(index)
        elif kind.endswith("T_MARKET") and pick((False, True)):
            terms |= {"closePosition": "true", "quantity": None, "reduceOnly": None}
        self.ask("POST", "/fapi/v1/algoOrder", **terms)

    def recent(self, letter):
        return f"{letter}{self.chance.randint(max(1, self.numbers - 6), self.numbers + 1)}"

    def change(self, index):
        symbol, roll = SYMBOLS[index], self.chance.random()
        if roll < 0.4:
            terms = self.drawn(index) | {"price": self.price(index), "origClientOrderId": self.recent("c")}
            self.ask("PUT", "/fapi/v1/order", **terms | {"reduceOnly": None})
        elif roll < 0.7:
            self.ask("DELETE", "/fapi/v1/order", symbol=symbol, origClientOrderId=self.recent("c"))
        elif roll < 0.9:
            self.ask("DELETE", "/fapi/v1/algoOrder", clientAlgoId=self.recent("a"))
        else:
            self.ask("DELETE", self.chance.choice(("/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders")), symbol=symbol)

    def settle(self, index):
        pick, symbol = self.chance.choice, SYMBOLS[index]
        side = pick(("LONG", "SHORT")) if self.house.account.dual_side else "BOTH"
        roll = self.chance.random()
        if roll < 0.4:
            path, terms = pick(SETTINGS)
            self.ask("POST", path, symbol=symbol, **terms)
        elif roll < 0.6:
            amount = {"amount": pick(("1", "50", "0.5")), "type": pick((1, 2)), "positionSide": side}
            self.ask("POST", "/fapi/v1/positionMargin", symbol=symbol, **amount)
        elif roll < 0.95:
            name = pick(("special_funding", "transfer", "deleverage", "liquidate"))
            more = {
                "special_funding": {"symbol": symbol, "rate": pick(("0.01", "-0.01"))},
                "transfer": {"amount": pick(("100", "-50"))},
                "deleverage": {"symbol": symbol, "quantity": "0.001", "side": side},
                "liquidate": {"symbol": symbol, "side": side},
            }[name]
            self.act(action=name, **more)
        else:
            with suppress(LifeError):
                getattr(self.trader.exchange.venue.life, pick(("halt", "resume", "settle")))(ETH, self.trader.now)

    def move(self, index):
        pick, tick = self.chance.choice, TICKS[index]
        self.prices[index] *= 1 + pick((0, 0, 0.001, -0.001, 0.005, -0.005, 0.02, -0.02, 0.1, -0.1))
        middle = round(self.prices[index] / tick) * tick
        sizes = [pick((0.1, 1, 5)) * (1, 10)[index]] * 10
        self.market.set_book(round(middle - tick, 2), round(middle + tick, 2), index, tick, sizes)
        if pick((False, True)):
            taken = pick((0.1, 1.0, 10.0))
            self.market.trade(round(middle, 2), taken, buyer_is_maker=pick((False, True)), index=index)
        self.trader.step(pick((1, 1, 2, 4)))

    def hear(self):
        for event in self.trader.events():
            body = event.get("o") or event.get("a")
            if event["e"] == "ACCOUNT_UPDATE" and body["B"]:
                self.wallet = D(body["B"][0]["wb"])
            elif event["e"] == "ALGO_UPDATE":
                assert body["X"] in ALGO_PATHS.get(self.algos.get(body["aid"]), ())
                self.algos[body["aid"]] = body["X"]
            elif event["e"] == "ORDER_TRADE_UPDATE":
                name = (body["s"], body["i"])
                assert (name in self.orders) is (body["x"] != "NEW")
                assert self.orders.get(name, "NEW") in OPEN
                self.orders[name] = body["X"]
                self.held[body["s"], body["ps"]] += D(body["l"]) * (1 if body["S"] == "BUY" else -1)


def check(run):
    account, store = run.house.account, run.house.store
    assert account.wallet == account.opening + account.income.total
    assert run.wallet in {None, account.wallet}
    for symbol, index in ((BTC, 0), (ETH, 1)):
        for side in account.sides:
            position = account.position(index, side)
            assert position.quantity == run.held[symbol, side.value]
            if not (position.quantity and account.isolated(index)):
                assert position.isolated_wallet == 0
            reducing = [o for o in store.open_of(index) if o.reduce_only and o.position_side is side]
            assert all(order.side.sign * position.quantity < 0 for order in reducing)
            assert sum(order.remaining for order in reducing) <= abs(position.quantity)
    opened = {(SYMBOLS[i], order.order_id) for i in store.open_listings() for order in store.open_of(i)}
    assert opened == {name for name, status in run.orders.items() if status in OPEN}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_the_books_agree_with_each_other_and_with_what_was_told(seed):
    run = Run(seed)
    commands = [run.plain, run.conditional, run.change, run.settle, run.move]
    for _ in range(80):
        command = run.chance.choices(commands, weights=(30, 15, 15, 10, 30))[0]
        command(run.chance.randrange(2))
        run.hear()
        check(run)
    run.trader.step(8)
    run.hear()
    assert "TRIGGERING" not in run.algos.values()
    for number, status in run.algos.items():
        child = run.house.algo.find(number, None, run.trader.now).child
        assert (status == "TRIGGERED") is (child is not None and child.is_open)
