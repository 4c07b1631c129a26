"""The venue's answers beside the candles: read whole, packed or not, and refused with a remedy."""

import gzip
import json
import shutil

import pytest
from recorded_bodies import PAYLOADS

from engine.backtest.faults import HistoryError
from engine.backtest.told import Told, read_told

RECORDED = {
    "exchangeInfo.json.gz": PAYLOADS / "exchangeInfo" / "prod_2025-08-11.json.gz",
    "leverageBracket.json.gz": PAYLOADS / "leverageBracket" / "prod_2026-09-29.json.gz",
}


def test_a_folder_without_answers_tells_nothing(tmp_path):
    assert read_told([tmp_path, tmp_path / "nowhere"]) == (Told(), [])


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no recorded payloads beside the repository")
def test_whole_recorded_answers_are_read_packed_and_from_the_first_folder_that_holds_them(tmp_path):
    below = tmp_path / "um" / "5m"
    below.mkdir(parents=True)
    for name, source in RECORDED.items():
        shutil.copy(source, tmp_path / name)
    found, _ = read_told([below, below.parent, tmp_path])
    assert len(found.instruments) > 300
    assert all(one.symbol.endswith("USDT") and one.status == "TRADING" for one in found.instruments.values())
    assert len(found.brackets["BTCUSDT"]) > 5


@pytest.mark.parametrize("body", [b"[]", b"{", b"<html>", json.dumps({"symbols": 3}).encode()])
def test_what_is_no_such_answer_is_refused_with_the_remedy(tmp_path, body):
    (tmp_path / "exchangeInfo.json").write_bytes(body)
    with pytest.raises(HistoryError, match=r"exchangeInfo\.json.*put the venue's whole answer there"):
        read_told([tmp_path])


@pytest.mark.parametrize("damage", [b"no gzip", gzip.compress(b"{}", mtime=0)[:-4]], ids=["other", "cut"])
def test_a_damaged_packed_file_is_named(tmp_path, damage):
    (tmp_path / "leverageBracket.json.gz").write_bytes(damage)
    with pytest.raises(HistoryError, match=r"leverageBracket\.json\.gz cannot be read.*repair it"):
        read_told([tmp_path])
