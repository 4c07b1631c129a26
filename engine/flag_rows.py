"""The feature flags as the screens show them: state, and what the module behind each does at present."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.snapshot import FlagRow

if TYPE_CHECKING:
    from config.flags import FlagState
    from engine.desk import Desk

STANDING: dict[tuple[str, bool], str] = {
    ("ENABLE_INCREMENTAL_CACHE", True): "kernels advance by one closed bar",
    ("ENABLE_INCREMENTAL_CACHE", False): "every closed bar recomputes its series, to the same bits",
    ("ENABLE_SMART_MONITORING", True): "looks every 0.1 to 5 s by risk",
    ("ENABLE_SMART_MONITORING", False): "looks every 10 s",
    ("ENABLE_MARKET_REGIME_PREDICTION", False): "ADX and Bollinger width thresholds",
    ("ENABLE_DYNAMIC_FEATURES", False): "the fixed feature set",
    ("ENABLE_LIQUIDITY_HUNTING", False): "entries where the set-ups put them",
}
"""What a side of a flag means where no module reports."""
UNASKED = {
    "ENABLE_QUANTIZATION": "no network was asked yet",
    "ENABLE_BATCH_PREDICTION": "no network was asked yet",
    "ENABLE_MARKET_REGIME_PREDICTION": "answers from the next cycle on",
    "ENABLE_DYNAMIC_FEATURES": "answers from the next cycle on",
    "ENABLE_LIQUIDITY_HUNTING": "no candidate was confident enough yet",
}


def flag_rows(desk: Desk) -> tuple[FlagRow, ...]:
    """Return one row per flag, in the order of the specification."""
    return tuple(_row(desk, state) for state in desk.flags.states())


def _row(desk: Desk, state: FlagState) -> FlagRow:
    spec = state.spec
    module = desk.modules[spec.name]
    rung = STANDING.get((spec.name, state.value)) or module.rung or UNASKED.get(spec.name, "")
    if spec.name == "ENABLE_MEMORY_MAPPED_STORAGE":
        rung = desk.store.rung
    return FlagRow(
        name=spec.name,
        letter=spec.letter,
        default=spec.default,
        value=state.value,
        since_ms=state.since_ms,
        by=state.by,
        effect=spec.effect,
        takes=spec.takes,
        rung=rung,
        calls=module.calls,
        time_ms=1000 * module.seconds,
        errors=module.errors,
    )
