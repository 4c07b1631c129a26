"""What was found at all closes comes back in order of time, then slot, whatever the order and size of its parts."""

import numpy as np

from engine.backtest import foresight
from engine.backtest.foresight import Foresight
from engine.backtest.gates import Closes

TIMES = ([30, 10], [20, 10, 40])
SLOTS = ([1, 1], [0, 0, 0])
ORDER = [(10, 0), (10, 1), (20, 0), (30, 1), (40, 0)]


def part(times, slots):
    closes = Closes.empty(len(times))
    closes.bits[:] = 1
    closes.setups["anchor"] = [100 * time + slot for time, slot in zip(times, slots, strict=True)]
    closes.facts["ready"] = 1
    closes.facts["close_ms"] = times
    return closes


def foreseen():
    closes = [part(times, slots) for times, slots in zip(TIMES, SLOTS, strict=True)]
    return Foresight(list(map(np.array, TIMES)), list(map(np.array, SLOTS)), closes, "no trained head")


def test_closes_stand_in_order_of_time_then_slot_with_what_was_found_there():
    found = foreseen()
    assert list(zip(found.time.tolist(), found.slot.tolist(), strict=True)) == ORDER
    for row, (time, slot) in enumerate(ORDER):
        seen = found.seen(row)
        assert seen.setup.anchor == 100 * time + slot
        assert seen.facts.close_ms == time
        assert "no trained head" in seen.outlook.source


def test_rows_are_turned_into_structs_block_by_block_and_in_any_order(monkeypatch):
    monkeypatch.setattr(foresight, "BLOCK", 2)
    found = foreseen()
    assert [found.seen(row).facts.close_ms for row in (0, 1, 2, 3, 4, 1)] == [10, 10, 20, 30, 40, 10]


def test_nothing_foreseen_is_nothing_to_look_at():
    nothing = np.zeros(0, np.int64)
    assert len(Foresight([nothing], [nothing], [Closes.empty(0)], "").time) == 0
