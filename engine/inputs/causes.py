"""Names why a repeated run is not the recorded one, in words an operator can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from engine.inputs.records import CLOCK, INSTANT, TOKEN, UNIFORM, WALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.settings import Settings
    from engine.inputs.compare import Comparison
    from engine.inputs.framing import Tail
    from engine.inputs.records import Beginning
    from engine.inputs.rerun import Rerun

COMMANDS_TOLD: Final = 5
SETTINGS_TOLD: Final = 10
READINGS: Final = {
    WALL: "the wall clock",
    CLOCK: "the desk's clock",
    UNIFORM: "a random number",
    TOKEN: "a random id",
    INSTANT: "the machine's clock",
}
PLACES: Final = frozenset({"data_dir"})
"""Settings that name a place on the machine and decide nothing."""


class Program(NamedTuple):
    """What repeats a run."""

    version: str
    code: str
    """SHA-256 over its sources."""
    built_with: str


class Why(msgspec.Struct, frozen=True):
    """One cause."""

    kind: str
    """`version`, `code`, `libraries`, `settings`, `strategies`, `tail`, `unfinished`, `parted`, `strayed` or
    `command`."""
    text: str
    breaks: bool
    """Whether nothing is proved while it stands; else it matters only where decisions differ."""


def changed(recorded: Settings, present: Settings) -> list[str]:
    """Return `path: recorded -> present` of every setting that differs and decides something."""
    then, now = _flat(recorded.model_dump(mode="json")), _flat(present.model_dump(mode="json"))
    paths = sorted({*then, *now} - PLACES)
    return [f"{path}: {then.get(path)} -> {now.get(path)}" for path in paths if then.get(path) != now.get(path)]


def _flat(tree: Mapping[str, object], before: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{path}.")
        else:
            flat[path] = value
    return flat


def causes(
    beginning: Beginning,
    run: Rerun,
    comparison: Comparison,
    tail: Tail | None,
    *,
    program: Program,
    settings: Sequence[str],
    guests: Sequence[str],
) -> list[Why]:
    """Return everything that may explain a difference, what comes first in time last.

    `program` is the one that repeats the run, `settings` are those that were changed (see `changed`), `guests` the
    names of the present strategies from outside.
    """
    found = _of_the_program(beginning, program)
    if settings:
        more = f" and {len(settings) - SETTINGS_TOLD} more" if len(settings) > SETTINGS_TOLD else ""
        text = f"they differ from the recorded ones: {'; '.join(settings[:SETTINGS_TOLD])}{more}"
        found.append(Why("settings", text, breaks=False))
    if list(guests) != beginning.guests:
        text = f"from outside were {_names(beginning.guests)}, and are {_names(guests)} now"
        found.append(Why("strategies", text, breaks=False))
    found += _of_the_file(run, tail)
    found += _of_the_run(run)
    first = comparison.differences[0] if comparison.differences else None
    if first is not None:
        before = [f"{words} at input {at.turn}" for at, words in run.commands if at.turn <= first.turn]
        if before:
            text = f"commands before the first difference: {', '.join(before[-COMMANDS_TOLD:])}"
            found.append(Why("command", text, breaks=False))
    return found


def _of_the_program(beginning: Beginning, program: Program) -> list[Why]:
    """Return in what the program that repeats is not the one that recorded."""
    found: list[Why] = []
    if beginning.version != program.version:
        text = f"recorded by version {beginning.version}, repeated by {program.version}: use the version it is of"
        found.append(Why("version", text, breaks=False))
    elif beginning.code != program.code:
        text = f"recorded by sources {beginning.code[:12]}, repeated by {program.code[:12]} of the same version"
        found.append(Why("code", text, breaks=False))
    if beginning.built_with != program.built_with:
        text = f"recorded with {beginning.built_with}; repeated with {program.built_with}"
        found.append(Why("libraries", text, breaks=False))
    return found


def _of_the_file(run: Rerun, tail: Tail | None) -> list[Why]:
    """Return what is wrong with the recording itself."""
    inputs = run.turns + run.unused
    if tail is not None:
        how = "its end was not written completely" if tail.torn else "bytes in it are not what was written"
        text = (
            f"{how}: {tail.size:,} bytes from byte {tail.offset:,} on cannot be read, so what reached the desk after "
            f"input {inputs:,} is unknown"
        )
        return [Why("tail", text, breaks=True)]
    if run.finished is None:
        text = (
            f"it has no last mark: the desk was killed or the disk was full, so what reached it after input {inputs:,} "
            "is unknown"
        )
        return [Why("unfinished", text, breaks=True)]
    return []


def _of_the_run(run: Rerun) -> list[Why]:
    """Return where the desk did otherwise than the recorded one."""
    found: list[Why] = []
    if run.strayed is not None:
        at, what, times = run.strayed
        what = READINGS.get(what, what)
        text = (
            f"the desk made other readings than the recorded one, {times:,} in all, the first ({what}) at input "
            f"{at.turn:,} ({at.cause}): code, settings or an input are not the recorded ones"
        )
        found.append(Why("strayed", text, breaks=False))
    if run.parted is not None:
        at, words = run.parted
        text = f"{words} (input {at.turn:,}); the {run.unused:,} inputs behind it could not be given"
        found.append(Why("parted", text, breaks=True))
    return found


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
