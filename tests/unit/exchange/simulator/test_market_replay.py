from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exchange.simulator.market import MINUTE
from exchange.simulator.market_factory import make_market
from exchange.simulator.replay import ReplayMarket
from exchange.simulator.replay_files import MarketDataError, choose_window
from exchange.simulator.replay_rules import infer_step
from exchange.simulator.stepped_market import MarketError

START = 1_700_006_400_000 // 86_400_000 * 86_400_000
FIVE = 5 * MINUTE
HOUR = 60 * MINUTE
RECORDED = Path(__file__).resolve().parents[5] / "shared" / "data" / "market" / "candles" / "um"


def table(count, *, start=START, interval=FIVE, seed=1, **extra):
    draw = np.random.default_rng(seed)
    path = np.round(100 + np.cumsum(draw.normal(0, 0.3, count + 1)), 2)
    columns = {
        "open_time": start + interval * np.arange(count),
        "open": path[:-1].copy(),
        "high": np.round(np.maximum(path[:-1], path[1:]) + draw.integers(0, 30, count) / 100, 2),
        "low": np.round(np.minimum(path[:-1], path[1:]) - draw.integers(0, 30, count) / 100, 2),
        "close": path[1:].copy(),
        "volume": draw.integers(500, 90_000, count) / 1000,
    }
    return columns | extra


def write(folder, name, columns):
    pq.write_table(pa.table(columns), folder / name)


@pytest.fixture
def folder(tmp_path):
    """Two contracts with 100 bars of 5m each; the second knows all kline columns."""
    write(tmp_path, "AAAUSDT-5m__one.parquet", table(100))
    full = table(100, seed=2)
    volume, typical = full["volume"], full["close"]
    full |= {
        "quote_volume": np.round(volume * typical, 4),
        "trades": np.arange(100) + 40,
        "taker_buy_volume": np.round(volume * 0.4, 3),
        "taker_buy_quote_volume": np.round(volume * 0.4 * typical, 4),
    }
    write(tmp_path, "BBBUSDT-5m__one.parquet", full)
    return tmp_path


def index_of(market, symbol):
    return [listing.instrument.symbol for listing in market.listings].index(symbol)


def test_every_recorded_bar_is_reproduced_to_the_last_digit(folder):
    market = ReplayMarket(folder, seed=1, step_ms=10_000)
    market.advance(market.end_ms)
    for symbol, seed in (("AAAUSDT", 1), ("BBBUSDT", 2)):
        recorded = table(100, seed=seed)
        shown = market.candles(index_of(market, symbol), "5m", START, market.end_ms - 1, 500)
        for name in ("open_time", "open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(shown, name), recorded[name]), name


def test_minutes_inside_a_bar_join_to_the_bar(folder):
    market = ReplayMarket(folder, seed=1, step_ms=1000)
    market.advance(market.now_ms + 40 * MINUTE)
    for index in range(2):
        end = market.now_ms // FIVE * FIVE
        minutes = market.candles(index, "1m", end - HOUR, end - 1, 60)
        fives = market.candles(index, "5m", end - HOUR, end - 1, 12)
        assert np.array_equal(minutes.open[::5], fives.open)
        assert np.array_equal(minutes.close[4::5], fives.close)
        assert np.array_equal(minutes.high.reshape(-1, 5).max(axis=1), fives.high)
        assert np.array_equal(minutes.low.reshape(-1, 5).min(axis=1), fives.low)
        assert np.allclose(minutes.volume.reshape(-1, 5).sum(axis=1), fives.volume, rtol=1e-12)
        assert np.array_equal(minutes.trades.reshape(-1, 5).sum(axis=1), fives.trades)


def test_one_minute_candles_are_replayed_and_joined(tmp_path):
    write(tmp_path, "AAAUSDT-1m.parquet", table(400, interval=MINUTE, start=START + MINUTE))
    market = ReplayMarket(tmp_path, seed=1, step_ms=10_000)
    market.advance(market.end_ms)
    recorded = table(400, interval=MINUTE)
    minutes = market.candles(0, "1m", None, market.end_ms - 1, 1000)
    fives = market.candles(0, "5m", None, market.end_ms - MINUTE, 1000)
    assert np.array_equal(minutes.close, recorded["close"])
    assert fives.open_time[0] == START + FIVE
    assert np.array_equal(fives.high[:79], recorded["high"][4:399].reshape(-1, 5).max(axis=1)[:79])


def test_columns_that_the_files_lack_are_estimated_and_named(folder):
    market = ReplayMarket(folder, seed=1)
    lacking, full = (market.listings[index_of(market, symbol)] for symbol in ("AAAUSDT", "BBBUSDT"))
    assert lacking.estimated == ("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
    assert full.estimated == ()
    shown = market.candles(index_of(market, "BBBUSDT"), "5m", START, None, 10)
    assert shown.trades.tolist() == list(range(40, 50))
    guessed = market.candles(index_of(market, "AAAUSDT"), "5m", START, None, 10)
    assert (guessed.trades >= 1).all()
    assert (guessed.taker_base <= guessed.volume).all()
    assert (guessed.quote_volume / guessed.volume <= guessed.high).all()
    assert (guessed.quote_volume / guessed.volume >= guessed.low).all()


def test_rules_are_inferred_from_the_decimals_seen(folder):
    rules = ReplayMarket(folder, seed=1).listings[0].instrument
    assert rules.tick == Decimal("0.01")
    assert rules.lot.step == Decimal("0.001")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([26_500.5, 26_501.0, 26_499.5], "0.5"),
        ([0.1234, 0.1236], "0.0002"),
        ([100.0, 350.0], "10"),
        ([0.00001234, 1.5], "0.00000002"),
        ([], "10"),
    ],
)
def test_a_grid_is_the_coarsest_decimal_step_that_holds_every_value(values, step):
    assert infer_step(np.array(values), coarsest=Decimal(10)) == Decimal(step)


@pytest.mark.parametrize(
    ("changes", "fault", "bars"),
    [
        ({"close": {7: np.nan}}, "a price is missing or not finite", 1),
        ({"open": {8: 0.0}}, "a price is not positive", 1),
        ({"low": {9: -3.0}}, "a price is not positive", 1),
        ({"high": {10: 1.0}, "low": {10: 2.0}}, "high < low", 1),
        ({"high": {11: 1.0}, "low": {11: 0.5}}, "open or close outside high and low", 1),
        ({"volume": {12: -1.0, 13: np.nan}}, "volume is missing, negative or not finite", 2),
        ({"volume": {12: 0.0}}, "prices move without volume", 1),
        ({"open_time": {14: START + 13 * FIVE}}, "open time occurs twice", 1),
        ({"open_time": {15: START + 15 * FIVE + 1}}, "open time is not on the interval's grid", 1),
    ],
)
def test_a_bar_that_cannot_be_is_refused_reported_and_shown_flat(folder, changes, fault, bars):
    columns = table(100, seed=3)
    for name, cells in changes.items():
        columns[name] = columns[name].copy()
        for row, value in cells.items():
            columns[name][row] = value
    write(folder, "CCCUSDT-5m__one.parquet", columns)
    market = ReplayMarket(folder, seed=1)
    found = [defect for defect in market.defects if defect.fault == fault]
    assert [(defect.file, defect.bars) for defect in found] == [("CCCUSDT-5m__one.parquet", bars)]
    row = min(next(iter(changes.values())))
    shown = market.candles(index_of(market, "CCCUSDT"), "5m", START + row * FIVE, None, 1)
    assert shown.open[0] == shown.high[0] == shown.low[0] == shown.close[0] == columns["close"][row - 1]
    assert shown.volume[0] == shown.trades[0] == 0


def test_missing_bars_are_reported_as_one_gap_and_stay_flat_when_lived_through(folder):
    columns = table(100, seed=3)
    kept = np.r_[0:80, 85:100]
    write(folder, "CCCUSDT-5m__one.parquet", {name: column[kept] for name, column in columns.items()})
    market = ReplayMarket(folder, seed=1, step_ms=10_000)
    (gap,) = market.defects
    assert (gap.fault, gap.bars, gap.open_time) == ("bars are missing", 5, START + 80 * FIVE)
    index = index_of(market, "CCCUSDT")
    market.advance(START + 80 * FIVE)
    traded = 0
    while market.now_ms < START + 85 * FIVE:
        market.advance(market.now_ms + MINUTE)
        traded += int((market.trades()["symbol"] == index).sum())
        assert market.columns.last[index] == columns["close"][79]
    assert traded == 0


def test_bars_out_of_order_are_sorted_and_reported(folder):
    columns = table(100, seed=3)
    order = np.r_[0:50, 51, 50, 52:100]
    write(folder, "CCCUSDT-5m__one.parquet", {name: column[order] for name, column in columns.items()})
    market = ReplayMarket(folder, seed=1)
    assert [defect.fault for defect in market.defects] == ["open times are not in order"]
    shown = market.candles(index_of(market, "CCCUSDT"), "5m", START, None, 60)
    assert np.array_equal(shown.close[:60], columns["close"][:60])


def test_a_file_with_too_many_bad_bars_is_left_out_with_the_reason(folder):
    columns = table(100, seed=3)
    columns["close"][:20] = np.nan
    write(folder, "CCCUSDT-5m__one.parquet", columns)
    market = ReplayMarket(folder, seed=1)
    assert len(market.listings) == 2
    assert market.left_out == (("CCCUSDT-5m__one.parquet", "20 of 100 bars are missing or unusable"),)


def test_files_that_are_no_candles_are_left_out_and_the_rest_is_played(folder):
    (folder / "TORNUSDT-5m__x.parquet").write_bytes(b"PAR1 and then nothing")
    write(folder, "NOTIME-5m__x.parquet", {"close": [1.0]})
    write(folder, "DAILY-1d__x.parquet", table(3, interval=24 * HOUR))
    write(folder, "strange.parquet", table(3))
    write(folder, "LATEUSDT-5m__x.parquet", table(100, start=START + 10 * HOUR))
    columns = table(100)
    del columns["volume"]
    write(folder, "PRICEUSDT-5m__x.parquet", columns)
    (folder / "notes.txt").write_text("not a candle")
    market = ReplayMarket(folder, seed=1)
    assert len(market.listings) == 2
    reasons = {item.file.split("-")[0].split(".")[0]: item.reason for item in market.left_out}
    assert set(reasons) == {"TORNUSDT", "NOTIME", "DAILY", "strange", "LATEUSDT", "PRICEUSDT"}
    assert "interval 1d" in reasons["DAILY"]
    assert "common time window" in reasons["LATEUSDT"]
    assert "columns are missing: volume" in reasons["PRICEUSDT"]


def test_of_two_files_of_a_symbol_the_fuller_one_is_played(folder):
    columns = table(100, seed=9)
    kept = np.r_[0:50, 51:100]
    write(folder, "AAAUSDT-5m__a-first-by-name.parquet", {name: column[kept] for name, column in columns.items()})
    market = ReplayMarket(folder, seed=1)
    assert [item.file for item in market.left_out] == ["AAAUSDT-5m__a-first-by-name.parquet"]
    assert market.defects == ()


@pytest.mark.parametrize(
    ("spans", "window"),
    [
        ([("A", 0, 100), ("B", 0, 100), ("C", 50, 150)], (0, 100)),
        ([("A", 0, 100), ("B", 10, 110), ("C", 20, 120)], (20, 100)),
        ([("A", 0, 100), ("A", 0, 90), ("B", 95, 300)], (95, 300)),
        ([("LONG", 0, 900 * 24 * HOUR), ("A", 0, 20 * 24 * HOUR), ("B", 0, 20 * 24 * HOUR)], (0, 20 * 24 * HOUR)),
    ],
)
def test_the_window_is_the_one_with_the_most_symbol_hours(spans, window):
    assert choose_window(spans) == window


def test_live_time_begins_after_500_hours_where_the_data_allow(tmp_path):
    write(tmp_path, "AAAUSDT-5m.parquet", table(12 * 700, start=START + FIVE))
    market = ReplayMarket(tmp_path, seed=1, step_ms=60_000)
    assert market.now_ms == START + 501 * HOUR
    assert market.notes == ()
    assert len(market.candles(0, "1h", None, market.now_ms - 1, 500)) == 500
    assert len(market.candles(0, "1m", None, market.now_ms - 1, 1500)) == 1500


def test_a_short_recording_says_how_much_history_it_gives(folder):
    market = ReplayMarket(folder, seed=1)
    assert market.now_ms == START + 75 * FIVE
    assert market.notes == ("the data give 6.2 hours of history before the start instead of 500",)


def test_a_start_inside_the_recording_is_kept_and_one_outside_is_not(folder):
    inside = START + 30 * FIVE + 61_000
    assert ReplayMarket(folder, seed=1, start_ms=inside).now_ms == inside
    assert ReplayMarket(folder, seed=1, start_ms=START - HOUR).now_ms == START + 75 * FIVE


def test_the_market_stands_still_at_the_end_of_the_data_and_says_so(folder):
    market = ReplayMarket(folder, seed=1, step_ms=10_000)
    market.advance(market.end_ms - 10_000)
    assert not market.exhausted
    market.advance(market.end_ms + 10 * HOUR)
    assert market.exhausted
    assert market.now_ms == market.end_ms
    last = market.columns.last.copy()
    market.advance(market.end_ms + 20 * HOUR)
    assert market.now_ms == market.end_ms
    assert np.array_equal(market.columns.last, last)
    assert not len(market.trades())
    assert market.candles(0, "1h", None, None, 3).close[-1] == last[0]
    assert market.day().last[0] == last[0]
    assert len(market.depth(0, 5)[0]) == 5


def test_only_the_most_traded_contracts_are_kept(folder):
    write(folder, "BIGUSDT-5m.parquet", table(100, seed=4, volume=np.full(100, 1e6)))
    market = ReplayMarket(folder, seed=1, symbols=2)
    assert market.listings[0].instrument.symbol == "BIGUSDT"
    assert len(market.listings) == 2


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path):
    with pytest.raises(MarketDataError, match=r"nowhere: No such file .*; give a readable folder"):
        ReplayMarket(tmp_path / "nowhere", seed=1)


def test_an_empty_folder_points_to_the_candles_below_it(tmp_path):
    with pytest.raises(MarketDataError, match=r"holds no \.parquet file; give a folder of Parquet candles"):
        ReplayMarket(tmp_path, seed=1)
    (tmp_path / "um" / "5m").mkdir(parents=True)
    write(tmp_path / "um" / "5m", "AAAUSDT-5m.parquet", table(10))
    with pytest.raises(MarketDataError, match="candles lie below it in um/5m: name one of these"):
        ReplayMarket(tmp_path, seed=1)


def test_a_folder_without_a_usable_file_gives_the_reasons(tmp_path):
    (tmp_path / "AAAUSDT-5m.parquet").write_bytes(b"nothing")
    with pytest.raises(MarketDataError, match=r"AAAUSDT-5m.parquet: cannot be read"):
        ReplayMarket(tmp_path, seed=1)
    columns = table(10)
    columns["close"][:] = np.nan
    write(tmp_path, "AAAUSDT-5m.parquet", columns)
    with pytest.raises(MarketDataError, match="no usable bar"):
        ReplayMarket(tmp_path, seed=1)


@pytest.mark.parametrize("spec", ["", "replay", "replay:", "synthetic:3", "random"])
def test_an_unknown_market_is_refused_with_the_two_that_exist(spec):
    with pytest.raises(MarketError, match="use `synthetic`, `replay:DIR`"):
        make_market(spec, symbols=4, seed=1, start_ms=START, step_ms=1000)


def test_the_specification_chooses_the_market(folder):
    replay = make_market(f"replay:{folder}", symbols=4, seed=1, start_ms=1_795_000_000_000, step_ms=1000)
    assert isinstance(replay, ReplayMarket)
    synthetic = make_market("synthetic", symbols=4, seed=1, start_ms=1_795_000_000_000, step_ms=1000)
    assert len(synthetic.listings) == 6


@pytest.mark.data
@pytest.mark.parametrize("interval", ["5m", "1m"])
def test_the_recorded_perpetuals_are_replayed_exactly(interval):
    source = RECORDED / interval
    if not source.is_dir():
        pytest.skip("needs the recorded candles in ../shared/data/market beside the repository")
    market = ReplayMarket(source, seed=1, step_ms=60_000)
    assert len(market.listings) >= (40 if interval == "5m" else 5)
    assert market.defects == ()
    begin = market.now_ms - 3 * HOUR
    market.advance(market.now_ms + 3 * HOUR)
    chosen = {item.file for item in market.left_out}
    for index in (0, len(market.listings) - 1):
        symbol = market.listings[index].instrument.symbol
        (path,) = [path for path in source.glob(f"{symbol}-*.parquet") if path.name not in chosen]
        recorded = pq.read_table(path).to_pydict()
        first = recorded["open_time"].index(begin)
        shown = market.candles(index, interval, begin, market.now_ms - 1, 1500)
        assert len(shown) == 6 * HOUR // (shown.open_time[1] - shown.open_time[0])
        for name in ("open", "high", "low", "close", "volume"):
            assert getattr(shown, name).tolist() == recorded[name][first : first + len(shown)], (symbol, name)
