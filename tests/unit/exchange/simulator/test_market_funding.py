from __future__ import annotations

import numpy as np

from exchange.simulator.funding import FundingClock
from exchange.simulator.market import MINUTE, TRADE_ROW
from exchange.simulator.trade_tape import KEPT, TradeTape

HOUR = 60 * MINUTE
MIDNIGHT = 1_700_006_400_000 // (24 * HOUR) * 24 * HOUR


def test_the_next_funding_lies_strictly_ahead_on_the_contracts_own_hours():
    clock = FundingClock(np.array([8, 4, 1]), MIDNIGHT)
    assert (clock.due(MIDNIGHT) - MIDNIGHT).tolist() == [8 * HOUR, 4 * HOUR, HOUR]
    assert (clock.due(MIDNIGHT + 5 * HOUR - 1) - MIDNIGHT).tolist() == [8 * HOUR, 8 * HOUR, 5 * HOUR]


def test_a_small_premium_leaves_the_interest_rate_and_a_large_one_moves_the_rate():
    clock = FundingClock(np.array([8, 8, 8]), MIDNIGHT)
    clock.add_minute(np.array([0.0003, 0.002, -0.002]), MIDNIGHT)
    assert clock.rate().tolist() == [0.0001, 0.0015, -0.0015]


def test_shorter_intervals_pay_their_share_of_eight_hours():
    clock = FundingClock(np.array([8, 4, 1]), MIDNIGHT)
    clock.add_minute(np.zeros(3), MIDNIGHT)
    assert clock.rate().tolist() == [0.0001, 0.00005, 0.0000125]


def test_a_new_interval_begins_a_new_average():
    clock = FundingClock(np.array([8, 1]), MIDNIGHT)
    clock.add_minute(np.array([0.004, 0.004]), MIDNIGHT)
    clock.add_minute(np.array([0.002, 0.002]), MIDNIGHT + HOUR)
    assert np.allclose(clock.rate(), [0.003 - 0.0005, (0.002 - 0.0005) / 8])


def rows(symbols, begin):
    made = np.zeros(len(symbols), dtype=TRADE_ROW)
    made["symbol"] = symbols
    made["time"] = begin + np.arange(len(symbols))
    return made


def test_the_tape_keeps_the_newest_trades_of_each_symbol_in_order():
    tape = TradeTape(3)
    tape.extend(rows([0, 2, 0], 0))
    tape.extend(rows([2] * (KEPT + 30) + [0], 100))
    assert tape.of(0)["time"].tolist() == [0, 2, 100 + KEPT + 30]
    assert tape.of(2)["time"].tolist() == list(range(130, 130 + KEPT))
    tape.extend(rows([2, 2], 5000))
    assert tape.of(2)["time"].tolist() == [*range(132, 130 + KEPT), 5000, 5001]
    assert len(tape.of(1)) == 0
