"""The advanced modules in a replay: they act as they do live, look at nothing ahead, and need no order book."""

import pytest
from backtest_market import small_history

from config.flags import FlagBoard
from config.settings import Settings
from engine.backtest.history import read_history
from engine.backtest.prove import prove
from engine.replay import Replay, ReplayRules

ADVANCED = ("ENABLE_MARKET_REGIME_PREDICTION", "ENABLE_DYNAMIC_FEATURES", "ENABLE_LIQUIDITY_HUNTING")
SETTINGS = Settings.model_validate({"strategy": {"min_confidence": 0.2}, "liquidity_hunting": {"confidence": 0.2}})


def decisions(history, *flags):
    board = FlagBoard.defaults(0)
    for name in flags:
        board.set(name, True, 0, "test")
    return Replay(history, SETTINGS, board, ReplayRules()).run().decisions


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return read_history(small_history(tmp_path_factory.mktemp("candles"), symbols=2, bars=7_500))


@pytest.fixture(scope="module")
def plain(history):
    return decisions(history)


@pytest.mark.parametrize("flag", ADVANCED)
def test_each_advanced_module_changes_what_the_desk_decides(history, plain, flag):
    assert decisions(history, flag) != plain


def test_with_all_of_them_on_random_prefixes_decide_what_the_whole_run_decided(history):
    whole = decisions(history, *ADVANCED)
    assert whole
    proofs = prove(history, whole, lambda part: decisions(part, *ADVANCED), 1, 7)
    assert [proof.divergence for proof in proofs] == [""]
