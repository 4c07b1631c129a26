"""The flag board: default, value, since when, by whom."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.flags import SPECS, FlagBoard
from config.load import load
from config.settings import FlagSettings


def test_the_board_starts_as_configured_and_says_by_whom(tmp_path):
    loaded = load(tmp_path / "none.toml", {"ENABLE_LIQUIDITY_HUNTING": "yes"})
    board = FlagBoard.from_loaded(loaded, 1000)
    states = {state.spec.name: state for state in board.states()}
    assert len(states) == 8
    hunting = states["ENABLE_LIQUIDITY_HUNTING"]
    assert (hunting.value, hunting.spec.default, hunting.since_ms) == (True, False, 1000)
    assert hunting.by == "environment ENABLE_LIQUIDITY_HUNTING"
    assert states["ENABLE_QUANTIZATION"].by == "default"
    assert board.strip() == "QCBMS--L"


def test_a_switch_tells_old_and_new_and_remembers_who_and_when():
    board = FlagBoard.defaults(1000)
    change = board.set("enable_quantization", False, 2000, "operator")
    assert change == ("ENABLE_QUANTIZATION", True, False, "now")
    assert not board.on("ENABLE_QUANTIZATION")
    state = board.states()[0]
    assert (state.since_ms, state.by) == (2000, "operator")
    board.set("ENABLE_QUANTIZATION", False, 3000, "somebody else")
    assert board.states()[0].by == "operator"
    assert board.values()["ENABLE_QUANTIZATION"] is False


def test_an_unknown_flag_names_the_nearest():
    with pytest.raises(ConfigError, match="nearest known flag is ENABLE_SMART_MONITORING"):
        FlagBoard.defaults(0).set("ENABLE_SMART_MONITOR", True, 0, "operator")


def test_flags_and_settings_name_the_same_things():
    assert [spec.name.lower() for spec in SPECS] == list(FlagSettings.model_fields)
    assert [spec.default for spec in SPECS] == list(FlagSettings().model_dump().values())
    assert len({spec.letter for spec in SPECS}) == len(SPECS)
    assert {spec.takes for spec in SPECS} <= {"now", "after restart"}
