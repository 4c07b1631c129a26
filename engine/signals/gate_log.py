"""What stopped every symbol in every cycle, small enough to store: whole once in a while, changes in between.

A cycle over 200 symbols has 600 answers; most of them are those of the cycle before. Only rows whose gate or signal
changed, or whose distance moved by more than a quarter, are stored; every `WHOLE_EVERY` cycles all of them are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.signals.gates import DATA
from engine.strategy.candidate import NoCandidate, StrategyName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.signals.signal import Selection
    from engine.strategy.views import SymbolViews, View

WHOLE_EVERY: Final = 60
MOVED: Final = 0.25
"""Relative change of a distance that is worth a row."""
SAME: Final = "="
"""Gate of a hybrid that only repeats what stopped ict."""
LEFT: Final = "not in the universe"


class GateRow(msgspec.Struct, frozen=True, array_like=True):
    """One strategy's answer for a symbol in a cycle."""

    symbol: str
    strategy: str
    """Empty where the symbol was not ready and no strategy was asked."""
    gate: str
    """Name of the gate (`engine.signals.gates`), empty for an accepted signal."""
    distance: float = 0.0
    """By how much, in the gate's unit, to three digits."""
    ref: str = ""
    """Id of the signal where there was one; the reason where the symbol was not ready."""


class GateLog:
    """Turns cycles into rows worth storing; remembers what was stored."""

    def __init__(self) -> None:
        """Start with nothing stored: the first cycle is whole."""
        self._stored: dict[str, dict[str, GateRow]] = {}
        self._cycles = 0

    def take(
        self, views: Sequence[SymbolViews], waiting: Iterable[tuple[str, str]], selection: Selection
    ) -> tuple[bool, tuple[GateRow, ...]]:
        """Return whether the rows are all there are, and the rows, in the order of the symbols."""
        whole = self._cycles % WHOLE_EVERY == 0
        self._cycles += 1
        now = gates_of(views, waiting, selection)
        rows: list[GateRow] = []
        for symbol, answers in now.items():
            known = {} if whole else self._stored.get(symbol, {})
            if known.keys() != answers.keys():
                known = {}
            fresh = {name: row for name, row in answers.items() if not _same(known.get(name), row)}
            rows += fresh.values()
            self._stored[symbol] = {**known, **fresh}
        for symbol in [symbol for symbol in self._stored if symbol not in now]:
            del self._stored[symbol]
            rows.append(GateRow(symbol, "", DATA, 0.0, LEFT))
        return whole, tuple(rows)


def gates_of(
    views: Sequence[SymbolViews], waiting: Iterable[tuple[str, str]], selection: Selection
) -> dict[str, dict[str, GateRow]]:
    """Return per symbol and strategy what stopped it in a cycle."""
    signals = {(one.candidate.symbol, str(one.candidate.strategy)): one for one in selection.signals}
    found: dict[str, dict[str, GateRow]] = {}
    for seen in views:
        symbol = seen.reading.symbol
        answers = {}
        for view in seen.all():
            name = str(view.strategy)
            signal = signals.get((symbol, name))
            if signal is not None:
                answers[name] = GateRow(symbol, name, signal.gate, _short(signal.distance), signal.signal_id)
            elif isinstance(view, NoCandidate):
                distance = _short(view.distance)
                answers[name] = GateRow(symbol, name, *((SAME,) if _follows(view, seen) else (view.gate, distance)))
        found[symbol] = answers
    for symbol, reason in waiting:
        found[symbol] = {"": GateRow(symbol, "", DATA, 0.0, reason)}
    return found


def _follows(view: View, seen: SymbolViews) -> bool:
    """Say whether hybrid only repeats what stopped ict."""
    ict = seen.ict
    return (
        view.strategy == StrategyName.HYBRID
        and isinstance(view, NoCandidate)
        and isinstance(ict, NoCandidate)
        and (view.gate, view.distance) == (ict.gate, ict.distance)
    )


def _short(distance: float) -> float:
    return float(f"{distance:.3g}")


def _same(known: GateRow | None, row: GateRow) -> bool:
    if known is None or (known.gate, known.ref) != (row.gate, row.ref):
        return False
    return abs(row.distance - known.distance) <= MOVED * abs(known.distance)


class Noted(NamedTuple):
    """A row with the cycle that stored it."""

    row: GateRow
    time: int
    cycle: int


class Reader:
    """Puts stored cycles together again: what stood for a symbol at a cycle."""

    def __init__(self) -> None:
        """Start before the first cycle."""
        self._noted: dict[str, dict[str, Noted]] = {}

    def take(self, time: int, cycle: int, whole: bool, rows: Iterable[GateRow]) -> None:
        """Take the rows of the next cycle."""
        if whole:
            self._noted.clear()
        for row in rows:
            known = self._noted.setdefault(row.symbol, {})
            if (row.strategy == "") != ("" in known):
                known.clear()
            known[row.strategy] = Noted(row, time, cycle)

    def of(self, symbol: str) -> Mapping[str, Noted]:
        """Return what stood for a symbol by strategy, empty for an unknown one."""
        known = dict(self._noted.get(symbol, {}))
        ict = known.get(StrategyName.ICT)
        for name, noted in known.items():
            if noted.row.gate == SAME and ict is not None:
                row = msgspec.structs.replace(noted.row, gate=ict.row.gate, distance=ict.row.distance)
                known[name] = Noted(row, ict.time, ict.cycle)
        return known
