"""`perpdesk record` and `perpdesk data` as an operator types them, where no exchange is needed."""

import json
import os

import pytest
from recorded_session import SESSION, store

from exchange.recorder.collect import Plan
from exchange.recorder.records import Frame
from tui.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PERPDESK_", "ENABLE_", "BINANCE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def kline(minute):
    opened = minute * 60_000
    return f"{opened},1,2,1,2,1,{opened + 59_999},1,1,1,1,0"


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    lines = [kline(at) for at in range(28_401_120, 28_401_220)]
    (folder / "AUSDT-1m-2024-01-01.csv").write_text("\n".join(lines))
    (folder / "BUSDT-1m-2024-01-01.csv").write_text(
        "\n".join(line for at, line in enumerate(lines) if at not in (40, 41))
    )
    return folder


def test_sound_files_are_imported_and_checked_with_a_clean_exit(archive, tmp_path, capsys):
    (archive / "BUSDT-1m-2024-01-01.csv").unlink()
    assert main(["data", "import", str(archive), "--out", str(tmp_path / "candles")]) == 0
    said = capsys.readouterr()
    assert said.out == "AUSDT-1m__klines.parquet: 100 bars, 2024-01-01 to 2024-01-01\n"
    assert "100 lines, no checksum beside it" in said.err
    assert main(["data", "check", str(tmp_path / "candles")]) == 0
    assert capsys.readouterr().out.startswith("ok   AUSDT-1m__klines.parquet: 100 bars")


def test_a_gap_ends_the_check_with_its_exit_code_and_its_place(archive, tmp_path, capsys):
    assert main(["data", "import", str(archive), "--out", str(tmp_path / "candles")]) == 0
    capsys.readouterr()
    assert main(["data", "check", str(tmp_path / "candles")]) == 18
    out = capsys.readouterr().out
    assert "fail BUSDT-1m__klines.parquet: 98 bars" in out
    assert "bars are missing: 2 bars from 2024-01-01 00:40 (2)" in out


def test_a_report_as_json_holds_everything_a_program_needs(archive, tmp_path, capsys):
    main(["data", "import", str(archive), "--out", str(tmp_path / "candles")])
    capsys.readouterr()
    assert main(["data", "check", "--json", str(tmp_path / "candles")]) == 18
    sound, gap = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (sound["symbol"], sound["coverage"], sound["findings"]) == ("AUSDT", 1.0, [])
    (finding,) = gap["findings"]
    assert finding == {
        "fault": "bars are missing",
        "bars": 2,
        "spans": [{"first_ms": (28_401_120 + 40) * 60_000, "bars": 2}],
        "grave": True,
    }


def test_a_refused_file_is_named_and_the_others_are_imported(archive, tmp_path, capsys):
    (archive / "CUSDT-1m-2024-01-01.csv").write_text("nonsense")
    assert main(["data", "import", "--json", str(archive), "--out", str(tmp_path / "candles")]) == 18
    said = capsys.readouterr()
    assert [json.loads(line)["file"] for line in said.out.splitlines()] == [
        "AUSDT-1m__klines.parquet", "BUSDT-1m__klines.parquet",
    ]  # fmt: skip
    assert "not imported: " in said.err
    assert "CUSDT" in said.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["data", "check", "/no/such/folder"], 10, "/no/such/folder"),
        (["data", "import", "/no/such/file.txt.CHECKSUM", "--out", "x"], 2, "name files of the archive"),
        (["data", "fetch", "--symbols", "X", "--from", "soon", "--out", "x"], 10, "--from 'soon'"),
        (["data", "fetch", "--symbols", "X", "--from", "1d", "--to", "later", "--out", "x"], 10, "--to 'later'"),
        (["data", "fetch", "--symbols", "X", "--from", "1d", "--interval", "7m", "--out", "x"], 10, "'7m'"),
        (["data", "fetch", "--symbols", ",", "--from", "1d", "--out", "x"], 10, "--symbols is empty"),
        (["record", "--symbols", "top:x", "--out", "x"], 10, "top:N"),
        (["record", "--streams", "kline_1m,nonsense", "--out", "x"], 10, "'nonsense'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_with_the_remedy(words, code, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    said = capsys.readouterr()
    assert told in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_a_recorded_session_is_checked_like_candles(tmp_path, capsys):
    folder = store(tmp_path / "session", Plan(("BTCUSDT",)), [Frame(1_700_000_000_000_000, 1, b"{}")])
    assert main(["data", "check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"ok   session {SESSION} of simulator: 1 symbols, 1 frames, 0 answers, 2023-11-14 22:13 to")
    assert "cannot be served" in out
    (folder / "000001.zst").write_bytes(b"no segment at all, and longer than its header would be " * 2)
    assert main(["data", "check", "--json", str(folder)]) == 18
    assert "header is not readable" in json.loads(capsys.readouterr().out)["faults"][0]
