"""REST routes of the account: reads and settings (contract 3.3), income and forced orders, with their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import invalid
from exchange.simulator.contract_info import bracket_row
from exchange.simulator.encode import encode_json, number
from exchange.simulator.routes import Routes, by_symbol, flat, signed
from exchange.simulator.trading import account_rows as rows
from exchange.simulator.trading.account_settings import ADD, REDUCE
from exchange.simulator.trading.liquidation import ADL_ID, LIQUIDATION_PREFIX
from exchange.simulator.trading.order_request import position_side, required_decimal, required_flag
from exchange.simulator.trading.order_rows import OrderRows
from exchange.simulator.trading.position_rows import adl_quantile

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.trading.model import Order
    from exchange.simulator.venue import Venue

FORCED_MS = 7 * 86_400_000
SUCCESS = {"code": 200, "msg": "success"}


def _listings(venue: Venue, params: Params) -> list[int]:
    index = venue.chosen(params)
    return venue.tape.listed() if index is None else [index]


def account_v2(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/account."""
    return encode_json(rows.account_v2(venue.account, venue.tape.listed()))


def account_v3(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/account."""
    return encode_json(rows.account_v3(venue.account))


def balance_v2(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/balance."""
    return encode_json(rows.balances(venue.account, every_asset=True))


def balance_v3(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/balance."""
    return encode_json(rows.balances(venue.account, every_asset=False))


def position_risk_v2(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/positionRisk: flat symbols too."""
    return encode_json(rows.position_risk_v2(venue.account, _listings(venue, params)))


def position_risk_v3(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/positionRisk: only symbols with a position or an open order."""
    return encode_json(rows.position_risk_v3(venue.account, _listings(venue, params)))


def symbol_config(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET symbolConfig."""
    return encode_json([rows.symbol_config(venue.account, index) for index in _listings(venue, params)])


def leverage_bracket(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET leverageBracket; an array also for one symbol, as live, unless the open question says otherwise."""
    found = [bracket_row(venue.account.listings[index]) for index in _listings(venue, params)]
    bare = venue.options.questions.bracket_object_for_symbol and params.text("symbol") is not None
    return encode_json(found[0] if bare else found)


def account_config(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET accountConfig."""
    return encode_json(rows.account_config(venue.account))


def commission_rate(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET commissionRate."""
    return encode_json(rows.commission_rate(venue.account, venue.symbol_index(params)))


def dual_side(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET positionSide/dual."""
    return encode_json({"dualSidePosition": venue.account.dual_side})


def set_dual_side(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST positionSide/dual."""
    venue.account.set_dual_side(required_flag(params, "dualSidePosition"), now_ms)
    return encode_json(SUCCESS)


def multi_assets(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET multiAssetsMargin."""
    return encode_json({"multiAssetsMargin": venue.account.multi_assets})


def set_multi_assets(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST multiAssetsMargin."""
    venue.account.set_multi_assets(required_flag(params, "multiAssetsMargin"), now_ms)
    return encode_json(SUCCESS)


def set_margin_type(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST marginType."""
    index = venue.symbol_index(params)
    kind = params.required("marginType")
    if kind not in {"ISOLATED", "CROSSED"}:
        raise invalid("marginType")
    venue.account.set_margin_type(index, kind == "ISOLATED", now_ms)
    return encode_json(SUCCESS)


def set_leverage(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST leverage."""
    index = venue.symbol_index(params)
    venue.account.set_leverage(index, params.required_integer("leverage"), now_ms)
    return encode_json(rows.leverage_change(venue.account, index))


def position_margin(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST positionMargin."""
    account = venue.account
    index = venue.symbol_index(params)
    amount, kind = required_decimal(params, "amount"), params.required_integer("type")
    if kind not in {ADD, REDUCE}:
        raise invalid("type")
    account.adjust_isolated(index, position_side(params), amount, kind == ADD, now_ms)
    text = "Successfully modify position margin."
    return encode_json({"amount": number(amount), "code": 200, "msg": text, "type": kind})


def margin_history(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET positionMargin/history."""
    index, kind = venue.symbol_index(params), params.integer("type")
    start, end = params.span()
    limit = params.bounded("limit", 500, 1000)
    first, last = start or 0, now_ms if end is None else end
    chosen = [
        change
        for change in venue.account.margin_changes
        if change.listing == index and first <= change.time_ms <= last and kind in {None, change.kind}
    ]
    return encode_json([rows.margin_change(venue.account, change) for change in chosen[-limit:]])


def income(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET income."""
    index = venue.chosen(params)
    start, end = params.span()
    limit = params.bounded("limit", 100, 1000)
    account = venue.account
    kind = params.text("incomeType")
    found = account.income.rows(now_ms, listing=index, kind=kind, start_ms=start, end_ms=end, limit=limit)
    return encode_json([rows.income_row(account, row) for row in found])


def force_orders(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET forceOrders: what the venue placed to liquidate or deleverage, the last seven days by default."""
    index, kind = venue.chosen(params), params.text("autoCloseType")
    if kind not in {None, "LIQUIDATION", "ADL"}:
        raise invalid("autoCloseType")
    start, end = params.span()
    limit = params.bounded("limit", 50, 100)
    last = now_ms if end is None else end
    first = last - FORCED_MS if start is None else start
    prefix = {None: "", "LIQUIDATION": LIQUIDATION_PREFIX, "ADL": ADL_ID}[kind]

    def asked(order: Order) -> bool:
        return (
            first <= order.created_ms <= last
            and order.client_id.startswith(prefix)
            and (index is None or order.listing == index)
        )

    account = venue.account
    build = OrderRows(lambda listing: account.listings[listing].instrument, lenient=not venue.options.strict)
    chosen = [order for order in account.forced if asked(order)]
    return encode_json([build.queried(order, in_history=True) for order in chosen[-limit:]])


def adl(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET adlQuantile: of the asked symbols those with a position."""
    held = {position.listing for position in venue.account.open_positions()}
    return encode_json([adl_quantile(venue.account, index) for index in _listings(venue, params) if index in held])


def trading_status(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET apiTradingStatus: no quantitative rule has ever locked this account."""
    venue.chosen(params)
    return encode_json({"indicators": {}, "updateTime": now_ms})


def fee_burn(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET feeBurn."""
    return encode_json({"feeBurn": venue.account.fee_burn})


def set_fee_burn(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer POST feeBurn; the account holds no BNB, so its fees stay in USDT and undiscounted."""
    venue.account.fee_burn = required_flag(params, "feeBurn")
    return encode_json(SUCCESS)


ROUTES: Routes = {
    ("GET", "/fapi/v2/account"): signed(flat(5), account_v2),
    ("GET", "/fapi/v3/account"): signed(flat(5), account_v3),
    ("GET", "/fapi/v2/balance"): signed(flat(5), balance_v2),
    ("GET", "/fapi/v3/balance"): signed(flat(5), balance_v3),
    ("GET", "/fapi/v2/positionRisk"): signed(flat(5), position_risk_v2),
    ("GET", "/fapi/v3/positionRisk"): signed(flat(5), position_risk_v3),
    ("GET", "/fapi/v1/symbolConfig"): signed(flat(5), symbol_config),
    ("GET", "/fapi/v1/accountConfig"): signed(flat(5), account_config),
    ("GET", "/fapi/v1/positionSide/dual"): signed(flat(30), dual_side),
    ("POST", "/fapi/v1/positionSide/dual"): signed(flat(1), set_dual_side, "dualSidePosition"),
    ("GET", "/fapi/v1/multiAssetsMargin"): signed(flat(30), multi_assets),
    ("POST", "/fapi/v1/multiAssetsMargin"): signed(flat(1), set_multi_assets, "multiAssetsMargin"),
    ("POST", "/fapi/v1/marginType"): signed(flat(1), set_margin_type, "symbol", "marginType"),
    ("POST", "/fapi/v1/leverage"): signed(flat(1), set_leverage, "symbol", "leverage"),
    ("POST", "/fapi/v1/positionMargin"): signed(flat(1), position_margin, "symbol", "amount", "type"),
    ("GET", "/fapi/v1/positionMargin/history"): signed(flat(1), margin_history, "symbol"),
    ("GET", "/fapi/v1/leverageBracket"): signed(flat(1), leverage_bracket),
    ("GET", "/fapi/v1/commissionRate"): signed(flat(20), commission_rate, "symbol"),
    ("GET", "/fapi/v1/income"): signed(flat(30), income),
    ("GET", "/fapi/v1/forceOrders"): signed(by_symbol(20, 50), force_orders),
    ("GET", "/fapi/v1/adlQuantile"): signed(flat(5), adl),
    ("GET", "/fapi/v1/apiTradingStatus"): signed(by_symbol(1, 10), trading_status),
    ("GET", "/fapi/v1/feeBurn"): signed(flat(30), fee_burn),
    ("POST", "/fapi/v1/feeBurn"): signed(flat(1), set_fee_burn, "feeBurn"),
}
