"""A process that is killed while it writes its journal."""

from __future__ import annotations

import random
import signal
import subprocess
import sys

import pytest

from engine.adapters.disk import DirectoryDisk
from engine.journal.log import JournalLog, replay, verify

WRITER = """
import sys
from pathlib import Path
from engine.adapters.disk import DirectoryDisk
from engine.adapters.journal_writer import JournalWriter
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog
from engine.journal.record import EventRecord

log = JournalLog(DirectoryDisk(Path(sys.argv[1])), segment_bytes=20_000)
log.open()
writer = JournalWriter(log)
number = log.next_seq
while True:
    for _ in range(7):
        event = Event(number, number, EventKind.SYSTEM, Severity.INFO, "x" * (number % 200))
        writer.write(EventRecord(number, f"e{number}", event=event))
        number += 1
    assert writer.flush(10)
    print(number - 1, flush=True)
"""


@pytest.mark.parametrize("round_seed", range(3))
def test_a_killed_writer_loses_no_acknowledged_record(tmp_path, round_seed):
    """Kill -9 at random moments, three lives on the same folder: what was acknowledged is there, once, in order."""
    chance = random.Random(round_seed)
    acknowledged = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            lines = [process.stdout.readline() for _ in range(chance.randrange(1, 12))]
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.read().splitlines()
        acknowledged = int([text for text in lines if text.strip()][-1])
        disk = DirectoryDisk(tmp_path)
        assert JournalLog(disk).open().damage == ()
        seqs = [entry.seq for entry in replay(disk)]
        refs = [entry.record.ref for entry in replay(disk)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert refs == [f"e{seq}" for seq in seqs]
        assert len(seqs) >= acknowledged
        assert verify(disk).faults == ()
        disk.close()
    assert acknowledged > 20
