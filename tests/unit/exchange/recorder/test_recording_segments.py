import contextlib
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.recorder.manifest import Manifest, SessionError, decode_manifest, encode_manifest
from exchange.recorder.reading import SessionReader
from exchange.recorder.records import SCHEMA, Answer, Frame, Note, RecordError, decode, encode
from exchange.recorder.segment import HEADER_SIZE, FaultKind, SegmentEncoder, SegmentReader
from exchange.recorder.verify import verify_session
from exchange.recorder.writer import SessionWriter, WriterLimits

SESSION = "0123456789abcdef"
instants = st.integers(0, 2**62)
records = st.one_of(
    st.builds(Frame, instants, st.integers(0, 2**32 - 1), st.binary(max_size=200)),
    st.builds(Answer, instants, instants, st.text(), st.text(), st.integers(0, 599), st.binary(max_size=200)),
    st.builds(Note, instants, st.text(), st.text()),
)


def manifest(**more):
    fields = {
        "schema": SCHEMA,
        "session": SESSION,
        "venue": "test",
        "rest_url": "http://127.0.0.1:1",
        "stream_url": "ws://127.0.0.1:1",
        "symbols": ("BTCUSDT",),
        "streams": ("bookTicker",),
        "intervals": ("1m",),
        "started_us": 1,
    }
    return Manifest(**fields | more)


def segment(blocks):
    encoder = SegmentEncoder(1, SESSION.encode())
    data = encoder.header
    ends = []
    for block in blocks:
        for record in block:
            encoder.add(record)
        data += encoder.flush()
        ends.append(len(data))
    return data, ends


def read(data, number=1):
    reader = SegmentReader(data, number, SESSION.encode())
    return list(reader.records()), reader


@given(records)
def test_a_record_reads_back_as_it_was(record):
    assert decode(encode(record)) == record


@given(st.binary(max_size=40))
def test_bytes_that_are_no_record_are_refused_by_name_or_decode(data):
    # Nothing else may escape from the decoder.
    with contextlib.suppress(RecordError):
        assert isinstance(decode(data), Frame | Answer | Note)


@given(st.lists(st.lists(records, min_size=1, max_size=5), min_size=1, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_a_tail_torn_anywhere_costs_only_the_block_it_is_in(blocks, data):
    whole, ends = segment(blocks)
    cut = data.draw(st.integers(0, len(whole)))
    kept, reader = read(whole[:cut])
    expected = [record for block, end in zip(blocks, ends, strict=True) if end <= cut for record in block]
    assert kept == expected
    if cut in (HEADER_SIZE, *ends):
        assert not reader.faults
    else:
        assert [fault.kind for fault in reader.faults] == [FaultKind.TORN]


@given(st.lists(st.lists(records, min_size=1, max_size=4), min_size=2, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_a_flipped_byte_costs_at_most_the_block_it_is_in(blocks, data):
    whole, ends = segment(blocks)
    at = data.draw(st.integers(HEADER_SIZE, len(whole) - 1))
    broken = bytearray(whole)
    broken[at] ^= data.draw(st.integers(1, 255))
    kept, reader = read(bytes(broken))
    hit = next(number for number, end in enumerate(ends) if at < end)
    assert kept == [record for number, block in enumerate(blocks) if number != hit for record in block]
    last = hit == len(blocks) - 1
    assert [fault.kind for fault in reader.faults] == [FaultKind.TORN if last else FaultKind.DAMAGED]


def test_a_segment_is_an_ordinary_zstd_file():
    data, _ = segment([[Frame(1, 1, b"one")], [Frame(2, 1, b"two")]])
    unpacked = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    assert b"one" in unpacked
    assert b"two" in unpacked


def test_a_segment_of_another_session_or_number_is_foreign():
    data, _ = segment([[Frame(1, 1, b"one")]])
    kept, reader = read(data, number=2)
    assert kept == []
    assert [fault.kind for fault in reader.faults] == [FaultKind.FOREIGN]


def test_a_manifest_of_another_schema_is_refused_with_the_remedy():
    data = encode_manifest(manifest(schema=SCHEMA + 1))
    with pytest.raises(SessionError, match="record it again"):
        decode_manifest(data, "manifest.json")


def test_a_session_survives_its_writer_in_order_over_many_segments(tmp_path):
    writer = SessionWriter(tmp_path / "one", manifest(), WriterLimits(segment_bytes=1024))
    sent = [Frame(number, 1, number.to_bytes(8, "big") * 200) for number in range(1, 301)]
    for record in sent:
        writer.put(record)
        if record.at_us % 50 == 0:
            time.sleep(0.6)  # lets the thread flush, so that segments fill up
    assert writer.close(ended_us=7)
    reader = SessionReader(tmp_path / "one")
    assert list(reader.records()) == sent
    assert not reader.faults
    assert reader.manifest.ended_us == 7
    assert reader.manifest.counts.frames == 300
    assert len(reader.manifest.segments) > 1
    assert sum(entry.records for entry in reader.manifest.segments) == 300
    assert reader.manifest.counts.stored_bytes == sum(path.stat().st_size for path in (tmp_path / "one").glob("*.zst"))


def test_a_writer_that_is_behind_gives_up_records_and_says_how_many(tmp_path):
    writer = SessionWriter(tmp_path / "one", manifest(), WriterLimits(waiting_bytes=100))
    for number in range(50):
        writer.put(Frame(number, 1, b"x" * 60))
    assert not writer.close(ended_us=1)
    kept = list(SessionReader(tmp_path / "one").records())
    frames = sum(isinstance(record, Frame) for record in kept)
    assert writer.counts.dropped == 50 - frames > 0
    assert any(isinstance(record, Note) and "given up" in record.text for record in kept)


def test_a_disk_that_is_full_for_a_while_costs_nothing_and_is_told(tmp_path, monkeypatch):
    writer = SessionWriter(tmp_path / "one", manifest(), WriterLimits(segment_bytes=1024))
    real, refusals = os.write, []

    def write(descriptor, data):
        if len(refusals) < 2:
            refusals.append(writer.fault)
            real(descriptor, bytes(data[:7]))
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr("exchange.recorder.writer.os.write", write)
    sent = [Frame(number, 1, number.to_bytes(4, "big") * 50) for number in range(1, 200)]
    for record in sent:
        writer.put(record)
    end = time.monotonic() + 30
    while writer.counts.stored_bytes == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert writer.close(ended_us=1)
    assert "No space left" in refusals[1]
    reader = SessionReader(tmp_path / "one")
    assert list(reader.records()) == sent
    assert not reader.faults


def test_a_segment_that_is_missing_is_a_fault_and_the_others_are_read(tmp_path):
    writer = SessionWriter(tmp_path / "one", manifest(), WriterLimits(segment_bytes=1))
    for number in range(1, 4):
        writer.put(Frame(number, 1, b"x"))
        time.sleep(0.7)  # each flush closes a segment
    assert writer.close(ended_us=1)
    (tmp_path / "one" / "000002.zst").unlink()
    reader = SessionReader(tmp_path / "one")
    assert [record.at_us for record in reader.records()] == [1, 3]
    assert [(file, fault.kind) for file, fault in reader.faults] == [("000002.zst", FaultKind.MISSING)]
    report = verify_session(tmp_path / "one")
    assert report.frames == 2
    assert len(report.faults) == 2
    assert "3 frames" in report.faults[1]


def test_a_torn_end_is_a_fault_only_where_the_recorder_ended_in_an_orderly_way(tmp_path):
    writer = SessionWriter(tmp_path / "one", manifest())
    writer.put(Frame(1, 1, b"x"))
    assert writer.close(ended_us=1)
    assert not verify_session(tmp_path / "one").faults
    path = tmp_path / "one" / "000001.zst"
    path.write_bytes(path.read_bytes()[:-3])
    assert verify_session(tmp_path / "one").faults
    (tmp_path / "one" / "manifest.json").write_bytes(encode_manifest(manifest()))
    report = verify_session(tmp_path / "one")
    assert not report.faults
    assert not report.ended
    assert len(report.notes) == 1


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(SessionError, match="not empty"):
        SessionWriter(tmp_path, manifest())


def test_a_recorder_killed_at_any_instant_leaves_a_readable_session(tmp_path):
    script = (
        "import sys, time; sys.path[:0] = sys.argv[2:]\n"
        "import msgspec; from pathlib import Path\n"
        "from exchange.recorder.manifest import decode_manifest; from exchange.recorder.records import Frame\n"
        "from exchange.recorder.writer import SessionWriter\n"
        f"m = decode_manifest({encode_manifest(manifest())!r}, 'm')\n"
        "w = SessionWriter(Path(sys.argv[1]), m)\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1; w.put(Frame(n, 1, b'%d' % n)); print(n, flush=True); time.sleep(0.001)\n"
    )
    folder = tmp_path / "killed"
    root = str(Path(__file__).resolve().parents[4])
    process = subprocess.Popen([sys.executable, "-c", script, str(folder), root], stdout=subprocess.PIPE, text=True)
    begin = time.monotonic()
    durable = 0
    while time.monotonic() < begin + 4:
        said = int(process.stdout.readline())
        if time.monotonic() < begin + 1:
            durable = said
    process.kill()
    process.wait()
    process.stdout.close()
    kept = [record.at_us for record in SessionReader(folder).records()]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= durable > 0
