"""Trading rules, leverage brackets and funding interval of a simulated contract from its price and turnover."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from math import floor, log10

from exchange.instrument import Bracket, Instrument, LotRule
from exchange.simulator.market import Listing

_BTC_CAPS = (300_000, 800_000, 3_000_000, 12_000_000, 70_000_000, 100_000_000, 230_000_000, 480_000_000, 600_000_000,
             800_000_000, 1_200_000_000, 1_800_000_000)  # fmt: skip
_BTC_MMR = ("0.004", "0.005", "0.0065", "0.01", "0.02", "0.025", "0.05", "0.1", "0.125", "0.15", "0.25", "0.5")
_BTC_LEVERAGE = (150, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1)
_ALT_CAPS = (5_000, 10_000, 25_000, 50_000, 125_000, 250_000, 500_000, 1_000_000, 7_500_000, 12_500_000)
_ALT_MMR = ("0.01", "0.015", "0.02", "0.025", "0.05", "0.1", "0.125", "0.1667", "0.25", "0.5")
_ALT_LEVERAGE = (75, 50, 25, 20, 10, 5, 4, 3, 2, 1)

_EXPLICIT_TICK = {"BTC": Decimal("0.1"), "1000PEPE": Decimal("0.0000001")}
_EXPLICIT_LOT = {"BTC": Decimal("0.001"), "ETH": Decimal("0.001")}
_MIN_NOTIONAL = {"BTC": Decimal(50), "ETH": Decimal(20)}

LARGE = 5e8
MIDDLE = 5e7
"""Turnover in USDT per day from which a contract has wider brackets and tighter rules."""


def chain(caps: tuple[int, ...], leverage: tuple[int, ...], mmr: tuple[str, ...]) -> tuple[Bracket, ...]:
    """Build brackets whose `cum` keeps maintenance margin continuous at every border."""
    rates = [Decimal(rate) for rate in mmr]
    floors = [0, *caps[:-1]]
    cums = [Decimal(0)]
    for border, (low, high) in zip(floors[1:], pairwise(rates), strict=True):
        cums.append(cums[-1] + border * (high - low))
    return tuple(
        Bracket(floor=Decimal(low), cap=Decimal(cap), max_leverage=most, mmr=rate, cum=cum)
        for low, cap, most, rate, cum in zip(floors, caps, leverage, rates, cums, strict=True)
    )


def brackets_for(base: str, daily_quote: float) -> tuple[Bracket, ...]:
    """Return the notional brackets of a contract with that daily turnover in USDT."""
    if base in {"BTC", "ETH"}:
        share = 1.0 if base == "BTC" else 0.5
        return chain(tuple(int(cap * share) for cap in _BTC_CAPS), _BTC_LEVERAGE, _BTC_MMR)
    scale = 20 if daily_quote >= LARGE else 4 if daily_quote >= MIDDLE else 1
    skip = 0 if daily_quote >= MIDDLE else 1
    caps = tuple(cap * scale for cap in _ALT_CAPS)
    return chain(caps[skip:], _ALT_LEVERAGE[skip:], _ALT_MMR[skip:])


def tick_for(base: str, price: float) -> Decimal:
    """Return a tick of five significant digits, as most listed contracts have."""
    return _EXPLICIT_TICK.get(base) or Decimal(1).scaleb(floor(log10(price)) - 4)


def lot_for(base: str, price: float) -> Decimal:
    """Return a lot step worth 0.3 to 3 USDT, never above one unit."""
    return _EXPLICIT_LOT.get(base) or Decimal(1).scaleb(min(0, round(-log10(price))))


def trade_size(daily_quote: float) -> float:
    """Return the mean size of a single trade in USDT; busy contracts see larger ones."""
    return 12.0 * float(daily_quote**0.25)


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def make_instrument(
    base: str,
    *,
    price: float,
    daily_quote: float,
    tick: Decimal,
    lot: Decimal,
    onboard_ms: int,
    contract_type: str = "PERPETUAL",
    status: str = "TRADING",
) -> Instrument:
    """Build the trading rules of BASEUSDT at a price level and turnover; bounds follow the price's magnitude."""
    magnitude = Decimal(1).scaleb(floor(log10(price)))
    large = daily_quote >= LARGE
    most = max(lot, (Decimal(5_000_000 if large else 1_000_000) / magnitude).quantize(lot))
    band = Decimal("0.05") if large else Decimal("0.10")
    return Instrument(
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        contract_type=contract_type,
        status=status,
        # The venue accepts one decimal more than the tick shows on its largest contract.
        price_precision=_decimals(tick) + (1 if base == "BTC" else 0),
        quantity_precision=_decimals(lot),
        tick=tick,
        min_price=max(tick, (magnitude / 200).quantize(tick)),
        max_price=(magnitude * 500).quantize(tick),
        lot=LotRule(minimum=lot, maximum=most, step=lot),
        market_lot=LotRule(minimum=lot, maximum=max(lot, (most / 5).quantize(lot)), step=lot),
        min_notional=_MIN_NOTIONAL.get(base, Decimal(5)),
        multiplier_up=1 + band,
        multiplier_down=1 - band,
        max_orders=200,
        liquidation_fee=Decimal("0.0125") if large else Decimal("0.015"),
        market_take_bound=band,
        onboard_ms=onboard_ms,
    )


def make_listing(
    instrument: Instrument, *, daily_quote: float, funding_hours: int, sector: str, estimated: tuple[str, ...] = ()
) -> Listing:
    """Join trading rules with brackets that fit the turnover."""
    return Listing(
        instrument=instrument,
        brackets=brackets_for(instrument.base, daily_quote),
        funding_hours=funding_hours,
        sector=sector,
        estimated=estimated,
    )
