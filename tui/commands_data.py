"""`perpdesk data import|fetch|check`: historical candles."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.adapters.simulator_child import SimulatorError
from engine.venue import connect
from exchange.archive.candle_files import CandleFileError
from exchange.archive.checking import check_folder
from exchange.archive.fetching import INTERVAL_MS, PARTS_FOLDER, Fetched, Fetcher, plan
from exchange.archive.importing import archive_files, import_files
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.errors import ExchangeError
from exchange.recorder.collect import RecordingError, Wish, choose_symbols, parse_wish
from exchange.recorder.manifest import MANIFEST_NAME, SessionError
from exchange.recorder.verify import verify_session
from tui.arguments import seconds
from tui.desk_start import configuration
from tui.exit_codes import ExitCode
from tui.talk import put, say
from tui.venue_faults import venue_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from config.load import Loaded
    from exchange.archive.archive_csv import ArchiveFile
    from exchange.archive.checking import Report
    from exchange.archive.parts import Job
    from tui.arguments import GlobalOptions


class DataQuestionError(ValueError):
    """Options that ask for nothing that can be done; the text names option, value and remedy."""


def import_archive(options: GlobalOptions, files: Sequence[str], *, out: str) -> int:
    """Import files of the public archive; exit code 18 when one was refused."""
    paths = archive_files([Path(file) for file in files])
    if not paths:
        say("there is no .zip or .csv among what was named; name files of the archive or folders with them")
        return ExitCode.USAGE

    def tell(path: Path, read: ArchiveFile) -> None:
        checksum = "checksum verified" if read.verified else "no checksum beside it"
        order = f", {read.disordered} lines were out of order" if read.disordered else ""
        say(f"{path.name}: {read.rows} lines, {checksum}{order}")

    try:
        outcome = import_files(paths, Path(out), tell)
    except CandleFileError as error:
        say(str(error))
        return ExitCode.CONFIG
    for refused in outcome.refused:
        say(f"not imported: {refused.reason}")
    for one in outcome.written:
        if options.json:
            put(msgspec.json.encode(one._asdict()).decode())
        else:
            replaced = f", {one.replaced} bars replaced" if one.replaced else ""
            put(f"{one.file}: {one.bars} bars, {_day(one.first_ms)} to {_day(one.last_ms)}{replaced}")
    return ExitCode.DATA if outcome.refused else 0


def fetch(options: GlobalOptions, *, symbols: str, intervals: str, begin: str, end: str, out: str) -> int:
    """Fetch REST history; an interrupted run goes on when the same command is given again."""
    loaded = configuration(options)
    try:
        names, wish = _intervals(intervals), parse_wish(symbols)
        span = _when("--from", begin), _when("--to", end) if end else None
        done = asyncio.run(_fetch(loaded, wish, names, span, Path(out)))
    except (CandleFileError, DataQuestionError, RecordingError) as error:
        say(str(error))
        return ExitCode.CONFIG
    except (ExchangeError, SimulatorError) as error:
        code = venue_fault(error)
        if (Path(out) / PARTS_FOLDER).exists():
            say("what was fetched is kept; the same command goes on from there")
        return code
    except asyncio.CancelledError:
        say("interrupted; the same command goes on where it stopped")
        return ExitCode.INTERRUPTED
    for one in done:
        if options.json:
            put(msgspec.json.encode(one._asdict()).decode())
        else:
            put(f"{one.symbol} {one.interval}: " + (one.fault or f"{one.bars} bars, {one.requests} requests"))
    return ExitCode.DATA if any(one.fault for one in done) else 0


def check(options: GlobalOptions, folder: str) -> int:
    """Check the candle files of a folder, or a recorded session; exit code 18 when a gap or defect is found."""
    if (Path(folder) / MANIFEST_NAME).exists():
        return _check_session(options, Path(folder))
    try:
        reports = check_folder(Path(folder))
    except CandleFileError as error:
        say(str(error))
        return ExitCode.CONFIG
    for report in reports:
        if options.json:
            put(msgspec.json.encode(report).decode())
        else:
            _print(report)
    return 0 if all(report.sound for report in reports) else ExitCode.DATA


def _check_session(options: GlobalOptions, folder: Path) -> int:
    try:
        report = verify_session(folder)
    except SessionError as error:
        say(str(error))
        return ExitCode.CONFIG
    if options.json:
        put(msgspec.json.encode(report).decode())
    else:
        state = "fail" if report.faults else "ok"
        served = "can be served" if report.ready else "cannot be served: its history is not complete"
        ended = "" if report.ended else ", the recorder did not end in an orderly way"
        put(
            f"{state:4} session {report.session} of {report.venue}: {report.symbols} symbols, {report.frames} frames, "
            f"{report.answers} answers, {_minute(report.first_us // 1000)} to {_minute(report.last_us // 1000)}, "
            f"{report.disconnections} disconnections, {served}{ended}"
        )
        for line in report.faults:
            put(f"     {line}")
        for line in report.notes:
            put(f"     {line} (told, no fault)")
    return ExitCode.DATA if report.faults else 0


def _print(report: Report) -> None:
    state = "ok" if report.sound else "fail"
    put(
        f"{state:4} {report.file}: {report.bars} bars, {_day(report.first_ms)} to {_day(report.last_ms)}, "
        f"coverage {report.coverage * 100:.1f} %"
    )
    for finding in report.findings:
        where = ", ".join(f"{_minute(span.first_ms)} ({span.bars})" for span in finding.spans[:5])
        more = " ..." if len(finding.spans) > 5 else ""
        mark = "" if finding.grave else " (told, no fault)"
        put(f"     {finding.fault}{mark}: {finding.bars} bars" + (f" from {where}{more}" if where else ""))


def _intervals(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in INTERVAL_MS]
    if unknown or not names:
        raise DataQuestionError(
            f"--interval {text!r}: {', '.join(unknown) or 'nothing'} is not served; use {', '.join(INTERVAL_MS)}"
        )
    return names


async def _fetch(
    loaded: Loaded, wish: Wish, intervals: list[str], span: tuple[When, When | None], out: Path
) -> list[Fetched]:
    work = asyncio.current_task()
    assert work is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    connection = await connect(loaded, 0)
    try:
        ledger = WeightLedger(loaded.settings.exchange.rate_limit)
        client = BinanceClient(connection.rest, connection.clock, ledger, OpenGate(), connection.entropy)
        await client.sync_clock(1)
        now_ms = client.venue_ms()
        begin, end = span
        from_ms, to_ms = begin.at(now_ms), now_ms if end is None else min(now_ms, end.at(now_ms))
        names = await choose_symbols(client, wish)
        try:
            jobs = plan(names, intervals, from_ms, to_ms)
        except ValueError as error:
            raise DataQuestionError(str(error)) from error
        with _progress(jobs) as tell:
            return await Fetcher(client, out, tell).run(jobs)
    finally:
        await connection.close()


@contextmanager
def _progress(jobs: Sequence[Job]) -> Iterator[Callable[[Job, int], None]]:
    """Show how far the jobs are, on a terminal; elsewhere nothing is shown until the end."""
    console = Console(stderr=True, no_color=not sys.stderr.isatty())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = dict.fromkeys(jobs, 0)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        total = sum((job.to_ms - job.from_ms) // INTERVAL_MS[job.interval] for job in jobs)
        task = progress.add_task("bars", total=total)

        def tell(job: Job, at_ms: int) -> None:
            size = INTERVAL_MS[job.interval]
            for known in bars:
                # A job that goes on from a file has a later beginning of its own.
                if (known.symbol, known.interval) == (job.symbol, job.interval):
                    bars[known] = max(0, (min(at_ms, known.to_ms) - known.from_ms) // size)
            progress.update(task, completed=sum(bars.values()), description=f"{job.symbol} {job.interval}")

        yield tell


class When(NamedTuple):
    """An instant in UTC milliseconds, or milliseconds before the venue's present."""

    time_ms: int
    is_age: bool

    def at(self, now_ms: int) -> int:
        """Return the instant meant."""
        return now_ms - self.time_ms if self.is_age else self.time_ms


def _when(option: str, text: str) -> When:
    try:
        instant = datetime.fromisoformat(text)
        return When(int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000), is_age=False)
    except ValueError:
        pass
    try:
        return When(int(seconds(text) * 1000), is_age=True)
    except ValueError:
        raise DataQuestionError(
            f"{option} {text!r} is neither a UTC date such as 2024-01-31 nor a duration before now such as 30d"
        ) from None


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def _minute(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
