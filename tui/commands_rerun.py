"""`perpdesk backtest --data run:DIR`: a recorded run again, through the very desk that was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.adapters.clock import process_monotonic
from engine.adapters.disk import DirectoryDisk
from engine.adapters.installed_strategies import installed_strategies
from engine.adapters.program import built_with, code_hash
from engine.inputs.against import decided_in
from engine.inputs.causes import Program, Why, causes, changed
from engine.inputs.compare import Comparison, compare, counted
from engine.inputs.recording import Recording
from engine.inputs.records import InputsError
from engine.inputs.rerun import Rerun, rerun, settings_of
from engine.inputs.words import around, clock_text
from engine.market.tape import moment
from engine.runtime import VERSION
from engine.warm import warm
from tui.desk_start import configuration
from tui.exit_codes import ExitCode
from tui.talk import put, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.settings import Settings
    from engine.inputs.compare import Difference
    from tui.arguments import GlobalOptions

RUN: Final = "run:"
TOLD: Final = 20
"""Differences that are printed; JSON has all."""
HOW: Final = {
    "missing": "only in the recorded run",
    "extra": "only in the repeated run",
    "other": "decided otherwise",
    "moved": "decided in another order",
}


class Verdict(NamedTuple):
    """What became of the comparison."""

    recording: Recording
    run: Rerun
    comparison: Comparison
    why: list[Why]
    around: list[str]
    """The inputs at the first difference."""

    @property
    def same(self) -> bool:
        """Say whether everything was repeated and decided alike."""
        return self.comparison.same and not any(one.breaks for one in self.why)


def run_again(
    options: GlobalOptions, data: str, against: str, *, as_configured: bool, needless: Sequence[str] = ()
) -> int:
    """Repeat a run and compare; exit code 18 unless it decides the same, byte for byte.

    `data` is `run:DIR`. `against` is the data directory whose journal is compared, empty for the decisions stored with
    the inputs. `as_configured` takes the present configuration instead of the recorded one. `needless` are options
    that were given and mean nothing here.
    """
    if needless:
        say(f"{needless[0]} has no meaning for {data}, which is repeated as it was; leave it out")
        return ExitCode.CONFIG
    began = process_monotonic()
    try:
        recording = Recording(Path(data.removeprefix(RUN)))
        present = configuration(options).settings if as_configured else None
        verdict = _verdict(recording, present, against)
    except InputsError as error:
        say(str(error))
        return ExitCode.CONFIG
    for one in verdict.why:
        say(f"{one.kind}: {one.text}")
    put(_json(verdict) if options.json else "\n".join(_lines(verdict)))
    spent = process_monotonic() - began
    say(f"{verdict.run.turns:,} inputs in {spent:.1f} s")
    return ExitCode.CLEAN if verdict.same else ExitCode.DATA


def _verdict(recording: Recording, present: Settings | None, against: str) -> Verdict:
    """Repeat the run and compare it. Raises InputsError."""
    recorded = settings_of(recording.beginning)
    settings = present or recorded
    guests = installed_strategies()
    warm(lambda _line: None)
    run = rerun(recording, settings, guests)
    there = run.there
    if against:
        try:
            there = tuple(decided_in(DirectoryDisk(Path(against)), recording.beginning, run.there))
        except InputsError as error:
            raise InputsError(f"--against {against}: {error}") from None
    comparison = compare(there, run.here)
    why = causes(
        recording.beginning,
        run,
        comparison,
        recording.tail,
        program=Program(VERSION, code_hash(), built_with()),
        settings=changed(recorded, settings),
        guests=guests.names,
    )
    first = comparison.differences[0].turn if comparison.differences else 0
    near = around(Recording(recording.folder).turns(), first) if first else []
    return Verdict(recording, run, comparison, why, near)


def _json(verdict: Verdict) -> str:
    comparison, run, beginning = verdict.comparison, verdict.run, verdict.recording.beginning
    line = {
        "data": f"{RUN}{verdict.recording.folder}",
        "session": beginning.session,
        "started_ms": beginning.started_ms,
        "version": beginning.version,
        "settings_hash": beginning.settings_hash,
        "inputs": run.turns,
        "inputs_not_given": run.unused,
        "decisions": comparison.here,
        "decisions_recorded": comparison.there,
        "hash": comparison.here_hash,
        "hash_recorded": comparison.there_hash,
        "same": verdict.same,
        "causes": [{"kind": one.kind, "text": one.text} for one in verdict.why],
        "around": verdict.around,
        "differences": msgspec.to_builtins(comparison.differences),
    }
    return msgspec.json.encode(line).decode()


def _lines(verdict: Verdict) -> list[str]:
    comparison, run, beginning = verdict.comparison, verdict.run, verdict.recording.beginning
    lines = [
        f"run of {moment(beginning.started_ms)} at {beginning.exchange}, session {beginning.session}",
        f"{run.turns:,} inputs given, {run.unused:,} not",
        f"recorded {comparison.there:6,} decisions, hash {comparison.there_hash}",
        f"repeated {comparison.here:6,} decisions, hash {comparison.here_hash}",
    ]
    if verdict.same:
        return [*lines, "same, byte for byte"]
    if comparison.same:
        return [*lines, "the same as far as it goes, but not proved to the end: see the cause"]
    kinds = ", ".join(f"{count} {HOW[how]}" for how, count in counted(comparison.differences).items())
    lines.append(f"not the same: {kinds}")
    if verdict.around:
        lines += ["the inputs at the first difference:", *(f"  {line}" for line in verdict.around), "differences:"]
    lines += [_line(one) for one in comparison.differences[:TOLD]]
    if len(comparison.differences) > TOLD:
        lines.append(f"... and {len(comparison.differences) - TOLD} more; --json has all of them")
    return lines


def _line(one: Difference) -> str:
    place = f"input {one.turn:,}: {one.cause}" if one.turn else one.cause
    return f"{clock_text(one.time)} {one.what}: {HOW[one.how]} ({place})"
