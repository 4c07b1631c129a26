"""Contracts for tests of trading rules, with the values of September 2026."""

from decimal import Decimal

import msgspec

from exchange.instrument import Bracket, Instrument, LotRule

BITCOIN = Instrument(
    symbol="BTCUSDT", base="BTC", quote="USDT", contract_type="PERPETUAL", status="TRADING", price_precision=2,
    quantity_precision=3, tick=Decimal("0.10"), min_price=Decimal("556.80"), max_price=Decimal(4529764),
    lot=LotRule(Decimal("0.001"), Decimal(1000), Decimal("0.001")),
    market_lot=LotRule(Decimal("0.001"), Decimal(120), Decimal("0.001")), min_notional=Decimal(50),
    multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"), max_orders=200,
    liquidation_fee=Decimal("0.0125"), market_take_bound=Decimal("0.05"), onboard_ms=0,
)  # fmt: skip
BRACKETS = tuple(
    Bracket(Decimal(floor), Decimal(cap), leverage, Decimal(mmr), Decimal(cum))
    for floor, cap, mmr, leverage, cum in (
        (0, 300_000, "0.004", 150, 0),
        (300_000, 800_000, "0.005", 100, 300),
        (800_000, 3_000_000, "0.0065", 75, 1500),
    )
)


def contract(**changes):
    return msgspec.structs.replace(BITCOIN, **changes)
