"""Which source wins, and how every name of an existing deployment is still known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.catalogue import by_env, catalogue
from config.errors import ConfigError
from config.flags import SPECS
from config.load import load
from config.origin import Source

DEPLOYED = {
    "BINANCE_TESTNET": ("true", "exchange.testnet", True),
    "TRADING_ENABLED": ("true", "trading.enabled", True),
    "STRATEGY_MODE": ("ict", "strategy.mode", "ict"),
    "MIN_CONFIDENCE": ("0.4", "strategy.min_confidence", 0.4),
    "MAX_POSITIONS": ("50", "trading.max_positions", 50),
    "CYCLE_INTERVAL": ("30", "loops.cycle_interval", 30.0),
    "VIRTUAL_POSITION_CYCLE_INTERVAL": ("5", "loops.virtual_interval", 5.0),
    "VIRTUAL_POSITION_EXPIRY": ("1000", "virtual.expiry", 1000.0),
    "TOP_LIQUIDITY_SYMBOLS": ("100", "universe.size", 100),
    "IMMEDIATE_EXECUTION_RANK": ("2", "trading.execute_rank", 2),
    "MAX_SIGNALS": ("7", "trading.max_signals", 7),
    "RATE_LIMIT_REQUESTS": ("1000", "exchange.rate_limit", 1000),
    "BATCH_PREDICTION_SIZE": ("16", "prediction.batch_size", 16),
    "BATCH_MAX_DELAY": ("0.2", "prediction.batch_max_delay", 0.2),
    "MAX_MEMORY_MAPPED_POSITIONS": ("500", "prediction.memory_mapped_positions", 500),
    "FEATURE_DIMENSION": ("64", "prediction.feature_dimension", 64),
    "MAX_WORKERS": ("2", "prediction.max_workers", 2),
    "REGIME_PREDICTION_THRESHOLD": ("0.8", "regime.threshold", 0.8),
    "REGIME_PREDICTION_LOOKBACK": ("20", "regime.lookback", 20),
    "DYNAMIC_FEATURE_MIN_SHARPE": ("0.5", "dynamic_features.min_sharpe", 0.5),
    "DYNAMIC_FEATURE_MAX_COUNT": ("10", "dynamic_features.max_count", 10),
    "LIQUIDITY_HUNT_CONFIDENCE_THRESHOLD": ("0.7", "liquidity_hunting.confidence", 0.7),
    "LIQUIDITY_SLIPPAGE_TOLERANCE": ("0.001", "liquidity_hunting.slippage_tolerance", 0.001),
    "LOG_LEVEL": ("debug", "log_level", "DEBUG"),
} | {spec.name: ("0" if spec.default else "1", spec.path, not spec.default) for spec in SPECS}


def value_of(loaded, path):
    value = loaded.settings
    for part in path.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_deployed_environment_name_still_sets_its_value(tmp_path, name):
    text, path, expected = DEPLOYED[name]
    loaded = load(tmp_path / "none.toml", {name: text})
    assert value_of(loaded, path) == expected
    assert loaded.origins[path] == (Source.ENVIRONMENT, name)


@pytest.mark.parametrize("name", DEPLOYED)
@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_every_deployed_name_is_a_file_key_too(tmp_path, name, spell):
    text, path, expected = DEPLOYED[name]
    quoted = text if path not in {"strategy.mode", "log_level"} else f'"{text}"'
    quoted = {"0": "false", "1": "true"}.get(text, quoted) if path.startswith("flags.") else quoted
    file = tmp_path / "config.toml"
    file.write_text(f"# a comment\n{spell(name)} = {quoted}\n")
    loaded = load(file, {})
    assert value_of(loaded, path) == expected
    assert str(loaded.origins[path]) == f"file {file} line 2"


SPECIFIED = {
    "trading.enabled": False,
    "strategy.mode": "hybrid",
    "strategy.min_confidence": 0.35,
    "trading.max_positions": 999,
    "trading.execute_rank": 3,
    "trading.max_signals": 10,
    "universe.size": 200,
    "loops.cycle_interval": 60,
    "loops.virtual_interval": 10,
    "virtual.expiry": 345_600,
    "virtual.start_balance": 10_000,
    "virtual.risk_per_position": 0.001,
    "exchange.rate_limit": 1920,
    "exchange.venue": "simulator",
    "prediction.batch_size": 32,
    "prediction.batch_max_delay": 0.1,
    "prediction.memory_mapped_positions": 1000,
    "prediction.feature_dimension": 32,
    "regime.threshold": 0.7,
    "regime.lookback": 10,
    "dynamic_features.min_sharpe": 1.0,
    "dynamic_features.max_count": 20,
    "liquidity_hunting.confidence": 0.6,
    "liquidity_hunting.slippage_tolerance": 0.003,
    "risk.risk_per_trade": 0.01,
    "risk.margin_cap": 0.9,
    "risk.margin_warning": 0.8,
    "risk.notional_cap": 0.5,
    "risk.max_orders_per_cycle": 5,
    "simulator.symbols": 240,
    "simulator.speed": 20,
} | {spec.path: spec.default for spec in SPECS}


@pytest.mark.parametrize("path", SPECIFIED)
def test_the_specified_defaults_hold(tmp_path, path):
    assert value_of(load(tmp_path / "none.toml", {}), path) == SPECIFIED[path]


def test_command_line_beats_environment_beats_file_beats_default(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[trading]\nmax_signals = 4\nmax_positions = 4\nexecute_rank = 4\n")
    environ = {"MAX_SIGNALS": "5", "MAX_POSITIONS": "5"}
    loaded = load(file, environ, {"trading.max_signals": (6, "--max-signals")})
    trading = loaded.settings.trading
    assert (trading.max_signals, trading.max_positions, trading.execute_rank, trading.enabled) == (6, 5, 4, False)
    assert [
        str(loaded.origins[f"trading.{name}"]) for name in ("max_signals", "max_positions", "execute_rank", "enabled")
    ] == [
        "command line --max-signals",
        "environment MAX_POSITIONS",
        f"file {file} line 4",
        "default",
    ]


def test_empty_variables_count_as_unset(tmp_path):
    assert load(tmp_path / "none.toml", {"MAX_SIGNALS": "", "MAX_WORKERS": " "}).settings.trading.max_signals == 10


@pytest.mark.parametrize(
    ("given", "venue"),
    [({}, "simulator"), ({"BINANCE_TESTNET": "true"}, "demo"), ({"BINANCE_TESTNET": "false"}, "live")],
)
def test_the_old_testnet_name_chooses_the_venue(tmp_path, given, venue):
    assert load(tmp_path / "none.toml", given).settings.exchange.venue == venue


def test_a_named_venue_beats_the_old_name_but_live_and_testnet_contradict(tmp_path):
    given = {"BINANCE_TESTNET": "true"}
    named = {"exchange.venue": ("simulator", "--exchange")}
    assert load(tmp_path / "none.toml", given, named).settings.exchange.venue == "simulator"
    with pytest.raises(ConfigError, match="contradicts"):
        load(tmp_path / "none.toml", given, {"exchange.venue": ("live", "--exchange")})


def test_every_setting_has_one_environment_name_a_sentence_and_a_range():
    assert len(by_env()) == len(catalogue())
    for setting in catalogue().values():
        assert setting.doc.endswith(".")
        assert setting.allowed
        assert setting.env.isupper()


def test_settings_cannot_be_changed_after_loading(tmp_path):
    settings = load(tmp_path / "none.toml", {}).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.universe.size = 5
    assert settings.virtual.start_balance == Decimal(10000)


def test_lists_of_choices_are_read_from_both_sources(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[signals]\nhard_gates = ["funding", "spread"]\n')
    assert load(file, {}).settings.signals.hard_gates == ("funding", "spread")
    given = {"PERPDESK_SIGNALS_HARD_GATES": "Confidence, atr"}
    assert load(file, given).settings.signals.hard_gates == ("confidence", "atr")
