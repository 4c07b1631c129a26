"""Gives a desk again what a recorded one was given, turn by turn, and notices where the desk asks for something else.

Readings are given per turn: a desk that reads its clock once more than recorded gets the last reading again and is said
to have strayed. A desk that waits for something else than the recorded one has parted, and nothing can be given to it
from there on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from engine.inputs.lanes import LANE, Lane, Lanes, on
from engine.inputs.outcomes import Scrubber, raise_fault
from engine.inputs.records import (
    CLOCK,
    WALL,
    Answered,
    Asked,
    Cancelled,
    Finished,
    InputsError,
    Made,
    Ordered,
    Stepped,
    Stopped,
    Turn,
)
from engine.inputs.step_loop import StepLoop
from engine.inputs.words import words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from engine.backtest.desk import Decision
    from engine.inputs.records import Result
    from engine.port import Handlers

T = TypeVar("T")
CLEANING_ROUNDS = 50
"""Rounds of cancelling after which tasks that will not end are left to the collector."""


class Point(NamedTuple):
    """A place in a recording."""

    turn: int
    """Counted from 1."""
    time: int
    """UTC ms, the newest reading of the wall clock; 0 before the first."""
    cause: str
    """What set the desk going, in a few words."""


class Strayed(NamedTuple):
    """Readings that were otherwise than recorded."""

    first: Point
    what: str
    """The first reading's kind."""
    times: int


class Decided(NamedTuple):
    """A decision and where it was made."""

    decision: tuple[int, str, bytes]
    """Time, words and digest."""
    at: Point


class Player:
    """The gate of a run that is repeated."""

    def __init__(self, turns: Iterator[Turn]) -> None:
        self._turns = turns
        self._ahead: Turn | None = None
        self._lanes = Lanes(lambda _lane, work: work)
        self._lanes.on_task = self._note_task
        self.loop = StepLoop(lambda: float(self._last.get(CLOCK, 0.0)))
        self.scrub = Scrubber()
        self._names: dict[int, str] = {}
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._waiting: dict[str, tuple[str, asyncio.Future[Result]]] = {}
        self._reads: dict[str, deque[Any]] = {}
        self._last: dict[str, Any] = {}
        self._over = False
        self._desk: Handlers | None = None
        self.at = Point(0, 0, "the beginning")
        self.here: list[Decided] = []
        """What this run decided."""
        self.there: list[Decided] = []
        """What the recorded run decided, as far as it was read."""
        self.strayed: Strayed | None = None
        self.parted: tuple[Point, str] | None = None
        """Where, and in which words, this run and the recorded one part."""
        self.finished: int | None = None
        """Exit code of the recorded run, None while its last mark was not read."""
        self.commands: list[tuple[Point, str]] = []
        self.unused = 0
        """Turns behind the point where the runs part."""

    # Driving.

    def play(self, make: Callable[[], Callable[[], Coroutine[Any, Any, None]]], stop: Callable[[str], None]) -> None:
        """Put the desk together with `make`, run what it returns, and end it as it was; nothing is left running."""
        asyncio._set_running_loop(self.loop.loop)  # noqa: SLF001 - asyncio offers it to loops, which this is
        self.loop.set_task_factory(self._lanes.factory)
        try:
            first = self._peek()
            if first is None or not isinstance(first.cause, Made):
                self._part("the recording does not say how the desk was put together")
                return
            self._take()
            with on(self._lanes.root):
                running = self.loop.create_task(make()())
            while self.parted is None and self._peek() is not None:
                self._perform(self._take(), stop)
            failed = running.exception() if running.done() and not running.cancelled() else None
            if failed is not None:
                self.parted = self.parted[0] if self.parted else self.at, f"the desk failed: {failed!r}"
            self._read_on()
        finally:
            self._clean()
            asyncio._set_running_loop(None)  # noqa: SLF001 - the same

    def _perform(self, turn: Turn, stop: Callable[[str], None]) -> None:
        match turn.cause:
            case Stepped(number):
                self._step(number)
            case Answered(number, label, result, _):
                self._answer(number, label, result)
            case Ordered(ticket, command, by):
                self.commands.append((self.at, f"{type(command).__name__} by {by}"))
                if self._desk is not None:
                    with on(self._lanes.root):
                        self._desk.on_command(ticket, command, by)
            case Asked(ticket, question):
                if self._desk is not None:
                    with on(self._lanes.root):
                        self._desk.on_question(ticket, question)
            case Stopped(reason):
                with on(self._lanes.root):
                    stop(reason)
            case Finished(code):
                self.finished = code

    def _step(self, number: int) -> None:
        name = self._name(number)
        task = self._tasks.get(name)
        if task is None:
            self._part(f"the recorded desk went on with {name}, which does not exist here")
        elif not self.loop.run_task(task):
            self._part(f"the recorded desk went on with {name}, which has no reason to go on here")
        else:
            self._forget(number, task)

    def _answer(self, number: int, label: str, result: Result) -> None:
        name = self._name(number)
        waiting, task = self._waiting.get(name), self._tasks.get(name)
        if waiting is None or task is None:
            self._part(f"the recorded desk was answered {label} in {name}, which asks for nothing here")
            return
        asked, future = waiting
        if asked != label:
            self._part(f"the recorded desk was answered {label} in {name}, which asks for {asked} here")
            return
        if isinstance(result, Cancelled):
            while not future.cancelled() and self.loop.fire():
                pass  # a deadline of the recorded run: here time does not pass
        elif not future.done():
            future.set_result(result)
        if not self.loop.run_task(task):
            self._part(f"the recorded desk gave up {label} in {name}, which nothing ends here")
            return
        self._forget(number, task)

    def _forget(self, number: int, task: asyncio.Task[Any]) -> None:
        """Let go of a task that ended: a day makes a million of them."""
        if task.done():
            self._tasks.pop(self._names.pop(number, ""), None)

    def _name(self, number: int) -> str:
        return self._names.get(number, f"task {number}")

    def _note_task(self, lane: Lane, task: asyncio.Task[Any]) -> None:
        self._tasks[lane.name] = task

    # Turns.

    def _peek(self) -> Turn | None:
        if self._ahead is None:
            try:
                self._ahead = next(self._turns, None)
            except InputsError as error:
                self._part(str(error))
        return self._ahead

    def _take(self) -> Turn:
        turn, self._ahead = self._peek(), None
        assert turn is not None
        self._leftover()
        self._names.update(turn.born)
        reads: dict[str, deque[Any]] = {}
        for what, value in zip(turn.reads[::2], turn.reads[1::2], strict=True):
            reads.setdefault(what, deque()).append(value)
        self._reads = reads
        walls = reads.get(WALL)
        self.at = Point(self.at.turn + 1, walls[0] if walls else self.at.time, words(turn.cause, self._names))
        self.there += [Decided(one, self.at) for one in turn.decided]
        return turn

    def _leftover(self) -> None:
        """Note the readings of the turn that ends which nobody made."""
        for what, values in self._reads.items():
            if values:
                self._stray(what, len(values))
                self._last[what] = values[-1]

    def _stray(self, what: str, count: int = 1) -> None:
        before = self.strayed
        self.strayed = Strayed(self.at, what, count) if before is None else before._replace(times=before.times + count)

    def _part(self, words: str) -> None:
        if self.parted is None:
            self.parted = self.at, words

    def _read_on(self) -> None:
        """Read what the recorded run decided behind the point where the runs part."""
        while self._peek() is not None:
            self._reads = {}
            turn = self._take()
            self.unused += 1
            if isinstance(turn.cause, Finished):
                self.finished = turn.cause.exit_code

    def _clean(self) -> None:
        self._over = True
        for _ in range(CLEANING_ROUNDS):
            left = [task for task in self._tasks.values() if not task.done()]
            for task in left:
                task.cancel()
            self.loop.run_all()
            if not left:
                return

    # The gate.

    def read(self, what: str, work: Callable[[], T]) -> T:
        """Return the recorded reading; the last one again, or one of this world, where none is left."""
        values = self._reads.get(what)
        if values:
            self._last[what] = value = values.popleft()
            return value  # type: ignore[no-any-return]
        if not self._over:
            self._stray(what)
        return self._last[what] if what in self._last else work()

    async def wait(
        self, label: str, work: Callable[[], Awaitable[T]], keep: Callable[[T], Result], give: Callable[[Result], T]
    ) -> T:
        """Return the recorded answer when its turn has come. Raises what the port raised."""
        del work, keep
        lane = LANE.get()
        assert lane is not None
        result = self._at_once(lane, label)
        if result is None:
            future: asyncio.Future[Result] = self.loop.create_future()
            self._waiting[lane.name] = label, future
            try:
                result = await future
            finally:
                self._waiting.pop(lane.name, None)
        raise_fault(result)
        return give(result)

    def _at_once(self, lane: Lane, label: str) -> Result | None:
        """Return an answer that came without waiting, None where the recorded desk waited."""
        ahead = None if self._over or self.parted is not None else self._peek()
        if ahead is None or not isinstance(ahead.cause, Answered) or ahead.cause.waited:
            return None
        name = dict(ahead.born).get(ahead.cause.lane) or self._name(ahead.cause.lane)
        if name != lane.name:
            return None
        self._take()
        if ahead.cause.label != label:
            self._part(f"the recorded desk was answered {ahead.cause.label} in {name}, which asks for {label} here")
            return None
        return ahead.cause.result

    def decided(self, decision: Decision) -> None:
        """Keep what the desk decided."""
        if not self._over:
            self.here.append(Decided((decision.time, decision.what, decision.digest), self.at))

    def between(self, desk: Handlers) -> Handlers:
        """Learn where recorded commands and questions go."""
        self._desk = desk
        return desk
