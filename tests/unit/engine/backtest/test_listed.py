"""Rules of a replay: the venue's where they fit the recorded bars, inferred ones elsewhere and for each unit anew."""

from decimal import Decimal

import msgspec
import numpy as np
import pytest
from backtest_market import columns, write

from config.flags import FlagBoard
from config.settings import Settings
from engine.backtest.history import read_history
from engine.backtest.listed import contract_from
from engine.backtest.symbols import rules_of
from engine.backtest.told import Told
from engine.replay import Replay
from exchange.instrument import Bracket

TABLE = (Bracket(Decimal(0), Decimal(10**9), 10, Decimal("0.05"), Decimal(0)),)


@pytest.fixture
def series(tmp_path):
    write(tmp_path, "S0USDT", columns(3, 3_000))
    return read_history(tmp_path).series[0]


def told(series, **over):
    known = msgspec.structs.replace(rules_of(series)[0], min_notional=Decimal(77), **over)
    return Told({series.symbol: known}, {series.symbol: TABLE})


def test_the_venue_s_own_answer_is_taken_where_prices_and_volumes_fit_it(series):
    contract = contract_from(series, 0, 3_000, told(series))
    assert contract.told_rules
    assert contract.told_brackets
    assert contract.instrument.min_notional == 77
    assert contract.brackets == TABLE


def test_an_answer_of_another_unit_or_a_coarser_tick_is_left_aside(series):
    for over in ({"max_price": Decimal(50)}, {"tick": Decimal(1)}):
        contract = contract_from(series, 0, 3_000, told(series, **over))
        assert not contract.told_rules
        assert contract.instrument == rules_of(series)[0]


def test_without_an_answer_rules_and_brackets_are_inferred_and_said_to_be(series):
    contract = contract_from(series, 0, 3_000, Told())
    assert (contract.told_rules, contract.told_brackets) == (False, False)
    assert (contract.instrument, contract.brackets) == rules_of(series)


def test_a_new_unit_gets_rules_of_its_own(tmp_path):
    table = columns(7, 9_000, price=40.0)
    for name in ("open", "high", "low", "close"):
        table[name][1_500:] = np.round(table[name][1_500:] * 1e-4, 8)
    write(tmp_path, "S0USDT", table)
    history = read_history(tmp_path)
    assert history.series[0].units() == [0, 1_500]
    run = Replay(history, Settings(), FlagBoard.defaults(0))
    before = run.contracts["S0USDT"].instrument
    run.run()
    after = run.contracts["S0USDT"].instrument
    assert before.tick > after.tick
    assert before == contract_from(history.series[0], 0, 1_500, Told()).instrument
