"""The story behind a symbol that has no signal: gate, distance, and what the gate asks for."""

from __future__ import annotations

from engine.signals.explain import waiting_cards
from engine.signals.gates import told
from engine.snapshot import SignalDetail, StrategyCard
from tui.widgets.detail import signal_lines

NAN = float("nan")


def lines(*cards):
    detail = SignalDetail("BTCUSDT", 1, 0, "", tuple(cards), (), None)
    return ["".join(part for part, _ in line) for line in signal_lines(detail, 200)]


def stopped(gate, distance):
    return StrategyCard(
        "ict", "", "", "none", f"{gate}: waiting", NAN, NAN, (), NAN, 0.0, NAN, (), (), (),
        gate=gate, distance=distance, asked=told(gate, distance),
    )  # fmt: skip


def test_a_symbol_without_a_signal_shows_the_gate_the_distance_and_what_is_asked():
    text = "\n".join(lines(stopped("target", 0.3)))
    assert "target: waiting" in text
    assert "missed by 0.3 R: asked is an open opposing pool worth at least 1.5 R" in text


def test_a_symbol_that_is_not_ready_shows_what_it_waits_for():
    text = "\n".join(lines(*waiting_cards(["ict", "hybrid"], "5m: 480 of 500 bars")))
    assert text.count("5m: 480 of 500 bars") == 2
    text = "\n".join(lines(*waiting_cards(["ict"], "")))
    assert "ready now, not judged yet" in text
