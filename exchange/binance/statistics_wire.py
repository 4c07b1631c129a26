"""REST bodies of funding, open interest, positioning and single trades."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.binance.json_strict import decode, money, symbol_name
from exchange.binance.row_wire import lenient
from exchange.errors import DecodeError
from exchange.market_statistics import (
    Basis,
    FundingRate,
    FundingTerms,
    LongShortRatio,
    OpenInterest,
    PublicTrade,
    TakerVolume,
)


class _Funding(msgspec.Struct, rename="camel"):
    symbol: str
    funding_time: int
    funding_rate: Decimal
    mark_price: str = ""
    rate_type: str = "Regular"


class _Terms(msgspec.Struct, rename="camel"):
    symbol: str
    adjusted_funding_rate_cap: Decimal
    adjusted_funding_rate_floor: Decimal
    funding_interval_hours: int


class _Interest(msgspec.Struct, rename="camel"):
    symbol: str
    open_interest: Decimal
    time: int


class _InterestRow(msgspec.Struct, rename="camel"):
    symbol: str
    sum_open_interest: Decimal
    sum_open_interest_value: Decimal
    timestamp: int


class _Ratio(msgspec.Struct, rename="camel"):
    symbol: str
    long_account: Decimal
    short_account: Decimal
    long_short_ratio: Decimal
    timestamp: int


class _Taker(msgspec.Struct, rename="camel"):
    buy_vol: Decimal
    sell_vol: Decimal
    timestamp: int


class _BasisRow(msgspec.Struct, rename="camel"):
    pair: str
    contract_type: str
    index_price: Decimal
    futures_price: Decimal
    basis: Decimal
    timestamp: int


class _Trade(msgspec.Struct, rename="camel"):
    id: int
    price: Decimal
    qty: Decimal
    time: int
    is_buyer_maker: bool


_FUNDING: msgspec.json.Decoder[list[_Funding]] = lenient(list[_Funding])
_TERMS: msgspec.json.Decoder[list[_Terms]] = lenient(list[_Terms])
_INTEREST = lenient(_Interest)
_INTEREST_ROWS: msgspec.json.Decoder[list[_InterestRow]] = lenient(list[_InterestRow])
_RATIOS: msgspec.json.Decoder[list[_Ratio]] = lenient(list[_Ratio])
_TAKERS: msgspec.json.Decoder[list[_Taker]] = lenient(list[_Taker])
_BASIS: msgspec.json.Decoder[list[_BasisRow]] = lenient(list[_BasisRow])
_TRADES: msgspec.json.Decoder[list[_Trade]] = lenient(list[_Trade])
_DAY_HOURS = 24


def funding_rates(body: bytes, where: str) -> tuple[FundingRate, ...]:
    """Return settled fundings, ascending."""
    return tuple(
        FundingRate(
            symbol_name(row.symbol, where, "symbol"),
            row.funding_time,
            money(row.funding_rate, where, "fundingRate"),
            _mark(row.mark_price, where),
            row.rate_type != "Regular",
        )
        for row in decode(_FUNDING, body, where)
    )


def _mark(text: str, where: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise DecodeError(where, "markPrice", f"{text[:32]!r} is no price") from error
    return money(value, where, "markPrice", above=0)


def funding_terms(body: bytes, where: str) -> tuple[FundingTerms, ...]:
    """Return the contracts whose funding is adjusted."""
    terms = []
    for row in decode(_TERMS, body, where):
        place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
        hours = row.funding_interval_hours
        if hours < 1 or _DAY_HOURS % hours:
            raise DecodeError(place, "fundingIntervalHours", f"{hours} hours do not divide a day")
        cap = money(row.adjusted_funding_rate_cap, place, "adjustedFundingRateCap")
        floor = money(row.adjusted_funding_rate_floor, place, "adjustedFundingRateFloor")
        if floor > cap:
            raise DecodeError(place, "adjustedFundingRateFloor", f"{floor} is above the cap of {cap}")
        terms.append(FundingTerms(row.symbol, hours, cap, floor))
    return tuple(terms)


def open_interest(body: bytes, where: str) -> OpenInterest:
    """Return the contracts open now."""
    row = decode(_INTEREST, body, where)
    return OpenInterest(row.symbol, money(row.open_interest, where, "openInterest", minimum=0), None, row.time)


def open_interest_history(body: bytes, where: str) -> tuple[OpenInterest, ...]:
    """Return the contracts open at the ends of periods."""
    return tuple(
        OpenInterest(
            row.symbol,
            money(row.sum_open_interest, where, "sumOpenInterest", minimum=0),
            money(row.sum_open_interest_value, where, "sumOpenInterestValue", minimum=0),
            row.timestamp,
        )
        for row in decode(_INTEREST_ROWS, body, where)
    )


def long_short_ratios(body: bytes, where: str) -> tuple[LongShortRatio, ...]:
    """Return the shares of long and short."""
    return tuple(
        LongShortRatio(
            row.symbol,
            money(row.long_account, where, "longAccount", minimum=0),
            money(row.short_account, where, "shortAccount", minimum=0),
            money(row.long_short_ratio, where, "longShortRatio", minimum=0),
            row.timestamp,
        )
        for row in decode(_RATIOS, body, where)
    )


def taker_volumes(body: bytes, where: str) -> tuple[TakerVolume, ...]:
    """Return what takers bought and sold."""
    return tuple(
        TakerVolume(
            money(row.buy_vol, where, "buyVol", minimum=0),
            money(row.sell_vol, where, "sellVol", minimum=0),
            row.timestamp,
        )
        for row in decode(_TAKERS, body, where)
    )


def basis(body: bytes, where: str) -> tuple[Basis, ...]:
    """Return the distances from the index."""
    return tuple(
        Basis(
            row.pair,
            row.contract_type,
            money(row.index_price, where, "indexPrice", above=0),
            money(row.futures_price, where, "futuresPrice", above=0),
            money(row.basis, where, "basis"),
            row.timestamp,
        )
        for row in decode(_BASIS, body, where)
    )


def trades(body: bytes, symbol: str, where: str) -> tuple[PublicTrade, ...]:
    """Return single trades, ascending by id."""
    read: list[PublicTrade] = []
    for row in decode(_TRADES, body, where):
        if read and row.id <= read[-1].trade_id:
            raise DecodeError(where, "id", f"{row.id} does not follow {read[-1].trade_id}")
        price = money(row.price, where, "price", above=0)
        quantity = money(row.qty, where, "qty", above=0)
        read.append(PublicTrade(symbol, row.id, price, quantity, row.time, row.is_buyer_maker))
    return tuple(read)
