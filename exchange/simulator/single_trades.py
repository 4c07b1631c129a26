"""Single trades out of aggregate ones: the same price and instant, consecutive ids, the quantity dealt out in lots."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt


class SingleTrade(NamedTuple):
    """One trade."""

    trade_id: int
    time_ms: int
    price: float
    quantity: float
    buyer_is_maker: bool


def single_trades(rows: npt.NDArray[np.void], lot: float) -> Iterator[SingleTrade]:
    """Yield the trades inside aggregates (TRADE_ROW) of one contract with that lot step.

    An aggregate of fewer lots than ids leaves its last ids unused; ids have gaps live too.
    """
    for _, time, price, quantity, buyer_is_maker, first, last in rows.tolist():
        lots = max(1, round(quantity / lot))
        count = min(last - first + 1, lots)
        each, more = divmod(lots, count)
        if count == 1:
            yield SingleTrade(first, time, price, quantity, buyer_is_maker)
            continue
        for rank in range(count):
            yield SingleTrade(first + rank, time, price, (each + (rank < more)) * lot, buyer_is_maker)
