"""`perpdesk journal show|export|verify|why`: ask, prove."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from engine.adapters.disk import DirectoryDisk
from engine.journal.codec import JournalFormatError
from engine.journal.log import replay, verify
from engine.journal.record import Kind, kind_of
from engine.journal.story import stopped, stopped_document, tell, tell_stopped
from engine.journal.view import JournalView, Query, Row, open_view
from engine.ports import DiskError
from tui.arguments import seconds
from tui.desk_start import configuration, paths_of
from tui.exit_codes import ExitCode
from tui.safe_text import clean
from tui.talk import put, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.arguments import GlobalOptions


NEWEST = 1 << 62


class JournalQuestionError(Exception):
    """A question that cannot be asked like this; the text says how."""


def show(options: GlobalOptions, *, kind: str, symbol: str, since: str, limit: int) -> int:
    """Print the newest records, oldest first."""
    if kind and kind not in {one.value for one in Kind}:
        raise JournalQuestionError(f"unknown kind {kind}; known are {', '.join(one.value for one in Kind)}")

    def ask(view: JournalView) -> int:
        query = Query(kind, symbol.upper(), _since(since, view), limit)
        _print(options, view.select(query))
        return 0

    return _with_view(options, ask)


def why(options: GlobalOptions, ref: str, *, at: str = "", cycle: int = 0) -> int:
    """Print everything that led to an id and followed from it; of a symbol, what stopped it in a cycle."""

    def ask(view: JournalView) -> int:
        rows = view.why(ref)
        if rows:
            if options.json:
                _print(options, rows)
            else:
                for line in tell(rows):
                    put(clean(line))
            return 0
        symbol = ref.upper()
        found = stopped(symbol, view.cycles(_since(at, view) if at else NEWEST, cycle))
        if found is None:
            say(
                f"the journal knows nothing about {ref}: an id is the one `journal show` lists, a symbol one the desk "
                "watched in that cycle"
            )
            return ExitCode.NOT_FOUND
        if options.json:
            put(msgspec.json.encode(stopped_document(found)).decode())
        else:
            for line in tell_stopped(found):
                put(clean(line))
        return 0

    return _with_view(options, ask)


def export(options: GlobalOptions) -> int:
    """Print the whole log as JSON lines."""
    disk = _disk(options)
    try:
        for entry in replay(disk):
            document = {"seq": entry.seq, "kind": kind_of(entry.record).value, "record": entry.record}
            put(msgspec.json.encode(document).decode())
    except (DiskError, JournalFormatError) as error:
        say(str(error))
        return ExitCode.JOURNAL_DAMAGED
    return 0


def check(options: GlobalOptions) -> int:
    """Verify the chain over every record; exit code 14 when anything is not what was written."""
    try:
        verdict = verify(_disk(options))
    except DiskError as error:
        say(str(error))
        return ExitCode.JOURNAL_DAMAGED
    if options.json:
        put(msgspec.json.encode({"ok": not verdict.faults, **verdict._asdict()}).decode())
    else:
        state = "damaged" if verdict.faults else "whole"
        put(f"{state}: {verdict.records} records in {verdict.segments} segments, chain {verdict.chain}")
        for fault in verdict.faults:
            put(f"fault: {fault}")
        for note in verdict.notes:
            put(f"note: {note}")
    return ExitCode.JOURNAL_DAMAGED if verdict.faults else 0


def _disk(options: GlobalOptions) -> DirectoryDisk:
    return DirectoryDisk(paths_of(configuration(options)).data)


def _with_view(options: GlobalOptions, ask: Callable[[JournalView], int]) -> int:
    paths = paths_of(configuration(options))
    disk = DirectoryDisk(paths.data)
    try:
        if not disk.names("journal/"):
            say(f"no journal in {paths.data} yet")
            return 0
        view = open_view(paths.view_file, lambda after: replay(disk, after=after))
        try:
            return ask(view)
        finally:
            view.close()
    except (DiskError, JournalFormatError, sqlite3.Error) as error:
        say(f"the journal cannot be read: {error}")
        return ExitCode.JOURNAL_DAMAGED


def _since(text: str, view: JournalView) -> int:
    """Return UTC milliseconds of an instant, or of a duration before the newest record (desk time may be simulated)."""
    if not text:
        return 0
    try:
        instant = datetime.fromisoformat(text)
        return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
    except ValueError:
        newest = next(iter(view.select(Query(limit=1))), None)
        try:
            return newest.time - int(seconds(text) * 1000) if newest else 0
        except ValueError:
            raise JournalQuestionError(
                f"{text!r} is neither a UTC time such as 2026-11-24T19:00 nor a duration such as 2h"
            ) from None


def _print(options: GlobalOptions, rows: Iterable[Row]) -> None:
    for row in rows:
        if options.json:
            put(f'{{"seq":{row.seq},"record":{row.body}}}')
        else:
            when = datetime.fromtimestamp(row.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            words = (f"{row.seq:>7}", when, f"{row.kind:9}", f"{row.ref or '-':18}", f"{row.symbol or '-':14}")
            put(clean(f"{' '.join(words)} {row.strategy:13} {row.name:16} {row.line}"))
