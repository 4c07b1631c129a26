"""`perpdesk backtest`: the desk's decisions over recorded history."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from config.flags import FlagBoard
from engine.adapters.clock import process_monotonic
from engine.adapters.installed_strategies import installed_strategies
from engine.backtest.faults import HistoryError
from engine.backtest.history import read_history, span_text
from engine.backtest.prove import prove
from engine.backtest.results import summarise
from engine.backtest.session import read_session
from engine.market.tape import moment
from engine.replay import Replay, ReplayRules
from engine.warm import warm, warm_backtest
from tui.backtest_html import report
from tui.backtest_origins import origins_of, say_origins, with_records
from tui.backtest_text import told
from tui.desk_start import configuration
from tui.exit_codes import ExitCode
from tui.talk import put, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from config.settings import Settings
    from engine.backtest.desk import Decision
    from engine.backtest.history import History
    from engine.backtest.prove import Proof
    from engine.replay import Outcome
    from tui.arguments import GlobalOptions


class Wanted(NamedTuple):
    """The options of the command."""

    data: str
    symbols: str
    begin: str
    end: str
    frame: str
    seed: int
    prove: int
    html: str
    funding: str = ""
    rules: str = ""


def backtest(options: GlobalOptions, wanted: Wanted) -> int:
    """Replay and report; exit code 18 when a proof fails."""
    loaded = configuration(options)
    began = process_monotonic()
    try:
        begin, history = _asked(wanted)
    except ValueError as error:
        say(str(error))
        return ExitCode.CONFIG
    for note in history.notes:
        say(note)
    read_s = process_monotonic() - began
    warm()
    warm_backtest()
    flags = FlagBoard.from_loaded(loaded, begin)
    gc.disable()  # a replay makes no cycles worth looking for, and ends soon
    began = process_monotonic()
    try:
        with progress_bar(history.bars, "replay") as taken:
            run = prepared(history, loaded.settings, flags, wanted.seed, begin)
            outcome = run.run(taken)
    finally:
        gc.enable()
    spent = process_monotonic() - began + read_s
    for news in run.desk.guest_news:
        say(news)
    origins = origins_of(history, run.contracts)
    say_origins(history, origins)
    summary = summarise(outcome, history.series, run.desk.guests.names)
    proofs = prove_it(history, outcome, loaded.settings, flags, wanted, begin) if wanted.prove else []
    if wanted.html:
        try:
            Path(wanted.html).write_text(report(summary, outcome.trades, history), encoding="utf-8")
        except OSError as error:
            say(f"--html {wanted.html}: {error.strerror or error}; name a file in a folder that can be written")
            return ExitCode.CONFIG
        say(f"report with the trades on their candles in {wanted.html}")
    if options.json:
        line = {
            **msgspec.to_builtins(summary),
            "data": wanted.data,
            "symbols": len(history.series),
            "rows": history.rows,
            "doubled": history.doubled,
            "refused": history.refused,
            "mode": loaded.settings.strategy.mode,
            "seed": wanted.seed,
            "origins": origins,
            "proofs": msgspec.to_builtins(proofs),
        }
        put(msgspec.json.encode(line).decode())
    else:
        put(f"{len(history.series)} symbols, {span_text(history)}, {history.bars:,} bars of 5m")
        for text in told(summary):
            put(text)
    say(f"{history.bars:,} bars in {spent:.1f} s: {history.bars / spent:,.0f} bars/s, reading included")
    if wanted.prove:
        _say_proofs(proofs)
    return ExitCode.DATA if any(proof.divergence for proof in proofs) else ExitCode.CLEAN


def _asked(wanted: Wanted) -> tuple[int, History]:
    """Return the first instant of decisions and the history with its records. Raises HistoryError."""
    begin = _instant("--from", wanted.begin) if wanted.begin else 0
    end = _instant("--to", wanted.end) if wanted.end else None
    if end is not None and end <= begin:
        raise HistoryError(f"--to {wanted.end}: it is not after --from {wanted.begin}; give a later time")
    names = tuple(name.strip().upper() for name in wanted.symbols.split(",") if name.strip())
    kind, colon, folder = wanted.data.partition(":")
    if colon and kind == "session":
        history = read_session(Path(folder), symbols=names, end_ms=end)
        return begin, with_records(history, Path(folder), wanted.funding, wanted.rules)
    history = read_history(Path(wanted.data), frame=wanted.frame, symbols=names, end_ms=end)
    return begin, with_records(history, Path(wanted.data), wanted.funding, wanted.rules)


def _say_proofs(proofs: Sequence[Proof]) -> None:
    for proof in proofs:
        verdict = proof.divergence or f"{proof.compared:,} decisions before it are those of the whole run"
        say(f"cut at {moment(proof.cut_ms)}: {verdict}")
    if not proofs:
        say("nothing was decided, so nothing could be proved; name more history")


def prove_it(
    history: History, outcome: Outcome, settings: Settings, flags: FlagBoard, wanted: Wanted, begin: int
) -> list[Proof]:
    """Run random prefixes and compare what they decide."""
    with progress_bar(wanted.prove, "proof") as taken:

        def run(part: History) -> tuple[Decision, ...]:
            decided = prepared(part, settings, flags, wanted.seed, begin).run().decisions
            taken(1)
            return decided

        return prove(history, outcome.decisions, run, wanted.prove, wanted.seed)


def _instant(option: str, text: str) -> int:
    """Return UTC milliseconds of an ISO date or time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise HistoryError(
            f"{option} {text!r} is no UTC date or time; write for example 2024-01-31 or 2024-01-31T08:00"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def prepared(history: History, settings: Settings, flags: FlagBoard, seed: int, begin: int) -> Replay:
    """Return a replay that is about to begin, with the installed strategies as they are at their start."""
    return Replay(history, settings, flags, ReplayRules(), seed=seed, start_ms=begin, guests=installed_strategies())


@contextmanager
def progress_bar(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _taken: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)

        def advance(taken: int) -> None:
            bar.advance(task, taken)

        yield advance
