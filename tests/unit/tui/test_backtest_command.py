"""`perpdesk backtest` as an operator types it."""

import json
import os
import re

import pytest
from backtest_market import small_history

from tui.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PERPDESK_", "ENABLE_", "BINANCE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def candles(tmp_path_factory):
    return small_history(tmp_path_factory.mktemp("candles"), symbols=2)


def test_json_is_one_object_with_the_same_hash_each_time_and_the_report_needs_nothing_else(candles, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["backtest", "--data", str(candles), "--json", "--prove", "1", "--html", str(page)]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["backtest", "--data", str(candles), "--json"]) == 0
    second = json.loads(capsys.readouterr().out)
    assert first["hash"] == second["hash"]
    assert len(first["hash"]) == 64
    assert [proof["divergence"] for proof in first["proofs"]] == [""]
    text = page.read_text()
    assert first["trades"] <= 120
    assert text.count("<figure>") == first["trades"] > 0
    assert first["hash"] in text
    assert not re.search(r"(src|href)=|https?:|@import|url\(", text)


def test_the_summary_draws_equity_and_results_and_a_line_per_strategy(candles, capsys):
    assert main(["backtest", "--data", str(candles), "--symbols", "s0usdt"]) == 0
    out = capsys.readouterr().out
    assert "1 symbols, 2024-01-01 00:00 to" in out
    assert {"ict", "hybrid", "self_learning"} <= {line.split(" ")[0] for line in out.splitlines()}
    assert "trades by result in R" in out
    assert "\x1b[" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "yesterday"), "--from 'yesterday' is no UTC date"),
        (("--from", "2024-02-01", "--to", "2024-01-01"), "--to 2024-01-01: it is not after"),
        (("--symbols", "NONEUSDT"), "--symbols NONEUSDT"),
        (("--frame", "2h"), "--frame 2h"),
    ],
)
def test_options_that_cannot_be_are_named_with_the_remedy(candles, capsys, arguments, told):
    assert main(["backtest", "--data", str(candles), *arguments]) == 10
    assert told in capsys.readouterr().err
