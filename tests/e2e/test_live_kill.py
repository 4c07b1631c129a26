"""A live desk in a process of its own is killed with positions open: the next one protects first and asks nothing."""

import json
import signal
import subprocess
import time
import urllib.parse
import urllib.request

import proof_figures
import pytest
from desk_process import PROGRAM, environment, headless, run

from engine.adapters.disk import DirectoryDisk
from engine.journal.log import verify
from exchange.simulator.auth import sign

pytestmark = pytest.mark.xdist_group("processes")
CANARY_KEY, CANARY_SECRET = "kCanary7Qx2mVb9Tz4Lw8Rj1", "sCanary5Hn3pYd6Gc0Fk7Ue2Ws9"
CANARIES = ("Canary7Qx2mVb9Tz", "Canary5Hn3pYd6Gc")
TOKEN = "let-me"
LIVE = {
    "BINANCE_API_KEY": CANARY_KEY,
    "BINANCE_API_SECRET": CANARY_SECRET,
    "TRADING_ENABLED": "true",
    "TOP_LIQUIDITY_SYMBOLS": "10",
    "PERPDESK_TRADING_ENVIRONMENT": "live",
}
POSITIONS = {"BTCUSDT": "0.010", "ETHUSDT": "0.200", "SOLUSDT": "2"}
PATIENCE_S = 60


class Venue:
    """A simulated exchange in a process of its own, with somebody else's hand on the account."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [PROGRAM, "exchange", "--port", "0", "--symbols", "20", "--control-token", TOKEN, "--api-key",
             CANARY_KEY, "--api-secret", CANARY_SECRET],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), text=True,
        )  # fmt: skip
        self.url = json.loads(self.process.stdout.readline())["rest"]
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.communicate(timeout=20)

    def elsewhere(self, method, path, **params):
        body = json.dumps({"action": "elsewhere", "method": method, "path": path, "params": params}).encode()
        request = urllib.request.Request(f"{self.url}/sim/control", body, {"x-sim-token": TOKEN}, method="POST")
        urllib.request.urlopen(request, timeout=10).read()

    def read(self, path):
        now = json.load(urllib.request.urlopen(f"{self.url}/fapi/v1/time", timeout=10))["serverTime"]
        query = urllib.parse.urlencode({"timestamp": now, "recvWindow": 20_000})
        signed = f"{query}&signature={sign(CANARY_SECRET, query.encode())}"
        request = urllib.request.Request(f"{self.url}{path}?{signed}", headers={"X-MBX-APIKEY": CANARY_KEY})
        return json.load(urllib.request.urlopen(request, timeout=10))

    def open(self):
        rows = self.read("/fapi/v3/positionRisk")
        return {row["symbol"]: row["positionAmt"] for row in rows if float(row["positionAmt"])}

    def stops(self):
        rows = self.read("/fapi/v1/openAlgoOrders")
        return {row["symbol"]: row["algoId"] for row in rows if row["orderType"] == "STOP_MARKET"}

    def until_protected(self):
        """Wait until every open position has a stop; return how long that took."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE_S:
            if set(self.open()) <= set(self.stops()):
                return time.monotonic() - began
            time.sleep(1.0)  # the desk shares the address's request weight with this reader
        raise AssertionError(f"open {self.open()}, stops {self.stops()}")


def secrets_in(*artefacts):
    """Count the canaries in everything a desk leaves behind: journal, view, logs, arming record, what it said."""
    return sum(data.count(one.encode()) for data in artefacts for one in CANARIES)


def desk(folder, venue):
    return headless(folder, "--exchange", venue.url, settings=LIVE)


def test_a_killed_desk_with_three_positions_protects_the_naked_one_first_and_reconciles(tmp_path):
    folder = tmp_path / "desk"
    with Venue() as venue:
        with desk(folder, venue) as first:
            for symbol, quantity in POSITIONS.items():
                venue.elsewhere("POST", "/fapi/v1/order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity)
            venue.until_protected()
            assert len(venue.stops()) == 3
            first.send_signal(signal.SIGKILL)
            first.communicate()
        naked = venue.stops()["ETHUSDT"]
        venue.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(naked))
        assert set(venue.stops()) == {"BTCUSDT", "SOLUSDT"}
        with desk(folder, venue) as second:
            took = venue.until_protected()
            assert set(venue.open()) == set(POSITIONS)
            assert len(venue.stops()) == 3
            assert took < PATIENCE_S
            second.send_signal(signal.SIGTERM)
            _, said = second.communicate(timeout=30)
        assert second.returncode == 0, said
        assert set(venue.stops()) == set(POSITIONS), "stops stay at the exchange when a desk ends"
        assert "continuing: 3 live plans" in said
        assert "Traceback" not in said
        found = secrets_in(said.encode(), *(path.read_bytes() for path in folder.rglob("*") if path.is_file()))
        proof_figures.leave("live-kill", real_kills=1, secrets_found=found)
        assert found == 0
    assert not verify(DirectoryDisk(folder)).faults


def test_a_second_desk_for_the_same_account_is_refused_with_12_and_flatten_needs_no_desk(tmp_path):
    with Venue() as venue:
        with desk(tmp_path / "one", venue) as first:
            venue.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
            venue.until_protected()
            second = run("--headless", "--data-dir", str(tmp_path / "two"), "--exchange", venue.url, **LIVE)
            assert second.returncode == 12
            assert "sends orders for this account" in second.stderr
            first.send_signal(signal.SIGKILL)
            first.communicate()
        proof_figures.leave("live-kill-2", real_kills=1)
        done = run("--data-dir", str(tmp_path / "one"), "--exchange", venue.url, "--json", "flatten", "--yes", **LIVE)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"flat": True, "positions": [], "orders": []}
        assert not venue.open()
        assert not venue.stops()


def test_a_halt_by_the_stop_file_ends_the_process_with_20_and_leaves_the_stops(tmp_path):
    folder = tmp_path / "desk"
    with Venue() as venue:
        with desk(folder, venue) as only:
            venue.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010")
            venue.until_protected()
            asked = run("--data-dir", str(folder), "halt", "halt")
            assert asked.returncode == 0, asked.stderr
            only.communicate(timeout=30)
        assert only.returncode == 20
        assert set(venue.stops()) == {"BTCUSDT"}
