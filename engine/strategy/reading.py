"""One symbol's market facts at the instant of a cycle, given to the strategies by the runtime."""

from __future__ import annotations

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """What the desk knows of a ready symbol beside its closed bars. Prices in quote units."""

    slot: int
    """Place of the symbol in the analysis tables: its rows are `slot * 3 + frame`."""
    symbol: str
    price: float
    """Last traded price."""
    mark: float
    bid: float
    ask: float
    spread_bps: float
    """(ask - bid) / mid in basis points."""
    funding_rate: float
    """Estimate of the next funding payment as a fraction; positive: longs pay."""
    quote_volume: float
    """24 h quote volume."""
    volume_rank: int
    """1 = most traded."""
    completeness: float
    """Share of the wanted closed bars that are present, over all frames, in [0, 1]."""
    updated_ms: int
    """Event time of the last mark or book update."""
    tick: float
    decimals: int
