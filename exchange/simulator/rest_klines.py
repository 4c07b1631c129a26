"""REST klines of every sort: a contract's, a pair's, and those of mark price, index price and premium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.market_data import Candles
from exchange.simulator.answers import invalid, invalid_symbol, refuse
from exchange.simulator.encode import candle_rows, encode_json
from exchange.simulator.frames import COIN_BASES, COIN_SUFFIX
from exchange.simulator.long_bars import LONG, long_candles, next_opens
from exchange.simulator.market import INTERVALS
from exchange.simulator.price_ratios import INDEX, MARK, moved_candles, premium_candles

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue

PERPETUAL = "PERPETUAL"
CONTRACT_TYPES = (PERPETUAL, "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL")
_WHOLE, _NONE = np.zeros(0, np.int64), np.zeros(0)
NO_CANDLES = Candles(_WHOLE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _WHOLE, _NONE, _NONE)


def _symbol(venue: Venue, params: Params) -> int:
    """Return the contract of `symbol`; klines are answered for the COIN-margined perpetuals, too."""
    symbol = params.required("symbol")
    index = venue.tape.index.get(symbol)
    base = symbol.removesuffix(COIN_SUFFIX)
    if index is None and symbol.endswith(COIN_SUFFIX) and base in COIN_BASES:
        index = venue.tape.index.get(f"{base}USDT")
    if index is None:
        raise invalid_symbol()
    return index


def pair_index(venue: Venue, pair: str, contract_type: str) -> int:
    """Return the listed contract of a type on a pair, or another one on it. Raises RefusalError -4144."""
    found = None
    for index in venue.tape.listed():
        instrument = venue.tape.listings[index].instrument
        if pair == instrument.base + instrument.quote:
            found = index
            if instrument.contract_type == contract_type:
                break
    if found is None:
        raise refuse(-4144, "Invalid pair.")
    return found


def _bars(venue: Venue, index: int, params: Params) -> tuple[Candles, npt.NDArray[np.int64]]:
    """Return the bars a request asks for and when each of them ends."""
    interval = params.required("interval")
    if interval not in INTERVALS and interval not in LONG:
        raise refuse(-1120, "Invalid interval.")
    limit = params.bounded("limit", 500, 1500)
    start, end = params.span()
    stopped = venue.tape.stopped_ms(index)
    if stopped is not None:
        # A contract that stands still has no bars after the one it stopped in.
        end = stopped - 1 if end is None else min(end, stopped - 1)
        if start is not None and start > end:
            return NO_CANDLES, NO_CANDLES.open_time
    if interval in LONG:
        candles = long_candles(venue.market, index, interval, start, end, limit)
        return candles, next_opens(interval, candles.open_time)
    candles = venue.market.candles(index, interval, start, end, limit)
    return candles, candles.open_time + INTERVALS[interval]


def klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET klines."""
    index = _symbol(venue, params)
    candles, ends = _bars(venue, index, params)
    return candle_rows(candles, ends - candles.open_time, venue.tape.formats[index])


def continuous_klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET continuousKlines; a pair without a contract of the type has no bars."""
    pair, wanted = params.required("pair"), params.required("contractType")
    if wanted not in CONTRACT_TYPES:
        raise invalid("contractType")
    index = pair_index(venue, pair, wanted)
    candles, ends = _bars(venue, index, params)
    if venue.tape.listings[index].instrument.contract_type != wanted:
        return b"[]"
    return candle_rows(candles, ends - candles.open_time, venue.tape.formats[index])


def mark_price_klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET markPriceKlines."""
    index = _symbol(venue, params)
    columns = venue.tape.columns
    return _moved(venue, params, index, MARK, float(columns.mark[index] / columns.last[index]))


def index_price_klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET indexPriceKlines."""
    index = pair_index(venue, params.required("pair"), PERPETUAL)
    columns = venue.tape.columns
    return _moved(venue, params, index, INDEX, float(columns.index_price[index] / columns.last[index]))


def premium_index_klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET premiumIndexKlines."""
    index = _symbol(venue, params)
    columns = venue.tape.columns
    candles, ends = _bars(venue, index, params)
    now = float(columns.index_price[index] / columns.last[index])
    return _priced_rows(premium_candles(venue.tape.ratios, index, candles, ends, now), ends)


def _moved(venue: Venue, params: Params, index: int, which: int, now: float) -> bytes:
    candles, ends = _bars(venue, index, params)
    return _priced_rows(moved_candles(venue.tape.ratios, which, index, candles, ends, now), ends)


def _priced_rows(candles: Candles, ends: npt.NDArray[np.int64]) -> bytes:
    """Return bars without volume: prices with eight places, the volume columns "0"."""
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, ends, candles.trades)
    return encode_json(
        [
            [opened, *(f"{price:.8f}" for price in prices), "0", end - 1, "0", count, "0", "0", "0"]
            for opened, *prices, end, count in zip(*(column.tolist() for column in columns), strict=True)
        ]
    )
