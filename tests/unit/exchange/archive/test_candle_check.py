import numpy as np
import pytest

from exchange.archive.candle_files import CandleFileError, write_candles
from exchange.archive.candle_table import concatenate, take
from exchange.archive.checking import check_folder
from exchange.market_data import Candles

START = 1_704_067_200_000
FIVE = 300_000


def series(count=100, start=START):
    level = np.full(count, 100.0)
    return Candles(
        open_time=start + FIVE * np.arange(count),
        open=level.copy(),
        high=level + 2,
        low=level - 2,
        close=level + 1,
        volume=level.copy(),
        quote_volume=level * 100,
        trades=np.full(count, 5),
        taker_base=level / 2,
        taker_quote=level * 50,
    )


def checked(folder, candles, name="BTCUSDT-5m__one.parquet"):
    write_candles(folder / name, candles)
    return next(report for report in check_folder(folder) if report.file == name)


def test_a_sound_file_has_full_coverage_and_no_finding(tmp_path):
    report = checked(tmp_path, series())
    assert report.sound
    assert (report.symbol, report.interval, report.bars, report.coverage) == ("BTCUSDT", "5m", 100, 1.0)
    assert report.findings == ()


def spoil(candles, column, row, value):
    getattr(candles, column)[row] = value
    return candles


@pytest.mark.parametrize(
    ("candles", "fault", "bars"),
    [
        (spoil(series(), "open", 7, np.nan), "a price is not finite", 1),
        (spoil(series(), "close", slice(7, 9), np.inf), "a price is not finite", 2),
        (spoil(series(), "low", 7, -1.0), "a price is not positive", 1),
        (spoil(series(), "high", 7, 90.0), "high is below low", 1),
        (spoil(series(), "close", 7, 110.0), "open or close lies outside high and low", 1),
        (spoil(series(), "volume", 7, -1.0), "volume is missing, negative or not finite", 1),
        (spoil(series(), "taker_base", 7, -1.0), "an amount is negative or infinite", 1),
        (spoil(series(), "open_time", 7, START + 8 * FIVE), "open time occurs twice", 1),
        (spoil(series(), "open_time", 7, START + 7 * FIVE + 1), "open time is not on the interval's grid", 1),
        (take(series(), np.r_[0:10, 13:100]), "bars are missing", 3),
        (take(series(), np.r_[0:10, 11, 10, 12:100]), "open times are out of order", 1),
        (concatenate([series(), series(1)]), "open times are out of order", 1),
    ],
)
def test_every_defect_is_found_where_it_is(tmp_path, candles, fault, bars):
    report = checked(tmp_path, candles)
    found = {finding.fault: finding for finding in report.findings}
    assert found[fault].bars == bars
    assert found[fault].spans
    assert not report.sound


def test_a_market_without_volume_for_an_hour_is_told_and_no_fault(tmp_path):
    report = checked(tmp_path, spoil(series(), "volume", slice(20, 33), 0.0))
    assert [(finding.fault, finding.bars, finding.grave) for finding in report.findings] == [
        ("no volume for an hour or more", 13, False)
    ]
    assert report.findings[0].spans[0].first_ms == START + 20 * FIVE
    assert report.sound
    assert checked(tmp_path, spoil(series(), "volume", slice(20, 31), 0.0)).findings == ()


def test_coverage_is_the_share_of_the_folders_span(tmp_path):
    checked(tmp_path, series(100))
    report = checked(tmp_path, series(25, start=START + 75 * FIVE), "ETHUSDT-5m__one.parquet")
    assert report.coverage == 0.25
    assert report.sound


def test_a_file_that_cannot_be_read_is_a_finding_of_its_own(tmp_path):
    checked(tmp_path, series())
    (tmp_path / "ETHUSDT-5m__one.parquet").write_bytes(b"no parquet")
    report = next(report for report in check_folder(tmp_path) if report.symbol == "ETHUSDT")
    assert "cannot be read" in report.findings[0].fault
    assert not report.sound


def test_a_folder_without_candle_files_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(CandleFileError, match="give another folder"):
        check_folder(tmp_path)
    with pytest.raises(CandleFileError, match="give a folder"):
        check_folder(tmp_path / "none")
