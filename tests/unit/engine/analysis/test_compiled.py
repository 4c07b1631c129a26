import re
from pathlib import Path

from engine.analysis import compiled
from engine.analysis.changes import BORN, LOG_SIZE, changes_since, make_log, note
from engine.analysis.warm import warm

PACKAGE = Path(compiled.__file__).parent


def test_every_module_with_kernels_is_part_of_the_digest():
    marked = re.compile(r"^@(kernel|entry)$", re.MULTILINE)
    with_kernels = {path.stem for path in PACKAGE.glob("*.py") if marked.search(path.read_text())}
    assert with_kernels <= set(compiled.SOURCES)


def test_a_change_of_any_source_changes_the_digest(tmp_path, monkeypatch):
    for name in compiled.SOURCES:
        (tmp_path / f"{name}.py").write_text("a = 1\n")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    before = compiled.source_digest()
    (tmp_path / "gaps.py").write_text("a = 2\n")
    assert compiled.source_digest() != before


def test_warming_tells_what_it_does():
    lines = []
    warm(lines.append)
    assert len(lines) == 4
    assert lines[-1] == "analysis kernels ready"


def test_a_log_that_is_off_keeps_nothing_and_a_full_one_keeps_the_newest():
    off, on = make_log(on=False), make_log()
    for k in range(LOG_SIZE + 5):
        for log in (off, on):
            note.py_func(_Record(log), 0, 0, 0, BORN, 1, 0, k, k, k, 0.0, 0.0, 0.0)
    assert len(changes_since(off, 0)[0]) == 0
    changes, lost = changes_since(on, 0)
    assert (len(changes), lost) == (LOG_SIZE, 5)
    assert changes["number"].tolist() == list(range(5, LOG_SIZE + 5))
    assert changes_since(on, LOG_SIZE + 3)[0]["number"].tolist() == [LOG_SIZE + 3, LOG_SIZE + 4]


class _Record:
    """Attribute access to a structured scalar, as compiled code has it."""

    def __init__(self, array):
        object.__setattr__(self, "array", array)

    def __getattr__(self, name):
        value = self.array[name][0]
        return _Ring(value) if name == "ring" else value

    def __setattr__(self, name, value):
        self.array[name][0] = value


class _Ring:
    def __init__(self, rows):
        self.rows = rows

    def __getitem__(self, k):
        return _Record(self.rows[k : k + 1])
