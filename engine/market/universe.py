"""Which symbols the desk watches: the most liquid perpetuals, with hysteresis.

Specification section 1: the `size` symbols of contract type PERPETUAL, quoted in USDT and TRADING with the highest 24 h
quote volume. A member leaves only below rank 1.15 x size; a symbol with an open position stays until that is closed; a
symbol that stops trading leaves at once. Whoever rises into the first `size` ranks enters at once, so between refreshes
the universe may hold up to 1.15 x size symbols and those with positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from exchange.instrument import Instrument
    from exchange.market_data import Ticker

LEAVE_FACTOR = 1.15


class Universe(msgspec.Struct, frozen=True):
    """The members in rank order of liquidity, and what changed against the previous universe."""

    members: tuple[str, ...]
    ranks: dict[str, int]
    """1 = most traded, among all eligible symbols."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    halted: tuple[str, ...]
    """Removed because they stopped trading."""


def decide_universe(
    instruments: Mapping[str, Instrument],
    tickers: Iterable[Ticker],
    *,
    size: int,
    previous: Collection[str] = (),
    held: Collection[str] = (),
    room: int | None = None,
) -> Universe:
    """Choose the members from exchange rules and 24 h statistics; at most `room` of them, None for no bound.

    `held` names symbols with an open position, live or virtual. Ties in volume are settled by name, so that the same
    input gives the same universe.
    """
    volumes = {ticker.symbol: ticker.quote_volume for ticker in tickers}
    eligible = sorted(
        (
            symbol
            for symbol, instrument in instruments.items()
            if instrument.is_usdt_perpetual and instrument.is_trading and symbol in volumes
        ),
        key=lambda symbol: (-volumes[symbol], symbol),
    )
    ranks = {symbol: rank for rank, symbol in enumerate(eligible, start=1)}
    stays = {s for s in previous if s in ranks and (s in held or ranks[s] <= int(size * LEAVE_FACTOR))}
    chosen = stays | set(eligible[:size])
    if room is not None and len(chosen) > room:
        chosen = set(sorted(chosen, key=lambda symbol: (symbol not in held, ranks[symbol]))[:room])
    members = tuple(symbol for symbol in eligible if symbol in chosen)
    before = set(previous)
    gone = before - chosen
    return Universe(
        members=members,
        ranks=ranks,
        added=tuple(symbol for symbol in members if symbol not in before),
        removed=tuple(sorted(gone)),
        halted=tuple(sorted(symbol for symbol in gone if symbol not in ranks)),
    )
