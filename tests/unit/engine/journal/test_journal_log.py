"""The append-only log over a disk in memory."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.adapters.memory_disk import MemoryDisk
from engine.commands import SetMode
from engine.events import Event, EventKind, Severity
from engine.journal.journal import InlineJournal
from engine.journal.log import JournalLog, replay, verify
from engine.journal.record import (
    ChangeRecord,
    CommandRecord,
    EventRecord,
    Kind,
    PositionRecord,
    SessionRecord,
)
from engine.ports import DiskError
from engine.positions.lifecycle import EventName, PositionEvent


def line(number: int) -> EventRecord:
    return EventRecord(
        1000 + number, f"e{number}", event=Event(number, 1000, EventKind.SYSTEM, Severity.INFO, "x" * 50)
    )


def opened(disk: MemoryDisk, segment_bytes: int = 8 << 20) -> JournalLog:
    log = JournalLog(disk, segment_bytes)
    log.open()
    return log


def refs(disk: MemoryDisk, **how: object) -> list[str]:
    return [entry.record.ref for entry in replay(disk, **how)]


def test_records_of_every_shape_come_back_equal():
    disk = MemoryDisk()
    life = PositionEvent(
        EventName.CLOSED, "V1", "BTCUSDT", "ict", 5, 100.0, 1.5, 0.3, 2.0, -1.0, None, "stop", net=Decimal("1.25")
    )
    written = [
        SessionRecord(1, "s1", event="start", version="0.1.0", seed=7),
        PositionRecord(5, "V1", "S1", event=life),
        CommandRecord(6, "c1", by="operator", command=SetMode("ict"), outcome="done", old="hybrid", new="ict"),
        ChangeRecord(7, what="flag", name="ENABLE_QUANTIZATION", old="on", new="off", by="operator"),
        line(1),
    ]
    opened(disk).append(written)
    assert [entry.record for entry in replay(disk)] == written
    assert [entry.seq for entry in replay(disk)] == [1, 2, 3, 4, 5]


def test_a_second_session_continues_the_numbers_and_the_chain():
    disk = MemoryDisk()
    opened(disk).append([line(1), line(2)])
    second = JournalLog(disk)
    assert second.open().next_seq == 3
    second.append([line(3)])
    assert [entry.seq for entry in replay(disk)] == [1, 2, 3]
    verdict = verify(disk)
    assert (verdict.faults, verdict.records) == ((), 3)


def test_full_segments_are_followed_by_new_ones():
    disk = MemoryDisk()
    log = opened(disk, segment_bytes=500)
    for number in range(20):
        log.append([line(number)])
    assert len(disk.names("journal/")) > 3
    assert refs(disk) == [f"e{number}" for number in range(20)]
    assert verify(disk).faults == ()


def test_records_are_read_by_kind_and_from_a_number_on():
    disk = MemoryDisk()
    log = opened(disk, segment_bytes=500)
    for number in range(1, 10):
        log.append([line(number), SessionRecord(number, f"s{number}", event="start")])
    assert len(disk.names("journal/")) > 2
    assert refs(disk, kinds={Kind.SESSION}) == [f"s{number}" for number in range(1, 10)]
    assert refs(disk, after=13) == ["s7", "e8", "s8", "e9", "s9"]
    assert refs(disk, after=18) == []


def test_a_torn_end_is_cut_kept_aside_and_written_over():
    disk = MemoryDisk()
    opened(disk).append([line(1), line(2)])
    whole = bytes(disk.files["journal/00000001.log"])
    del disk.files["journal/00000001.log"][-10:]
    found = JournalLog(disk).open()
    assert found.next_seq == 2
    assert found.cut_bytes > 0
    assert found.damage == ()
    opened(disk).append([line(2)])
    assert bytes(disk.files["journal/00000001.log"]) == whole
    assert verify(disk).faults == ()
    assert any("kept aside" in note for note in verify(disk).notes)


def test_a_damaged_middle_is_set_aside_unchanged_and_the_desk_goes_on_behind_it():
    disk = MemoryDisk()
    opened(disk).append([line(number) for number in range(5)])
    data = disk.files["journal/00000001.log"]
    data[len(data) // 2] ^= 1
    hurt = bytes(data)
    log = JournalLog(disk)
    found = log.open()
    assert len(found.damage) == 1
    assert "set aside" in found.damage[0]
    assert bytes(disk.files["journal/00000001.bad"]) == hurt
    log.append([line(9)])
    seen = list(replay(disk))
    assert [entry.record.ref for entry in seen] == ["e0", "e1", "e9"]
    assert seen[-1].seq > 5
    assert verify(disk).faults
    again = JournalLog(disk)
    assert again.open() == (seen[-1].seq + 1, 0, ())


def test_a_hurt_header_does_not_give_numbers_twice():
    disk = MemoryDisk()
    log = opened(disk, segment_bytes=500)
    for number in range(12):
        log.append([line(number)])
    newest = disk.names("journal/")[-1]
    given = max(entry.seq for entry in replay(disk))
    disk.files[newest][6] ^= 255
    found = JournalLog(disk).open()
    assert len(found.damage) == 1
    assert found.next_seq > given


def test_a_taken_out_record_breaks_the_chain():
    disk = MemoryDisk()
    log = opened(disk)
    ends = []
    for number in range(3):
        log.append([line(number)])
        ends.append(len(disk.files["journal/00000001.log"]))
    del disk.files["journal/00000001.log"][ends[0] : ends[1]]
    assert "continue the chain" in verify(disk).faults[0]


def test_a_missing_segment_is_named():
    disk = MemoryDisk()
    log = opened(disk, segment_bytes=300)
    for number in range(9):
        log.append([line(number)])
    disk.remove("journal/00000002.log")
    assert any("segment 2 is missing" in fault for fault in verify(disk).faults)


@pytest.mark.parametrize(("operation", "torn"), [("append", 0), ("append", 37), ("sync", 0)])
def test_a_refused_append_can_be_repeated_and_nothing_is_twice(operation, torn):
    disk = MemoryDisk(torn=torn)
    log = opened(disk)
    log.append([line(1)])
    disk.fault = lambda asked, name: "No space left on device" if asked == operation else None
    with pytest.raises(DiskError, match="No space left"):
        log.append([line(2), line(3)])
    disk.fault = None
    log.append([line(2), line(3)])
    assert refs(disk) == ["e1", "e2", "e3"]
    assert verify(disk).faults == ()


def test_a_refused_first_append_of_a_new_segment_can_be_repeated():
    disk = MemoryDisk(torn=50)
    log = opened(disk)
    disk.fault = lambda asked, name: "Input/output error" if asked == "append" else None
    with pytest.raises(DiskError):
        log.append([line(1)])
    disk.fault = None
    log.append([line(1)])
    log_two = JournalLog(disk)
    assert log_two.open() == (2, 0, ())


def test_an_inline_journal_says_that_the_disk_refuses_and_catches_up():
    disk = MemoryDisk()
    journal = InlineJournal(opened(disk))
    journal.write(line(1))
    disk.fault = lambda asked, name: "No space left on device" if asked == "append" else None
    journal.write(line(2))
    assert "No space left" in (journal.failed or "")
    assert (journal.records, journal.durable) == (2, 1)
    disk.fault = None
    journal.write(line(3))
    assert journal.failed is None
    assert refs(disk) == ["e1", "e2", "e3"]
    assert journal.close(1.0)
    journal.write(line(4))
    assert journal.failed == "the journal is closed"


def test_a_record_that_cannot_be_encoded_leaves_a_trace_instead_of_a_gap():
    disk = MemoryDisk()
    opened(disk).append([ChangeRecord(1, "r", what="flag", name=object(), old="", new="", by="x")])
    (entry,) = replay(disk)
    assert isinstance(entry.record, EventRecord)
    assert "could not be written" in entry.record.event.text
