"""Names for the tasks of a desk, the same in every run of the same code: what was made, and the how-manieth it is.

A task knows its lane by a context variable; what runs outside the desk (sockets, the control server) has none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType


class Lane:
    """One task of the desk."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.steps = 0
        """How often it went on, inside a port too."""
        self.away = False
        """Whether it is inside a port."""


LANE: ContextVar[Lane | None] = ContextVar("lane", default=None)


@contextmanager
def on(lane: Lane | None) -> Iterator[None]:
    """Let the block run on a lane, or outside the desk."""
    before = LANE.get()
    LANE.set(lane)
    try:
        yield
    finally:
        LANE.set(before)


class Lanes:
    """Gives every task made on a lane a lane of its own; `factory` is the loop's task factory."""

    def __init__(self, wrap: Callable[[Lane, Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]]) -> None:
        """Take what is to be done with a coroutine before it becomes a task."""
        self._wrap = wrap
        self._made: Counter[str] = Counter()
        self._number = 0
        self.on_task: Callable[[Lane, asyncio.Task[Any]], None] = lambda _lane, _task: None
        self.root = self.lane("the desk")

    def lane(self, what: str) -> Lane:
        """Return a new lane."""
        self._number += 1
        self._made[what] += 1
        return Lane(self._number, f"{what} {self._made[what]}")

    def factory(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Any,
        *,
        context: Context | None = None,
        name: str | None = None,
    ) -> asyncio.Task[Any]:
        """Make a task."""
        place = copy_context() if context is None else context
        if place.get(LANE) is None:
            return asyncio.Task(work, loop=loop, context=place, name=name)
        lane = self.lane(getattr(work, "__qualname__", type(work).__name__))
        place.run(LANE.set, lane)
        task = asyncio.Task(self._wrap(lane, work), loop=loop, context=place, name=name)
        self.on_task(lane, task)
        return task


class Stepping(Coroutine[Any, Any, Any]):
    """A coroutine that tells each time it goes on."""

    def __init__(self, lane: Lane, work: Coroutine[Any, Any, Any], tell: Callable[[Lane], None]) -> None:
        self._lane = lane
        self._work = work
        self._tell = tell
        self.__qualname__ = getattr(work, "__qualname__", type(work).__name__)
        self.__name__ = self.__qualname__

    def send(self, value: Any) -> Any:
        """Go on."""
        self._step()
        return self._work.send(value)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
    ) -> Any:
        """Go on with an exception."""
        self._step()
        return self._work.throw(kind) if value is None else self._work.throw(kind, value, trace)

    def close(self) -> None:
        """End without a further step."""
        self._work.close()

    def __await__(self) -> Any:
        return self._work.__await__()

    def _step(self) -> None:
        self._lane.steps += 1
        if not self._lane.away:
            self._tell(self._lane)
