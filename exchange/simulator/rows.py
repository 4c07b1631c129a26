"""Rows that REST answers of market data consist of: statistics, prices, books, premium index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator.contract_info import TRADFI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.tape import Tape

DAY_MS = 86_400_000
MINUTE_MS = 60_000

Row = dict[str, Any]


def ticker_rows(tape: Tape, indices: Iterable[int], now_ms: int) -> list[Row]:
    """Return ticker/24hr rows; futures tickers carry no bid and ask."""
    day = tape.day()
    rows: list[Row] = []
    for i in indices:
        formats = tape.formats[i]
        opened, last = float(day.open[i]), float(day.last[i])
        volume, quote = float(day.volume[i]), float(day.quote_volume[i])
        rows.append(
            {
                "symbol": tape.symbols[i],
                "priceChange": formats.price % (last - opened),
                "priceChangePercent": format(100.0 * (last - opened) / opened if opened else 0.0, ".3f"),
                "weightedAvgPrice": formats.price % (quote / volume if volume else last),
                "lastPrice": formats.price % last,
                "lastQty": formats.quantity % tape.last_quantity[i],
                "openPrice": formats.price % opened,
                "highPrice": formats.price % day.high[i],
                "lowPrice": formats.price % day.low[i],
                "volume": formats.quantity % volume,
                "quoteVolume": format(quote, ".2f"),
                "openTime": (now_ms - DAY_MS) // MINUTE_MS * MINUTE_MS,
                "closeTime": now_ms,
                "firstId": int(day.first_id[i]),
                "lastId": int(day.last_id[i]),
                "count": int(day.trades[i]),
            }
        )
    return rows


def price_rows(tape: Tape, indices: Iterable[int]) -> list[Row]:
    """Return ticker/price rows."""
    last = tape.columns.last
    return [
        {"symbol": tape.symbols[i], "price": tape.formats[i].price % last[i], "time": int(tape.book_time[i])}
        for i in indices
    ]


def book_rows(tape: Tape, indices: Iterable[int]) -> list[Row]:
    """Return ticker/bookTicker rows with the live but undocumented lastUpdateId."""
    columns = tape.columns
    return [
        {
            "symbol": tape.symbols[i],
            "bidPrice": tape.formats[i].price % columns.bid[i],
            "bidQty": tape.formats[i].quantity % columns.bid_quantity[i],
            "askPrice": tape.formats[i].price % columns.ask[i],
            "askQty": tape.formats[i].quantity % columns.ask_quantity[i],
            "time": int(tape.book_time[i]),
            "lastUpdateId": int(tape.update_id[i]),
        }
        for i in indices
    ]


def premium_rows(tape: Tape, indices: Iterable[int], now_ms: int) -> list[Row]:
    """Return premiumIndex rows; lastFundingRate is the estimate for nextFundingTime, as live."""
    columns = tape.columns
    return [
        {
            "symbol": tape.symbols[i],
            "markPrice": format(columns.mark[i], ".8f"),
            "indexPrice": format(columns.index_price[i], ".8f"),
            "estimatedSettlePrice": format(columns.index_price[i], ".8f"),
            "lastFundingRate": format(columns.funding_rate[i], ".8f"),
            "interestRate": "0.00000000" if _is_tradfi(tape, i) else "0.00010000",
            "nextFundingTime": int(columns.next_funding[i]),
            "time": now_ms,
        }
        for i in indices
    ]


def funding_info_rows(tape: Tape) -> list[Row]:
    """Return fundingInfo rows: only contracts whose interval is not the usual eight hours."""
    return [
        {
            "symbol": listing.instrument.symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": listing.funding_hours,
            "disclaimer": False,
            "updateTime": None,
        }
        for listing in (tape.listings[i] for i in tape.listed())
        if listing.funding_hours != 8
    ]


def _is_tradfi(tape: Tape, i: int) -> bool:
    return tape.listings[i].instrument.contract_type == TRADFI
