"""Bars per CPU second of backtesting programs on one symbol: EMA 20 over EMA 50 is long, under it short.

Run by the peers' interpreter: `backtests.py DATA.npz`; `t o h l c v` are [1, bars]. The strategy is far simpler than
the desk's three and reads one frame, which flatters the peers.
"""

import sys
import time

import backtrader as bt
import numpy as np
import pandas as pd
import talib
import vectorbt as vbt
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from reporting import Sink, load


def frame(data, bars):
    columns = {"Open": "o", "High": "h", "Low": "l", "Close": "c", "Volume": "v"}
    index = pd.to_datetime(data["t"][0, :bars], unit="ms")
    return pd.DataFrame({long: data[short][0, :bars] for long, short in columns.items()}, index=index)


def rate(held, work):
    start = time.process_time()
    work()
    return len(held) / (time.process_time() - start)


class Crossed(bt.Strategy):
    def __init__(self):
        fast, slow = bt.indicators.EMA(period=20), bt.indicators.EMA(period=50)
        self.cross = bt.indicators.CrossOver(fast, slow)

    def next(self):
        if self.cross[0] > 0:
            self.order_target_percent(target=0.5)
        elif self.cross[0] < 0:
            self.order_target_percent(target=-0.5)


def backtrader_run(data, sink, bars=10_000):
    held = frame(data, bars)

    def work():
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.adddata(bt.feeds.PandasData(dataname=held))
        cerebro.addstrategy(Crossed)
        cerebro.broker.setcommission(0.0005)
        cerebro.run()

    for _ in range(2):
        sink.add(f"backtrader, EMA cross, {len(held):,} bars", "backtrader", rate(held, work))


class Cross(Strategy):
    def init(self):
        self.fast = self.I(talib.EMA, self.data.Close, 20)
        self.slow = self.I(talib.EMA, self.data.Close, 50)

    def next(self):
        if crossover(self.fast, self.slow):
            self.position.close()
            self.buy(size=0.5)
        elif crossover(self.slow, self.fast):
            self.position.close()
            self.sell(size=0.5)


def backtesting_run(data, sink, bars=100_000):
    held = frame(data, bars)
    for _ in range(2):
        test = Backtest(held, Cross, cash=1_000_000, commission=0.0005, finalize_trades=True)
        sink.add(f"backtesting.py, EMA cross, {len(held):,} bars", "backtesting", rate(held, test.run))


def vectorbt_run(data, sink, bars=100_000):
    close = frame(data, bars)["Close"]

    def work():
        fast, slow = talib.EMA(close.to_numpy(), 20), talib.EMA(close.to_numpy(), 50)
        over = pd.Series(np.nan_to_num(fast - slow) > 0, index=close.index)
        under = ~over
        portfolio = vbt.Portfolio.from_signals(close, over, short_entries=under, fees=0.0005, freq="5min")
        portfolio.total_return()

    work()  # compiles
    for _ in range(3):
        sink.add(f"vectorbt, EMA cross, vectorised, {len(close):,} bars", "vectorbt", rate(close, work))


if __name__ == "__main__":
    sink = Sink()
    given = load(sys.argv[1])
    for one in (backtrader_run, backtesting_run, vectorbt_run):
        sink.guard(one, given)
    sink.close()
