"""REST trades: single ones of now and before, and aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import invalid, refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.single_trades import single_trades

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from exchange.simulator.params import Params
    from exchange.simulator.single_trades import SingleTrade
    from exchange.simulator.venue import Venue

HOUR_MS = 3_600_000
LOOK_BACK_MS = 48 * HOUR_MS
KEPT_TRADES = 100_000


def trades(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET trades: the newest single trades."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    return _trade_rows(venue, index, _kept_singles(venue, index)[-limit:])


def historical_trades(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET historicalTrades: from an id on, else the newest; what is not kept any more is left out."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 100, 500)
    from_id = params.integer("fromId")
    kept = _kept_singles(venue, index)
    if from_id is None:
        return _trade_rows(venue, index, kept[-limit:])
    return _trade_rows(venue, index, [trade for trade in kept if trade.trade_id >= from_id][:limit])


def _kept_singles(venue: Venue, index: int) -> list[SingleTrade]:
    lot = float(venue.tape.listings[index].instrument.lot.step)
    return list(single_trades(_kept(venue, index), lot))


def _trade_rows(venue: Venue, index: int, chosen: Iterable[SingleTrade]) -> bytes:
    formats = venue.tape.formats[index]
    return encode_json(
        [
            {
                "id": trade.trade_id,
                "price": formats.price % trade.price,
                "qty": formats.quantity % trade.quantity,
                "quoteQty": formats.quote % (trade.price * trade.quantity),
                "time": trade.time_ms,
                "isBuyerMaker": trade.buyer_is_maker,
                "isRPITrade": False,
            }
            for trade in chosen
        ]
    )


def _kept(
    venue: Venue, index: int, start_ms: int | None = None, end_ms: int | None = None, limit: int = KEPT_TRADES
) -> npt.NDArray[np.void]:
    """Return kept aggregate trades; a contract that stands still has none after the moment it stopped."""
    stopped = venue.tape.stopped_ms(index)
    if stopped is not None:
        end_ms = stopped if end_ms is None else min(end_ms, stopped)
    return venue.market.recent_trades(index, start_ms, end_ms, limit)


def aggregate_trades(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET aggTrades. An aggregate's id is the id of its first trade: unique and ascending per symbol."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    from_id = params.integer("fromId")
    start, end = params.span()
    if from_id is not None and (start is not None or end is not None):
        raise refuse(-1128, "Combination of optional parameters invalid.")
    if start is not None and end is not None and end - start > HOUR_MS:
        raise refuse(-1127, "More than 1 hours between startTime and endTime.")
    if start is not None and start < now_ms - LOOK_BACK_MS:
        raise invalid("startTime")
    if from_id is None:
        found = _kept(venue, index, start, end, limit)
    else:
        kept = _kept(venue, index)
        found = kept[kept["first"] >= from_id][:limit]
    formats = venue.tape.formats[index]
    return encode_json(
        [
            {
                "a": int(trade["first"]),
                "p": formats.price % trade["price"],
                "q": formats.quantity % trade["quantity"],
                "nq": formats.quantity % trade["quantity"],
                "f": int(trade["first"]),
                "l": int(trade["last"]),
                "T": int(trade["time"]),
                "m": bool(trade["buyer_is_maker"]),
            }
            for trade in found
        ]
    )
