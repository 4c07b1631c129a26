"""What the indicator values of one new candle cost in TA-Lib (batch), talipp, polars, pandas and pandas-ta.

Run by the peers' interpreter: `closed_candle.py DATA.npz`. `o h l c v` are [series, bars] of plain prices, the last
`new` bars of which are the candles to take. A peer that cannot go on from where it stood computes the 500 bars before
the new candle again, as its users do. Where a peer is slow, a part of the series is measured and scaled to all.
"""

import sys

import pandas as pd
import polars as pl
import talib
from reporting import Sink, load
from talipp import indicators as tp
from talipp.ohlcv import OHLCV

HISTORY = 500


def talib_batch(data, sink):
    series = len(data["c"])
    for k in range(3):
        windows = [tuple(data[name][r, k : k + HISTORY].copy() for name in "hlcv") for r in range(series)]

        def work(windows=windows):
            for high, low, close, volume in windows:
                for period in (20, 50, 100, 200):
                    talib.EMA(close, period)
                talib.RSI(close, 14)
                talib.ATR(high, low, close, 14)
                talib.ATR(high, low, close, 200)
                talib.ADX(high, low, close, 14)
                talib.PLUS_DI(high, low, close, 14)
                talib.MINUS_DI(high, low, close, 14)
                talib.MACD(close, 12, 26, 9)
                talib.BBANDS(close, 20, 2, 2)
                talib.SMA(volume, 20)
                talib.OBV(close, volume)

        sink.time("TA-Lib batch over 500 bars", "TA-Lib", work)


def talipp_incremental(data, sink, part=40):
    scale = len(data["c"]) / part
    held = []
    for r in range(part):
        closes = [*(tp.EMA(period) for period in (20, 50, 100, 200)), tp.RSI(14), tp.MACD(12, 26, 9), tp.BB(20, 2)]
        bars = [tp.ATR(14), tp.ATR(200), tp.ADX(14, 14), tp.OBV(), tp.VWAP()]
        held.append((closes, bars, tp.SMA(20), [data[name][r].tolist() for name in "ohlcv"]))

    def take(k):
        for closes, bars, volumes, columns in held:
            candle = OHLCV(*(column[k] for column in columns))
            for indicator in closes:
                indicator.add(candle.close)
            for indicator in bars:
                indicator.add(candle)
            volumes.add(candle.volume)

    for k in range(250):
        take(k)
    for k in range(250, 260):
        sink.time(f"talipp, incremental ({part} series, scaled)", "talipp", lambda k=k: take(k), scale, warm=False)


def polars_expressions(frame):
    close, over = pl.col("c"), "series"
    before = close.shift(1)
    frame = frame.with_columns(
        change=(close - before).over(over),
        up=(pl.col("h") - pl.col("h").shift(1)).over(over),
        down=(pl.col("l").shift(1) - pl.col("l")).over(over),
        range=pl.max_horizontal(
            pl.col("h") - pl.col("l"),
            (pl.col("h") - before.over(over)).abs(),
            (pl.col("l") - before.over(over)).abs(),
        ),
    )

    def wilder(column, period):
        return column.ewm_mean(alpha=1 / period, adjust=False).over(over)

    zero = pl.lit(0.0)
    change, up, down = pl.col("change"), pl.col("up"), pl.col("down")
    plus = pl.when((up > down) & (up > 0)).then(up).otherwise(zero)
    minus = pl.when((down > up) & (down > 0)).then(down).otherwise(zero)
    frame = frame.with_columns(
        *(close.ewm_mean(span=period, adjust=False).over(over).alias(f"ema{period}") for period in (20, 50, 100, 200)),
        gain=wilder(pl.when(change > 0).then(change).otherwise(zero), 14),
        loss=wilder(pl.when(change < 0).then(-change).otherwise(zero), 14),
        atr14=wilder(pl.col("range"), 14),
        atr200=wilder(pl.col("range"), 200),
        plus=wilder(plus, 14),
        minus=wilder(minus, 14),
        line=close.ewm_mean(span=12, adjust=False).over(over) - close.ewm_mean(span=26, adjust=False).over(over),
        mid=close.rolling_mean(20).over(over),
        deviation=close.rolling_std(20, ddof=0).over(over),
        vol_mean=pl.col("v").rolling_mean(20).over(over),
        vol_std=pl.col("v").rolling_std(20, ddof=0).over(over),
        obv=(change.sign() * pl.col("v")).cum_sum().over(over),
    )
    frame = frame.with_columns(
        signal=pl.col("line").ewm_mean(span=9, adjust=False).over(over),
        dx=wilder((pl.col("plus") - pl.col("minus")).abs() / (pl.col("plus") + pl.col("minus")), 14),
        rsi=100 * pl.col("gain") / (pl.col("gain") + pl.col("loss")),
    )
    return frame.group_by(over, maintain_order=True).last()


def polars_all(data, sink):
    series = len(data["c"])
    for k in range(3):
        columns = {name: data[name][:, k : k + HISTORY].reshape(-1) for name in "ohlcv"}
        frame = pl.DataFrame({"series": [r for r in range(series) for _ in range(HISTORY)], **columns})
        sink.time("polars expressions over 500 bars", "polars", lambda frame=frame: polars_expressions(frame))


def pandas_one(frame):
    high, low, close, volume = frame["h"], frame["l"], frame["c"], frame["v"]
    change, before = close.diff(), close.shift(1)
    for period in (20, 50, 100, 200):
        close.ewm(span=period, adjust=False).mean()
    gain = change.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / 14, adjust=False).mean()
    _ = 100 * gain / (gain + loss)
    reach = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1).max(axis=1)
    atr = reach.ewm(alpha=1 / 14, adjust=False).mean()
    reach.ewm(alpha=1 / 200, adjust=False).mean()
    up, down = high.diff(), -low.diff()
    plus = up.where((up > down) & (up > 0), 0.0).ewm(alpha=1 / 14, adjust=False).mean() / atr
    minus = down.where((down > up) & (down > 0), 0.0).ewm(alpha=1 / 14, adjust=False).mean() / atr
    ((plus - minus).abs() / (plus + minus)).ewm(alpha=1 / 14, adjust=False).mean()
    line = close.ewm(span=12, adjust=False).mean() - close.ewm(span=26, adjust=False).mean()
    line.ewm(span=9, adjust=False).mean()
    close.rolling(20).mean(), close.rolling(20).std(ddof=0)
    volume.rolling(20).mean(), volume.rolling(20).std(ddof=0)
    (change.pipe(lambda x: x.gt(0).astype(int) - x.lt(0).astype(int)) * volume).cumsum()


def frames(data, part, k):
    names = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    rows = [pd.DataFrame({name: data[name][r, k : k + HISTORY] for name in "ohlcv"}) for r in range(part)]
    return rows, [row.rename(columns=names) for row in rows]


def pandas_all(data, sink, part=40):
    for k in range(3):
        rows, _ = frames(data, part, k)
        scale = len(data["c"]) / part
        name = f"pandas over 500 bars ({part} series, scaled)"
        sink.time(name, "pandas", lambda rows=rows: [pandas_one(row) for row in rows], scale)


def pandas_ta_one(frame):
    high, low, close, volume = frame["high"], frame["low"], frame["close"], frame["volume"]
    for period in (20, 50, 100, 200):
        ta.ema(close, length=period, talib=False)
    ta.rsi(close, length=14, talib=False)
    ta.atr(high, low, close, length=14, talib=False)
    ta.atr(high, low, close, length=200, talib=False)
    ta.adx(high, low, close, length=14)
    ta.macd(close, talib=False)
    ta.bbands(close, length=20, talib=False)
    ta.sma(volume, length=20, talib=False)
    ta.obv(close, volume, talib=False)


def pandas_ta_all(data, sink, part=20):
    for k in range(3):
        _, rows = frames(data, part, k)
        scale = len(data["c"]) / part
        name = f"pandas-ta-classic over 500 bars ({part} series, scaled)"
        sink.time(name, "pandas-ta-classic", lambda rows=rows: [pandas_ta_one(row) for row in rows], scale)


if __name__ == "__main__":
    import pandas_ta_classic as ta

    sink = Sink()
    given = load(sys.argv[1])
    for work in (talib_batch, talipp_incremental, polars_all, pandas_all, pandas_ta_all):
        sink.guard(work, given)
    sink.close()
