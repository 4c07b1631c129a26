"""Run the benchmarks and write benchmarks/results.md.

Each `bench_*.py` beside this file offers `rows()`: dicts with name, unit, min, median, max, and where it applies ratio
(against the named peer in the same run), target, and the topic of docs/performance.md they belong to; that page is
written when every topic was measured. Name one or more to run only those: `run.py analysis cycle positions replay`.
"""

import importlib
import importlib.util
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from performance_page import HEAD, TOPICS, page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "benchmarks" / "results.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
PACKAGES = (
    "numpy", "numba", "textual", "msgspec", "websockets", "aiohttp", "aiofastnet", "uvloop", "TA-Lib", "picows", "ccxt",
    "python-binance",
)  # fmt: skip


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def commit():
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def shown(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def main(names):
    sys.path[:0] = [str(HERE.parent / "support"), str(HERE)]
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`. Absolute values belong to this machine and moment; compare ratios.",
        "",
        f"- machine: {processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at start",
        f"- Python {platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        f"- commit {commit()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        *HEAD,
    ]
    begins = lines.index("", 4)
    topics = {topic: [] for topic in TOPICS}
    for path in sorted(HERE.glob("bench_*.py")):
        if names and path.stem.removeprefix("bench_") not in names:
            continue
        print(f"running {path.stem} ...", file=sys.stderr, flush=True)
        for row in load(path).rows():
            cells = [row["name"], row["unit"]]
            cells += [shown(row.get(key)) for key in ("min", "median", "max", "ratio", "target")]
            lines.append("| " + " | ".join(cells) + " |")
            if row.get("topic"):
                topics[row["topic"]].append(lines[-1])
            print(lines[-1], file=sys.stderr, flush=True)
    if names:
        print("\n".join(lines))
    else:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"wrote {RESULTS.relative_to(ROOT)}", file=sys.stderr)
    if all(topics.values()):
        written = page(lines[4:begins], topics, importlib.import_module("peer_programs").versions)
        PERFORMANCE.write_text(written, encoding="utf-8")
        print(f"wrote {PERFORMANCE.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
