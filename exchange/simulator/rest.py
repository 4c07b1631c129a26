"""The REST side: routes with their weights, and the order in which the venue checks a request.

Order of checks: route (404), ban (418), weight (429), API key (401), mandatory parameters (-1102), timestamp (-1021),
signature (-1022), then the endpoint's own rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import public, rest_account, rest_algo, rest_market, rest_order_history, rest_orders
from exchange.simulator import signed as other
from exchange.simulator.answers import RefusalError, json_answer, not_found, refusal_answer
from exchange.simulator.auth import check_signature, check_time, identify
from exchange.simulator.key_rights import tell_key_rights
from exchange.simulator.order_counts import NO_ORDER
from exchange.simulator.params import Params
from exchange.simulator.routes import Access, Endpoint, KeyEndpoint, Routes, flat, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.ports import RestAnswer
    from exchange.simulator.venue import Venue

USED_WEIGHT = "x-mbx-used-weight-1m"
UNWEIGHED = frozenset({Access.FREE, Access.FUNDING, Access.STATISTICS})


ROUTES: Routes = {
    ("GET", "/sim/clock"): Endpoint(Access.FREE, flat(0), public.run_clock),
    **rest_market.ROUTES,
    **rest_account.ROUTES,
    **rest_orders.ROUTES,
    **rest_order_history.ROUTES,
    **rest_algo.ROUTES,
    # The wallet and margin services have weight pools of their own, so these calls cost nothing here.
    ("GET", "/sapi/v1/capital/config/getall"): signed(flat(0), other.nothing_of_the_wallet),
    ("GET", "/sapi/v1/margin/allPairs"): signed(flat(0), other.nothing_of_the_wallet),
    ("GET", "/sapi/v1/account/apiRestrictions"): signed(flat(0), tell_key_rights),
}

KEY_ROUTES: dict[tuple[str, str], KeyEndpoint] = {
    ("POST", "/fapi/v1/listenKey"): KeyEndpoint(1, other.issue_listen_key),
    ("PUT", "/fapi/v1/listenKey"): KeyEndpoint(1, other.extend_listen_key),
    ("DELETE", "/fapi/v1/listenKey"): KeyEndpoint(1, other.drop_listen_key),
}


def answer_request(
    venue: Venue, method: str, path: str, query: bytes, body: bytes, headers: Mapping[str, str], now_ms: int
) -> RestAnswer:
    """Answer one request at a simulated instant. Header names are lower case; query and body are the bytes received."""
    route = (method, path)
    endpoint = ROUTES.get(route)
    if endpoint is None and route not in KEY_ROUTES:
        return not_found()
    extra: dict[str, str] = {}
    try:
        if endpoint is not None:
            text = _answer(venue, endpoint, query, body, headers, now_ms)
            if endpoint.orders != NO_ORDER:
                extra = venue.order_counts.headers(now_ms)
        else:
            text = _answer_key(venue, KEY_ROUTES[route], headers, now_ms)
    except RefusalError as refusal:
        return refusal_answer(refusal, _used(venue, endpoint, now_ms))
    return json_answer(text, _used(venue, endpoint, now_ms) | extra)


def _answer(
    venue: Venue, endpoint: Endpoint, query: bytes, body: bytes, headers: Mapping[str, str], now_ms: int
) -> bytes:
    params = Params(query, body)
    access = endpoint.access
    if access is not Access.FREE:
        venue.weights.check_ban(now_ms)
    if access is Access.FUNDING:
        venue.weights.spend_funding(now_ms)
    elif access is Access.STATISTICS:
        venue.weights.spend_statistics(now_ms)
    elif access is not Access.FREE:
        venue.weights.spend(endpoint.weight(params), now_ms)
    if access is Access.KEY:
        identify(headers, venue.keys)
    if access is Access.SIGNED:
        credential = venue.keys[identify(headers, venue.keys)]
        for name in (*endpoint.mandatory, "timestamp", "signature"):
            params.required(name)
        check_time(params, venue.clock_ms(now_ms))
        check_signature(query, body, credential)
    venue.order_counts.spend(endpoint.orders, now_ms)
    return endpoint.answer(venue, params, now_ms)


def _answer_key(venue: Venue, endpoint: KeyEndpoint, headers: Mapping[str, str], now_ms: int) -> bytes:
    venue.weights.check_ban(now_ms)
    venue.weights.spend(endpoint.weight, now_ms)
    return endpoint.answer(venue, identify(headers, venue.keys), now_ms)


def _used(venue: Venue, endpoint: Endpoint | None, now_ms: int) -> dict[str, str]:
    if endpoint is not None and endpoint.access in UNWEIGHED:
        return {}
    return {USED_WEIGHT: str(venue.weights.used(now_ms))}
