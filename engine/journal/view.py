"""The indexed view of the journal: SQLite, fed behind the log, rebuilt from it whenever the two do not fit."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.journal.describe import describe
from engine.journal.record import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from engine.journal.codec import Entry

VERSION: Final = 1
BUSY_S: Final = 5.0
BATCH: Final = 5_000
_SCHEMA: Final = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, cause TEXT NOT NULL,
    symbol TEXT NOT NULL, strategy TEXT NOT NULL, name TEXT NOT NULL, line TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX records_kind ON records (kind, seq);
CREATE INDEX records_symbol ON records (symbol, seq);
CREATE INDEX records_ref ON records (ref);
CREATE INDEX records_cause ON records (cause);
CREATE VIEW signals AS SELECT seq, time, ref AS signal_id, symbol, strategy, name AS state,
    body ->> '$.candidate.direction' AS direction, body ->> '$.candidate.entry' AS entry,
    body ->> '$.candidate.stop' AS stop, body ->> '$.candidate.confidence' AS confidence, body ->> '$.rank' AS rank,
    body ->> '$.expected_r' AS expected_r, body ->> '$.reason' AS reason FROM records WHERE kind = 'signal';
CREATE VIEW decisions AS SELECT seq, time, cause AS signal_id, symbol, strategy, name AS outcome,
    body ->> '$.decision.leverage' AS leverage, body ->> '$.decision.binding' AS binding FROM records
    WHERE kind = 'decision';
CREATE VIEW positions AS SELECT seq, time, ref AS position_id, cause AS signal_id, symbol, strategy, name AS event,
    body ->> '$.event.price' AS price, body ->> '$.event.pnl_percent' AS pnl_percent,
    body ->> '$.event.pnl_r' AS pnl_r, body ->> '$.event.net' AS net, body ->> '$.event.reason' AS reason
    FROM records WHERE kind = 'position';
CREATE VIEW events AS SELECT seq, time, symbol, ref, name AS family, body ->> '$.event.severity' AS severity,
    line AS text FROM records WHERE kind = 'event';
CREATE VIEW commands AS SELECT seq, time, name AS command, body ->> '$.by' AS by, body ->> '$.outcome' AS outcome,
    body ->> '$.old' AS old, body ->> '$.new' AS new FROM records WHERE kind = 'command';
CREATE VIEW cycles AS SELECT seq, time, name AS number, body ->> '$.cycle.duration_ms' AS duration_ms,
    body ->> '$.cycle.ready' AS ready, body ->> '$.cycle.accepted' AS accepted FROM records WHERE kind = 'cycle';
CREATE VIEW changes AS SELECT seq, time, name AS what, body ->> '$.name' AS name, body ->> '$.old' AS old,
    body ->> '$.new' AS new, body ->> '$.by' AS by FROM records WHERE kind = 'change';
"""


class Row(NamedTuple):
    """One record as the view answers it."""

    seq: int
    time: int
    kind: str
    ref: str
    cause: str
    symbol: str
    strategy: str
    name: str
    line: str
    body: str
    """The whole record as JSON."""


class Query(NamedTuple):
    """What to list; empty fields do not limit."""

    kind: str = ""
    symbol: str = ""
    since_ms: int = 0
    limit: int = 100


class JournalView:
    """An open view. Use it in the thread that opened it. Methods raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Wrap a connection whose schema is in place; see `open_view`."""
        self._connection = connection

    @property
    def applied(self) -> int:
        """Return the number of the newest record in the view."""
        (seq,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
        return int(seq)

    def first(self) -> Iterator[Row]:
        """Yield the oldest record, if there is one."""
        return map(Row._make, self._connection.execute("SELECT * FROM records ORDER BY seq LIMIT 1"))

    def apply(self, entries: Iterable[Entry]) -> None:
        """Add records in one transaction; one that is there already stays."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entries)
            )

    def select(self, query: Query) -> Iterator[Row]:
        """Yield the newest matching records, newest last."""
        cursor = self._connection.execute(
            """
            SELECT * FROM (
                SELECT * FROM records WHERE (:kind = '' OR kind = :kind) AND (:symbol = '' OR symbol = :symbol)
                AND time >= :since_ms ORDER BY seq DESC LIMIT :limit
            ) ORDER BY seq
            """,
            query._asdict(),
        )
        return map(Row._make, cursor)

    def why(self, ref: str) -> list[Row]:
        """Return every record about `ref`, what led to it, and what followed from it, in order."""
        cursor = self._connection.execute(
            """
            WITH RECURSIVE up(id) AS (
                VALUES (:ref) UNION SELECT cause FROM records JOIN up ON ref = id WHERE cause != ''
            ), down(id) AS (
                VALUES (:ref) UNION SELECT ref FROM records JOIN down ON cause = id WHERE ref != ''
            )
            SELECT * FROM records WHERE ref IN (SELECT id FROM up) OR ref IN (SELECT id FROM down) OR cause = :ref
            ORDER BY seq
            """,
            {"ref": ref},
        )
        return [Row._make(row) for row in cursor]

    def cycles(self, until_ms: int, number: int = 0) -> Iterator[Row]:
        """Yield the cycles up to an instant, newest first; with a `number` from the newest cycle of that number on."""
        cursor = self._connection.execute(
            """
            SELECT * FROM records WHERE kind = 'cycle' AND seq <= (
                SELECT max(seq) FROM records
                WHERE kind = 'cycle' AND time <= :until AND (:number = '' OR name = :number)
            ) ORDER BY seq DESC
            """,
            {"until": until_ms, "number": str(number) if number else ""},
        )
        return map(Row._make, cursor)

    def close(self) -> None:
        """Close the view."""
        self._connection.close()


def open_view(path: Path, records_after: Callable[[int], Iterator[Entry]]) -> JournalView:
    """Open the view at `path` and bring it up to the log.

    `records_after(seq)` yields the log's records behind a number. A view of another version, of another log, or one
    that is damaged, is made anew. Raises sqlite3.Error, OSError, and what `records_after` raises.
    """
    try:
        view = _opened(path)
        if not _same_log(view, records_after(0)):
            view.close()
            view = _anew(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        view = _anew(path)
    batch: list[Entry] = []
    for entry in records_after(view.applied):
        batch.append(entry)
        if len(batch) >= BATCH:
            view.apply(batch)
            batch.clear()
    view.apply(batch)
    return view


def _same_log(view: JournalView, records: Iterator[Entry]) -> bool:
    """Tell whether the view was made from this log: their first records must be the same."""
    first = next(records, None)
    known = next(view.first(), None)
    return known is None or (first is not None and tuple(known) == _row(first))


def _anew(path: Path) -> JournalView:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return _opened(path)


def _opened(path: Path) -> JournalView:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # The log is the durable copy; after a power cut the view catches up from it.
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"the view has version {version}, this program makes {VERSION}")
    except sqlite3.Error:
        connection.close()
        raise
    return JournalView(connection)


def _row(entry: Entry) -> tuple[object, ...]:
    seq, record = entry
    line = describe(record)
    body = msgspec.json.encode(record).decode()
    return (seq, record.time, kind_of(record).value, record.ref, record.cause, *line, body)
