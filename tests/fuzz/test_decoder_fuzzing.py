"""A minute of coverage-guided fuzzing finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "fuzz_decoders.py"


@pytest.mark.long
def test_a_minute_of_coverage_guided_fuzzing_finds_no_input_that_escapes_the_decoders(tmp_path):
    pytest.importorskip("atheris", reason="the fuzzer exists for Linux only")
    words = [sys.executable, str(SCRIPT), "-max_total_time=60", "-timeout=10", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run([*words, str(tmp_path / "corpus")], check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr, done.stderr[-3000:]
