"""The structures and zones of specification section 3, written naively from its words over whole arrays.

Slow, and independent of the kernels: each object's life is found by looking forward over the complete series, TA-Lib
supplies the ranges, New York's clock is the time zone database's. Shared with the kernels are only the capacities of
the object rings, because an object leaves the analysis when its ring has no room for it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import talib

from engine.analysis.layout import BARS, BLOCKS, GAPS, POOLS, SWEEPS, SWINGS

NEW_YORK = ZoneInfo("America/New_York")
UP, DOWN = 1, -1
DAY = 86_400_000


class Pivot(NamedTuple):
    side: int
    label: str
    at: int
    known: int
    level: float


class Break(NamedTuple):
    kind: str
    side: int
    at: int
    known: int
    level: float
    displacement: float
    origin: int


class Gap(NamedTuple):
    side: int
    at: int
    known: int
    low: float
    high: float
    life: tuple[tuple[int, str], ...]


class Block(NamedTuple):
    side: int
    at: int
    known: int
    low: float
    high: float
    quality: float
    life: tuple[tuple[int, str], ...]


class Pool(NamedTuple):
    side: int
    kind: str
    at: int
    known: int
    level: float
    touches: int
    life: tuple[tuple[int, str], ...]


class Sweep(NamedTuple):
    side: int
    kind: str
    at: int
    known: int
    level: float
    extreme: float
    depth: float


class Reference:
    """Everything the specification derives from a series in x space (prices as logarithms)."""

    def __init__(self, bars: np.ndarray, interval: int) -> None:
        self.time = bars["t"]
        self.interval = interval
        self.o, self.h, self.l, self.c, self.v = (np.ascontiguousarray(bars[k]) for k in "ohlcv")
        self.n = len(bars)
        self.atr14 = talib.ATR(self.h, self.l, self.c, 14)
        self.atr200 = talib.ATR(self.h, self.l, self.c, 200)
        self.volume_mean = talib.SMA(self.v, 20)
        self.displacement = [self._displacement(t) for t in range(self.n)]
        self.pivots = [self._pivots(5), self._pivots(20)]
        self.breaks = [self._breaks(self.pivots[0]), self._breaks(self.pivots[1])]
        self.gaps = self._gaps()
        self.dropped = 0  # pools that left because the table was full
        self.pools, self.sweeps = self._pools()
        self.blocks = self._blocks()

    def beyond(self, side: int, a: float, b: float) -> bool:
        return a > b if side == UP else a < b

    def outer(self, side: int) -> np.ndarray:
        return self.h if side == UP else self.l

    def _order(self, t: int, high: float, low: float) -> tuple[int, int]:
        """Of two objects born together the one nearer to the close is counted first."""
        return (UP, DOWN) if high - self.c[t] <= self.c[t] - low else (DOWN, UP)

    def _displacement(self, t: int) -> float:
        body, span = self.c[t] - self.o[t], self.h[t] - self.l[t]
        if span <= 0 or not abs(body) >= 1.5 * self.atr14[t] or abs(body) < 0.6 * span:
            return 0.0
        place = (self.c[t] - self.l[t]) / span
        return body / self.atr14[t] if (place >= 0.75 if body > 0 else place <= 0.25) else 0.0

    def _pivots(self, reach: int) -> list[Pivot]:
        found: list[Pivot] = []
        for i in range(reach, self.n - reach):
            for side in self._order(i, self.h[i], self.l[i]):
                x = side * self.outer(side)
                if x[i] > x[i - reach : i].max() and x[i] >= x[i + 1 : i + reach + 1].max():
                    # A pivot is remembered only as long as its ring holds it.
                    earlier = [p for p in found[-SWINGS:] if p.side == side]
                    label = ""
                    if earlier:
                        further = self.beyond(side, self.outer(side)[i], earlier[-1].level)
                        label = ("HH" if further else "LH") if side == UP else ("LL" if further else "HL")
                    found.append(Pivot(side, label, i, i + reach, float(self.outer(side)[i])))
        return found

    def _breaks(self, pivots: list[Pivot]) -> list[Break]:
        found: list[Break] = []
        broken: set[Pivot] = set()
        bias = 0
        confirmed: list[Pivot] = []
        coming = list(pivots)
        for t in range(1, self.n):
            while coming and coming[0].known <= t:
                confirmed = [*confirmed, coming.pop(0)][-SWINGS:]
            for side in (UP, DOWN):
                standing = [p for p in confirmed if p.side == side and p not in broken]
                if not standing:
                    continue
                pivot = standing[-1]
                crossed = self.beyond(side, self.c[t], pivot.level) and not self.beyond(
                    side, self.c[t - 1], pivot.level
                )
                if not crossed:
                    continue
                broken.add(pivot)
                origin = self._leg_origin(pivot.at, side, t)
                sizes = [side * float(self.displacement[i]) for i in range(origin, t + 1)]
                size = max(0.0, *sizes)
                kind = "BOS" if bias != -side else "MSS" if size > 0 else "CHoCH"
                found.append(Break(kind, side, pivot.at, t, pivot.level, size, origin))
                bias = side
        return found

    def _leg_origin(self, pivot: int, side: int, t: int) -> int:
        """The leg begins at the extreme it came from, the latest of equal ones."""
        first = max(pivot + 1, t - BARS + 1)
        far = side * self.outer(-side)[first : t + 1]
        return first + int(np.flatnonzero(far == far.min())[-1])

    def _gaps(self) -> list[Gap]:
        born = []
        for t in range(2, self.n):
            for side in (UP, DOWN):
                near, far = (self.l[t], self.h[t - 2]) if side == UP else (self.h[t], self.l[t - 2])
                width = side * (near - far)
                if width > 0 and width >= 0.001 and width >= 0.15 * self.atr14[t]:
                    born.append((side, t - 1, t, float(min(near, far)), float(max(near, far))))
        gaps = []
        for k, (side, at, known, low, high) in enumerate(born):
            end = born[k + GAPS][2] if k + GAPS < len(born) else self.n - 1
            near, far, mid = (high, low, (low + high) / 2) if side == UP else (low, high, (low + high) / 2)
            reach = -side * self.outer(-side)  # how deep each bar traded into the gap, larger is deeper
            first = {
                "touched": self._first(reach >= -side * near, known + 1, end),
                "CE": self._first(reach >= -side * mid, known + 1, end),
                "filled": self._first(reach >= -side * far, known + 1, end),
                "inverted": self._first(-side * self.c > -side * far, known + 1, end),
            }
            life: list[tuple[int, str]] = []
            for name in ("touched", "CE", "filled", "inverted"):
                when = first[name]
                if when is None:
                    continue
                life = [step for step in life if step[0] < when]
                life.append((when, name))
            gaps.append(Gap(side, at, known, low, high, tuple(life)))
        return gaps

    @staticmethod
    def _first(condition: np.ndarray, start: int, end: int) -> int | None:
        hits = np.flatnonzero(condition[start : end + 1])
        return start + int(hits[0]) if len(hits) else None

    def _fate(self, side: int, level: float, known: int) -> tuple[list[tuple[int, str]], tuple[int, float, float]]:
        """Life of a pool if nothing ends it before: its states, and deepest bar, extreme and depth when swept."""
        x = side * self.outer(side)
        start = self._first(x - side * level > 0.05 * self.atr14, known + 1, self.n - 1)
        if start is None:
            return [], (-1, 0.0, 0.0)
        life = [(start, "pierced")]
        for t in range(start, min(start + 4, self.n)):
            deepest = start + int(np.argmax(x[start : t + 1]))
            depth = (x[deepest] - side * level) / self.atr14[t]
            if depth > 1:
                return [*life, (t, "run")], (-1, 0.0, 0.0)
            if side * self.c[t] < side * level:
                return [*life, (t, "swept")], (deepest, float(side * x[deepest]), float(depth))
        return [*life, (start + 3, "run")] if start + 3 < self.n else life, (-1, 0.0, 0.0)

    def _pool_births(self) -> list[tuple[int, int, int, str, int, float]]:
        """(known, order within the bar, side, kind, at, level) of every pool before merging."""
        births = [(p.known, k, p.side, "swing", p.at, p.level) for k, p in enumerate(self.pivots[0])]
        after = len(births)
        spans = {"day": (after, self._day), "week": (after + 2, self._week), "session": (after + 4, self._session)}
        for kind, (order, name_of) in spans.items():
            names = [name_of(int(t)) for t in self.time]
            following = [*names[1:], name_of(int(self.time[-1]) + self.interval)]
            before = [name_of(int(self.time[0]) - self.interval), *names[:-1]]
            starts = [i for i in range(self.n) if names[i] and names[i] != before[i]]
            ends = [i for i in range(self.n) if names[i] and names[i] != following[i]]
            for start in starts:
                end = next((e for e in ends if e >= start), None)
                if end is None:
                    continue
                high, low = float(self.h[start : end + 1].max()), float(self.l[start : end + 1].min())
                high_at = start + int(self.h[start : end + 1].argmax())
                low_at = start + int(self.l[start : end + 1].argmin())
                sides = (
                    (UP, DOWN) if high_at < low_at else (DOWN, UP) if low_at < high_at else self._order(end, high, low)
                )
                for k, side in enumerate(sides):
                    at, level = (high_at, high) if side == UP else (low_at, low)
                    births.append((end, order + k, side, kind, at, level))
        return sorted(births, key=lambda birth: birth[:2])

    @staticmethod
    def _day(time: int) -> str:
        return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")

    @staticmethod
    def _week(time: int) -> str:
        return datetime.fromtimestamp(time / 1000, UTC).strftime("%G-W%V")

    @staticmethod
    def _session(time: int) -> str:
        local = datetime.fromtimestamp(time / 1000, NEW_YORK)
        for name, first, last in (("asia", 20, 24), ("london", 2, 5), ("new york", 7, 10), ("london close", 10, 12)):
            if first <= local.hour < last:
                return f"{local:%Y-%m-%d} {name}"
        return ""

    def _pools(self) -> tuple[list[Pool], list[Sweep]]:
        pools: list[Pool] = []
        deepest: list[tuple[int, float, float]] = []
        living: list[int] = []
        for known, _, side, born_kind, at, born_level in self._pool_births():
            kind, level, touches = born_kind, born_level, 1
            living = [k for k in living if not self._is_over(pools[k], known)]
            if kind == "swing":
                near = [
                    k
                    for k in living
                    if pools[k].side == side
                    and pools[k].kind in {"swing", "equal"}
                    and not any(when <= known for when, _ in pools[k].life)
                    and abs(pools[k].level - level) <= 0.1 * self.atr200[known]
                ]
                if near:
                    old = pools[near[-1]]
                    pools[near[-1]] = old._replace(life=((known, "merged"),))
                    living.remove(near[-1])
                    kind, touches = "equal", old.touches + 1
                    level = max(old.level, level) if side == UP else min(old.level, level)
            if len(living) == POOLS:
                # The table is full of living pools: the oldest leaves, but not the extreme of the week before.
                week = 7 * DAY // self.interval
                gone = next(k for k in living if not (pools[k].kind == "week" and known - pools[k].known < week))
                living.remove(gone)
                pools[gone] = pools[gone]._replace(life=tuple(x for x in pools[gone].life if x[0] <= known))
                self.dropped += 1
            life, facts = self._fate(side, level, known)
            living.append(len(pools))
            pools.append(Pool(side, kind, at, known, level, touches, tuple(life)))
            deepest.append(facts)
        sweeps = []
        for k, pool in enumerate(pools):
            if pool.life and pool.life[-1][1] == "swept":
                at, extreme, depth = deepest[k]
                sweeps.append(
                    (pool.life[-1][0], k, Sweep(pool.side, pool.kind, at, pool.life[-1][0], pool.level, extreme, depth))
                )
        return pools, [sweep for _, _, sweep in sorted(sweeps, key=lambda s: s[:2])]

    @staticmethod
    def _is_over(pool: Pool, t: int) -> bool:
        return any(when <= t and step in {"swept", "run", "merged"} for when, step in pool.life)

    def _swept(self, side: int, since: int, t: int) -> bool:
        known = [s for s in self.sweeps if s.known <= t][-SWEEPS:]
        return any(s.side == side and s.at >= since for s in known)

    def _quality(self, cause: Break) -> float:
        t, side, origin = cause.known, cause.side, cause.origin
        ratio = self.v[origin : t + 1].mean() / self.volume_mean[t] if self.volume_mean[t] > 0 else 1.0
        left = [g for g in self.gaps if g.known <= t][-GAPS:]
        return (
            0.35 * min(1.0, cause.displacement / 3)
            + 0.25 * min(1.0, max(0.0, ratio - 1))
            + 0.2 * any(g.side == side and g.at >= origin for g in left)
            + 0.2 * self._swept(-side, cause.at, t)
        )

    def _blocks(self) -> list[Block]:
        born: list[Block] = []
        causes = [(b.known, layer, b) for layer in (0, 1) for b in self.breaks[layer]]
        for t, _, cause in sorted(causes, key=lambda c: c[:2]):
            first = max(cause.at, t - BARS + 1)
            against = [i for i in range(first, cause.origin + 1) if cause.side * (self.c[i] - self.o[i]) < 0]
            against = [i for i in against if not self.h[i] - self.l[i] >= 2 * self.atr200[t]]
            if not against:
                continue
            at = against[-1]
            if any(b.at == at and b.side == cause.side for b in born[-BLOCKS:]):
                continue
            born.append(Block(cause.side, at, t, float(self.l[at]), float(self.h[at]), float(self._quality(cause)), ()))
        ends = [born[k + BLOCKS].known if k + BLOCKS < len(born) else self.n - 1 for k in range(len(born))]
        return [b._replace(life=self._block_life(b, end)) for b, end in zip(born, ends, strict=True)]

    def _block_life(self, block: Block, end: int) -> tuple[tuple[int, str], ...]:
        side, start = block.side, block.known + 1
        reach = -side * self.outer(-side)
        near, far = (block.high, block.low) if side == UP else (block.low, block.high)
        middle = self._first(reach >= -side * (block.low + block.high) / 2, start, end)
        closed = self._first(-side * self.c > -side * far, start, end)
        # Tests are entries into the zone from outside, until it is mitigated or closed through.
        last = min(x for x in (end, middle, None if closed is None else closed - 1) if x is not None)
        inside = [False, *(reach[start : last + 1] >= -side * near)]
        entries = [start + k for k in range(len(inside) - 1) if inside[k + 1] and not inside[k]]
        life = [(t, f"test {k + 1}") for k, t in enumerate(entries[:3])]
        if middle is not None and (closed is None or middle < closed):
            life.append((middle, "mitigated"))
        if closed is not None:
            life.append((closed, "breaker" if self._swept(side, block.at, closed) else "invalid"))
        return tuple(life)
