"""Recording, serving and fetching with the program as its user calls it: real processes, real sockets on loopback."""

import contextlib
import json
import signal
import subprocess
import time

import pytest
from desk_process import PROGRAM, QUICK, SMALL, environment, headless, run

from exchange.archive.candle_files import read_candles
from exchange.recorder.reading import SessionReader
from exchange.recorder.records import READY, Frame, Note
from exchange.simulator.recorded.market import SessionMarket
from exchange.simulator.replay import ReplayMarket

pytestmark = pytest.mark.xdist_group("processes")
SYMBOLS = 5
SMALL_SIMULATOR = ("--sim-symbols", "20", "--sim-speed", "20")


def record(folder, *more):
    done = run("record", "--json", "--symbols", f"top:{SYMBOLS}", "--out", str(folder), *SMALL_SIMULATOR, *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(folder):
    """What the frames of a session say, by stream: everything but the venue's own counters and averages."""
    frames, begin = {}, 0
    for one in SessionReader(folder).records():
        if isinstance(one, Frame) and one.data.startswith(b'{"stream"'):
            frame = json.loads(one.data)
            data = frame["data"]
            kept = {name: data[name] for name in ("E", "b", "B", "a", "A", "p", "q", "i", "r", "T") if name in data}
            if "k" in data:
                kept["k"] = {name: value for name, value in data["k"].items() if name not in "fL"}
            if data["e"] == "bookTicker":
                del kept["T"]
            frames.setdefault(frame["stream"], []).append(kept)
        elif isinstance(one, Note) and one.what == READY:
            begin = max((rows[-1]["E"] for rows in frames.values()), default=0)
    return frames, max(begin, min(rows[0]["E"] for rows in frames.values()))


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded") / "session"
    said = record(folder, "--for", "10s")
    assert said["ready"]
    assert said["whole"]
    assert said["frames"] > 100
    return folder


def test_a_session_served_again_and_recorded_again_holds_the_same_frames(session, tmp_path):
    record(tmp_path / "again", "--for", "5s", "--sim-market", f"session:{session}")
    then, _ = told(session)
    again, begin = told(tmp_path / "again")
    end = min(rows[-1]["E"] for rows in again.values() if len(rows) > 5)
    assert end > begin
    compared = 0
    for stream, rows in again.items():
        ours = [row for row in rows if begin < row["E"] < end]
        theirs = [row for row in then[stream] if begin < row["E"] < end]
        assert ours == theirs, stream
        compared += len(ours)
    assert compared > 100


def test_a_desk_on_a_session_becomes_ready(session, tmp_path):
    settings = SMALL | QUICK | {"TOP_LIQUIDITY_SYMBOLS": str(SYMBOLS)}
    market = ("--sim-market", f"session:{session}", "--sim-speed", "5", "--for", "9s")
    with headless(tmp_path, *market, settings=settings) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    last = json.loads(out.splitlines()[-1])
    assert last["universe"] == last["ready"] == SYMBOLS


def test_a_recorder_that_is_killed_leaves_a_session_that_can_be_served(tmp_path):
    folder = tmp_path / "killed"
    command = [PROGRAM, "record", "--symbols", "top:3", "--out", str(folder), *SMALL_SIMULATOR]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert any("can be served" in line for line in process.stderr)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
        finally:
            process.kill()
    reader = SessionReader(folder)
    kept = list(reader.records())
    assert sum(isinstance(one, Frame) for one in kept) > 10
    assert reader.manifest.ended_us == 0
    assert len(SessionMarket(folder, step_ms=250).listings) == 3


def test_a_recorder_that_is_interrupted_ends_in_an_orderly_way(tmp_path):
    folder = tmp_path / "session"
    command = [PROGRAM, "record", "--symbols", "top:3", "--out", str(folder), *SMALL_SIMULATOR]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert any("can be served" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == 0, rest
    assert SessionReader(folder).manifest.ended_us > 0


def test_history_is_fetched_from_a_simulator_checked_and_replayed(tmp_path):
    with subprocess.Popen(
        [PROGRAM, "exchange", "--symbols", "20", "--start", "2026-03-10T13:00:00Z"],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as exchange:
        try:
            url = json.loads(exchange.stdout.readline())["rest"]
            fetch = ("data", "fetch", "--json", "--exchange", url, "--symbols", "top:3", "--interval", "5m",
                     "--from", "2026-03-01", "--to", "2026-03-10", "--out", str(tmp_path / "candles"))  # fmt: skip
            done = run(*fetch)
            assert done.returncode == 0, done.stderr
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            assert [(row["bars"], row["requests"]) for row in rows] == [(9 * 288, 6)] * 3
            again = run(*fetch)
            assert [json.loads(line)["requests"] for line in again.stdout.splitlines()] == [0, 0, 0]
        finally:
            exchange.terminate()
    checked = run("data", "check", "--json", str(tmp_path / "candles"))
    assert checked.returncode == 0, checked.stdout
    assert all(json.loads(line)["coverage"] == 1.0 for line in checked.stdout.splitlines())
    file = next((tmp_path / "candles").glob("*.parquet"))
    assert len(read_candles(file).candles) == 9 * 288
    market = ReplayMarket(tmp_path / "candles", seed=1)
    assert len(market.listings) == 3
    assert not market.defects


def test_a_fetch_that_is_interrupted_says_so_and_goes_on_when_given_again(tmp_path):
    with subprocess.Popen(
        [PROGRAM, "exchange", "--symbols", "20", "--start", "2026-03-10T13:00:00Z"],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as exchange:
        try:
            url = json.loads(exchange.stdout.readline())["rest"]
            out = tmp_path / "candles"
            fetch = ["data", "fetch", "--json", "--exchange", url, "--symbols", "top:6", "--interval", "5m",
                     "--from", "2026-02-25", "--to", "2026-03-10", "--out", str(out)]  # fmt: skip

            # With so small a budget the fetch must wait for the next minute in its midst.
            def got():
                try:
                    return sum(path.stat().st_size for path in [*out.glob(".fetch/*"), *out.glob("*.parquet")])
                except FileNotFoundError:  # a part became a candle file between two looks
                    return 0

            slow = environment(RATE_LIMIT_REQUESTS="130")
            with subprocess.Popen([PROGRAM, *fetch], env=slow, stderr=subprocess.PIPE, text=True) as process:
                end = time.monotonic() + 60
                while got() < 50_000 and time.monotonic() < end:
                    time.sleep(0.1)
                process.send_signal(signal.SIGINT)
                err = process.stderr.read()
                assert process.wait(30) == 130, err
            assert "goes on where it stopped" in err
            assert "Traceback" not in err
            again = run(*fetch)
            assert again.returncode == 0, again.stderr
        finally:
            exchange.terminate()
    rows = [json.loads(line) for line in again.stdout.splitlines()]
    assert [row["bars"] for row in rows] == [13 * 288] * 6
    assert 0 < sum(row["requests"] for row in rows) < 6 * 8
