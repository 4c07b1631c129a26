"""The REST side: routes with their weights, and the order in which the venue checks a request.

Order of checks: route (404), ban (418), weight (429), API key (401), mandatory parameters (-1102), timestamp (-1021),
signature (-1022), then the endpoint's own rules.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator import public, signed
from exchange.simulator.answers import RefusalError, json_answer, not_found, refusal_answer
from exchange.simulator.auth import check_signature, check_time, identify
from exchange.simulator.params import Params
from exchange.simulator.venue import Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.ports import RestAnswer

USED_WEIGHT = "x-mbx-used-weight-1m"


class Access(Enum):
    """What a request must bring."""

    FREE = "nothing; a simulator's own endpoint, neither weighed nor banned"
    OPEN = "nothing"
    FUNDING = "nothing; counted in the funding pool, without the used-weight header"
    KEY = "the API key header"
    SIGNED = "the API key header, timestamp and signature"


class Endpoint(NamedTuple):
    """One route: access, weight of a request, and its answer."""

    access: Access
    weight: Callable[[Params], int]
    answer: Callable[[Venue, Params, int], bytes]
    mandatory: tuple[str, ...] = ()
    """Parameters checked before time and signature."""


class KeyEndpoint(NamedTuple):
    """One route that needs to know whose key asks."""

    weight: int
    answer: Callable[[Venue, str, int], bytes]


def _flat(weight: int) -> Callable[[Params], int]:
    return lambda _params: weight


def _by_symbol(one: int, every: int) -> Callable[[Params], int]:
    return lambda params: every if params.text("symbol") is None else one


def _klines_weight(params: Params) -> int:
    limit = params.loose("limit", 500)
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


def _depth_weight(params: Params) -> int:
    limit = params.loose("limit", 500)
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


def _open(weight: Callable[[Params], int], answer: Callable[[Venue, Params, int], bytes]) -> Endpoint:
    return Endpoint(Access.OPEN, weight, answer)


def _signed(weight: Callable[[Params], int], answer: Callable[[Venue, Params, int], bytes]) -> Endpoint:
    return Endpoint(Access.SIGNED, weight, answer)


ROUTES: dict[tuple[str, str], Endpoint] = {
    ("GET", "/sim/clock"): Endpoint(Access.FREE, _flat(0), public.run_clock),
    ("GET", "/fapi/v1/ping"): _open(_flat(1), public.ping),
    ("GET", "/fapi/v1/time"): _open(_flat(1), public.server_time),
    ("GET", "/api/v3/ping"): _open(_flat(1), public.ping),
    ("GET", "/api/v3/time"): _open(_flat(1), public.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): _open(_flat(1), public.exchange_info),
    ("GET", "/fapi/v1/depth"): _open(_depth_weight, public.depth),
    ("GET", "/fapi/v1/aggTrades"): _open(_flat(20), public.aggregate_trades),
    ("GET", "/fapi/v1/klines"): _open(_klines_weight, public.klines),
    ("GET", "/fapi/v1/premiumIndex"): _open(_by_symbol(1, 10), public.premium_index),
    ("GET", "/fapi/v1/ticker/24hr"): _open(_by_symbol(1, 40), public.ticker_day),
    ("GET", "/fapi/v1/ticker/price"): _open(_by_symbol(1, 2), public.ticker_price),
    ("GET", "/fapi/v2/ticker/price"): _open(_by_symbol(1, 2), public.ticker_price),
    ("GET", "/fapi/v1/ticker/bookTicker"): _open(_by_symbol(2, 5), public.book_ticker),
    ("GET", "/fapi/v1/fundingInfo"): Endpoint(Access.FUNDING, _flat(0), public.funding_info),
    ("GET", "/fapi/v2/account"): _signed(_flat(5), signed.account_v2),
    ("GET", "/fapi/v3/account"): _signed(_flat(5), signed.account_v3),
    ("GET", "/fapi/v2/balance"): _signed(_flat(5), signed.balance_v2),
    ("GET", "/fapi/v3/balance"): _signed(_flat(5), signed.balance_v3),
    ("GET", "/fapi/v2/positionRisk"): _signed(_flat(5), signed.position_risk_v2),
    ("GET", "/fapi/v3/positionRisk"): _signed(_flat(5), signed.position_risk_v3),
    ("GET", "/fapi/v1/symbolConfig"): _signed(_flat(5), signed.symbol_config),
    ("GET", "/fapi/v1/accountConfig"): _signed(_flat(5), signed.account_config),
    ("GET", "/fapi/v1/positionSide/dual"): _signed(_flat(30), signed.dual_side),
    ("GET", "/fapi/v1/multiAssetsMargin"): _signed(_flat(30), signed.multi_assets),
    ("GET", "/fapi/v1/leverageBracket"): _signed(_flat(1), signed.leverage_bracket),
    ("GET", "/fapi/v1/commissionRate"): Endpoint(
        Access.SIGNED, _flat(20), signed.commission_rate, mandatory=("symbol",)
    ),
    ("GET", "/fapi/v1/openOrders"): _signed(_by_symbol(1, 40), signed.open_orders),
    ("GET", "/fapi/v1/openAlgoOrders"): _signed(_by_symbol(1, 40), signed.open_orders),
    # The wallet and margin services have weight pools of their own, so these calls cost nothing here.
    ("GET", "/sapi/v1/capital/config/getall"): _signed(_flat(0), signed.nothing_of_the_wallet),
    ("GET", "/sapi/v1/margin/allPairs"): _signed(_flat(0), signed.nothing_of_the_wallet),
}

KEY_ROUTES: dict[tuple[str, str], KeyEndpoint] = {
    ("POST", "/fapi/v1/listenKey"): KeyEndpoint(1, signed.issue_listen_key),
    ("PUT", "/fapi/v1/listenKey"): KeyEndpoint(1, signed.extend_listen_key),
    ("DELETE", "/fapi/v1/listenKey"): KeyEndpoint(1, signed.drop_listen_key),
}


def answer_request(
    venue: Venue, method: str, path: str, query: bytes, body: bytes, headers: Mapping[str, str], now_ms: int
) -> RestAnswer:
    """Answer one request at a simulated instant. Header names are lower case; query and body are the bytes received."""
    route = (method, path)
    endpoint = ROUTES.get(route)
    if endpoint is None and route not in KEY_ROUTES:
        return not_found()
    weighed = endpoint is None or endpoint.access not in {Access.FREE, Access.FUNDING}
    try:
        if endpoint is not None:
            text = _answer(venue, endpoint, query, body, headers, now_ms)
        else:
            text = _answer_key(venue, KEY_ROUTES[route], headers, now_ms)
    except RefusalError as refusal:
        return refusal_answer(refusal, _used(venue, now_ms) if weighed else {})
    return json_answer(text, _used(venue, now_ms) if weighed else {})


def _answer(
    venue: Venue, endpoint: Endpoint, query: bytes, body: bytes, headers: Mapping[str, str], now_ms: int
) -> bytes:
    params = Params(query, body)
    if endpoint.access is Access.FUNDING:
        venue.weights.check_ban(now_ms)
        venue.weights.spend_funding(now_ms)
    elif endpoint.access is not Access.FREE:
        venue.weights.check_ban(now_ms)
        venue.weights.spend(endpoint.weight(params), now_ms)
    if endpoint.access is Access.SIGNED:
        secret = venue.secrets[identify(headers, venue.secrets)]
        for name in (*endpoint.mandatory, "timestamp", "signature"):
            params.required(name)
        check_time(params, now_ms)
        check_signature(query, body, secret)
    return endpoint.answer(venue, params, now_ms)


def _answer_key(venue: Venue, endpoint: KeyEndpoint, headers: Mapping[str, str], now_ms: int) -> bytes:
    venue.weights.check_ban(now_ms)
    venue.weights.spend(endpoint.weight, now_ms)
    return endpoint.answer(venue, identify(headers, venue.secrets), now_ms)


def _used(venue: Venue, now_ms: int) -> dict[str, str]:
    return {USED_WEIGHT: str(venue.weights.used(now_ms))}
