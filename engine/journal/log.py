"""The append-only log: segments of frames behind the Disk port, recovered at open, never repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engine.journal.codec import Entry, decode, encode, kind_at
from engine.journal.frames import FRAME_SIZE, GENESIS, HEADER_SIZE, FaultKind, Segment, frame, header, read_segment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from engine.journal.record import Kind, Record
    from engine.ports import Disk

FOLDER: Final = "journal/"
LIVE: Final = ".log"
QUARANTINED: Final = ".bad"
SEGMENT_BYTES: Final = 8 << 20


class Recovered(NamedTuple):
    """What opening found."""

    next_seq: int
    cut_bytes: int
    """Length of the torn end that was cut, 0 for none; its bytes are kept beside the segment."""
    damage: tuple[str, ...]
    """One sentence per quarantined segment."""


class JournalLog:
    """The one writer of a journal. `append` returns only when its records survive a power cut."""

    def __init__(self, disk: Disk, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Name the disk; nothing is read before `open`."""
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._number = 0
        self._size = 0
        self._next_seq = 1
        self._chain = GENESIS
        self._suspect = False

    @property
    def next_seq(self) -> int:
        """Return the number the next record gets."""
        return self._next_seq

    def open(self) -> Recovered:
        """Find the end of the log. Raises DiskError.

        A torn end of the last segment is cut (its bytes are kept aside). A segment damaged in its middle is renamed to
        `.bad` and left as it is; its records before the damage still count, a new segment continues behind it.
        """
        damage: list[str] = []
        cut = 0
        numbers = segments(self._disk)
        while numbers:
            number, suffix = numbers[-1]
            segment = read_segment(self._disk.read(name_of(number, suffix)), number)
            if suffix == LIVE and segment.fault is not None and segment.fault.kind is FaultKind.TORN:
                cut += self._cut(segment)
                if segment.end == 0:
                    numbers.pop()
                    continue
            elif suffix == LIVE and segment.fault is not None:
                damage.append(self._quarantine(segment))
                suffix = QUARANTINED
            self._stand_behind(numbers, suffix)
            damage += self._quarantine_earlier(numbers)
            break
        return Recovered(self._next_seq, cut, tuple(damage))

    def append(self, records: Sequence[Record]) -> list[Entry]:
        """Append records durably, all or none, and return them numbered. Raises DiskError; the call may be repeated."""
        if not records:
            return []
        if self._suspect:
            self._drop_unfinished()
        number, size, chain = self._number, self._size, self._chain
        parts: list[bytes] = []
        if number == 0 or size >= self._segment_bytes:
            number, size = number + 1, 0
            parts.append(header(number, self._next_seq, chain))
        entries: list[Entry] = []
        for seq, record in enumerate(records, self._next_seq):
            kept, payload = encode(record)
            part, chain = frame(chain, payload)
            parts.append(part)
            entries.append(Entry(seq, kept))
        data = b"".join(parts)
        name = name_of(number, LIVE)
        self._suspect = True
        self._disk.append(name, data)
        self._disk.sync(name)
        self._suspect = False
        self._number, self._size, self._chain = number, size + len(data), chain
        self._next_seq += len(entries)
        return entries

    def _drop_unfinished(self) -> None:
        """Cut what a failed append may have left, so that repeating it writes nothing twice."""
        following = name_of(self._number + 1, LIVE)
        self._disk.remove(following)
        if self._number and self._size:
            name = name_of(self._number, LIVE)
            if len(self._disk.read(name)) > self._size:
                self._disk.truncate(name, self._size)
        self._suspect = False

    def _cut(self, segment: Segment) -> int:
        name = name_of(segment.number, LIVE)
        data = self._disk.read(name)
        torn = data[segment.end :]
        if torn:
            self._disk.replace(f"{FOLDER}{segment.number:08d}.cut-{segment.end}", torn)
        if segment.end:
            self._disk.truncate(name, segment.end)
        else:
            self._disk.remove(name)
        return len(torn)

    def _quarantine(self, segment: Segment) -> str:
        aside = name_of(segment.number, QUARANTINED)
        self._disk.rename(name_of(segment.number, LIVE), aside)
        assert segment.fault is not None
        usable = f"{len(segment.payloads)} records before it usable"
        return f"{aside}: {segment.fault.text} (byte {segment.fault.offset}); set aside, {usable}"

    def _quarantine_earlier(self, numbers: Sequence[tuple[int, str]]) -> list[str]:
        """Check the segments before the newest: a restart folds all of them."""
        damage = []
        for number, suffix in numbers[:-1]:
            segment = read_segment(self._disk.read(name_of(number, suffix)), number)
            if suffix == LIVE and segment.fault is not None:
                damage.append(self._quarantine(segment))
        return damage

    def _stand_behind(self, numbers: Sequence[tuple[int, str]], suffix: str) -> None:
        """Take the end of the newest segment as the place to continue; `suffix` is its present one."""
        self._number = numbers[-1][0]
        lost = 0
        for number, old in reversed(numbers):
            data = self._disk.read(name_of(number, suffix if number == self._number else old))
            segment = read_segment(data, number)
            lost += len(data) - segment.end
            if segment.end:
                self._chain, self._next_seq, self._size = segment.chain, segment.next_seq, segment.end
                break
        if suffix == QUARANTINED:
            # Records behind the damage had numbers too: skip more than there can have been, so none is given twice.
            self._next_seq += lost // FRAME_SIZE + 1
            self._size = self._segment_bytes


def name_of(number: int, suffix: str) -> str:
    """Return the file name of a segment."""
    return f"{FOLDER}{number:08d}{suffix}"


def segments(disk: Disk) -> list[tuple[int, str]]:
    """Return (number, suffix) of every segment in order; a quarantined one stands where it stood."""
    found = {}
    for name in disk.names(FOLDER):
        stem, dot, ending = name.removeprefix(FOLDER).partition(".")
        if stem.isdigit() and dot + ending in {LIVE, QUARANTINED}:
            found[int(stem)] = dot + ending
    return sorted(found.items())


def replay(disk: Disk, kinds: Collection[Kind] | None = None, *, after: int = 0) -> Iterator[Entry]:
    """Yield the records of a journal in order, read-only.

    `kinds` limits them, `after` skips numbers up to it. Of a damaged or unfinished segment the records before the fault
    count. Raises DiskError and JournalFormatError.
    """
    numbers = segments(disk)
    start = len(numbers) - 1 if after else 0
    while start > 0 and not 0 < _read(disk, *numbers[start]).first_seq <= after + 1:
        start -= 1
    for number, suffix in numbers[max(0, start) :]:
        segment = _read(disk, number, suffix)
        for seq, payload in enumerate(segment.payloads, segment.first_seq):
            if seq > after and (kinds is None or kind_at(payload) in kinds):
                yield decode(seq, payload)


class Verdict(NamedTuple):
    """The result of checking a whole journal."""

    segments: int
    records: int
    last_seq: int
    chain: str
    """Hex of the chain's end: it stands for every record."""
    faults: tuple[str, ...]
    """Damage, one sentence each; none means every record is what was written."""
    notes: tuple[str, ...]
    """What is normal after a kill: an unfinished end, cut bytes kept aside."""


def verify(disk: Disk) -> Verdict:
    """Check every segment, its place and the chain over all of them, read-only. Raises DiskError."""
    faults: list[str] = []
    notes: list[str] = []
    records = 0
    numbers = segments(disk)
    chain, next_seq, last_number = GENESIS, 1, 0
    for number, suffix in numbers:
        segment = _read(disk, number, suffix)
        name = name_of(number, suffix)
        newest = number == numbers[-1][0]
        if number != last_number + 1:
            faults.append(f"{name}: segment {last_number + 1} is missing before it")
        elif segment.end >= HEADER_SIZE and segment.before != chain:
            faults.append(f"{name}: does not continue the chain of the segment before it")
        elif segment.end >= HEADER_SIZE and segment.first_seq != next_seq and not faults:
            faults.append(f"{name}: begins with record {segment.first_seq}, expected {next_seq}")
        if segment.fault is not None:
            unfinished = newest and suffix == LIVE and segment.fault.kind is FaultKind.TORN
            (notes if unfinished else faults).append(f"{name}: {segment.fault.text} (byte {segment.fault.offset})")
        records += len(segment.payloads)
        chain, next_seq, last_number = segment.chain, segment.next_seq, number
    notes += [f"{name}: torn end kept aside" for name in disk.names(FOLDER) if ".cut-" in name]
    return Verdict(len(numbers), records, next_seq - 1, chain.hex(), tuple(faults), tuple(notes))


def _read(disk: Disk, number: int, suffix: str) -> Segment:
    return read_segment(disk.read(name_of(number, suffix)), number)
