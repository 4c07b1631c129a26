"""What a row of the route table says: what a request must bring, what it weighs, and who answers it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.order_counts import NO_ORDER, ONE_ORDER, OrderCost
from exchange.simulator.params import Params

if TYPE_CHECKING:
    from exchange.simulator.venue import Venue

Answer = Callable[["Venue", Params, int], bytes]


class Access(Enum):
    """What a request must bring."""

    FREE = "nothing; a simulator's own endpoint, neither weighed nor banned"
    OPEN = "nothing"
    FUNDING = "nothing; counted in the funding pool, without the used-weight header"
    STATISTICS = "nothing; counted in the statistics pool, without the used-weight header"
    KEY = "the API key header"
    SIGNED = "the API key header, timestamp and signature"


class Endpoint(NamedTuple):
    """One route: access, weight of a request, and its answer."""

    access: Access
    weight: Callable[[Params], int]
    answer: Answer
    mandatory: tuple[str, ...] = ()
    """Parameters checked before time and signature."""
    orders: OrderCost = NO_ORDER
    """What the request counts on the account's order limits."""


class KeyEndpoint(NamedTuple):
    """One route that needs to know whose key asks."""

    weight: int
    answer: Callable[["Venue", str, int], bytes]


Routes = dict[tuple[str, str], Endpoint]
"""A part's own table; `rest.py` merges them."""


def flat(weight: int) -> Callable[[Params], int]:
    """Weigh every request the same."""
    return lambda _params: weight


def by_symbol(one: int, every: int) -> Callable[[Params], int]:
    """Weigh a request for one symbol and for all."""
    return lambda params: every if params.text("symbol") is None else one


def opened(weight: Callable[[Params], int], answer: Answer) -> Endpoint:
    """Return a route that needs nothing."""
    return Endpoint(Access.OPEN, weight, answer)


def signed(weight: Callable[[Params], int], answer: Answer, *mandatory: str) -> Endpoint:
    """Return a signed route; `mandatory` parameters are checked before time and signature."""
    return Endpoint(Access.SIGNED, weight, answer, mandatory)


def count_order(endpoint: Endpoint, cost: OrderCost = ONE_ORDER) -> Endpoint:
    """Mark a route whose requests count on the account's order limits; its answers carry the count headers."""
    return endpoint._replace(orders=cost)
