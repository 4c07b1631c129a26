"""A process that holds secrets leaves nothing of them behind; proven with real ones that abort."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ABORT = """
import os, resource, sys
from engine.adapters.process import close_process
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # as allowed as this machine lets it be
if "closed" in sys.argv:
    close_process()
os.close(os.open("written", os.O_CREAT | os.O_WRONLY, 0o666))
print(open("/proc/self/limits").read(), flush=True)
os.abort()
"""


def aborted(folder, *words):
    """Abort a process in a folder of its own; return its limit on core files and whether it dumped."""
    child = subprocess.Popen(
        [sys.executable, "-c", ABORT, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        stdout=subprocess.PIPE,
        text=True,
        umask=0o022,
    )
    said = child.stdout.read()
    child.stdout.close()
    _, status = os.waitpid(child.pid, 0)
    child.returncode = 0  # it was waited for above, where the dump flag can be read
    limit = next(line for line in said.splitlines() if line.startswith("Max core file size")).split()[4:6]
    return limit, os.WCOREDUMP(status)


def test_an_aborting_process_that_was_closed_dumps_no_core(tmp_path):
    limit, dumped = aborted(tmp_path, "closed")
    assert set(limit) <= {"0", "1"}
    assert not dumped
    assert [one.name for one in tmp_path.iterdir()] == ["written"]


def test_one_that_was_not_closed_would_dump_where_the_machine_allows_it(tmp_path):
    _, dumped = aborted(tmp_path)
    if not dumped:
        pytest.skip("this machine lets no process dump a core")


def test_what_a_closed_process_writes_is_closed_to_others(tmp_path):
    aborted(tmp_path, "closed")
    assert (tmp_path / "written").stat().st_mode & 0o777 == 0o600
