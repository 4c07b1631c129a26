"""Open interest and the six statistics of /futures/data, each a function of the instant it speaks of.

Taker volumes and basis come from the market's own bars; positions and accounts of others do not exist here, so their
ratios and the open interest are drawn, smooth in time and the same for the same instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exchange.simulator.answers import invalid, refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.hashed_noise import draw, smooth
from exchange.simulator.price_ratios import INDEX
from exchange.simulator.rest_klines import CONTRACT_TYPES, pair_index

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from exchange.market_data import Candles
    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue

    Floats = npt.NDArray[np.float64]
    Times = npt.NDArray[np.int64]
    Row = dict[str, Any]

MINUTE_MS = 60_000
PERIODS = {
    "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "6h": 360, "12h": 720, "1d": 1440,
}  # fmt: skip
"""Periods in minutes."""
LOOK_BACK_MS = 30 * 86_400_000
_TURNS = 0.35
"""Open interest as a share of a usual day's volume."""


def open_interest_at(venue: Venue, index: int, at_ms: Times) -> Floats:
    """Return the open interest of a contract in base units: a share of what its brackets allow, breathing with time."""
    instrument = venue.tape.listings[index].instrument
    largest = float(venue.tape.listings[index].brackets[-1].cap)
    base = largest * _TURNS / float(venue.tape.columns.mark[index])
    level = 10.0 ** np.floor(np.log10(base)) * (1.0 + 4.0 * draw("interest", instrument.symbol))
    wave: Floats = level * (1.0 + 0.12 * smooth(at_ms, "interest", instrument.symbol))
    return wave


def open_interest(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET openInterest."""
    index = venue.symbol_index(params)
    value = open_interest_at(venue, index, np.array([now_ms]))[0]
    quantity = venue.tape.formats[index].quantity % value
    return encode_json({"openInterest": quantity, "symbol": venue.tape.symbols[index], "time": now_ms})


def _bars(venue: Venue, index: int, params: Params, now_ms: int) -> tuple[Candles, int]:
    """Return the closed bars a statistics request asks for and their length."""
    period = params.required("period")
    minutes = PERIODS.get(period)
    if minutes is None:
        raise refuse(-1120, "Invalid interval.")
    limit = params.bounded("limit", 30, 500)
    start, end = params.span()
    if start is not None and start < now_ms - LOOK_BACK_MS:
        raise invalid("startTime")
    length = minutes * MINUTE_MS
    # A row bears the instant at which its bar ended, so a bar that is still open is no statistic yet.
    end = now_ms if end is None else min(end, now_ms)
    if start is not None:
        limit = min(limit, max(1, (end - start) // length + 1))
    candles = venue.market.candles(index, period, None, end - length, limit)
    return candles, length


def _rows(venue: Venue, params: Params, now_ms: int, index: int, build: Callable[[Candles, Times], list[Row]]) -> bytes:
    candles, length = _bars(venue, index, params, now_ms)
    start = params.integer("startTime") or 0
    rows = build(candles, candles.open_time + length)
    return encode_json([row for row in rows if row["timestamp"] >= start])


def open_interest_history(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET openInterestHist."""
    index = venue.symbol_index(params)
    symbol = venue.tape.symbols[index]

    def build(candles: Candles, at_ms: Times) -> list[Row]:
        amounts = open_interest_at(venue, index, at_ms)
        supply = format(10.0 ** (6 + 4 * draw("supply", symbol)), ".3f")
        return [
            {
                "symbol": symbol,
                "sumOpenInterest": format(amount, ".8f"),
                "sumOpenInterestValue": format(amount * close, ".8f"),
                "CMCCirculatingSupply": supply,
                "timestamp": at,
            }
            for amount, close, at in zip(amounts.tolist(), candles.close.tolist(), at_ms.tolist(), strict=True)
        ]

    return _rows(venue, params, now_ms, index, build)


def _ratio(what: str) -> Callable[[Venue, Params, int], bytes]:
    def answer(venue: Venue, params: Params, now_ms: int) -> bytes:
        index = venue.symbol_index(params)
        symbol = venue.tape.symbols[index]

        def build(_candles: Candles, at_ms: Times) -> list[Row]:
            longs = np.round(0.5 + 0.2 * (draw(what, symbol) - 0.4) + 0.08 * smooth(at_ms, what, symbol), 4)
            return [
                {
                    "symbol": symbol,
                    "longAccount": format(share, ".4f"),
                    "longShortRatio": format(share / (1.0 - share), ".4f"),
                    "shortAccount": format(1.0 - share, ".4f"),
                    "timestamp": at,
                }
                for share, at in zip(longs.tolist(), at_ms.tolist(), strict=True)
            ]

        return _rows(venue, params, now_ms, index, build)

    return answer


global_accounts = _ratio("accounts")
"""Answers GET globalLongShortAccountRatio."""
top_accounts = _ratio("top accounts")
"""Answers GET topLongShortAccountRatio."""
top_positions = _ratio("top positions")
"""Answers GET topLongShortPositionRatio; its shares are of positions, under the same names, as live."""


def taker_volumes(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET takerlongshortRatio."""
    index = venue.symbol_index(params)

    def build(candles: Candles, at_ms: Times) -> list[Row]:
        sold = candles.volume - candles.taker_base
        return [
            {
                "buySellRatio": format(buy / sell if sell > 0 else 0.0, ".4f"),
                "sellVol": format(sell, ".4f"),
                "buyVol": format(buy, ".4f"),
                "timestamp": at,
            }
            for buy, sell, at in zip(candles.taker_base.tolist(), sold.tolist(), at_ms.tolist(), strict=True)
        ]

    return _rows(venue, params, now_ms, index, build)


def basis(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET basis."""
    pair = params.required("pair")
    contract_type = params.required("contractType")
    if contract_type not in CONTRACT_TYPES:
        raise invalid("contractType")
    index = pair_index(venue, pair, contract_type)
    columns = venue.tape.columns

    def build(candles: Candles, at_ms: Times) -> list[Row]:
        if venue.tape.listings[index].instrument.contract_type != contract_type:
            return []
        now = float(columns.index_price[index] / columns.last[index])
        indices = candles.close * venue.tape.ratios.at_end(INDEX, index, at_ms, now)
        price = venue.tape.formats[index].price
        return [
            {
                "indexPrice": format(underlying, ".8f"),
                "contractType": contract_type,
                "basisRate": format((close - underlying) / underlying, ".4f"),
                "futuresPrice": price % close,
                "annualizedBasisRate": "",
                "basis": format(close - underlying, ".8f"),
                "pair": pair,
                "timestamp": at,
            }
            for close, underlying, at in zip(candles.close.tolist(), indices.tolist(), at_ms.tolist(), strict=True)
        ]

    return _rows(venue, params, now_ms, index, build)
