"""Writes down, turn by turn, what reaches a desk. It changes nothing of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from engine.inputs.lanes import LANE, Lane, Lanes, Stepping, on
from engine.inputs.outcomes import Scrubber, fault
from engine.inputs.records import Answered, Asked, Finished, Made, Ordered, Stepped, Stopped, Turn, encode
from engine.port import Handlers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from engine.backtest.desk import Decision
    from engine.commands import Command, Question
    from engine.inputs.records import Cause, Result

T = TypeVar("T")


class Recorder:
    """The gate of a run that is recorded. Everything runs on the engine's loop.

    `sink` takes the bytes of one turn and returns whether it could; once it could not, `give_up` is called and nothing
    more is recorded.
    """

    def __init__(self, sink: Callable[[bytes], bool], give_up: Callable[[], None] = lambda: None) -> None:
        self._sink = sink
        self._give_up = give_up
        self.lanes = Lanes(self._wrap)
        self.scrub = Scrubber()
        self._gone = False
        self.turns = 0
        self._cause: Cause | None = None
        self._reads: list[Any] = []
        self._born: list[tuple[int, str]] = []
        self._decided: list[tuple[int, str, bytes]] = []

    # What the runtime calls.

    def make(self, work: Callable[[], T]) -> T:
        """Put the desk together."""
        self._turn(Made())
        with on(self.lanes.root):
            return work()

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the desk as the first of its own tasks."""
        loop = asyncio.get_running_loop()
        before = loop.get_task_factory()
        loop.set_task_factory(self.lanes.factory)
        try:
            with on(self.lanes.root):
                task = loop.create_task(work())
            await task
        finally:
            loop.set_task_factory(before)

    def stop(self, reason: str, work: Callable[[str], None]) -> None:
        """Let the desk be asked to end."""
        self._turn(Stopped(reason))
        with on(self.lanes.root):
            work(reason)

    def finish(self, exit_code: int) -> None:
        """Set the last mark."""
        self._turn(Finished(exit_code))
        self._flush()

    # The gate.

    def read(self, what: str, work: Callable[[], T]) -> T:
        """Return a reading and keep it when the desk made it."""
        value = work()
        lane = LANE.get()
        if lane is not None and not lane.away:
            self._reads += (what, value)
        return value

    async def wait(
        self, label: str, work: Callable[[], Awaitable[T]], keep: Callable[[T], Result], give: Callable[[Result], T]
    ) -> T:
        """Return what a port answers, and begin a turn with it."""
        del give
        lane = LANE.get()
        if lane is None:
            return await work()
        steps = lane.steps
        lane.away = True
        try:
            with on(None):  # what the port itself makes is not the desk's
                value = await work()
        except GeneratorExit:
            raise
        except BaseException as error:
            lane.away = False
            self._turn(Answered(lane.number, label, fault(error, self.scrub), lane.steps != steps))
            raise
        lane.away = False
        self._turn(Answered(lane.number, label, keep(value), lane.steps != steps))
        return value

    def decided(self, decision: Decision) -> None:
        """Keep what the desk decided."""
        if LANE.get() is not None:
            self._decided.append((decision.time, decision.what, decision.digest))

    # What screens send.

    def between(self, desk: Handlers) -> Handlers:
        """Return what takes commands and questions down on their way to the desk."""

        def ordered(ticket: int, command: Command, by: str) -> None:
            self._turn(Ordered(ticket, command, by))
            with on(self.lanes.root):
                desk.on_command(ticket, command, by)

        def asked(ticket: int, question: Question) -> None:
            self._turn(Asked(ticket, question))
            with on(self.lanes.root):
                desk.on_question(ticket, question)

        return Handlers(ordered, asked)

    # Turns.

    def _wrap(self, lane: Lane, work: Coroutine[Any, Any, Any]) -> Stepping:
        self._born.append((lane.number, lane.name))
        return Stepping(lane, work, self._stepped)

    def _stepped(self, lane: Lane) -> None:
        self._turn(Stepped(lane.number))

    def _turn(self, cause: Cause) -> None:
        self._flush()
        self._cause = cause

    def _flush(self) -> None:
        if self._cause is not None and not self._gone:
            turn = Turn(self._cause, self._reads, self._born, self._decided)
            if self._sink(encode(turn)):
                self.turns += 1
            else:
                self._gone = True
                self._give_up()
        self._cause = None
        if self._reads:
            self._reads = []
        if self._born:
            self._born = []
        if self._decided:
            self._decided = []
