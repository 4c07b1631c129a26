"""Recording a desk and running it again with the program as its user calls it: real processes, real sockets."""

import json
import signal
import subprocess
import time
import urllib.request

import pytest
from desk_process import PROGRAM, QUICK, SMALL, cycles_until, environment, headless, run

from engine.inputs.framing import FILE, BlockReader

pytestmark = pytest.mark.xdist_group("processes")
FAST = ("--sim-speed", "20")


def record(tmp_path, *more, name="run"):
    folder = tmp_path / name
    market = (*FAST, "--for", "15s", "--record-inputs", str(folder), *more)
    with headless(tmp_path / "desk", *market, settings=SMALL | QUICK) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert f"run them again with: perpdesk backtest --data run:{folder}" in err
    return folder, [json.loads(line) for line in out.splitlines()]


def rerun(folder, *more):
    done = run("backtest", "--json", "--data", f"run:{folder}", *more)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_recorded_desk_decides_the_same_again_and_its_journal_agrees(tmp_path):
    folder, cycles = record(tmp_path)
    assert cycles[-1]["ready"] == 40
    code, told, err = rerun(folder, "--against", str(tmp_path / "desk"))
    assert code == 0, err
    assert told["same"]
    assert told["hash"] == told["hash_recorded"]
    assert told["decisions"] > 0
    assert told["causes"] == []
    assert rerun(folder)[1]["hash"] == told["hash"]


def test_a_second_session_goes_on_from_the_journal_of_the_first(tmp_path):
    record(tmp_path, name="first")
    second, _ = record(tmp_path, name="second")
    code, told, err = rerun(second, "--against", str(tmp_path / "desk"))
    assert code == 0, err
    assert told["same"]
    code, told, err = rerun(tmp_path / "first", "--against", str(tmp_path / "desk"))
    assert code == 0, err


def test_commands_given_over_the_socket_are_repeated(tmp_path):
    folder = tmp_path / "run"
    with headless(tmp_path / "desk", *FAST, "--record-inputs", str(folder), settings=SMALL | QUICK) as process:
        cycles_until(process, lambda cycle: cycle["ready"] == 40)
        done = run("command", "mode self_learning", "--data-dir", str(tmp_path / "desk"))
        assert done.returncode == 0, done.stderr
        cycles_until(process, lambda cycle: cycle["accepted"] or cycle["number"] > 40)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    code, told, err = rerun(folder, "--against", str(tmp_path / "desk"))
    assert code == 0, err
    assert told["same"]


def test_a_killed_desk_leaves_a_recording_that_is_repeated_as_far_as_it_goes(tmp_path):
    folder = tmp_path / "run"
    with headless(tmp_path / "desk", *FAST, "--record-inputs", str(folder), settings=SMALL | QUICK) as process:
        cycles_until(process, lambda cycle: cycle["ready"] == 40)
        time.sleep(2)
        process.kill()
        process.communicate(timeout=60)
    code, told, err = rerun(folder)
    assert code == 18
    assert told["hash"] == told["hash_recorded"]
    assert [one["kind"] for one in told["causes"]] in (["unfinished"], ["tail"])
    assert "is unknown" in err


def test_a_recording_needs_a_folder_of_its_own_and_a_desk_without_a_screen(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with headless(tmp_path / "desk", "--record-inputs", str(tmp_path / "used")) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 10
    assert "is not empty: a recording needs a folder of its own; name a new one" in err
    command = [PROGRAM, "--record-inputs", str(tmp_path / "new"), "--data-dir", str(tmp_path / "desk")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 10
    assert "--record-inputs: only a desk without a screen is recorded; add --headless" in done.stderr


LIVE = {
    "BINANCE_API_KEY": "kCanary3Vw8Pz1Lq6Xr5",
    "BINANCE_API_SECRET": "sCanary9Bt4Nc7Jd2Hy0",
    "TRADING_ENABLED": "true",
    "TOP_LIQUIDITY_SYMBOLS": "10",
    "PERPDESK_TRADING_ENVIRONMENT": "live",
}
EXCHANGE = ("exchange", "--port", "0", "--symbols", "20", "--control-token", "let-me", "--api-key",
            LIVE["BINANCE_API_KEY"], "--api-secret", LIVE["BINANCE_API_SECRET"])  # fmt: skip


def open_by_hand(url):
    """Open a position of the account in another client."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.010"}
    body = json.dumps({"action": "elsewhere", "method": "POST", "path": "/fapi/v1/order", "params": order}).encode()
    request = urllib.request.Request(f"{url}/sim/control", body, {"x-sim-token": "let-me"}, method="POST")
    urllib.request.urlopen(request, timeout=10).read()


def test_a_live_desk_that_adopts_and_protects_is_repeated_and_its_recording_holds_no_secret(tmp_path):
    folder = tmp_path / "run"
    command = [PROGRAM, *EXCHANGE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) as exchange:
        try:
            url = json.loads(exchange.stdout.readline())["rest"]
            more = ("--exchange", url, "--for", "15s", "--record-inputs", str(folder))
            with headless(tmp_path / "desk", *more, settings=LIVE) as process:
                time.sleep(6)
                open_by_hand(url)
                _, err = process.communicate(timeout=120)
        finally:
            exchange.terminate()
    assert process.returncode == 0, err
    code, told, err = rerun(folder, "--against", str(tmp_path / "desk"))
    assert code == 0, err
    assert told["causes"] == []
    reader = BlockReader((folder / FILE).read_bytes())
    kept = b"".join(reader.records())
    assert b"POST /fapi/v1/algoOrder" in kept  # the stop of the adopted position
    assert b"ACCOUNT_UPDATE" in kept
    assert b"listen-key-1" in kept
    assert b"Canary" not in kept
    assert b"signature" not in kept
