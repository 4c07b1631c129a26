"""GET exchangeInfo and leverageBracket: the contracts of the market in the venue's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator.encode import encode_json, number, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchange.instrument import Instrument, LotRule
    from exchange.simulator.market import Listing

PERPETUAL_DELIVERY_MS = 4_133_404_800_000
STALE_MS = 3 * 86_400_000
"""How old exchangeInfo's serverTime is here: live it can lag by days, so a client must not take it for a clock."""
RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
    {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
]
ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
TIMES_IN_FORCE = ["GTC", "IOC", "FOK", "GTX", "GTD", "RPI"]
TRADFI = "TRADIFI_PERPETUAL"
"""The venue's own spelling."""


def exchange_info(
    listings: Mapping[int, Listing], start_ms: int, delivery: Mapping[int, int], control_side: Callable[[int], str]
) -> bytes:
    """Return the whole body; serverTime is deliberately stale and each row carries one field nobody documents.

    `listings` maps places in the market to contracts; `delivery` holds the instants of those that do not last for ever,
    and `control_side` tells which side of one the venue's risk control has closed.
    """
    quotes = dict.fromkeys(["USDT", "USDC", "BTC", *(listing.instrument.quote for listing in listings.values())])
    return encode_json(
        {
            "timezone": "UTC",
            "serverTime": start_ms - STALE_MS,
            "futuresType": "U_MARGINED",
            "rateLimits": RATE_LIMITS,
            "exchangeFilters": [],
            "assets": [{"asset": a, "marginAvailable": True, "autoAssetExchange": "-10000"} for a in quotes],
            "symbols": [
                _symbol_row(listing, i, delivery.get(i, PERPETUAL_DELIVERY_MS), control_side(i))
                for i, listing in listings.items()
            ],
        }
    )


def _symbol_row(listing: Listing, position: int, delivery_ms: int, control_side: str) -> dict[str, Any]:
    instrument = listing.instrument
    tradfi = instrument.contract_type == TRADFI
    return {
        "symbol": instrument.symbol,
        "pair": instrument.base + instrument.quote,
        "contractType": instrument.contract_type,
        "deliveryDate": delivery_ms,
        "onboardDate": instrument.onboard_ms,
        "status": instrument.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_precision,
        "quantityPrecision": instrument.quantity_precision,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "EQUITY" if tradfi else "COIN",
        "underlyingSubType": [listing.sector],
        "triggerProtect": format(instrument.market_take_bound, ".4f"),
        "liquidationFee": format(instrument.liquidation_fee, ".6f"),
        "marketTakeBound": plain(instrument.market_take_bound),
        "maxMoveOrderLimit": 10000,
        "filters": _filters(instrument, position, control_side),
        "orderTypes": ORDER_TYPES,
        "timeInForce": TIMES_IN_FORCE,
        "permissionSets": ["GRID", "COPY", "DCA", "PSB"],
        "settleBand": "0.0100",
    }


def _lot(kind: str, rule: LotRule) -> dict[str, Any]:
    return {
        "filterType": kind,
        "minQty": plain(rule.minimum),
        "maxQty": plain(rule.maximum),
        "stepSize": plain(rule.step),
    }


def _filters(instrument: Instrument, position: int, control_side: str) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": plain(instrument.min_price),
            "maxPrice": plain(instrument.max_price),
            "tickSize": plain(instrument.tick),
        },
        _lot("LOT_SIZE", instrument.lot),
        _lot("MARKET_LOT_SIZE", instrument.market_lot),
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_orders},
        {"filterType": "MIN_NOTIONAL", "notional": plain(instrument.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": format(instrument.multiplier_up, ".4f"),
            "multiplierDown": format(instrument.multiplier_down, ".4f"),
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": control_side},
    ]
    turn = position % len(filters)
    return filters[turn:] + filters[:turn]  # the order differs per symbol live, so nobody may index by position


def bracket_row(listing: Listing) -> dict[str, Any]:
    """Return one symbol of leverageBracket; its numbers are JSON numbers, unlike everywhere else."""
    return {
        "symbol": listing.instrument.symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": rank,
                "initialLeverage": bracket.max_leverage,
                "notionalCap": number(bracket.cap),
                "notionalFloor": number(bracket.floor),
                "maintMarginRatio": float(bracket.mmr),
                "cum": number(bracket.cum),
            }
            for rank, bracket in enumerate(listing.brackets, start=1)
        ],
    }


def bracket_events(listing: Listing) -> list[dict[str, Any]]:
    """Return the brackets as contractInfo carries them: the leverages of a bracket reach down to the next one's."""
    most = [bracket.max_leverage for bracket in listing.brackets]
    least = [leverage + 1 for leverage in most[1:]] + [1]
    return [
        {
            "bs": rank,
            "bnf": number(bracket.floor),
            "bnc": number(bracket.cap),
            "mmr": float(bracket.mmr),
            "cf": number(bracket.cum),
            "mi": low,
            "ma": bracket.max_leverage,
        }
        for rank, (bracket, low) in enumerate(zip(listing.brackets, least, strict=True), start=1)
    ]
