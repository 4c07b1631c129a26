"""Clients of others, unchanged, walk through the simulated exchange in both position modes, each on one of its own."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOURS = HERE / "tours"


@contextmanager
def exchange(**options):
    words = [sys.executable, "-m", "exchange.simulator", json.dumps({"symbols": 30} | options)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield json.loads(child.stdout.readline())["rest"]
        finally:
            child.terminate()
            child.wait(timeout=30)


def walk(tour, root, timeout=120):
    words = [sys.executable, str(TOURS / f"{tour}.py"), root]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("tour", ["tour_ccxt", "tour_python_binance", "tour_official_sdk"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_client_loads_streams_trades_protects_closes_and_reads_errors_in_both_modes(tour, strict):
    with exchange(strict=strict) as root:
        told = walk(tour, root)
    one_way, hedge = told.split("hedge mode")
    for part in (one_way, hedge):
        assert "protected" in part
        assert "refused as it must be, an unknown order" in part


@pytest.mark.long
def test_our_client_proves_its_book_over_sockets_under_a_mixed_fault_file():
    with exchange(faults=str(HERE / "faults" / "mixed.toml")) as root:
        told = walk("tour_under_faults", root, timeout=600)
    assert "book = exchange" in told
