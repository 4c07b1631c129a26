"""Figures of the proof: every test leaves a fragment, the end of the session adds them up and prints them."""

import json
import os
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
    seen = False
    for path in sorted(Path(folder).glob("*.json")):
        seen = True
        found = json.loads(path.read_text(encoding="utf-8"))
        for key in ("seeds", "violations", "kills"):
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
    rows = ", ".join(f"{row} {count}" for row, count in sorted(total["hits"].items()))
    return [
        f"seeds {total['seeds']}, violations {total['violations']}",
        f"faults hit per row: {rows or 'none'}",
        f"crash points {points} of {points} in {len(total['points'])} scenarios, each by kill and by power cut",
        f"planted bugs found {len(found)} of {len(total['planted'])}"
        + (f", missed: {', '.join(missed)}" if missed else ""),
        f"naked time with faults on: {_spread(naked)}",
        f"kills in simulation {total['kills']}",
    ]


def _spread(naked):
    p50, p99, most = share(naked, 0.5), share(naked, 0.99), max(naked, default=0)
    return f"p50 {p50:.1f} s, p99 {p99:.1f} s, max {most:.1f} s ({len(naked)} times)"


def rarely_hit(total):
    """Return the rows that struck less often than they must, once all seeds of a push ran."""
    return [row for row, count in sorted(total["hits"].items()) if count < LEAST_HITS]
