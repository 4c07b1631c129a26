"""Which symbols the desk watches: the most liquid perpetuals, with hysteresis.

Specification section 1: the `size` symbols of contract type PERPETUAL, quoted in USDT and TRADING with the highest 24 h
quote volume. A member leaves only below rank 1.15 x size; a symbol with an open position stays until that is closed; a
symbol that stops trading leaves at once, unless it holds a position and is only paused: then it stays, never ready,
until it trades again or ends. Whoever rises into the first `size` ranks enters at once, so between refreshes
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
PAUSED = frozenset({"PENDING_TRADING", "TRADING_HALT", "TRADING_CANCEL_ONLY"})
"""Statuses of a contract that may trade (again); any other but TRADING ends it."""


class Universe(msgspec.Struct, frozen=True):
    """The members in rank order of liquidity, and what changed against the previous universe."""

    members: tuple[str, ...]
    ranks: dict[str, int]
    """1 = most traded, among all eligible symbols; paused ones that are held come last."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    halted: tuple[str, ...]
    """Removed because they stopped trading, or hold a position but cannot be members: their contract is over."""


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
    input gives the same universe. A member or held symbol whose statistics are missing counts as without volume.
    """
    volumes = {ticker.symbol: ticker.quote_volume for ticker in tickers}
    known = {*previous, *held}
    perpetual = {symbol: one for symbol, one in instruments.items() if one.is_usdt_perpetual}
    eligible = sorted(
        (symbol for symbol, one in perpetual.items() if one.is_trading and (symbol in volumes or symbol in known)),
        key=lambda symbol: (-volumes.get(symbol, 0.0), symbol),
    )
    paused = sorted(symbol for symbol in held if symbol in perpetual and perpetual[symbol].status in PAUSED)
    ranks = {symbol: rank for rank, symbol in enumerate([*eligible, *paused], start=1)}
    stays = {s for s in known if s in ranks and (s in held or ranks[s] <= int(size * LEAVE_FACTOR))}
    chosen = stays | set(eligible[:size])
    if room is not None and len(chosen) > room:
        chosen = set(sorted(chosen, key=lambda symbol: (symbol not in held, ranks[symbol]))[:room])
    members = tuple(symbol for symbol in ranks if symbol in chosen)
    before = set(previous)
    gone = before - chosen
    return Universe(
        members=members,
        ranks=ranks,
        added=tuple(symbol for symbol in members if symbol not in before),
        removed=tuple(sorted(gone)),
        halted=tuple(sorted(symbol for symbol in gone | set(held) if symbol not in ranks)),
    )
