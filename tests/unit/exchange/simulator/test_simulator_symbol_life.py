import json
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from small_market import BRACKETS, START, STEP, SYMBOLS, SmallMarket

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.frames import stray
from exchange.simulator.symbol_life import LifeError
from exchange.simulator.venue import ExchangeOptions

BTC, ETH = SYMBOLS[:2]
ORDER = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "79000"}


class Desk:
    """A venue with a listener on everything a contract's life shows on."""

    def __init__(self, step_ms=STEP, **options):
        self.exchange = Exchange(SmallMarket(step_ms), options=ExchangeOptions(**options))
        self.life = self.exchange.venue.life
        names = ("aggTrade", "bookTicker", "depth@100ms", "kline_1m", "ticker", "trade")
        self.market = self.exchange.open("/ws/" + "/".join(f"btcusdt@{name}" for name in names), START)
        self.news = self.exchange.open("/market/ws/!contractInfo", START)
        key = json.loads(self.call("POST", "/fapi/v1/listenKey")[1])["listenKey"]
        self.account = self.exchange.open(f"/private/ws/{key}", START)

    @property
    def now(self):
        return self.exchange.now_ms

    def step(self, ms=1_000):
        self.exchange.advance(self.now + ms)

    def call(self, method, path, **params):
        query = urlencode({**params, "timestamp": self.now}).encode()
        query += b"&signature=" + sign(DEMO_SECRET, query).encode()
        answer = self.exchange.request(method, path, query, b"", {"x-mbx-apikey": DEMO_KEY}, self.now)
        return answer.status, answer.body

    def order(self, symbol=BTC, **changes):
        status, body = self.call("POST", "/fapi/v1/order", symbol=symbol, **{**ORDER, **changes})
        return json.loads(body).get("code", status)

    def info(self, symbol=BTC):
        rows = json.loads(self.call("GET", "/fapi/v1/exchangeInfo")[1])["symbols"]
        return next((row for row in rows if row["symbol"] == symbol), None)

    def heard(self, session):
        frames = [json.loads(frame) for frame in session.outbox]
        session.outbox.clear()
        return frames


@pytest.fixture
def desk():
    desk = Desk()
    desk.step()
    desk.heard(desk.market)
    return desk


@pytest.mark.parametrize(("change", "status"), [("halt", "TRADING_HALT"), ("cancel_only", "TRADING_CANCEL_ONLY")])
def test_a_halt_silences_the_contract_refuses_orders_and_takes_cancels(desk, change, status):
    assert desk.order(newClientOrderId="before") == 200
    getattr(desk.life, change)(BTC, desk.now)
    assert desk.info()["status"] == status
    assert desk.order() == -4140
    book = desk.call("GET", "/fapi/v1/ticker/bookTicker", symbol=BTC)
    day = json.loads(desk.call("GET", "/fapi/v1/ticker/24hr", symbol=BTC)[1])
    trades = desk.call("GET", "/fapi/v1/aggTrades", symbol=BTC)
    desk.step(5_000)
    assert desk.heard(desk.market) == []
    assert desk.call("GET", "/fapi/v1/ticker/bookTicker", symbol=BTC) == book
    assert desk.call("GET", "/fapi/v1/aggTrades", symbol=BTC) == trades
    later = json.loads(desk.call("GET", "/fapi/v1/ticker/24hr", symbol=BTC)[1])
    assert (later["volume"], later["count"], later["lastPrice"]) == (day["volume"], day["count"], day["lastPrice"])
    status, _ = desk.call("DELETE", "/fapi/v1/order", symbol=BTC, origClientOrderId="before")
    assert status == 200
    desk.life.resume(BTC, desk.now)
    desk.step(2_000)
    assert {frame["e"] for frame in desk.heard(desk.market)} >= {"aggTrade", "bookTicker", "depthUpdate", "kline"}
    assert desk.order() == 200


def test_no_order_rests_into_a_trade_while_the_contract_is_halted(desk):
    assert desk.order(side="SELL", price="80000.90") == 200
    desk.life.halt(BTC, desk.now)
    desk.step(30_000)
    assert json.loads(desk.call("GET", "/fapi/v1/openOrders", symbol=BTC)[1])[0]["executedQty"] == "0.000"
    desk.life.resume(BTC, desk.now)
    desk.step(30_000)
    assert json.loads(desk.call("GET", "/fapi/v1/openOrders", symbol=BTC)[1]) == []


def test_settlement_expires_orders_and_closes_positions(desk):
    assert desk.order(newClientOrderId="resting") == 200
    market = {"type": "MARKET", "side": "BUY", "quantity": "0.010"}
    assert json.loads(desk.call("POST", "/fapi/v1/order", symbol=BTC, **market)[1])["symbol"] == BTC
    algo = {
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "side": "SELL",
        "triggerPrice": "70000",
        "quantity": "0.010",
    }
    assert desk.call("POST", "/fapi/v1/algoOrder", symbol=BTC, **algo)[0] == 200
    desk.step()
    desk.heard(desk.account)
    desk.life.settle(BTC, desk.now)
    told = desk.heard(desk.account)
    orders = [event["o"] for event in told if event["e"] == "ORDER_TRADE_UPDATE"]
    resting = next(order for order in orders if order["c"] == "resting")
    assert (resting["X"], resting["er"]) == ("EXPIRED", "7")
    closing = [order for order in orders if order["c"].startswith("settlement_autoclose-")]
    assert closing[-1]["X"] == "FILLED"
    assert [event for event in told if event["e"] == "ALGO_UPDATE" and event["o"]["X"] == "EXPIRED"]
    assert json.loads(desk.call("GET", "/fapi/v3/positionRisk")[1]) == []
    assert json.loads(desk.call("GET", "/fapi/v1/openAlgoOrders")[1]) == []
    assert desk.order() == -4140
    account = desk.exchange.venue.account
    assert account.wallet == account.opening + account.income.total


def test_a_settled_contract_is_closed_and_then_unknown(desk):
    with pytest.raises(LifeError, match="settle it before"):
        desk.life.close(BTC, desk.now)
    desk.life.settle(BTC, desk.now)
    with pytest.raises(LifeError, match="cannot trade again"):
        desk.life.resume(BTC, desk.now)
    desk.life.close(BTC, desk.now)
    assert (desk.info()["status"], desk.order()) == ("CLOSE", -4141)
    desk.life.delist(BTC, desk.now)
    assert desk.info() is None
    assert desk.order() == -1121
    for path in ("klines", "depth", "premiumIndex", "ticker/24hr", "fundingRate"):
        status, body = desk.call("GET", f"/fapi/v1/{path}", symbol=BTC, interval="1m")
        assert (status, json.loads(body)["code"]) == (400, -1121)
    for path in ("premiumIndex", "ticker/24hr", "ticker/price", "ticker/bookTicker", "fundingRate", "symbolConfig"):
        assert BTC not in {row["symbol"] for row in json.loads(desk.call("GET", f"/fapi/v1/{path}")[1])}


def test_arrays_leave_a_removed_contract_out(desk):
    names = "!markPrice@arr@1s/!bookTicker/!ticker@arr/btcusdt@markPrice@1s"
    session = desk.exchange.open(f"/ws/{names}", desk.now)
    desk.life.delist(BTC, desk.now)
    desk.step(11_000)
    frames = desk.heard(session)
    rows = [row for frame in frames for row in (frame if isinstance(frame, list) else [frame])]
    assert {row["e"] for row in rows} == {"markPriceUpdate", "bookTicker", "24hrTicker"}
    assert {row["s"] for row in rows}.isdisjoint({BTC, "BTCUSD_PERP"})


def test_a_removed_contract_can_be_listed_again(desk):
    desk.life.delist(BTC, desk.now)
    desk.life.list_symbol(BTC, desk.now, pending=True)
    assert (desk.info()["status"], desk.info()["onboardDate"]) == ("PENDING_TRADING", desk.now)
    assert desk.order() == -4140
    desk.life.resume(BTC, desk.now)
    desk.heard(desk.market)
    desk.step(2_000)
    assert desk.order() == 200
    assert {frame["e"] for frame in desk.heard(desk.market)} >= {"aggTrade", "kline"}


def test_a_contract_may_wait_for_its_listing():
    desk = Desk(unlisted=(BTC,))
    desk.step()
    assert desk.info() is None
    assert desk.heard(desk.market) == []
    desk.life.list_symbol(BTC, desk.now)
    desk.step()
    assert desk.info()["status"] == "TRADING"
    assert desk.heard(desk.market)


def test_contract_info_tells_status_delivery_and_brackets(desk):
    desk.life.announce_delivery(BTC, desk.now + 5_000, desk.now)
    desk.life.change_brackets(ETH, BRACKETS[:1], desk.now)
    delivery, brackets = desk.heard(desk.news)
    assert delivery == {
        "e": "contractInfo", "E": desk.now, "s": BTC, "ps": BTC, "ct": "PERPETUAL", "dt": desk.now + 5_000,
        "ot": 1_600_000_000_000, "cs": "TRADING", "st": 1, **dict([stray(BTC)]),
    }  # fmt: skip
    assert brackets["bks"] == [{"bs": 1, "bnf": 0, "bnc": 50_000, "mmr": 0.004, "cf": 0, "mi": 1, "ma": 125}]
    assert desk.info()["deliveryDate"] == desk.now + 5_000
    desk.step(4_000)
    assert desk.info()["status"] == "TRADING"
    desk.step(1_000)
    assert desk.info()["status"] == "SETTLING"
    assert [event["cs"] for event in desk.heard(desk.news)] == ["SETTLING"]


def test_changed_rules_hold_at_once(desk):
    assert desk.order(price="79000.10") == 200
    desk.life.change_rules(BTC, tick=Decimal("0.50"), min_notional=Decimal(1000))
    rules = {rule["filterType"]: rule for rule in desk.info()["filters"]}
    assert (rules["PRICE_FILTER"]["tickSize"], rules["MIN_NOTIONAL"]["notional"]) == ("0.50", "1000")
    assert desk.order(price="79000.10") == -4014
    assert desk.order(price="79000.50") == -4164
    desk.life.change_rules(BTC, quantity_precision=1)
    assert desk.order(price="79000.50", quantity="0.020") == -1111


def test_changed_brackets_hold_for_leverage_and_bracket_reads(desk):
    desk.life.change_brackets(BTC, BRACKETS[1:], desk.now)
    rows = json.loads(desk.call("GET", "/fapi/v1/leverageBracket", symbol=BTC)[1])
    assert [row["initialLeverage"] for row in rows[0]["brackets"]] == [20]
    status, body = desk.call("POST", "/fapi/v1/leverage", symbol=BTC, leverage=25)
    assert (status, json.loads(body)["code"]) == (400, -4028)


def test_a_changed_funding_interval_shows_where_it_is_asked_for(desk):
    desk.life.change_funding(BTC, 1)
    desk.step()
    rows = {
        row["symbol"]: row["fundingIntervalHours"] for row in json.loads(desk.call("GET", "/fapi/v1/fundingInfo")[1])
    }
    assert rows[BTC] == 1
    due = json.loads(desk.call("GET", "/fapi/v1/premiumIndex", symbol=BTC)[1])["nextFundingTime"]
    assert due == (desk.now // 3_600_000 + 1) * 3_600_000


def test_funding_history_is_what_the_account_paid():
    desk = Desk(step_ms=20_000)
    assert desk.call("POST", "/fapi/v1/order", symbol=BTC, type="MARKET", side="BUY", quantity="0.010")[0] == 200
    desk.life.change_funding(BTC, 1)
    due = (desk.now // 3_600_000 + 1) * 3_600_000
    desk.exchange.advance(due + 1_000)
    (paid,) = json.loads(desk.call("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")[1])
    newest = json.loads(desk.call("GET", "/fapi/v1/fundingRate", symbol=BTC, limit=1)[1])[0]
    assert 0 <= newest["fundingTime"] - due < 13
    owed = -Decimal("0.010") * Decimal(newest["markPrice"]) * Decimal(newest["fundingRate"])
    assert Decimal(paid["income"]) == owed.quantize(Decimal("1e-8"))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda life, now: life.halt("NOSUCH", now), "no contract of this market"),
        (lambda life, now: life.list_symbol(BTC, now), "listed already"),
        (lambda life, now: life.announce_delivery(BTC, now, now), "is over"),
        (lambda life, now: life.change_rules(BTC, colour="red"), "colour is no rule"),
        (lambda life, now: life.change_brackets(BTC, (), now), "at least one bracket"),
        (lambda life, now: life.change_funding(BTC, 3), "use 1, 4 or 8"),
        (lambda life, now: (life.delist(BTC, now), life.halt(BTC, now)), "list it first"),
    ],
)
def test_senseless_changes_are_refused_with_their_reason(desk, change, text):
    with pytest.raises(LifeError, match=text):
        change(desk.life, desk.now)
