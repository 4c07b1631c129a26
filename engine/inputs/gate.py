"""The one way by which taps and ports meet: a recorder writes down what passes, a player gives it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.backtest.desk import Decision
    from engine.inputs.outcomes import Scrubber
    from engine.inputs.records import Result

T = TypeVar("T")


class Gate(Protocol):
    """What taps need of a recorder or a player."""

    scrub: Scrubber
    """Takes out what must not be stored."""

    def read(self, what: str, work: Callable[[], T]) -> T:
        """Return a reading: `work` makes it where there is a world to read."""

    async def wait(
        self, label: str, work: Callable[[], Awaitable[T]], keep: Callable[[T], Result], give: Callable[[Result], T]
    ) -> T:
        """Return what a port answers; `keep` and `give` turn it into a record and back. Raises what ports raise."""

    def decided(self, decision: Decision) -> None:
        """Take what the desk decided."""
