"""Liquidity hunting of specification 9: the entry moves to where stops and orders rest, between entry and stop.

A candidate of enough confidence gets a limit at the strongest open pool of the far side within 1 % of price: where a
sweep would fill it. Touches and nearness make a pool strong, and what the order book holds at its level. Where no pool
stands, the extreme of the last hours answers (the fallback: price-range levels). What the order would slip by is
reckoned from the book within 1 %, or from the spread where there is none; too much of it refuses the candidate.
"""

from __future__ import annotations

from math import exp, inf, log
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.analysis.layout import BARS, FRAMES, POOL_OPEN, POOLS
from engine.strategy.candidate import Candidate, NoCandidate, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.layout import Tables
    from engine.strategy.facts import Facts
    from engine.strategy.reading import Reading
    from exchange.market_data import DepthSnapshot

REACH = 0.01
"""Share of price within which pools and book are looked at."""
NEAR_LEVEL = 0.001
"""Share of price around a pool that counts as resting at it."""
LEAST_RISK = 0.003
"""The stop is never nearer than this (section 4.1)."""
KEPT_RISK = 0.5
"""Least share of the first distance to the stop that the moved entry keeps."""
RANGE = "price-range levels"
RANGE_BARS = 48
"""5m bars whose extreme is the fallback level: four hours."""


class HuntRules(msgspec.Struct, frozen=True):
    """When a candidate is hunted, and what it may cost."""

    confidence: float = 0.60
    tolerance: float = 0.003
    """Largest expected slippage as a share of price."""
    max_reward_risk: float = 8.0
    """A moved entry never asks for more: entry quality would drop it."""


class Level(NamedTuple):
    """Where liquidity rests. Prices in x space, times in UTC ms."""

    price: float
    touches: int
    frame: str
    at: int
    known: int


class Hunted(NamedTuple):
    """What became of a candidate: the view, the rung that answered (empty where it was not hunted)."""

    view: Candidate | NoCandidate
    rung: str


def levels_of(tables: Tables, slot: int, sign: int) -> list[Level]:
    """Return the open pools that a direction hunts: sell-side for longs, buy-side for shorts."""
    found = []
    for frame, name in enumerate(FRAMES):
        row = len(FRAMES) * slot + frame
        series = tables.series[row]
        count, interval = int(series["pools"]), int(series["interval"])
        first = int(series["last_open"]) - (int(series["n"]) - 1) * interval
        for k in range(max(0, count - POOLS), count):
            pool = tables.pools[row, k % POOLS]
            if pool["state"] == POOL_OPEN and pool["side"] == -sign:
                at, known = first + int(pool["at"]) * interval, first + (int(pool["known"]) + 1) * interval
                found.append(Level(float(pool["level"]), int(pool["touches"]), name, at, known))
    return found


def range_level(tables: Tables, slot: int, sign: int) -> Level | None:
    """Return the far extreme of the last hours of 5m bars, None without bars."""
    row = len(FRAMES) * slot
    series = tables.series[row]
    count, interval = int(series["n"]), int(series["interval"])
    if not count:
        return None
    best, level = 0, inf
    for k in range(max(0, count - RANGE_BARS), count):
        bar = tables.bars[row, k % BARS]
        oriented = float(bar["l"]) if sign > 0 else -float(bar["h"])
        if oriented < level:
            best, level = k, oriented
    at = int(series["last_open"]) - (count - 1 - best) * interval
    return Level(sign * level, 1, FRAMES[0], at, at + interval)


def expected_slippage(book: DepthSnapshot | None, reading: Reading, notional: float) -> float:
    """Return the larger slippage of taking `notional` (quote units) from either side, as a share of the best price.

    Infinite where the book within 1 % does not hold as much. Without a book half the spread is all that is known.
    """
    if book is None:
        return reading.spread_bps / 2e4
    return max(_walk(book.asks, notional), _walk(book.bids, notional))


def _walk(side: Sequence[tuple[float, float]], notional: float) -> float:
    if not side:
        return inf
    best, left, lost = side[0][0], notional, 0.0
    for price, quantity in side:
        away = abs(price / best - 1.0)
        if away > REACH:
            break
        taken = min(left, price * quantity)
        lost += taken * away
        left -= taken
        if left <= 0.0:
            return lost / notional
    return inf


def _resting(book: DepthSnapshot | None, level: float, sign: int) -> float:
    """Return the share of the book's side within 1 % that rests near a level, 0 where nothing is known."""
    side = () if book is None else (book.bids if sign > 0 else book.asks)
    if not side:
        return 0.0
    price, best = exp(level), side[0][0]
    whole = sum(p * q for p, q in side if abs(p / best - 1.0) <= REACH)
    near = sum(p * q for p, q in side if abs(p / price - 1.0) <= NEAR_LEVEL)
    return min(1.0, near / whole) if whole > 0.0 else 0.0


def _usable(candidate: Candidate, level: Level, price: float, rules: HuntRules) -> bool:
    """Say whether an entry at the level is better than the present one and leaves stop and target their meaning."""
    sign = candidate.direction.sign
    entry, stop, target = log(candidate.entry), log(candidate.stop), log(candidate.targets[0])
    risk = sign * (level.price - stop)
    return (
        sign * level.price < min(sign * entry, sign * price)
        and abs(level.price - price) <= REACH
        and risk >= max(LEAST_RISK, KEPT_RISK * abs(entry - stop))
        and abs(target - level.price) <= rules.max_reward_risk * risk
    )


def hunt(
    candidate: Candidate,
    tables: Tables,
    reading: Reading,
    facts: Facts,
    book: DepthSnapshot | None,
    notional: float,
    rules: HuntRules,
) -> Hunted:
    """Return the candidate with its entry at resting liquidity, as it was, or the reason why it is refused."""
    if candidate.confidence < rules.confidence or not candidate.targets:
        return Hunted(candidate, "")
    slippage = expected_slippage(book, reading, notional)
    source = "the order book within 1 %" if book is not None else "the spread, no order book was read"
    if slippage > rules.tolerance:
        held = "more than it holds" if slippage == inf else f"{100 * slippage:.2f} %"
        text = (
            f"{notional:,.0f} USDT would slip by {held} by {source}; at most {100 * rules.tolerance:.2f} % is tolerated"
        )
        distance = 0.0 if slippage == inf else slippage - rules.tolerance
        return Hunted(NoCandidate(candidate.strategy, candidate.symbol, "expected slippage", text, distance), "refused")
    sign, price = candidate.direction.sign, log(reading.price)
    usable = [one for one in levels_of(tables, reading.slot, sign) if _usable(candidate, one, price, rules)]
    rung = "pools and order book" if book is not None else "pools without an order book"
    if not usable:
        extreme = range_level(tables, reading.slot, sign)
        if extreme is None or not _usable(candidate, extreme, price, rules):
            step = Step("hunt", "No resting liquidity within 1 % between entry and stop: the entry stays.")
            return Hunted(msgspec.structs.replace(candidate, provenance=(*candidate.provenance, step)), "nothing near")
        usable, rung = [extreme], RANGE

    def strength(one: Level) -> float:
        near = 1.0 / (1.0 + abs(one.price - price) / facts.atr)
        return one.touches * near * (1.0 + _resting(book, one.price, sign))

    best = max(usable, key=strength)
    entry, digits = exp(best.price), reading.decimals
    what = "extreme of the last 4 hours" if rung == RANGE else f"{best.frame} pool ({best.touches} touches)"
    text = (
        f"Limit moved from {candidate.entry:.{digits}f} to {entry:.{digits}f}, the {what}; it ends with the signal. "
        f"Expected slippage {100 * slippage:.3f} % by {source}."
    )
    step = Step("hunt", text, best.frame, best.at, best.known, entry)
    return Hunted(
        msgspec.structs.replace(candidate, entry=entry, limit=True, provenance=(*candidate.provenance, step)), rung
    )
