"""The command line as an operator types it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from types import ModuleType

import pytest

from config.load import Loaded
from config.options import RunOptions
from engine.adapters.lock import DeskLock
from exchange.simulator.main import RunOptions as SimulatorOptions
from tui.arguments import hoist, seconds
from tui.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PERPDESK_", "ENABLE_", "BINANCE_"))]:
        monkeypatch.delenv(name)
    for name in ("STRATEGY_MODE", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    mask = os.umask(0o022)
    yield tmp_path
    os.umask(mask)


def fake_module(monkeypatch, name, attribute, answer):
    calls = []

    def run(*arguments):
        calls.append(arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    module = ModuleType(name)
    setattr(module, attribute, run)
    monkeypatch.setitem(sys.modules, name, module)
    return calls


def test_without_a_command_the_workstation_starts(monkeypatch, home):
    calls = fake_module(monkeypatch, "tui.workstation", "run", 0)
    assert main([]) == 0
    ((loaded, options),) = calls
    assert isinstance(loaded, Loaded)
    assert loaded.settings.exchange.venue == "simulator"
    assert options == RunOptions(options.paths)
    assert options.paths.data.stat().st_mode & 0o777 == 0o700


def test_the_acceptance_line_reaches_the_headless_engine(monkeypatch):
    calls = fake_module(monkeypatch, "engine.headless", "run", 0)
    line = "--headless --exchange simulator --sim-market replay:some/dir --for 120s --json"
    assert main(line.split()) == 0
    ((loaded, options),) = calls
    assert loaded.settings.simulator.market == "replay:some/dir"
    assert str(loaded.origins["simulator.market"]) == "command line --sim-market"
    assert (options.duration, options.json) == (120.0, True)


def test_the_engine_decides_the_exit_code(monkeypatch):
    fake_module(monkeypatch, "engine.headless", "run", 20)
    assert main(["--headless"]) == 20


def test_every_global_option_becomes_a_setting(monkeypatch, tmp_path):
    calls = fake_module(monkeypatch, "tui.workstation", "run", 0)
    data = tmp_path / "own"
    words = "--mode ict --sim-symbols 30 --sim-seed 5 --sim-speed 2.5 --ascii --theme red-up --read-only -vv"
    assert main([f"--data-dir={data}", *words.split()]) == 0
    loaded, options = calls[0]
    settings = loaded.settings
    assert (settings.strategy.mode, settings.simulator.symbols, settings.simulator.seed) == ("ict", 30, 5)
    assert (settings.simulator.speed, settings.screen.ascii, settings.screen.theme) == (2.5, True, "red-up")
    assert (options.read_only, options.verbose, options.paths.data) == (True, 2, data)


def test_a_second_desk_on_the_same_folder_is_refused(monkeypatch, capsys, tmp_path):
    fake_module(monkeypatch, "engine.headless", "run", 0)
    assert main(["--headless"]) == 0
    lock = DeskLock(tmp_path / "data" / "perpdesk" / "desk.lock")
    assert main(["--headless"]) == 12
    assert f"process {os.getpid()}" in capsys.readouterr().err
    lock.release()
    assert main(["--headless"]) == 0


def test_a_lock_that_is_no_file_is_a_configuration_fault(monkeypatch, capsys, tmp_path):
    fake_module(monkeypatch, "engine.headless", "run", 0)
    assert main(["--headless"]) == 0
    lock = tmp_path / "data" / "perpdesk" / "desk.lock"
    lock.unlink()
    lock.symlink_to("elsewhere")
    assert main(["--headless"]) == 10
    assert "cannot be locked" in capsys.readouterr().err


def test_secrets_others_could_reach_end_with_code_11_and_the_remedy(monkeypatch, capsys, tmp_path):
    fake_module(monkeypatch, "engine.headless", "run", 0)
    secrets = tmp_path / "config" / "perpdesk" / "secrets.toml"
    secrets.parent.mkdir(parents=True)
    secrets.write_text('BINANCE_API_KEY = "CANARYk"\nBINANCE_API_SECRET = "CANARYs"\n')
    secrets.chmod(0o644)
    assert main(["--headless"]) == 11
    said = capsys.readouterr().err
    assert f"chmod 600 {secrets}" in said
    assert "CANARY" not in said
    secrets.chmod(0o600)
    secrets.rename(tmp_path / "elsewhere")
    secrets.symlink_to(tmp_path / "elsewhere")
    assert main(["--headless"]) == 11
    assert "symbolic link" in capsys.readouterr().err
    secrets.unlink()
    monkeypatch.setenv("BINANCE_API_KEY", "CANARYk")
    assert main(["--headless"]) == 11
    assert "BINANCE_API_SECRET" in capsys.readouterr().err


def test_a_fault_of_the_program_is_one_calm_line_and_a_log(monkeypatch, capsys, tmp_path):
    fake_module(monkeypatch, "engine.headless", "run", RuntimeError("boom"))
    assert main(["--headless"]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    log = tmp_path / "data" / "perpdesk" / "perpdesk.log"
    assert "RuntimeError: boom" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_traceback_is_shown_to_those_who_ask_twice(monkeypatch, capsys):
    fake_module(monkeypatch, "engine.headless", "run", RuntimeError("boom"))
    assert main(["--headless", "-v", "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mode", "icct", "config", "show"], "one of ict, self_learning, hybrid"),
        (["--config", "/nowhere/x.toml", "config", "show"], "does not exist"),
        (["config", "set", "universe.sise", "3"], "universe.size"),
        (["config", "set", "universe.size", "many"], "a whole number from 1 up to 1000"),
        (["--exchange", "ftp://x", "--headless"], "simulator, demo, live"),
    ],
)
def test_configuration_faults_end_with_code_10_and_the_remedy(arguments, words, capsys):
    assert main(arguments) == 10
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


@pytest.mark.parametrize("arguments", [["frobnicate"], ["--for", "1x"], ["--sim-symbols", "x"], ["journal", "why"]])
def test_a_wrong_command_line_ends_with_code_2(arguments, capsys):
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_config_show_tells_where_each_value_comes_from(monkeypatch, capsys):
    monkeypatch.setenv("TOP_LIQUIDITY_SYMBOLS", "50")
    monkeypatch.setenv("BINANCE_API_KEY", "canary-key-000")
    monkeypatch.setenv("BINANCE_API_SECRET", "canary-secret-000")
    assert main(["config", "show", "--json", "--mode", "ict"]) == 0
    said = capsys.readouterr()
    rows = {row["key"]: row for row in json.loads(said.out)["settings"]}
    assert rows["universe.size"] == {
        "key": "universe.size",
        "value": 50,
        "origin": "environment TOP_LIQUIDITY_SYMBOLS",
        "environment": "TOP_LIQUIDITY_SYMBOLS",
    }
    assert rows["strategy.mode"]["origin"] == "command line --mode"
    assert rows["binance_api_secret"]["value"] == "***"
    assert "canary" not in said.out + said.err
    assert "warning" in said.err


def test_config_init_writes_a_file_that_loads_and_is_not_overwritten(capsys, tmp_path):
    assert main(["config", "init"]) == 0
    path = tmp_path / "config" / "perpdesk" / "config.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert main(["config", "init"]) == 10
    assert main(["config", "set", "universe.size", "77"]) == 0
    assert main(["config", "show"]) == 0
    assert "universe.size                        77" in capsys.readouterr().out
    assert main(["config", "init", "--force"]) == 0
    assert "size = 77" in path.with_name("config.toml.old").read_text()


def test_doctor_is_content_with_a_fresh_machine_and_names_what_is_wrong(capsys, tmp_path):
    assert main(["doctor", "--json"]) == 0
    names = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert {"configuration", "data", "journal", "clock", "kernels"} <= set(names)
    (tmp_path / "data" / "perpdesk").chmod(0o755)
    assert main(["doctor"]) == 10
    assert "chmod 700" in capsys.readouterr().out


def test_doctor_says_that_the_built_in_exchange_needs_nothing_and_names_one_that_is_not_there(capsys):
    assert main(["doctor"]) == 0
    assert "the built-in simulator (default); it starts with the desk" in capsys.readouterr().out
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: a connection is refused
        port = taken.getsockname()[1]
        assert main(["doctor", "--exchange", f"http://127.0.0.1:{port}"]) == 10
    words = capsys.readouterr().out
    assert f"fail exchange       http://127.0.0.1:{port}: no connection" in words
    assert f"`perpdesk exchange --port {port}`" in words
    assert main(["doctor", "--exchange", "https://example.com"]) == 10
    assert "the host example.com is not this machine" in capsys.readouterr().out


def test_the_exchange_command_hands_over_its_options(monkeypatch):
    calls = []
    monkeypatch.setattr("tui.commands_exchange.run_exchange", lambda options: calls.append(options) or 0)
    assert (
        main(
            [
                "exchange",
                "--port",
                "8000",
                "--symbols",
                "20",
                "--seed",
                "3",
                "--speed",
                "5",
                "--strict",
                "--start",
                "2026-01-05",
            ]
        )
        == 0
    )
    assert main(["exchange"]) == 0
    given, plain = calls
    assert given == SimulatorOptions(8000, 20, 3, 5.0, "synthetic", strict=True, start="2026-01-05")
    assert plain == SimulatorOptions()


def test_an_occupied_port_is_a_configuration_fault(capsys):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert main(["exchange", "--port", str(port), "--symbols", "2"]) == 10
    said = capsys.readouterr()
    assert said.out == ""
    assert f"port {port}" in said.err


def test_version_is_data(capsys):
    assert main(["version"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("0.1.0\n", "")


def test_global_options_may_stand_behind_the_command():
    assert hoist(["journal", "show", "--json", "--data-dir", "d", "--limit", "3"]) == [
        "--json",
        "--data-dir",
        "d",
        "journal",
        "show",
        "--limit",
        "3",
    ]
    assert hoist(["config", "set", "--", "x", "--json"]) == ["config", "set", "--", "x", "--json"]
    assert hoist(["config", "show", "--theme"]) == ["--theme", "config", "show"]


@pytest.mark.parametrize(
    ("text", "value"), [("120s", 120), ("10m", 600), ("1h30m", 5400), ("90", 90), ("1.5h", 5400), ("250ms", 0.25)]
)
def test_durations_are_read_as_people_write_them(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0s", "-5s", "x", "10", "5 minutes", "nan", "1e3"])
def test_what_is_no_duration_is_refused(text):
    if text == "10":
        assert seconds(text) == 10
        return
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["--help"], {"textual", "numpy", "pydantic", "msgspec", "numba", "aiohttp", "rich"}),
        (["version"], {"textual", "numpy", "msgspec", "numba", "aiohttp"}),
        (["config", "show"], {"textual", "numpy", "numba", "aiohttp", "pyarrow"}),
        (["journal", "show"], {"textual", "numba", "aiohttp", "pyarrow"}),
    ],
)
def test_a_command_imports_nothing_slow_that_it_does_not_need(arguments, banned):
    script = (
        "import sys\nfrom tui.cli import main\n"
        f"code = main({arguments!r})\n"
        "sys.stderr.write('LOADED ' + ' '.join(sys.modules))\nsys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert not banned & loaded


def test_the_way_in_needs_no_command_parser_for_its_first_line():
    script = "import sys, tui.cli\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert not {"typer", "pydantic", "textual", "numpy"} & set(done.stdout.split())


def test_the_splash_is_silent_in_pipes(monkeypatch, capsys):
    fake_module(monkeypatch, "tui.workstation", "run", 0)
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_the_splash_greets_a_terminal_before_anything_slow(monkeypatch, capsys):
    fake_module(monkeypatch, "tui.workstation", "run", 0)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert main([]) == 0
    assert "perpdesk is starting" in capsys.readouterr().out
    assert main(["version"]) == 0
    assert "starting" not in capsys.readouterr().out
