"""Funding, open interest and positioning of a contract as the venue publishes them. Decimal; times UTC milliseconds."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class FundingRate(msgspec.Struct, frozen=True):
    """One funding that was settled."""

    symbol: str
    time_ms: int
    rate: Decimal
    mark: Decimal | None
    """None on old rows."""
    special: bool


class FundingTerms(msgspec.Struct, frozen=True):
    """How a contract is funded where it differs from the usual eight hours; a symbol without terms has those."""

    symbol: str
    interval_hours: int
    cap: Decimal
    floor: Decimal


class OpenInterest(msgspec.Struct, frozen=True):
    """Contracts open at an instant, in base units; `value` is their notional where the venue tells it."""

    symbol: str
    quantity: Decimal
    value: Decimal | None
    time_ms: int


class LongShortRatio(msgspec.Struct, frozen=True):
    """Shares of accounts or positions that are long and short, and their ratio."""

    symbol: str
    long: Decimal
    short: Decimal
    ratio: Decimal
    time_ms: int


class TakerVolume(msgspec.Struct, frozen=True):
    """What takers bought and sold in a period, in base units."""

    bought: Decimal
    sold: Decimal
    time_ms: int


class Basis(msgspec.Struct, frozen=True):
    """The distance of a contract's price from its index."""

    pair: str
    contract_type: str
    index: Decimal
    price: Decimal
    basis: Decimal
    time_ms: int


class PublicTrade(msgspec.Struct, frozen=True):
    """One trade of the market."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    time_ms: int
    buyer_is_maker: bool
