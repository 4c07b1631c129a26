"""What is never loaded and never left open: pickles, packages without a hash, and rows of the fault catalogue.

F58 is proven for what exists: no model file is read by this program yet, strategies come only as installed packages.
F59: the addresses of the venue are fixed in code, see tests/unit/exchange/binance/test_routes.py.
"""

import ast
import re
from pathlib import Path

import pytest
from proof_faults import DEAF, PLANNED
from proof_figures import ELSEWHERE

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(path for top in ("tui", "engine", "ml", "exchange", "config") for path in (ROOT / top).rglob("*.py"))
UNSAFE = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^ ]+( ; [a-z_0-9 .<>=!'A-Z]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def unsafe_calls(tree):
    """Names of calls that run what they read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in {"eval", "exec"} or any(one.arg == "allow_pickle" for one in node.keywords):
                yield f"line {node.lineno}: {name or 'allow_pickle'}"


def test_no_module_of_the_program_can_load_a_pickle_or_run_what_it_reads():
    found = {}
    for path in PRODUCT:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bad = sorted(UNSAFE & set(imported(tree))) + list(unsafe_calls(tree))
        if bad:
            found[str(path.relative_to(ROOT))] = bad
    assert len(PRODUCT) > 400
    assert not found


@pytest.mark.parametrize("name", ["constraints-run.txt", "constraints.txt"])
def test_every_package_is_pinned_by_version_and_hash_and_names_no_registry(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", " "))]
    assert packages
    assert [line for line in packages if not PINNED.match(line)] == []
    assert [line for line in lines if line.startswith(" ") and "--hash" in line and not HASH.match(line)] == []
    assert not [line for line in lines if "://" in line]
    for at, line in enumerate(lines):
        if PINNED.match(line):
            assert "--hash" in lines[at + 1], line


def test_every_row_of_the_fault_catalogue_strikes_somewhere():
    here = {row.row for row in (*PLANNED, *DEAF)}
    acts = {f"F{number:02d}" for number in range(1, 61)} - here - set(ELSEWHERE)
    source = (ROOT / "tests" / "support" / "proof_scenario.py").read_text(encoding="utf-8")
    assert sorted(row for row in acts if f'"{row}"' not in source) == []
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []
