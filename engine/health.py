"""The health of a running engine in one answer, from its snapshot. Pure. Not ready means no entries, never no care."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.snapshot import Snapshot

ALIVE_S = 10.0
"""A snapshot older than this says that the engine's loop stands still."""


def health(snapshot: Snapshot | None, age_s: float) -> dict[str, Any]:
    """Return the health answer; `age_s` is how many real seconds ago the snapshot was published."""
    if snapshot is None:
        return {"live": False, "ready": False, "phase": "starting"}
    engine, feed, hand = snapshot.engine, snapshot.feed, snapshot.hand
    live = age_s < ALIVE_S
    streams = {name: None if math.isnan(age) else round(age, 3) for name, age in feed.silent}
    ready = live and snapshot.phase == "running" and (hand is None or hand.ready)
    answer: dict[str, Any] = {
        "live": live,
        "ready": ready,
        "phase": snapshot.phase,
        "mode": snapshot.mode,
        "trading": snapshot.trading,
        "arming": _arming(snapshot),
        "exchange": snapshot.exchange,
        "entries": snapshot.entries,
        "snapshot_age_s": round(age_s, 3),
        "market_age_s": round((snapshot.time - feed.last_message_ms) / 1000, 3) if feed.last_message_ms else None,
        "sockets": f"{feed.sockets}/{feed.sockets_wanted}",
        "stream_age_s": streams,
        "loop_lag_p99_ms": engine.lag_p99_ms,
        "journal_lag_ms": engine.journal_lag_ms,
        "weight": f"{feed.weight_used}/{feed.weight_limit}",
        "clock_offset_ms": feed.clock_offset_ms,
        "reconnects": feed.reconnects,
        "restarts": engine.restarts,
        "uptime_s": round(engine.uptime_s, 1),
        "memory_mb": round(engine.memory_mb, 1),
    }
    if hand is not None:
        heard = hand.stream_heard_ms
        streams["account"] = round((snapshot.time - heard) / 1000, 3) if heard else None
        answer |= {
            "level": hand.level,
            "step": hand.step,
            "entries_off": hand.entries_off,
            "positions": len(hand.coverage),
            "naked": hand.naked,
            "naked_now_s": hand.naked_now_s,
            "naked_max_s": hand.naked_max_s,
            "unknown": hand.unknown,
            "reconcile_age_s": round((snapshot.time - hand.reconciled_ms) / 1000, 3) if hand.reconciled_ms else None,
            "account_stream_alive": hand.stream_alive,
            "violations": list(hand.violations),
            "ledger_difference": hand.ledger.difference if hand.ledger is not None else None,
        }
    return answer


def _arming(snapshot: Snapshot) -> str:
    """Return `paper`, `armed`, or what is missing first."""
    if snapshot.hand is None:
        return "paper"
    view = snapshot.hand.arming
    return "armed" if view.armed else f"not armed: {view.missing[0]}"
