"""What is refused, and what the refusal says."""

from __future__ import annotations

import os

import pytest

from config.errors import ConfigError
from config.load import load
from config.nearest import edit_distance, nearest
from config.paths import desk_paths, find_config, loose_modes, prepare_directory


def faults(tmp_path, text="", environ=None, command_line=None):
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {}, command_line)
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        ("[universe]\n\nsise = 3\n", "line 3", "universe.size"),
        ("[univers]\nsize = 3\n", "line 2", "universe.size"),
        ("STRATEGY_MODUS = 'ict'\n", "line 1", "strategy_mode"),
        ("[flags]\nenable_quantisation = true\n", "line 2", "flags.enable_quantization"),
        ("[universe]\nmax_signals = 3\n", "line 2", "trading.max_signals"),
        ("x = '''\n[universe]\nsize = 4\n'''\n", "line 1", ""),
    ],
)
def test_an_unknown_key_names_line_and_nearest_known_key(tmp_path, text, line, near):
    (fault,) = faults(tmp_path, text)
    assert line in fault
    assert f"nearest known key is {near}" in fault
    assert "correct it or remove the line" in fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[universe]\nsize = '200'\n", "universe.size = '200' (file {file} line 2) is refused: must be a whole number"),
        ("[universe]\nsize = 0\n", "from 1 up to 1000"),
        ("[universe]\nsize = true\n", "universe.size = True"),
        ("[universe]\nsize = 2.5\n", "whole number"),
        ("[trading]\nenabled = 1\n", "true or false"),
        ("[strategy]\nmode = 'icct'\n", "one of ict, self_learning, hybrid"),
        ("[strategy]\nmin_confidence = nan\n", "a number from 0 up to 1"),
        ("[virtual]\nstart_balance = inf\n", "a number above 0"),
        ("[virtual]\nstart_balance = true\n", "a number above 0"),
        ("[virtual]\nrisk_per_position = 0\n", "virtual.risk_per_position = 0 ("),
        ("[virtual]\nrisk_per_position = 0.1\n", "a number above 0 up to 0.02"),
        ("[signals]\nhard_gates = ['mood']\n", "a list of confidence, reward_risk"),
        ("[risk]\nmargin_warning = 0.95\n", "margin_warning must not exceed risk.margin_cap"),
        (
            (
                "signals.weights = {confidence = 0, reward_risk = 0, regime = 0, atr = 0, volume_rank = 0, "
                "funding = 0, spread = 0, completeness = 0, reversal = 0}\n"
            ),
            "one of the signals.weights must be positive",
        ),
        ("[signals]\nmin_atr_percent = 6\n", "must be below signals.max_atr_percent"),
        ("[exchange]\nvenue = 'http://example.com'\n", "an http URL on this machine"),
        ("[exchange]\nvenue = 'https://fapi.binance.com'\n", "write live instead"),
        ("[simulator]\nmarket = 'replay:'\n", "synthetic, replay:DIR or session:DIR"),
        ("[simulator]\nstart = 'yesterday'\n", "an instant from 2011 to 2099 with its offset"),
        ("[simulator]\nstart = '2026-01-05T00:00:00'\n", "such as 2026-01-05T00:00:00Z"),
        ("universe = 3\n", "is a table; write [universe]"),
        ("[universe.size]\nx = 1\n", "unknown key universe.size.x"),
    ],
)
def test_a_wrong_value_names_key_value_place_and_what_is_allowed(tmp_path, text, words):
    (fault,) = faults(tmp_path, text)
    assert words.format(file=tmp_path / "config.toml") in fault


def test_all_faults_are_told_at_once(tmp_path):
    assert len(faults(tmp_path, "[universe]\nsize = 0\n[trading]\nmax_signals = 0\n")) == 2


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"MAX_SIGNAL": "3"}, "unknown environment variable MAX_SIGNAL; the nearest known name is MAX_SIGNALS"),
        ({"ENABLE_TURBO": "1"}, "unknown environment variable ENABLE_TURBO"),
        ({"PERPDESK_SIMULATOR_SED": "1"}, "PERPDESK_SIMULATOR_SEED"),
        ({"BINANCE_API_KEYS": "canary"}, "BINANCE_API_KEY"),
        ({"MAX_SIGNALS": "many"}, "trading.max_signals = 'many' (environment MAX_SIGNALS) is refused"),
        ({"ENABLE_QUANTIZATION": "maybe"}, "true or false"),
        ({"VIRTUAL_POSITION_EXPIRY": "-1"}, "virtual.expiry = -1.0"),
        ({"PERPDESK_VIRTUAL_START_BALANCE": "lots"}, "a number above 0"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path, environ, words):
    (fault,) = faults(tmp_path, "", environ)
    assert words in fault
    assert "canary" not in fault


def test_variables_of_other_programs_are_never_complained_about(tmp_path):
    others = [
        "PATH",
        "LOGLEVEL",
        "LOG_LEVELS",
        "WORKERS",
        "MAX_WORKER",
        "HOME",
        "BINANCE_PROXY",
        "TRADING",
        "XDG_DATA_HOME",
    ]
    load(tmp_path / "none.toml", dict.fromkeys(others, "x"))


def test_one_setting_under_two_names_is_refused(tmp_path):
    (fault,) = faults(tmp_path, "MAX_SIGNALS = 3\n[trading]\nmax_signals = 4\n")
    assert "given twice" in fault
    assert "line 1" in fault
    assert "line 3" in fault


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[universe]\nsize = \n", "line 2, column 8"),
        ("[universe]\nsize = 5\n[trad", "line 3, column 6"),
        ("a = 1\na = 2\n", "line 2"),
        ('x = "half', "line 1, column 10"),
    ],
)
def test_a_half_written_file_is_refused_with_line_and_column(tmp_path, text, place):
    (fault,) = faults(tmp_path, text)
    assert place in fault
    assert "nothing of it was applied" in fault


def test_a_named_file_must_exist_and_be_a_readable_text_file(tmp_path):
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "gone.toml", {}, required=True)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "binary.toml", {})
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load(tmp_path / "big.toml", {})
    (tmp_path / "link.toml").symlink_to(tmp_path / "big.toml")
    with pytest.raises(ConfigError, match="symbolic link"):
        load(tmp_path / "link.toml", {})
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ConfigError, match="not a regular file"):
        load(tmp_path / "pipe.toml", {})
    with pytest.raises(ConfigError, match="not a regular file"):
        load(tmp_path, {})


def test_the_configuration_file_is_found_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert find_config("a.toml", "d", {}).required
    assert find_config(None, None, {"PERPDESK_CONFIG": "/x/y.toml"}) == (tmp_path.__class__("/x/y.toml"), True)
    assert find_config(None, str(tmp_path), {}) == (tmp_path / "config.toml", False)
    assert find_config(None, None, {}) == (tmp_path / "home" / "perpdesk" / "config.toml", False)


def test_a_data_directory_is_made_private(tmp_path):
    mask = os.umask(0)
    try:
        prepare_directory(tmp_path / "a" / "data")
    finally:
        os.umask(mask)
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "a" / "data").iterdir()) == []


def test_a_loose_linked_or_impossible_data_directory_is_refused(tmp_path):
    (tmp_path / "loose").mkdir(mode=0o755)
    with pytest.raises(ConfigError, match=r"mode 0755.*chmod 700"):
        prepare_directory(tmp_path / "loose")
    (tmp_path / "link").symlink_to(tmp_path / "loose")
    with pytest.raises(ConfigError, match="symbolic link"):
        prepare_directory(tmp_path / "link")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"cannot be created|not a directory"):
        prepare_directory(tmp_path / "file")
    with pytest.raises(ConfigError, match=r"cannot be created.*--data-dir"):
        prepare_directory(tmp_path / "file" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_directory_without_rights_is_refused(tmp_path):
    (tmp_path / "readonly").mkdir(mode=0o500)
    with pytest.raises(ConfigError, match="cannot be written"):
        prepare_directory(tmp_path / "readonly")


def test_loose_files_below_the_data_directory_are_named(tmp_path):
    paths = desk_paths(str(tmp_path))
    paths.log_file.write_text("x")
    paths.log_file.chmod(0o640)
    (tmp_path / "fine").touch(mode=0o600)
    (tmp_path / "link").symlink_to(tmp_path / "fine")
    found = loose_modes(tmp_path)
    assert len(found) == 2
    assert any("mode 0640" in one for one in found)


@pytest.mark.parametrize(("left", "right", "distance"), [("", "abc", 3), ("abc", "abd", 1), ("kitten", "sitting", 3)])
def test_edit_distance_counts_single_changes(left, right, distance):
    assert edit_distance(left, right) == edit_distance(right, left) == distance


def test_the_nearest_name_ignores_case_and_table():
    assert nearest("SIZE", ["universe.size", "trading.max_signals"]) == "universe.size"
