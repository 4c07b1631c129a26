"""An event loop that does nothing by itself: what is ready runs when it is told to, and timers never fall due.

It has what asyncio asks of a loop for coroutines that wait on futures, and nothing else: whoever wants a socket or a
thread of it fails at once.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextvars import Context


class Ready:
    """A callback that waits to be run."""

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None) -> None:
        self._callback = callback
        self._args = args
        self._context = copy_context() if context is None else context
        self._cancelled = False
        found = getattr(callback, "__self__", None)
        self.task: asyncio.Task[Any] | None = found if isinstance(found, asyncio.Task) else None
        """The task that it lets go on, None for any other callback."""

    def cancel(self) -> None:
        """Run never."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Say whether it is never run."""
        return self._cancelled

    def run(self) -> None:
        """Run."""
        if not self._cancelled:
            self._context.run(self._callback, *self._args)


def _plain(loop: StepLoop, work: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
    return asyncio.Task(work, loop=loop.loop, **more)


class StepLoop:
    """Runs one callback at a time, in the order in which they became ready unless told otherwise."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Take what tells the loop's time, in seconds."""
        self._now = now
        self._ready: list[Ready] = []
        self._timers: list[tuple[float, Ready]] = []
        self._factory: Callable[..., asyncio.Task[Any]] = _plain
        self.faults: list[str] = []
        """What asyncio found wrong without anybody to hear it."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return it as asyncio takes it."""
        return cast("asyncio.AbstractEventLoop", self)

    # What asyncio asks of a loop.

    def time(self) -> float:
        """Return the loop's time."""
        return self._now()

    def get_debug(self) -> bool:
        """Return that it does not debug."""
        return False

    def is_running(self) -> bool:
        """Return that it runs: nobody asks when it does not."""
        return True

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Ready:
        """Let a callback be ready."""
        ready = Ready(callback, args, context)
        self._ready.append(ready)
        return ready

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Ready:
        """Keep a callback until `fire`."""
        ready = Ready(callback, args, context)
        self._timers = [one for one in self._timers if not one[1].cancelled()]
        self._timers.append((when, ready))
        return ready

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self.loop)

    def create_task(
        self, work: Coroutine[Any, Any, Any], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        """Make a task, through the factory."""
        return self._factory(self, work, name=name, context=context)

    def set_task_factory(self, factory: Callable[..., asyncio.Task[Any]]) -> None:
        """Take what makes tasks."""
        self._factory = factory

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what nobody caught."""
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    # What a driver does with it.

    def run_task(self, task: asyncio.Task[Any]) -> bool:
        """Let a task go on, and before it the other callbacks that were ready earlier; False when nothing lets it."""
        place = 0
        while place < len(self._ready):
            ready = self._ready[place]
            if ready.task is None or ready.task is task:
                del self._ready[place]
                ready.run()
                if ready.task is task:
                    return True
            else:
                place += 1
        return False

    def run_all(self) -> None:
        """Run everything that is ready, and what becomes ready by it."""
        while self._ready:
            self._ready.pop(0).run()

    def fire(self) -> bool:
        """Let the earliest timer fall due; False where there is none."""
        waiting = sorted((one for one in self._timers if not one[1].cancelled()), key=lambda one: one[0])
        self._timers = waiting[1:]
        if waiting:
            waiting[0][1].run()
        return bool(waiting)
