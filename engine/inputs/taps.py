"""Everything of a desk that a gate stands in: its ports, its journal, and what the process knows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.backtest.desk import canonical
from engine.inputs import outcomes
from engine.inputs.port_taps import TappedClock, TappedDialer, TappedDisk, TappedEntropy, TappedInfer, TappedRest
from engine.inputs.records import INSTANT
from engine.ports import Ports

if TYPE_CHECKING:
    from engine.desk import Vitals
    from engine.inputs.gate import Gate
    from engine.journal.journal import DurableJournal
    from engine.journal.record import Record


class TappedVitals:
    """What the process knows of itself."""

    def __init__(self, inner: Vitals, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def lag(self) -> tuple[float, float]:
        """Return the loop's lateness."""
        p99, maximum = self._gate.read("lag", self._inner.lag)
        return p99, maximum

    def memory_mb(self) -> float:
        """Return the resident memory."""
        return self._gate.read("memory", self._inner.memory_mb)

    def restarts(self) -> int:
        """Return how often the engine was started again of late."""
        return self._gate.read("restarts", self._inner.restarts)

    def instant(self) -> float:
        """Return the machine's monotonic clock."""
        return self._gate.read(INSTANT, self._inner.instant)


class TappedJournal:
    """The journal: what it says of itself is read, what is written to it is looked through for decisions."""

    def __init__(self, inner: DurableJournal, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    @property
    def records(self) -> int:
        """Return how many records were taken."""
        return self._gate.read("records", lambda: self._inner.records)

    @property
    def durable(self) -> int:
        """Return how many of them are durable."""
        return self._gate.read("durable", lambda: self._inner.durable)

    @property
    def lag_ms(self) -> float:
        """Return the age of the oldest record that is not."""
        return self._gate.read("journal lag", lambda: self._inner.lag_ms)

    @property
    def failed(self) -> str | None:
        """Return why records cannot be kept."""
        return self._gate.read("journal failed", lambda: self._inner.failed)

    @property
    def view_fault(self) -> str | None:
        """Return why the view is not kept."""
        return self._gate.read("view fault", lambda: self._inner.view_fault)

    def write(self, record: Record) -> None:
        """Take a record."""
        self._note(record)
        self._inner.write(record)

    async def commit(self, record: Record, deadline: float) -> bool:
        """Take a record and return whether it is durable."""
        self._note(record)
        return await self._gate.wait(
            "commit", lambda: self._inner.commit(record, deadline), outcomes.keep_durable, outcomes.give_durable
        )

    def flush(self, deadline: float) -> bool:
        """Wait until everything taken is durable."""
        return self._gate.read("flush", lambda: self._inner.flush(deadline))

    def close(self, deadline: float) -> bool:
        """Flush and stop."""
        return self._inner.close(deadline)

    def _note(self, record: Record) -> None:
        decision = canonical(record)
        if decision is not None:
            self._gate.decided(decision)


class Tapped(NamedTuple):
    """Everything of a desk that a gate stands in."""

    ports: Ports
    journal: TappedJournal
    vitals: TappedVitals


def tap(ports: Ports, journal: DurableJournal, vitals: Vitals, gate: Gate) -> Tapped:
    """Put a gate into everything through which a desk reaches the world."""
    scrub = gate.scrub
    return Tapped(
        Ports(
            TappedClock(ports.clock, gate),
            TappedRest(ports.rest, gate, scrub),
            TappedDialer(ports.dialer, gate, scrub),
            TappedDisk(ports.disk, gate),
            TappedEntropy(ports.entropy, gate),
            TappedInfer(ports.infer, gate),
        ),
        TappedJournal(journal, gate),
        TappedVitals(vitals, gate),
    )
