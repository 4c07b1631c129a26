"""Listen key calls, and what clients ask of services this venue does not have: from parameters to the JSON body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue


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
