"""`perpdesk exchange`: the simulated exchange alone."""

from __future__ import annotations

import importlib
from typing import NamedTuple


class SimulatorOptions(NamedTuple):
    """What the simulated exchange is started with."""

    port: int
    symbols: int
    seed: int
    speed: float
    market: str
    strict: bool
    start_ms: int
    """Simulated start in UTC milliseconds, 0 for the market's own choice."""
    step_ms: int
    """Simulated milliseconds per step of the market."""
    api_key: str
    """Empty for the simulator's own key."""
    api_secret: str


def run_simulator(options: SimulatorOptions) -> int:
    """Serve until interrupted; return the exit code."""
    return int(importlib.import_module("exchange.simulator.main").run_exchange(options))
