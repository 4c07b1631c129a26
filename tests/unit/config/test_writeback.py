"""Changes from the keyboard reach the file, and nothing else in it moves."""

from __future__ import annotations

import fcntl
import os
import tomllib
from decimal import Decimal

import pytest

from config.errors import ConfigError
from config.load import load
from config.template import HEADER, template
from config.writeback import write_back

CHANGES = {
    "strategy.mode": "ict",
    "flags.enable_quantization": False,
    "log_level": "DEBUG",
    "signals.weights.atr": 4.5,
    "signals.hard_gates": ("funding", "spread"),
    "virtual.start_balance": Decimal("2500.50"),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(template())
    return path


def values(path):
    return tomllib.loads(path.read_text())


def test_the_template_changes_nothing_and_shows_every_default(file):
    loaded = load(file, {})
    assert all(str(origin) == "default" for origin in loaded.origins.values())
    shown = file.read_text().replace("\n# ", "\n")
    assert shown.count(" = ") > 60


def test_uncommenting_the_whole_template_gives_the_defaults(tmp_path):
    lines = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line and line.split()[1].islower() else line
        for line in template().splitlines()
    ]
    lines = [line for line in lines if not line.endswith(" =")]
    (tmp_path / "all.toml").write_text("\n".join(lines))
    assert load(tmp_path / "all.toml", {}).settings == load(tmp_path / "none.toml", {}).settings


def test_single_lines_change_and_every_comment_stays(file):
    before = file.read_text().splitlines()
    write_back(file, CHANGES)
    after = file.read_text().splitlines()
    assert len(after) == len(before)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == len(CHANGES)
    settings = load(file, {}).settings
    assert (settings.strategy.mode, settings.flags.enable_quantization, settings.log_level) == ("ict", False, "DEBUG")
    assert (settings.signals.weights.atr, settings.signals.hard_gates) == (4.5, ("funding", "spread"))
    assert settings.virtual.start_balance == Decimal("2500.5")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_change_replaces_the_value_and_keeps_its_tail_comment(file):
    write_back(file, {"strategy.mode": "ict"})
    file.write_text(file.read_text().replace('mode = "ict"', 'mode = "ict"   # because of "Monday" # really'))
    write_back(file, {"strategy.mode": "hybrid"})
    assert 'mode = "hybrid"   # because of "Monday" # really' in file.read_text()


def test_a_change_back_to_the_default_comments_the_line_out(file):
    write_back(file, {"universe.size": 5})
    write_back(file, {"universe.size": None})
    assert load(file, {}).settings.universe.size == 200
    assert "# size = 5" in file.read_text()


def test_a_key_spelled_as_variable_is_changed_where_it_stands(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(f"{HEADER}\nTOP_LIQUIDITY_SYMBOLS = 20 # few\n[flags]\nENABLE_QUANTIZATION = true\n")
    write_back(path, {"universe.size": 30, "flags.enable_quantization": False})
    assert path.read_text() == f"{HEADER}\nTOP_LIQUIDITY_SYMBOLS = 30 # few\n[flags]\nENABLE_QUANTIZATION = false\n"


def test_a_missing_file_is_begun_with_our_header(tmp_path):
    path = tmp_path / "new" / "config.toml"
    write_back(path, {"strategy.mode": "ict", "trading.max_signals": 3, "log_level": "ERROR"})
    assert path.read_text().startswith(HEADER)
    assert values(path) == {"log_level": "ERROR", "strategy": {"mode": "ict"}, "trading": {"max_signals": 3}}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_of_the_operator_is_rewritten_and_its_old_text_kept(tmp_path):
    path = tmp_path / "config.toml"
    text = '# my own file\nMAX_SIGNALS = 3\n[strategy]\nmode = "ict"\n'
    path.write_text(text)
    written = write_back(path, {"strategy.mode": "hybrid", "universe.size": 9})
    assert values(path) == {"MAX_SIGNALS": 3, "strategy": {"mode": "hybrid"}, "universe": {"size": 9}}
    assert (tmp_path / "config.toml.before-perpdesk").read_text() == text
    assert "could not be kept" in written.notes[0]


def test_a_value_over_several_lines_is_not_mangled(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(f'{HEADER}\n[signals]\nhard_gates = [\n  "atr",\n  "spread",\n]\n')
    write_back(path, {"signals.hard_gates": ("funding",), "universe.size": 5})
    assert values(path) == {"signals": {"hard_gates": ["funding"]}, "universe": {"size": 5}}


def test_secrets_in_the_file_survive_a_change(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('BINANCE_API_KEY = "k"\nBINANCE_API_SECRET = "s"\n')
    path.chmod(0o600)
    write_back(path, {"universe.size": 5})
    credentials = load(path, {}).credentials
    assert credentials is not None
    assert credentials.secret.reveal() == "s"


def test_what_the_environment_also_gives_is_reported(file):
    environ = {"STRATEGY_MODE": "self_learning"}
    written = write_back(file, {"strategy.mode": "ict", "universe.size": 7}, load(file, environ).origins)
    (note,) = written.notes
    assert "environment STRATEGY_MODE" in note
    assert "wins at the next start" in note
    assert load(file, environ).settings.strategy.mode == "self_learning"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"universe.size": 0}, "from 1 up to 1000"),
        ({"strategy.mode": "icct", "universe.size": 5}, "one of ict"),
        ({"universe.sise": 5}, "nearest known key is universe.size"),
        ({"risk.margin_cap": 0.5}, "margin_warning must not exceed"),
    ],
)
def test_a_refused_change_leaves_the_file_as_it_was(file, changes, words):
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=words):
        write_back(file, changes)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_file_broken_meanwhile_is_not_overwritten(file):
    file.write_text("[universe]\nsize = ")
    with pytest.raises(ConfigError, match="not valid TOML"):
        write_back(file, {"universe.size": 5})
    assert file.read_text() == "[universe]\nsize = "


def test_two_writers_never_mix(file):
    holder = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match="another process; try again"):
        write_back(file, {"universe.size": 5})
    os.close(holder)
    write_back(file, {"universe.size": 5})


def test_a_crash_before_the_rename_leaves_the_old_file(file, monkeypatch):
    before = file.read_bytes()

    def refuse(self, target):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pathlib.PosixPath.replace", refuse)
    with pytest.raises(ConfigError, match="Input/output error; nothing was changed"):
        write_back(file, {"universe.size": 5})
    assert file.read_bytes() == before
