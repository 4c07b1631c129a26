"""The smallest plan that still breaks something: faults and happenings are taken out one by one."""

import subprocess
from pathlib import Path

from proof_scenario import Run
from virtual_loop import run_virtual


def _breaks(seed, rate, keep):
    run = Run(seed, rate=rate)
    tables, happenings = keep
    run.tables = [one for number, one in enumerate(run.tables) if number in tables]
    run.happenings = [one for number, one in enumerate(run.happenings) if number in happenings]
    return run_virtual(run.main()).found


def shrunk(seed, rate=0.12):
    """Return one line: seed, commit, what is left of the plan, and what it breaks."""
    run = Run(seed, rate=rate)
    keep = [set(range(len(run.tables))), set(range(len(run.happenings)))]
    found = _breaks(seed, rate, keep)
    for part in keep:
        for number in sorted(part):
            part.discard(number)
            smaller = _breaks(seed, rate, keep)
            if smaller:
                found = smaller
            else:
                part.add(number)
    tables = [run.tables[number] for number in sorted(keep[0])]
    happenings = [run.happenings[number] for number in sorted(keep[1])]
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    commit = head.stdout.decode().strip() or "unknown"
    return f"seed {seed} rate {rate} commit {commit} faults {tables} happenings {happenings}: {found[:2]}"
