"""A fault plan at work on one venue: requests, frames, connections and moments, and the count of what struck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import RefusalError
from exchange.simulator.faults.actions import ActionError
from exchange.simulator.faults.chance import Chance
from exchange.simulator.faults.frames import Tamper
from exchange.simulator.faults.plan import Action, FaultPlan, PlanError, RefuseConnections
from exchange.simulator.faults.requests import RequestFaults

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from exchange.ports import RestAnswer
    from exchange.simulator.connection import Connection
    from exchange.simulator.faults.requests import Fate, Request
    from exchange.simulator.questions import OpenQuestions


class Injector:
    """The faults of one venue. Pure: time is an argument, chances come from the plan's seed."""

    def __init__(
        self,
        plan: FaultPlan,
        opened_ms: int,
        execute: Callable[[Request], RestAnswer],
        act: Callable[[object], None],
        questions: OpenQuestions,
    ) -> None:
        """Take the plan, the venue's opening, how it executes a request and carries out an action, its questions."""
        self._chances = [Chance(fault, plan.seed, place) for place, fault in enumerate(plan.fault)]
        self._opened_ms = opened_ms
        self._now_ms = opened_ms
        self._act = act
        self._requests = RequestFaults(self._chances, execute, questions)
        self._refusals = [chance for chance in self._chances if isinstance(chance.fault, RefuseConnections)]
        self._moments = sorted(
            (moment, place)
            for place, fault in enumerate(plan.fault)
            if isinstance(fault, Action)
            for moment in fault.at
        )
        self._tampers: dict[Connection, Tamper] = {}

    def second(self) -> float:
        """Return the simulated seconds since the venue opened."""
        return (self._now_ms - self._opened_ms) / 1000

    def step(self, now_ms: int) -> None:
        """Let time pass: late requests are executed, late frames go out, what was planned for a moment happens."""
        self._now_ms = now_ms
        self._requests.run_late(now_ms)
        for session, tamper in self._tampers.items():
            for frame in tamper.due():
                session.queue(frame)
        while self._moments and self._moments[0][0] <= self.second():
            chance = self._chances[self._moments.pop(0)[1]]
            if chance.strikes(self.second()) and isinstance(chance.fault, Action):
                try:
                    self._act(chance.fault.do)
                except (ActionError, PlanError, RefusalError) as refusal:
                    chance.refused = str(refusal)

    def release(self) -> None:
        """Let go of what is held back, because the plan ends: late requests are executed, late frames go out."""
        self._requests.run_all()
        for session, tamper in self._tampers.items():
            for frame in tamper.rest():
                session.queue(frame)

    def serve(self, request: Request) -> Fate:
        """Decide the fate of a request that arrives now."""
        return self._requests.serve(request, self._now_ms, self.second())

    def refuses_connection(self) -> bool:
        """Say whether a new socket gets no handshake now."""
        return any(chance.strikes(self.second()) for chance in self._refusals)

    def watch(self, session: Connection) -> None:
        """Tamper with a new session's frames where the plan says so."""
        tamper = Tamper(self._chances, session.route.value, self.second)
        if not tamper.is_idle:
            self._tampers[session] = tamper
            session.tamper = tamper.of

    def forget(self, session: Connection) -> None:
        """Let go of a session that ended."""
        self._tampers.pop(session, None)

    def report(self) -> list[dict[str, Any]]:
        """Return per fault of the plan its occasions and strikes, and why an action of it could not be done."""
        return [
            {
                "id": chance.fault.id or chance.fault.name,
                "kind": chance.fault.name,
                "seen": chance.seen,
                "struck": chance.struck,
                "refused": chance.refused,
            }
            for chance in self._chances
        ]
