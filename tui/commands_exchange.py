"""`perpdesk exchange`: the simulated exchange alone."""

from __future__ import annotations

from exchange.simulator.main import RunOptions, run_exchange


def run_simulator(
    *,
    port: int,
    symbols: int,
    seed: int,
    speed: float,
    market: str,
    strict: bool,
    start: str,
    step_ms: int,
    api_key: str,
    api_secret: str,
    faults: str,
    switches: tuple[str, ...],
    control_token: str,
) -> int:
    """Serve until interrupted; return the exit code. Empty texts leave the choice to the simulator."""
    return run_exchange(
        RunOptions(
            port=port,
            symbols=symbols,
            seed=seed,
            speed=speed,
            market=market,
            strict=strict,
            start=start or None,
            step_ms=step_ms,
            api_key=api_key or None,
            api_secret=api_secret or None,
            faults=faults or None,
            switches=switches,
            control_token=control_token or None,
        )
    )
