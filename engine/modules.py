"""One registry of the modules behind the feature flags: the rung in use and why, calls, time and errors of each."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from config.flags import SPECS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Module:
    """What one module has done since the start."""

    def __init__(self) -> None:
        """Start with nothing done."""
        self.calls = 0
        self.seconds = 0.0
        self.errors = 0
        self.rung = ""
        """The rungs of its ladder that answered last, and why; empty where it was not asked yet."""
        self._tally: Counter[str] = Counter()

    def note(self, rung: str) -> None:
        """Count a rung that answered; what is shown are all rungs of the cycle, the most frequent first."""
        self._tally[rung] += 1
        self.rung = ", ".join(f"{name} {count}" for name, count in self._tally.most_common(4))

    def new_cycle(self) -> None:
        """Count rungs anew; what is shown stays until one answers."""
        self._tally.clear()

    def fail(self, reason: str) -> None:
        """Count an error, and name it as the reason of the rung."""
        self.errors += 1
        self.rung = reason


class Modules:
    """The modules by the name of their flag."""

    def __init__(self, instant: Callable[[], float] = lambda: 0.0) -> None:
        """`instant` returns seconds of a monotonic clock; without one no time is counted."""
        self._instant = instant
        self._modules = {spec.name: Module() for spec in SPECS}

    def __getitem__(self, flag: str) -> Module:
        """Return the module of a flag. Raises KeyError for an unknown one."""
        return self._modules[flag]

    def new_cycle(self) -> None:
        """Let every module count its rungs anew."""
        for module in self._modules.values():
            module.new_cycle()

    @contextmanager
    def timed(self, flag: str, calls: int = 1) -> Iterator[Module]:
        """Count calls and the time the body takes."""
        module, began = self._modules[flag], self._instant()
        try:
            yield module
        finally:
            module.calls += calls
            module.seconds += self._instant() - began
