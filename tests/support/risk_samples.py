"""Random inputs of the leverage and size deciders."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from engine.positions.costs import Costs
from engine.risk.leverage import LeverageInputs
from engine.risk.size import SizeInputs
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket, Instrument, LotRule

BRACKETS = (
    Bracket(Decimal(0), Decimal(5_000), 75, Decimal("0.005"), Decimal(0)),
    Bracket(Decimal(5_000), Decimal(50_000), 25, Decimal("0.01"), Decimal(25)),
    Bracket(Decimal(50_000), Decimal(1_000_000), 10, Decimal("0.025"), Decimal(775)),
)
shares = st.floats(0.0, 1.0)


@st.composite
def inputs(draw) -> LeverageInputs:
    direction = draw(st.sampled_from(list(Direction)))
    entry = draw(st.floats(0.01, 100_000.0))
    stop = entry * (1 - direction.sign * draw(st.floats(0.001, 0.5)))
    notional = Decimal(draw(st.integers(5, 900_000)))
    live = draw(st.integers(0, 80))
    return LeverageInputs(
        "X", "ict", direction, draw(shares), 10, 20, live, draw(shares), entry, stop, notional, BRACKETS
    )


@st.composite
def size_inputs(draw) -> SizeInputs:
    direction = draw(st.sampled_from(list(Direction)))
    price = Decimal(draw(st.integers(1, 10_000_000))) / 100
    stop = price * (1 - direction.sign * Decimal(draw(st.integers(1, 300))) / 1000)
    step = draw(st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1)]))
    lot = LotRule(step, Decimal(10_000), step)
    rules = Instrument(
        "X", "X", "USDT", "PERPETUAL", "TRADING", 2, 3, Decimal("0.01"), Decimal("0.01"), Decimal(10**9), lot,
        LotRule(step * draw(st.integers(1, 5)), Decimal(1_000), step), Decimal(draw(st.integers(1, 100))),
        Decimal(2), Decimal(0), 200, Decimal(0), Decimal(0), 0,
    )  # fmt: skip
    equity = Decimal(draw(st.integers(1, 100_000)))
    whole = draw(st.integers(1, 20))
    return SizeInputs(
        rules,
        BRACKETS,
        direction,
        price,
        stop,
        equity,
        equity * Decimal(draw(st.integers(50, 150))) / 100,
        equity * Decimal(draw(st.integers(0, 100))) / 100,
        draw(st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(whole)])),
        whole,
        Costs(),
        draw(st.sampled_from([Decimal(1), Decimal("0.7"), Decimal("0.5")])),
        equity * Decimal(draw(st.integers(0, 12))) / 1000,
    )
