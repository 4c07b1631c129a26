"""The strategies from outside under guard: whatever one of them does, the desk goes on and says what happened."""

from __future__ import annotations

import re
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Final

import msgspec

from engine.analysis.layout import Tables
from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step, StrategyName
from engine.strategy.plugin import API, Strategy, SymbolMarket

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from engine.strategy.facts import Facts
    from engine.strategy.reading import Reading

STRIKES: Final = 3
"""Faults after which a strategy is switched off until the next start."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,15}")
LONGEST: Final = 400
"""Characters of a text that a screen still shows."""


class Guest(msgspec.Struct, frozen=True):
    """A loaded strategy from outside."""

    name: str
    strategy: Strategy
    origin: str = ""
    """Package and version it came from."""


def why_not(name: str, strategy: object, taken: Sequence[str]) -> str:
    """Return why a strategy cannot join under this name, empty when it can."""
    known = (*(one.value for one in StrategyName), *taken)
    if not NAME.fullmatch(name):
        return f"the name {name!r} is unusable: 2 to 16 of a-z, 0-9 and _ are wanted, a letter first"
    if name in known:
        return f"the name {name} is taken; taken are {', '.join(known)}"
    if not isinstance(strategy, Strategy) or not callable(strategy.view):
        return "it is no strategy: an object with `api` and `view(market)` is wanted, or a class that makes one"
    if strategy.api != API:
        return f"it was written for version {strategy.api!r} of the protocol, this desk speaks version {API}"
    return ""


class Guests:
    """Asks the strategies from outside and judges what they answer."""

    def __init__(self, guests: Sequence[Guest] = (), refused: Sequence[str] = ()) -> None:
        """`refused` are sentences about strategies that could not be loaded."""
        self._guests = tuple(guests)
        self._strikes = dict.fromkeys((guest.name for guest in guests), 0)
        self._off: dict[str, str] = {}
        self._news = [*(f"strategy {one.name} of {one.origin or 'the desk'} takes part" for one in guests), *refused]

    @property
    def names(self) -> tuple[str, ...]:
        """Return their names, also of those that are switched off."""
        return tuple(guest.name for guest in self._guests)

    def news(self) -> list[str]:
        """Return what there is to tell since the last call, as sentences."""
        told, self._news = self._news, []
        return told

    def views(
        self,
        tables: Tables,
        readings: Sequence[Reading],
        facts: Sequence[Facts],
        market: npt.NDArray[np.float64],
        now_ms: int,
    ) -> list[tuple[Candidate | NoCandidate, ...]]:
        """Return per reading the views of all guests, in the order of their names' arrival."""
        if not self._guests:
            return [()] * len(readings)
        sealed = _sealed(tables)
        columns = market.view()
        columns.flags.writeable = False
        return [
            tuple(
                self._view(guest, SymbolMarket(guest.name, reading, fact, sealed, columns[i], now_ms))
                for guest in self._guests
            )
            for i, (reading, fact) in enumerate(zip(readings, facts, strict=True))
        ]

    def _view(self, guest: Guest, market: SymbolMarket) -> Candidate | NoCandidate:
        if guest.name in self._off:
            return market.nothing("switched off", self._off[guest.name])
        if not market.facts.ready:
            return market.nothing("warm-up", "indicators warm up, or price or volume stand still")
        try:
            view = guest.strategy.view(market)
            fault = fault_of(view, market)
        except Exception as error:  # noqa: BLE001 - code from outside may raise anything; none of it may end the desk
            fault = f"{type(error).__name__}: {error}"
        if fault:
            return self._fault(guest, market, _one_line(fault))
        assert isinstance(view, Candidate | NoCandidate)
        return _plain(view, market)

    def _fault(self, guest: Guest, market: SymbolMarket, fault: str) -> NoCandidate:
        self._strikes[guest.name] += 1
        strikes = self._strikes[guest.name]
        where = f"strategy {guest.name} ({guest.origin or 'of the desk'}) failed on {market.reading.symbol}: {fault}"
        if strikes >= STRIKES:
            self._off[guest.name] = f"after {strikes} faults, the last one on {market.reading.symbol}: {fault}"
            self._news.append(f"{where}; it is switched off until the desk starts again: repair or uninstall it")
        else:
            self._news.append(f"{where}; it proposes nothing there, and after {STRIKES} faults it is switched off")
        return market.nothing("plugin fault", fault)


def _plain(view: Candidate | NoCandidate, market: SymbolMarket) -> Candidate | NoCandidate:
    """Return a sound answer in plain numbers: what the journal stores holds nothing of numpy."""
    if isinstance(view, NoCandidate):
        return msgspec.structs.replace(view, distance=float(view.distance))
    return msgspec.structs.replace(
        view,
        entry=float(view.entry),
        stop=float(view.stop),
        targets=tuple(float(target) for target in view.targets),
        confidence=float(view.confidence),
        sub_scores={name: float(score) for name, score in view.sub_scores.items()},
        provenance=tuple(
            Step(step.step, step.text, step.frame, int(step.at), int(step.known), float(step.level))
            for step in view.provenance
        ),
        bar_close=market.facts.close_ms,
    )


def _sealed(tables: Tables) -> Tables:
    """Return views of the tables that cannot be written through."""
    views = [column.view() for column in tables]
    for view in views:
        view.flags.writeable = False
    return Tables(*views)


def _one_line(text: str) -> str:
    """Return text a terminal can show: printable, one line, not too long."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return clean if len(clean) <= LONGEST else clean[:LONGEST] + "..."


def fault_of(view: object, market: SymbolMarket) -> str:
    """Return what is wrong with a guest's answer, empty when it can be used."""
    if isinstance(view, NoCandidate):
        if not (isinstance(view.distance, int | float) and isfinite(view.distance)):
            return f"distance {view.distance!r} of gate {view.gate} is no number"
        return _text_fault(view.gate, view.text) or _address_fault(view, market)
    if not isinstance(view, Candidate):
        return f"view() returned {type(view).__name__}: a Candidate or a NoCandidate is wanted"
    return (
        _address_fault(view, market)
        or _level_fault(view)
        or _score_fault(view)
        or _time_fault(view, market)
        or _text_fault(view.pattern, *(part for step in view.provenance for part in (step.step, step.text, step.frame)))
    )


def _address_fault(view: Candidate | NoCandidate, market: SymbolMarket) -> str:
    given, wanted = (view.strategy, view.symbol), (market.strategy, market.reading.symbol)
    return "" if given == wanted else f"the answer speaks of {given}, asked was {wanted}"


def _level_fault(view: Candidate) -> str:
    direction: object = view.direction
    if not isinstance(direction, Direction):
        return f"direction {direction!r} is no Direction"
    levels = (view.entry, view.stop, *view.targets)
    if not view.targets or not all(isinstance(one, int | float) and isfinite(one) and one > 0 for one in levels):
        return f"entry, stop and at least one target must be positive numbers, got {levels}"
    sign = direction.sign
    ordered = [sign * one for one in (view.stop, view.entry, *view.targets)]
    if any(low >= high for low, high in pairwise(ordered)):
        return (
            f"a {direction.value} wants stop, entry and targets in that order, nearest target first: got stop "
            f"{view.stop}, entry {view.entry}, targets {view.targets}"
        )
    return ""


def _score_fault(view: Candidate) -> str:
    scores = {"confidence": view.confidence, **view.sub_scores}
    for name, value in scores.items():
        if not (isinstance(name, str) and isinstance(value, int | float) and 0.0 <= value <= 1.0):
            return f"{name} {value!r} is outside 0 to 1"
    return ""


def _time_fault(view: Candidate, market: SymbolMarket) -> str:
    if not (isinstance(view.anchor, int) and 0 < view.anchor <= market.now_ms):
        return f"anchor {view.anchor!r} is no instant up to now: it names the close the set-up rests on"
    if not (isinstance(view.expires, int) and (view.expires == 0 or view.expires > view.anchor)):
        return f"expires {view.expires!r} must be 0 or lie after the anchor {view.anchor}"
    if not view.provenance or not all(isinstance(step, Step) for step in view.provenance):
        return "a candidate must give its reasons: at least one Step of provenance"
    late = next((step for step in view.provenance if step.known > market.now_ms), None)
    return f"step {late.step} rests on something known only at {late.known}, in the future" if late else ""


def _text_fault(*texts: str) -> str:
    for text in texts:
        if not (isinstance(text, str) and text.isprintable() and len(text) <= LONGEST):
            return f"the text {str(text)[:40]!r} cannot be shown: one printable line of {LONGEST} characters at most"
    return ""
