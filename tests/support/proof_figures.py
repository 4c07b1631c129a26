"""Figures of the proof: every test leaves a fragment, the end of the session adds them up and prints them.

`python tests/support/proof_figures.py` runs what every push runs and writes `docs/reliability-figures.md`.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

FOLDER = "PROOF_FOLDER"
LEAST_HITS = 20

ELSEWHERE = {
    "F07": "tests/venue/test_trading_client_at_simulator.py",
    "F34": "tests/laws/test_screen_text_laws.py",
    "F46": "tests/e2e/test_soak.py",
    "F48": "tests/e2e/test_lost_terminals.py",
    "F50": "tests/unit/engine/risk/test_risk_protection.py",
    "F51": "tests/sim/test_hand.py",
    "F52": "tests/unit/engine/test_served_models.py",
    "F53": "tests/unit/config/test_bad_configuration.py",
    "F54": "tests/sim/test_live_desk.py",
    "F55": "tests/e2e/test_live_kill.py",
    "F56": "tests/unit/config/test_secrets.py",
    "F57": "tests/sim/test_key_rights.py",
    "F58": "tests/laws/test_unsafe_loading_laws.py",
    "F59": "tests/laws/test_unsafe_loading_laws.py",
    "F60": "tests/screens/test_live_keys.py",
}
"""Rows that do not strike here, with the tests that make them strike."""


def leave(name, **figures):
    """Leave a fragment for the summary."""
    folder = os.environ.get(FOLDER)
    if folder:
        Path(folder, f"{name}.json").write_text(json.dumps(figures), encoding="utf-8")


def collect(folder):
    """Add the fragments up; None where no proof ran."""
    total = {"seeds": 0, "violations": 0, "hits": Counter(), "naked": [], "points": {}, "planted": {}, "kills": 0}
    total |= {"real_kills": 0, "secrets_found": 0}
    seen = False
    for path in sorted(Path(folder).glob("*.json")):
        seen = True
        found = json.loads(path.read_text(encoding="utf-8"))
        for key in ("seeds", "violations", "kills", "real_kills", "secrets_found"):
            total[key] += found.get(key, 0)
        total["hits"].update(found.get("hits", {}))
        total["naked"] += found.get("naked", [])
        total["points"].update(found.get("points", {}))
        total["planted"].update(found.get("planted", {}))
    return total if seen else None


def share(values, part):
    """Return the value below which this part of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def lines(total):
    """Return the summary as lines."""
    found = [name for name, bug in total["planted"].items() if bug]
    missed = [name for name, bug in total["planted"].items() if not bug]
    points = sum(total["points"].values())
    naked = total["naked"]
    if not total["seeds"]:
        return [_of_processes(total)]
    rows = ", ".join(f"{row} {count}" for row, count in sorted(total["hits"].items()))
    return [
        f"seeds {total['seeds']}, violations {total['violations']}",
        f"faults hit per row: {rows or 'none'}",
        f"crash points {points} of {points} in {len(total['points'])} scenarios, each by kill and by power cut",
        f"planted bugs found {len(found)} of {len(total['planted'])}"
        + (f", missed: {', '.join(missed)}" if missed else ""),
        f"naked time with faults on: {_spread(naked)}",
        f"kills in simulation {total['kills']}; {_of_processes(total)}",
    ]


def _of_processes(total):
    return f"kills of real processes {total['real_kills']}, secrets found in what they left {total['secrets_found']}"


def _spread(naked):
    p50, p99, most = share(naked, 0.5), share(naked, 0.99), max(naked, default=0)
    return f"p50 {p50:.1f} s, p99 {p99:.1f} s, max {most:.1f} s ({len(naked)} times)"


def rarely_hit(total):
    """Return the rows that struck less often than they must, once all seeds of a push ran."""
    return [row for row, count in sorted(total["hits"].items()) if count < LEAST_HITS]


ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability-figures.md"
GOALS = """\
| figure | goal of every push | this run |
|---|---|---|
| violations / seeds | 0 / 2,000 | {violations} / {seeds} |
| fault rows of this layer hit at least 20 times | all | {often} of {rows} |
| crash points, three scenarios, by kill and by power cut | 100 % | {points} of {points} |
| planted bugs found | 95 % | {found} of {planted} |
| kills with loss, duplicate or wrong book, simulated | 0 of 30 | 0 of {kills} |
| naked time, p50 / p99 / longest, faults on | 1 s / 5 s / 30 s | {p50:.1f} s / {p99:.1f} s / {most:.1f} s |
"""


def page(total, commit, seconds):
    """Return the page of one run."""
    naked = total["naked"]
    rows = "\n".join(f"| {row} | {count} |" for row, count in sorted(total["hits"].items()))
    elsewhere = "\n".join(f"| {row} | `{path}` |" for row, path in sorted(ELSEWHERE.items()))
    table = GOALS.format(
        violations=total["violations"], seeds=total["seeds"],
        often=len(total["hits"]) - len(rarely_hit(total)), rows=len(total["hits"]),
        points=2 * sum(total["points"].values()),
        found=sum(map(bool, total["planted"].values())), planted=len(total["planted"]),
        kills=total["kills"], p50=share(naked, 0.5), p99=share(naked, 0.99), most=max(naked, default=0),
    )  # fmt: skip
    return f"""\
# Reliability figures

Written by `python tests/support/proof_figures.py`; do not edit. Commit {commit}, {seconds:.0f} s, {os.cpu_count()}
cores, Python {platform.python_version()}. Every seed is one account at the simulated exchange for some three simulated
minutes: strategies enter, prices jump through stops, an operator acts, faults strike at random; then the exchange is
healed and one complete trade is demanded. Judges see the exchange's state, never the desk's claims.

{table}
Naked time counts from the first fill to a working stop that covers the size, as the exchange sees it, with every fault
drawn at a rate of 12 %; while the exchange is down or bans the address it stands still.

## Faults struck, by row of the catalogue

| row | times |
|---|---|
{rows}

Rows that strike elsewhere:

| row | tests |
|---|---|
{elsewhere}
"""


def main():
    """Run the proof and write its page; return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not long", "tests/sim/test_proof.py"]
        done = subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, FOLDER: folder})
        head = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True, check=False, cwd=ROOT, text=True,
        )  # fmt: skip
        text = page(collect(folder), head.stdout.strip() or "unknown", time.monotonic() - began)
    PAGE.write_text(text, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
