"""Orders and answers of the venue for the tests of the client's trading side."""

from decimal import Decimal

from venue_fakes import ScriptedEntropy, ScriptedRest, answer
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.settings_client import SettingsClient
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.conditional_orders import AlgoRequest, ConditionalKind
from exchange.orders import OrderKind, OrderRequest, Side

EPOCH = 1_800_000_000_000
ONE_WAY = answer({"dualSidePosition": False})
HEDGE = answer({"dualSidePosition": True})


def refusal(code, status=400, **headers):
    return answer({"code": code, "msg": "refused"}, status, **headers)


def entry(**changes):
    wanted = {
        "symbol": "BTCUSDT",
        "side": Side.BUY,
        "kind": OrderKind.MARKET,
        "quantity": Decimal("0.010"),
        "client_id": "a1",
    }
    return OrderRequest(**(wanted | changes))


def limit_entry(**changes):
    return entry(**({"kind": OrderKind.LIMIT, "price": Decimal("80000.0")} | changes))


def stop(**changes):
    wanted = {
        "symbol": "BTCUSDT",
        "side": Side.SELL,
        "kind": ConditionalKind.STOP_MARKET,
        "quantity": Decimal("0.010"),
        "trigger_price": Decimal(79000),
        "client_id": "a1-sl",
    }
    return AlgoRequest(**(wanted | changes))


def ack_row(**changes):
    return {
        "orderId": 8389765739703625592, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "a1", "price": "0.00",
        "origQty": "0.010", "executedQty": "0.000", "cumQty": "0.000", "timeInForce": "GTC", "type": "MARKET",
        "origType": "MARKET", "reduceOnly": False, "closePosition": False, "side": "BUY", "positionSide": "BOTH",
        "stopPrice": "0.00", "workingType": "CONTRACT_PRICE", "priceProtect": False, "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0, "updateTime": EPOCH,
    } | changes  # fmt: skip


def order_row(**changes):
    return ack_row() | {"avgPrice": "0.00", "cumQuote": "0.00", "time": EPOCH} | changes


def algo_row(**changes):
    return {
        "algoId": 1000000226909486, "clientAlgoId": "a1-sl", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC", "quantity": "0.010",
        "algoStatus": "NEW", "triggerPrice": "79000.0", "price": "0.0", "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER", "workingType": "MARK_PRICE", "priceMatch": "NONE",
        "closePosition": False, "priceProtect": False, "reduceOnly": True, "createTime": EPOCH, "updateTime": EPOCH,
        "triggerTime": 0, "goodTillDate": 0,
    } | changes  # fmt: skip


class TradingDesk:
    """The clients of an account over a scripted venue."""

    def __init__(self, *script, gate=None):
        self.clock = VirtualClock(EPOCH)
        self.rest = ScriptedRest(*script)
        self.ledger = WeightLedger()
        self.client = BinanceClient(
            self.rest, self.clock, self.ledger, gate or OpenGate(), ScriptedEntropy(), Credentials("key", "secret")
        )
        calls = self.client.calls
        self.account = AccountClient(calls)
        self.mode = self.account.position_mode()
        self.mode.hedge = False
        self.orders = OrderClient(calls, self.mode)
        self.algo = AlgoClient(calls, self.mode)
        self.settings = SettingsClient(calls, self.mode)

    @property
    def operations(self):
        return [f"{request[0]} {request[1]}" for request in self.rest.requests]

    def query(self, number=-1):
        return self.rest.requests[number][2].partition("&recvWindow=")[0]

    def run(self, call):
        async def main():
            return await call(self)

        return run_virtual(main())
