"""Equity with open positions: what closing at every bar's close would have brought."""

from decimal import Decimal

import numpy as np
import pytest
from backtest_market import BAR, START, columns, small_history, write

from config.flags import FlagBoard
from config.settings import Settings
from engine.backtest.history import read_history
from engine.backtest.marking import fall_of, mark
from engine.backtest.results import summarise
from engine.positions.costs import Costs, fee, fill_price
from engine.replay import Replay, Trade
from engine.strategy.candidate import Direction

DAY = 86_400_000


def trade(series, first, last, direction=Direction.LONG, quantity="2", strategy="ict"):
    """A trade from the open of a bar to the close of a later one, without funding."""
    entry, left = float(series.open[first]), float(series.close[last])
    net = closing(series, first, left, direction, Decimal(quantity))
    opened, closed = int(series.open_time[first]), int(series.open_time[last]) + BAR
    return Trade(
        "p", strategy, series.symbol, direction, opened, closed, entry, left, 1.0, 1e6, Decimal(quantity), 5.0,
        Decimal(100), "tp_triggered", "", Decimal(repr(net)), 1.0, 1.0, 0.0, Decimal(0), 0.5, "s",
    )  # fmt: skip


def closing(series, first, price, direction, quantity):
    """What a position of the open of a bar brings when closed at a price."""
    costs, sign = Costs(), direction.sign
    bought = fill_price(Decimal(repr(float(series.open[first]))), sign, costs)
    sold = fill_price(Decimal(repr(price)), -sign, costs)
    return float(sign * quantity * (sold - bought) - fee(quantity, bought, costs) - fee(quantity, sold, costs))


@pytest.fixture
def series(tmp_path):
    write(tmp_path, "S0USDT", columns(3, 700))
    return read_history(tmp_path).series[0]


@pytest.mark.parametrize("direction", [Direction.LONG, Direction.SHORT])
def test_between_entry_and_exit_each_close_counts_what_closing_there_brings(series, direction):
    one = trade(series, 10, 20, direction)
    equity = mark([one], [series]).equity(1000.0, ["ict"])
    assert equity[0] == 1000.0
    wanted = [1000 + closing(series, 10, float(series.close[bar]), direction, Decimal(2)) for bar in range(10, 20)]
    assert equity[1:11] == pytest.approx(wanted, abs=1e-6)
    assert equity[11:] == pytest.approx(1000 + float(one.net))


def test_strategies_are_marked_apart_and_together(series):
    trades = [trade(series, 10, 20), trade(series, 15, 40, Direction.SHORT, strategy="hybrid")]
    marked = mark(trades, [series])
    alone = [marked.equity(0.0, [name]) for name in ("ict", "hybrid")]
    assert marked.equity(0.0, ["ict", "hybrid", "self_learning"]) == pytest.approx(sum(alone))
    assert alone[0][-1] == pytest.approx(float(trades[0].net))


def test_a_trade_that_opens_and_closes_within_a_bar_counts_at_its_close(series):
    one = trade(series, 10, 10)
    assert mark([one], [series]).equity(0.0, ["ict"])[1:] == pytest.approx([float(one.net)])


def test_the_day_that_ends_at_midnight_holds_its_last_close(series):
    first, last = 280, 600
    marked = mark([trade(series, first, last)], [series])
    equity = marked.equity(0.0, ["ict"])
    days = marked.days(equity)
    assert [day for day, _ in days] == [START, START + DAY, START + 2 * DAY]
    midnight = (START + DAY - int(series.open_time[first])) // BAR
    assert days[0][1] == equity[midnight]
    assert days[-1][1] == equity[-1]


def test_the_largest_fall_is_from_a_peak_and_in_percent_of_it():
    fall = fall_of(np.array([100.0, 200.0, 150.0, 220.0, 165.0, 400.0]))
    assert (fall.usdt, fall.percent) == (55.0, 25.0)


def test_nothing_traded_is_a_flat_equity():
    marked = mark([], [])
    assert marked.equity(500.0, []).tolist() == [500.0]
    assert marked.days(marked.equity(500.0, [])) == ()


def test_the_marked_equity_of_a_replay_ends_at_its_closed_balance_and_falls_at_least_as_deep(tmp_path):
    history = read_history(small_history(tmp_path, symbols=2))
    outcome = Replay(history, Settings(), FlagBoard.defaults(0)).run()
    summary = summarise(outcome, history.series)
    assert summary.trades
    assert summary.marked_equity[-1][1] == pytest.approx(float(summary.end_balance))
    assert summary.marked_drawdown >= float(summary.max_drawdown) - 1e-6
