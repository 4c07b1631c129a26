"""What the program is made of."""

import platform

from engine.adapters import program
from engine.adapters.program import built_with, code_hash


def test_the_same_sources_have_the_same_hash():
    assert code_hash() == code_hash()
    assert len(code_hash()) == 64


def test_a_changed_source_has_another_hash(tmp_path, monkeypatch):
    (tmp_path / "made_up_wing").mkdir()
    source = tmp_path / "made_up_wing" / "__init__.py"
    source.write_text("LIMIT = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(program, "WINGS", ("made_up_wing",))
    before = code_hash()
    source.write_text("LIMIT = 2\n")
    assert code_hash() != before


def test_interpreter_processor_and_libraries_are_named():
    text = built_with()
    assert f"Python {platform.python_version()}, {platform.machine()}" in text
    assert "numba " in text
