"""What must hold for every journal: it returns what was written, loses only a torn end, and finds every changed bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adapters.memory_disk import MemoryDisk
from engine.events import Event, EventKind, Severity
from engine.journal.frames import FRAME_SIZE, HEADER_SIZE, read_segment
from engine.journal.log import JournalLog, replay, verify
from engine.journal.record import ChangeRecord, EventRecord
from engine.ports import DiskError

texts = st.text(max_size=40)
records = st.one_of(
    st.builds(
        lambda time, ref, text: EventRecord(
            time, ref, event=Event(0, time, EventKind.SYSTEM, Severity.INFO, text, ref=ref)
        ),
        st.integers(0, 2**53),
        texts,
        texts,
    ),
    st.builds(
        lambda time, name, new: ChangeRecord(time, what="flag", name=name, old="", new=new, by="x"),
        st.integers(0, 2**53),
        texts,
        texts,
    ),
)
batches = st.lists(st.lists(records, min_size=1, max_size=4), min_size=1, max_size=6)
small = settings(max_examples=60, deadline=None)


def written(parts, segment_bytes=400):
    disk = MemoryDisk()
    log = JournalLog(disk, segment_bytes)
    log.open()
    for batch in parts:
        log.append(batch)
    return disk, [record for batch in parts for record in batch]


def back(disk):
    return [entry.record for entry in replay(disk)]


@small
@given(batches)
def test_replay_equals_what_was_written_and_the_chain_holds(parts):
    disk, expected = written(parts)
    entries = list(replay(disk))
    assert [entry.record for entry in entries] == expected
    assert [entry.seq for entry in entries] == list(range(1, len(expected) + 1))
    assert verify(disk).faults == ()


@small
@given(batches, st.data())
def test_any_truncation_loses_only_records_behind_it_and_the_log_goes_on(parts, data):
    disk, expected = written(parts, segment_bytes=1 << 20)
    name = disk.names("journal/")[0]
    whole = bytes(disk.files[name])
    size = data.draw(st.integers(0, len(whole)))
    del disk.files[name][size:]
    ends = [HEADER_SIZE]
    for payload in read_segment(whole, 1).payloads:
        ends.append(ends[-1] + FRAME_SIZE + len(payload))
    kept = back(disk)
    assert kept == expected[: sum(end <= size for end in ends[1:])]
    log = JournalLog(disk, 1 << 20)
    found = log.open()
    assert found.damage == ()
    assert found.next_seq == len(kept) + 1
    assert found.cut_bytes == size - max((end for end in ends if end <= size), default=0)
    log.append(expected[len(kept) :] or [expected[-1]])
    assert back(disk)[: len(expected)] == expected
    assert verify(disk).faults == ()


@small
@given(batches, st.integers(0, 40))
def test_a_power_cut_loses_nothing_that_was_acknowledged(parts, keep_unsynced):
    disk, expected = written(parts)
    log = JournalLog(disk)
    log.open()
    disk.fault = lambda operation, name: "power" if operation == "sync" else None
    with pytest.raises(DiskError, match="power"):
        log.append([expected[0]])
    disk.fault = None
    disk.crash(keep_unsynced)
    assert JournalLog(disk).open().damage == ()
    assert back(disk)[: len(expected)] == expected


@small
@given(batches, st.data())
def test_a_changed_bit_is_found_and_never_read_as_a_record(parts, data):
    disk, expected = written(parts)
    names = disk.names("journal/")
    name = data.draw(st.sampled_from(names))
    place = data.draw(st.integers(0, len(disk.files[name]) - 1))
    disk.files[name][place] ^= 1 << data.draw(st.integers(0, 7))
    verdict = verify(disk)
    assert verdict.faults or verdict.notes
    assert all(record in expected for record in back(disk))
    hurt = bytes(disk.files[name])
    log = JournalLog(disk)
    log.open()
    log.append([expected[0]])
    assert back(disk)[-1] == expected[0]
    kept_aside = [bytes(disk.files[other]) for other in disk.names("journal/") if other.startswith(name[:-4])]
    assert any(hurt.startswith(part) or hurt.endswith(part) or part.startswith(hurt) for part in kept_aside)


@small
@given(batches, st.data())
def test_damage_before_the_last_record_is_called_damage(parts, data):
    disk, expected = written(parts, segment_bytes=1 << 20)
    name = disk.names("journal/")[0]
    log = JournalLog(disk, 1 << 20)
    log.open()
    end = len(disk.files[name])
    log.append([expected[0]])
    place = data.draw(st.integers(HEADER_SIZE, end - 1))
    disk.files[name][place] ^= 1 << data.draw(st.integers(0, 7))
    assert verify(disk).faults
    assert len(JournalLog(disk).open().damage) == 1


@small
@given(batches, batches)
def test_numbers_are_never_given_twice_over_restarts(first, second):
    disk, expected = written(first)
    log = JournalLog(disk, 400)
    assert log.open().next_seq == len(expected) + 1
    for batch in second:
        log.append(batch)
    seqs = [entry.seq for entry in replay(disk)]
    assert seqs == list(range(1, len(seqs) + 1))
