"""The decisions of a recorded session in a live journal."""

import pytest

from engine.adapters.memory_disk import MemoryDisk
from engine.inputs.against import NOWHERE, decided_in
from engine.inputs.player import Decided, Point
from engine.inputs.records import SCHEMA, Beginning, InputsError
from engine.journal.log import JournalLog
from engine.journal.record import ChangeRecord, SessionRecord, SignalRecord
from engine.strategy.candidate import Candidate, Direction, StrategyName

BEGINNING = Beginning(SCHEMA, "1", "s2", 1, "simulator", "memory", 1.0, "{}", "abc", [], True, 0.1, 0.25)


CANDIDATE = Candidate(StrategyName.ICT, "BTCUSDT", Direction.LONG, "sweep", 100.0, 99.0, (102.0,), 0.7, {}, (), 1)
SIGNALS = [SignalRecord(time, f"sig-{time}", candidate=CANDIDATE, state="accepted") for time in range(1, 5)]


def start(session, version="1", settings_hash="abc"):
    return SessionRecord(1, session, event="start", version=version, settings_hash=settings_hash)


def journal(*records):
    disk = MemoryDisk()
    log = JournalLog(disk)
    log.open()
    log.append([SIGNALS[one] if isinstance(one, int) else one for one in records])
    return disk


def test_only_the_recorded_session_counts():
    note = ChangeRecord(3, what="mode", name="m", old="a", new="b", by="me")
    disk = journal(start("s1"), 0, start("s2"), 1, note, 2, start("s3"), 3)
    found = decided_in(disk, BEGINNING, [])
    assert [one.decision[0] for one in found] == [2, 3]
    assert [one.at for one in found] == [NOWHERE, NOWHERE]


def test_a_decision_that_the_recording_knows_stands_at_its_input():
    disk = journal(start("s2"), 1)
    (plain,) = decided_in(disk, BEGINNING, [])
    known = [Decided(plain.decision, Point(7, 2, "sleep done"))]
    assert decided_in(disk, BEGINNING, known) == known


def test_a_journal_without_the_session_is_refused():
    with pytest.raises(InputsError, match=r"does not hold session s2.*name the data directory of that run"):
        decided_in(journal(start("s1"), 0), BEGINNING, [])
    with pytest.raises(InputsError, match="does not hold session s2"):
        decided_in(MemoryDisk(), BEGINNING, [])


@pytest.mark.parametrize("more", [{"version": "2"}, {"settings_hash": "xyz"}])
def test_a_session_of_another_version_or_configuration_is_refused(more):
    with pytest.raises(InputsError, match="name the data directory of the recorded run"):
        decided_in(journal(start("s2", **more)), BEGINNING, [])


def test_a_journal_that_cannot_be_read_is_told():
    disk = journal(start("s2"))
    disk.fault = lambda operation, _name: "input/output error" if operation == "read" else None
    with pytest.raises(InputsError, match="the journal cannot be read"):
        decided_in(disk, BEGINNING, [])
