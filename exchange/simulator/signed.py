"""REST reads of the account and the listen key calls: from checked parameters to the JSON body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.contract_info import bracket_row
from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue


def account_v2(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/account."""
    return encode_json(venue.account.account_v2())


def account_v3(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/account."""
    return encode_json(venue.account.account_v3())


def balance_v2(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/balance."""
    return encode_json(venue.account.balances(every_asset=True))


def balance_v3(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/balance."""
    return encode_json(venue.account.balances(every_asset=False))


def position_risk_v2(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET v2/positionRisk: flat symbols too."""
    listings = venue.chosen_listings(params)
    mark = venue.tape.columns.mark
    marks = [format(mark[venue.tape.index[listing.instrument.symbol]], ".8f") for listing in listings]
    return encode_json(venue.account.position_risk_v2(listings, marks))


def position_risk_v3(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET v3/positionRisk: only symbols with a position or an open order, and the account has none."""
    venue.chosen(params)
    return b"[]"


def symbol_config(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET symbolConfig."""
    return encode_json(venue.account.symbol_config(venue.chosen_listings(params)))


def leverage_bracket(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET leverageBracket; an array also for one symbol, as live."""
    return encode_json([bracket_row(listing) for listing in venue.chosen_listings(params)])


def account_config(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET accountConfig."""
    return encode_json(venue.account.account_config())


def dual_side(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET positionSide/dual."""
    return encode_json({"dualSidePosition": venue.account.dual_side})


def multi_assets(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET multiAssetsMargin."""
    return encode_json({"multiAssetsMargin": venue.account.multi_assets})


def commission_rate(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET commissionRate."""
    index = venue.symbol_index(params)
    return encode_json(venue.account.commission_rate(venue.tape.symbols[index]))


def open_orders(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET openOrders and openAlgoOrders: the account has placed none."""
    venue.chosen(params)
    return b"[]"


def nothing_of_the_wallet(_venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET capital/config/getall and margin/allPairs, which ccxt asks of other services to load markets."""
    return b"[]"


def issue_listen_key(venue: Venue, api_key: str, now_ms: int) -> bytes:
    """Answer POST listenKey."""
    return encode_json({"listenKey": venue.listen_keys.issue(api_key, now_ms)})


def extend_listen_key(venue: Venue, api_key: str, now_ms: int) -> bytes:
    """Answer PUT listenKey."""
    return encode_json({"listenKey": venue.listen_keys.extend(api_key, now_ms)})


def drop_listen_key(venue: Venue, api_key: str, _now_ms: int) -> bytes:
    """Answer DELETE listenKey."""
    venue.listen_keys.drop(api_key)
    return b"{}"
