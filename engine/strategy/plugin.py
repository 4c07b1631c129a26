"""The protocol of strategies from outside: what an installed package has to offer, and what it is given.

A package names its strategy in the entry point group `perpdesk.strategies` (docs/strategies.md); the name of the entry
point is the strategy's name. The strategy runs beside the three of the desk: on the virtual book, in the leaderboard,
under the same quality gates, and it may be chosen as the acting one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from engine.analysis import reading as analysis
from engine.analysis.layout import Tables
from engine.analysis.tables import row_of
from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step
from engine.strategy.facts import Facts
from engine.strategy.reading import Reading
from ml.schema import INDEX, MARKET_FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUP: Final = "perpdesk.strategies"
API: Final = 1
"""Version of this protocol. A strategy says which one it was written for."""


class SymbolMarket(msgspec.Struct, frozen=True):
    """One ready symbol at the instant of a cycle: closed bars only, nothing of it can be written to."""

    strategy: str
    """Name of the strategy that is asked."""
    reading: Reading
    """Price, book, funding, rank."""
    facts: Facts
    """Regime, biases, distances to liquidity, risk of reversal."""
    tables: Tables
    """The analysis tables (`engine.analysis.layout`), read-only; `row` addresses them, `engine.analysis.reading` reads
    swings, breaks, gaps, blocks, pools and sweeps of a row."""
    columns: npt.NDArray[np.float64]
    """The market columns of the feature row (`ml.schema.MARKET_FEATURES`), read-only."""
    now_ms: int

    def row(self, frame: str) -> int:
        """Return the row of `5m`, `15m` or `1h` in the tables."""
        return row_of(self.reading.slot, frame)

    def indicators(self, frame: str) -> dict[str, float]:
        """Return every indicator of a frame by name: levels as prices, differences relative to price."""
        return analysis.indicators(self.tables, self.row(frame))

    def bars(self, frame: str, limit: int = 100) -> npt.NDArray[np.void]:
        """Return copies of the newest closed bars, oldest first: `t` in UTC ms, `o h l c` as prices, `v`."""
        bars = analysis.last_bars(self.tables, self.row(frame), limit).copy()
        for name in "ohlc":
            bars[name] = np.exp(bars[name])
        return bars

    def feature(self, name: str) -> float:
        """Return one market column by its name, e.g. `trend_1h`. Raises KeyError for a column it does not have."""
        place = INDEX[name]
        if place >= len(MARKET_FEATURES):
            raise KeyError(f"{name} describes a candidate, not the market")
        return float(self.columns[place])

    def propose(
        self,
        direction: Direction,
        stop: float,
        targets: Sequence[float],
        confidence: float,
        reasons: Sequence[Step],
        *,
        pattern: str,
        anchor: int,
        expires: int,
        entry: float | None = None,
        sub_scores: Mapping[str, float] | None = None,
    ) -> Candidate:
        """Return a candidate of the asked strategy: a limit at `entry`, or at the market without one.

        `anchor` is the close at which the set-up came into being: it names the set-up over the cycles it lives in.
        """
        return Candidate(
            strategy=self.strategy,
            symbol=self.reading.symbol,
            direction=direction,
            pattern=pattern,
            entry=self.reading.price if entry is None else entry,
            stop=stop,
            targets=tuple(targets),
            confidence=confidence,
            sub_scores=dict(sub_scores or {}),
            provenance=tuple(reasons),
            bar_close=self.facts.close_ms,
            anchor=anchor,
            expires=expires,
            limit=entry is not None,
        )

    def nothing(self, gate: str, text: str, distance: float = 0.0) -> NoCandidate:
        """Return why the asked strategy proposes nothing: the gate that stopped it and by how much."""
        return NoCandidate(self.strategy, self.reading.symbol, gate, text, distance)


@runtime_checkable
class Strategy(Protocol):
    """A strategy from outside. It keeps no state that a symbol's answer depends on: backtest and live must agree."""

    api: int
    """The version of the protocol it was written for; see `API`."""

    def view(self, market: SymbolMarket) -> Candidate | NoCandidate:
        """Return at most one candidate for the symbol, else the gate that stopped it.

        Called once per ready symbol and cycle on the trading loop: no waiting, no I/O, no randomness, no clock.
        """
