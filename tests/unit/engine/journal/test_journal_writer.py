"""The journal's thread: group commit, a refusing disk, pressure, the view behind it."""

from __future__ import annotations

import sqlite3
import threading

from engine.adapters.disk import DirectoryDisk
from engine.adapters.journal_writer import JournalWriter
from engine.adapters.memory_disk import MemoryDisk
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog, replay, verify
from engine.journal.queue import RecordQueue
from engine.journal.record import ChangeRecord, EventRecord
from engine.journal.view import open_view


def line(number):
    return EventRecord(number, f"e{number}", event=Event(number, number, EventKind.SYSTEM, Severity.INFO, "text"))


def change(number):
    return ChangeRecord(number, f"c{number}", what="flag", name="F", old="0", new="1", by="x")


def opened(disk):
    log = JournalLog(disk)
    log.open()
    return log


def test_everything_written_is_durable_after_close_and_syncs_are_shared():
    syncs = []
    disk = MemoryDisk(lambda operation, name: syncs.append(name) if operation == "sync" else None)
    writer = JournalWriter(opened(disk))
    for number in range(3000):
        writer.write(line(number))
    assert writer.flush(10)
    assert (writer.records, writer.durable, writer.failed, writer.lag_ms) == (3000, 3000, None, 0.0)
    assert len(syncs) < 300
    assert writer.close(10)
    assert [entry.record.ref for entry in replay(disk)] == [f"e{number}" for number in range(3000)]
    writer.write(line(0))
    assert writer.failed == "the journal is closed"


def test_a_refusing_disk_is_told_and_nothing_is_lost_when_it_recovers(monkeypatch):
    monkeypatch.setattr("engine.adapters.journal_writer.RETRY_S", 0.01)
    disk = MemoryDisk()
    writer = JournalWriter(opened(disk))
    refused = threading.Event()

    def full(operation, name):
        if operation != "append":
            return None
        refused.set()
        return "No space left on device"

    disk.fault = full
    writer.write(line(1))
    assert refused.wait(10)
    assert not writer.flush(0.05)
    assert "No space left" in (writer.failed or "")
    assert writer.lag_ms > 0
    writer.write(line(2))
    disk.fault = None
    assert writer.flush(10)
    assert writer.failed is None
    assert writer.close(10)
    assert [entry.record.ref for entry in replay(disk)] == ["e1", "e2"]


def test_closing_on_a_dead_disk_ends_and_says_so(monkeypatch):
    monkeypatch.setattr("engine.adapters.journal_writer.RETRY_S", 0.01)
    disk = MemoryDisk()
    log = opened(disk)
    disk.fault = lambda operation, name: "Input/output error"
    writer = JournalWriter(log)
    writer.write(line(1))
    assert not writer.close(10)
    assert "Input/output error" in (writer.failed or "")


def test_under_pressure_log_lines_go_first_and_a_full_queue_is_a_failure():
    queue = RecordQueue(capacity=10)
    for number in range(8):
        assert queue.put(line(number))
    assert not queue.put(line(8))
    assert queue.put(change(8))
    assert queue.put(change(9))
    assert not queue.put(change(10))
    assert (queue.shed, queue.refused, len(queue)) == (1, 1, 10)
    writer = JournalWriter(opened(MemoryDisk()), queue=queue)
    assert "1 records are lost" in (writer.failed or "")
    writer.close(10)


def test_the_view_follows_the_log(tmp_path):
    disk = DirectoryDisk(tmp_path)
    path = tmp_path / "journal.sqlite"
    reader = DirectoryDisk(tmp_path)

    def view():
        return open_view(path, lambda after: replay(reader, after=after))

    writer = JournalWriter(opened(disk), view)
    for number in range(1, 51):
        writer.write(line(number))
    assert writer.close(10)
    assert writer.view_fault is None
    rows = sqlite3.connect(path)
    assert rows.execute("SELECT count(*), max(seq) FROM events").fetchone() == (50, 50)
    rows.close()


def test_a_view_that_fails_never_holds_up_the_log():
    disk = MemoryDisk()

    class Broken:
        def apply(self, entries):
            raise sqlite3.OperationalError("database is locked")

        def close(self):
            pass

    writer = JournalWriter(opened(disk), Broken)
    writer.write(line(1))
    assert writer.flush(10)
    writer.write(line(2))
    assert writer.close(10)
    assert "catches up at the next start" in (writer.view_fault or "")
    assert verify(disk).records == 2


def test_a_view_that_cannot_be_opened_is_told():
    disk = MemoryDisk()

    def refuse():
        raise OSError("read-only file system")

    writer = JournalWriter(opened(disk), refuse)
    writer.write(line(1))
    assert writer.close(10)
    assert "read-only file system" in (writer.view_fault or "")
    assert writer.failed is None


def test_a_fault_of_the_writer_itself_shows_as_failure(monkeypatch):
    log = opened(MemoryDisk())
    monkeypatch.setattr(log, "append", lambda records: 1 / 0)
    writer = JournalWriter(log)
    writer.write(line(1))
    assert not writer.close(10)
    assert "ZeroDivisionError" in (writer.failed or "")
