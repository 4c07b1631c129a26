"""`perpdesk halt`: the stop file is made stronger, never weaker."""

import pytest

from engine.execution.levels import SENTINEL
from tui.cli import main


@pytest.mark.parametrize(
    ("there", "asked", "then"),
    [
        (None, "pause", "PAUSE"), ("", "cancel", "CANCEL"), ("HALT\n", "pause", "HALT"),
        ("flatten", "cancel", "FLATTEN"), ("PAUSE\n", "halt", "HALT"),
    ],
)  # fmt: skip
def test_a_level_that_is_asked_for_already_is_not_weakened(tmp_path, monkeypatch, there, asked, then):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o700)
    if there is not None:
        (tmp_path / SENTINEL).write_text(there)
    assert main(["--data-dir", str(tmp_path), "halt", asked]) == 0
    assert (tmp_path / SENTINEL).read_text() == f"{then}\n"
