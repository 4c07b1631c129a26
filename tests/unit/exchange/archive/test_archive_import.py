import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from exchange.archive.archive_csv import ArchiveError, parse_name, read_archive
from exchange.archive.candle_files import read_candles
from exchange.archive.importing import archive_files, import_files
from exchange.simulator.replay import ReplayMarket

DAY = 1_704_067_200_000  # 2024-01-01
MINUTE = 60_000
KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
TRADE_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


def kline(number, *, unit=1, size=MINUTE, day=DAY):
    opened = (day + number * size) * unit
    price = 100 + number % 7
    closing = opened + size * unit - 1
    prices = f"{price},{price + 2},{price - 1},{price + 1}.5"
    return f"{opened},{prices},10.25,{closing},{1025 + number},{number + 1},4.5,450.5,0"


def klines(count=1440, *, header=False, unit=1, size=MINUTE, day=DAY, newline="\n"):
    lines = [KLINE_HEADER] if header else []
    return newline.join(lines + [kline(number, unit=unit, size=size, day=day) for number in range(count)]) + newline


def imported(path, tmp_path, *more):
    outcome = import_files([path, *more], tmp_path / "out", lambda *_: None)
    assert not outcome.refused
    return outcome


def zipped(path, text, inner=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(inner or path.with_suffix(".csv").name, text)
    return path


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_form_of_a_kline_file_gives_the_same_bars(tmp_path, header, unit, packed, newline):
    text = klines(header=header, unit=unit, newline=newline)
    path = tmp_path / f"BTCUSDT-1m-2024-01-01.{'zip' if packed else 'csv'}"
    if packed:
        zipped(path, text)
    else:
        path.write_bytes(text.encode())
    outcome = imported(path, tmp_path)
    bars = read_candles(tmp_path / "out" / outcome.written[0].file).candles
    assert outcome.written[0].file == "BTCUSDT-1m__klines.parquet"
    assert np.array_equal(bars.open_time, DAY + MINUTE * np.arange(1440))
    assert bars.close[8] == 102.5
    assert bars.trades[8] == 9
    assert bars.taker_quote[8] == 450.5


def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path):
    path = tmp_path / "BTCUSDT-1m-2024-01-01.csv"
    path.write_bytes(b"\xef\xbb\xbf" + klines(3, header=True).encode())
    assert len(read_archive(path).candles) == 3


def test_months_are_joined_and_read_twice_without_harm(tmp_path):
    first = tmp_path / "币安人生USDT-5m-2024-01-01.csv"
    second = tmp_path / "币安人生USDT-5m-2024-01-02.csv"
    first.write_text(klines(288, size=5 * MINUTE))
    second.write_text(klines(288, size=5 * MINUTE, day=DAY + 86_400_000))
    imported(second, tmp_path, first)
    (again,) = imported(first, tmp_path).written
    assert (again.file, again.bars, again.replaced) == ("币安人生USDT-5m__klines.parquet", 576, 0)
    assert again.last_ms == DAY + 575 * 5 * MINUTE


def test_bars_that_differ_from_those_there_replace_them_and_are_counted(tmp_path):
    path = tmp_path / "BTCUSDT-1m-2024-01-01.csv"
    path.write_text(klines(10))
    imported(path, tmp_path)
    path.write_text(klines(10).replace("10.25", "11.25", 3))
    assert imported(path, tmp_path).written[0].replaced == 3


def trades(rows, *, header=False, unit=1, true="true", extra=""):
    lines = [TRADE_HEADER] if header else []
    for number, (offset, price, quantity, singles, maker) in enumerate(rows):
        first = number * 10
        flag = true if maker else {"true": "false", "True": "False", "TRUE": "FALSE"}[true]
        lines.append(f"{number},{price},{quantity},{first},{first + singles - 1},{(DAY + offset) * unit},{flag}{extra}")
    return "\n".join(lines) + "\n"


ROWS = [
    (1_000, 100.0, 2.0, 1, True),
    (59_999, 103.0, 1.0, 2, False),
    (60_000, 99.5, 1.0, 1, True),
    (200_000, 101.0, 4.0, 3, False),
]


@pytest.mark.parametrize(
    "form",
    [{}, {"header": True}, {"unit": 1000}, {"true": "True"}, {"header": True, "true": "TRUE"}, {"extra": ",true"}],
)
def test_aggregate_trades_become_one_minute_bars_without_holes(tmp_path, form):
    path = tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv"
    path.write_text(trades(ROWS, **form))
    (written,) = imported(path, tmp_path).written
    bars = read_candles(tmp_path / "out" / written.file).candles
    assert written.file == "BTCUSDT-1m__aggTrades.parquet"
    assert np.array_equal(bars.open_time, DAY + MINUTE * np.arange(1440))
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0]) == (100.0, 103.0, 100.0, 103.0)
    assert (bars.volume[0], bars.quote_volume[0], bars.trades[0]) == (3.0, 303.0, 3)
    assert (bars.taker_base[0], bars.taker_quote[0]) == (1.0, 103.0)
    assert (bars.open[2], bars.close[2], bars.volume[2], bars.trades[2]) == (99.5, 99.5, 0.0, 0)
    assert bars.trades[3] == 3
    assert bars.close[-1] == 101.0


def test_quiet_minutes_between_two_days_are_filled_and_missing_days_are_not(tmp_path):
    paths = []
    for day in (0, 1, 3):
        path = tmp_path / f"BTCUSDT-aggTrades-2024-01-0{day + 1}.csv"
        path.write_text(trades([(offset + day * 86_400_000, *rest) for offset, *rest in ROWS[3:]]))
        paths.append(path)
    (written,) = import_files(paths, tmp_path / "out", lambda *_: None).written
    times = read_candles(tmp_path / "out" / written.file).candles.open_time
    expected = [*range(DAY + 180_000, DAY + 2 * 86_400_000, MINUTE)]
    expected += [*range(DAY + 3 * 86_400_000 + 180_000, DAY + 4 * 86_400_000, MINUTE)]
    assert times.tolist() == expected


def test_a_checksum_beside_the_file_is_verified(tmp_path):
    path = zipped(tmp_path / "BTCUSDT-1m-2024-01-01.zip", klines(5))
    assert not read_archive(path).verified
    beside = Path(f"{path}.CHECKSUM")
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert read_archive(path).verified
    beside.write_text(f"{'0' * 64}  {path.name}\n")
    with pytest.raises(ArchiveError, match="does not fit its checksum"):
        read_archive(path)
    beside.write_text("nonsense")
    with pytest.raises(ArchiveError, match="no SHA-256"):
        read_archive(path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("BTCUSDT-1m.csv", "1", "name is not of the archive"),
        ("BTCUSDT-1m-2024-13.csv", "1", "is no date"),
        ("BTCUSDT-1m-2024-01.csv", "", "is empty"),
        ("BTCUSDT-1m-2024-01.csv", "time,price\n1,2\n", "begins with"),
        ("BTCUSDT-1m-2024-01.csv", TRADE_HEADER + "\n", "begins with"),
        ("BTCUSDT-1m-2024-01.csv", "1,2,3\n", "3 columns instead of 12"),
        ("BTCUSDT-1m-2024-01.csv", klines(2).replace("102,", "x,", 1), "cannot be read"),
        ("BTCUSDT-1m-2024-01.csv", klines(2) + "1704067320000,1,2\n", "cannot be read"),
        ("BTCUSDT-1m-2024-01.zip", "no zip", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason_and_the_others_go_on(tmp_path, name, text, told):
    bad = tmp_path / name
    bad.write_text(text)
    good = tmp_path / "ETHUSDT-1m-2024-01-01.csv"
    good.write_text(klines(4))
    outcome = import_files([bad, good], tmp_path / "out", lambda *_: None)
    assert [one.file for one in outcome.written if one.file.startswith("ETH")] == ["ETHUSDT-1m__klines.parquet"]
    assert told in outcome.refused[0].reason
    assert name in outcome.refused[0].reason


def test_a_zip_with_damage_or_more_than_one_file_is_refused(tmp_path):
    path = zipped(tmp_path / "BTCUSDT-1m-2024-01.zip", klines(500))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_archive(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", klines(1))
        archive.writestr("b.csv", klines(1))
    with pytest.raises(ArchiveError, match="holds 2 of them"):
        read_archive(path)


def test_lines_in_disorder_are_counted_and_sorted(tmp_path):
    lines = klines(5).splitlines()
    path = tmp_path / "BTCUSDT-1m-2024-01-01.csv"
    path.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert read_archive(path).disordered == 1
    (written,) = imported(path, tmp_path).written
    assert (np.diff(read_candles(tmp_path / "out" / written.file).candles.open_time) > 0).all()


def test_a_folder_stands_for_its_archive_files(tmp_path):
    for name in ("BTCUSDT-1m-2024-01.zip", "BTCUSDT-1m-2024-01.zip.CHECKSUM", "notes.txt", "ETHUSDT-1m-2024-01.csv"):
        (tmp_path / name).write_text("")
    names = [path.name for path in archive_files([tmp_path])]
    assert names == ["BTCUSDT-1m-2024-01.zip", "ETHUSDT-1m-2024-01.csv"]
    assert parse_name(Path("BTCUSDT-1mo-2024-12.zip")).kind == "1M"


def test_the_replay_market_plays_what_was_imported(tmp_path):
    path = tmp_path / "BTCUSDT-1m-2024-01-01.csv"
    path.write_text(klines())
    imported(path, tmp_path)
    market = ReplayMarket(tmp_path / "out", seed=1, step_ms=1000)
    assert [listing.instrument.symbol for listing in market.listings] == ["BTCUSDT"]
    assert not market.defects
