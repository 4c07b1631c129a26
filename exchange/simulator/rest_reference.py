"""REST answers about the venue itself: composite indices, price sources, assets, insurance fund, sessions, ADL risk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from exchange.simulator.contract_info import TRADFI
from exchange.simulator.encode import encode_json
from exchange.simulator.hashed_noise import draw

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue

SOURCES = ("binance", "okx", "bybit", "coinbase", "kucoin")
ASSETS = {"USDCUSD": 1.0, "BTCUSD": None, "ETHUSD": None, "BNBUSD": None}
"""Collateral of the multi-assets mode; None takes the index price of the contract on the asset."""
_MARKETS = ("EQUITY", "COMMODITY", "KR_EQUITY", "HK_EQUITY", "CN_EQUITY", "FX")
_SESSIONS = (("OVERNIGHT", 1, 9), ("PRE_MARKET", 9, 13.5), ("REGULAR", 13.5, 20), ("AFTER_MARKET", 20, 24))
"""Sessions of a working day by hours of UTC; outside of them there is NO_TRADING."""
_HOUR_MS = 3_600_000


def index_info(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET indexInfo: no contract here stands on a composite index."""
    venue.chosen(params)
    return b"[]"


def constituents(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET constituents: the sources of an index price, whose weighted mean it is."""
    index = venue.symbol_index(params)
    instrument = venue.tape.listings[index].instrument
    price = float(venue.tape.columns.index_price[index])
    count = 3 + int(draw("sources", instrument.symbol) * (len(SOURCES) - 2))
    rows = [
        {
            "exchange": source,
            "symbol": instrument.base + instrument.quote,
            "price": format(price, ".8f"),
            "weight": format(1.0 / count, ".8f"),
        }
        for source in SOURCES[:count]
    ]
    return encode_json({"symbol": instrument.symbol, "time": now_ms, "constituents": rows})


def asset_index(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET assetIndex: what collateral counts in the multi-assets mode."""
    chosen = params.text("symbol")
    rows = [_asset_row(symbol, value, now_ms) for symbol, value in _asset_values(venue).items()]
    if chosen is None:
        return encode_json(rows)
    return encode_json(next((row for row in rows if row["symbol"] == chosen), {}))


def _asset_values(venue: Venue) -> dict[str, float]:
    values = {}
    for symbol, fixed in ASSETS.items():
        index = venue.tape.index.get(f"{symbol}T")
        if fixed is not None:
            values[symbol] = fixed
        elif index is not None:
            values[symbol] = float(venue.tape.columns.index_price[index])
    return values


def _asset_row(symbol: str, value: float, now_ms: int) -> dict[str, Any]:
    buffer, exchanged = (0.0, 0.0) if symbol == "USDCUSD" else (0.05, 0.025)
    return {
        "symbol": symbol,
        "time": now_ms,
        "index": format(value, ".8f"),
        "bidBuffer": format(buffer, ".8f"),
        "askBuffer": format(buffer, ".8f"),
        "bidRate": format(value * (1.0 - buffer), ".8f"),
        "askRate": format(value * (1.0 + buffer), ".8f"),
        "autoExchangeBidBuffer": format(exchanged, ".8f"),
        "autoExchangeAskBuffer": format(exchanged, ".8f"),
        "autoExchangeBidRate": format(value * (1.0 - exchanged), ".8f"),
        "autoExchangeAskRate": format(value * (1.0 + exchanged), ".8f"),
    }


def insurance_balance(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET insuranceBalance: one fund that stands for all contracts, or for the one asked for."""
    index = venue.chosen(params)
    symbols = [venue.tape.symbols[i] for i in (venue.tape.listed() if index is None else (index,))]
    assets = [
        {"asset": asset, "marginBalance": format(balance, ".8f"), "updateTime": now_ms // _HOUR_MS * _HOUR_MS}
        for asset, balance in (("USDT", 1_234_567_890.12), ("USDC", 45_678_901.23), ("BTC", 801.55))
    ]
    fund = {"symbols": symbols, "assets": assets}
    return encode_json(fund if index is not None else [fund])


def adl_risk(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET symbolAdlRisk: low everywhere, for the fund is large."""
    index = venue.chosen(params)
    updated = now_ms // (_HOUR_MS // 2) * (_HOUR_MS // 2)
    rows = [
        {"symbol": venue.tape.symbols[i], "adlRisk": "low", "updateTime": updated}
        for i in (venue.tape.listed() if index is None else (index,))
    ]
    return encode_json(rows[0] if index is not None else rows)


def trading_schedule(venue: Venue, _params: Params, now_ms: int) -> bytes:
    """Answer GET tradingSchedule: the week's sessions of underlyings that are not crypto."""
    tradfi = any(listing.instrument.contract_type == TRADFI for listing in venue.tape.listings)
    today = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    week = today - timedelta(days=today.weekday())
    sessions = [row for day in range(7) for row in _day_sessions(week + timedelta(days=day))]
    schedules = {market: {"sessions": sessions} for market in (_MARKETS if tradfi else _MARKETS[:2])}
    return encode_json({"updateTime": int(week.timestamp() * 1000), "marketSchedules": schedules})


def _day_sessions(day: datetime) -> list[dict[str, Any]]:
    begin = int(day.timestamp() * 1000)
    if day.weekday() > 4:
        return [{"startTime": begin, "endTime": begin + 24 * _HOUR_MS, "type": "NO_TRADING"}]
    first = [("NO_TRADING", 0, _SESSIONS[0][1]), *_SESSIONS]
    return [
        {"startTime": begin + int(start * _HOUR_MS), "endTime": begin + int(end * _HOUR_MS), "type": kind}
        for kind, start, end in first
    ]
