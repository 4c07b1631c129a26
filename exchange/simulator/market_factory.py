"""Builds the market that a specification names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exchange.simulator.stepped_market import MarketError
from exchange.simulator.synthetic import SyntheticMarket

if TYPE_CHECKING:
    from exchange.simulator.recorded.market import SessionMarket
    from exchange.simulator.stepped_market import SteppedMarket


def make_market(
    spec: str, *, symbols: int, seed: int, start_ms: int, step_ms: int, origin_ms: int | None = None
) -> SteppedMarket | SessionMarket:
    """Build `synthetic`, `replay:DIR` or `session:DIR`.

    A synthetic market began at `origin_ms` (`start_ms` where not given) and is continued to `start_ms`. A replay keeps
    the instants of its data: `start_ms` counts only when it lies inside them, and `symbols` limits how many of the most
    traded contracts are shown. A session begins where it could be served, or at `start_ms` later in it. Raises
    MarketError naming what is wrong with the specification.
    """
    kind, _, place = spec.partition(":")
    if kind == "synthetic" and not place:
        return SyntheticMarket(symbols, seed=seed, start_ms=start_ms, step_ms=step_ms, origin_ms=origin_ms)
    if kind == "replay" and place:
        # Only a replay needs the Parquet reader, which costs a synthetic market 50 MiB for nothing.
        from exchange.simulator.replay import ReplayMarket  # noqa: PLC0415

        return ReplayMarket(Path(place), seed=seed, step_ms=step_ms, start_ms=start_ms, symbols=symbols)
    if kind == "session" and place:
        from exchange.simulator.recorded.market import SessionMarket  # noqa: PLC0415 - needs zstd, as nothing else does

        return SessionMarket(Path(place), step_ms=step_ms, symbols=symbols, seed=seed, start_ms=start_ms)
    raise MarketError(
        f"market {spec!r}: use `synthetic`, `replay:DIR` with DIR a folder of Parquet candles, or `session:DIR` with "
        "DIR a folder of `perpdesk record`"
    )
