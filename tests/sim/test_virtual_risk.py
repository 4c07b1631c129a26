"""The share of the virtual balance one position risks is the operator's."""

from __future__ import annotations

import pytest
from simulated_desk import World, live
from virtual_loop import run_virtual

from engine.journal.log import replay
from engine.journal.record import DecisionRecord, PositionRecord


def risked(share):
    """Return, for each position opened in two hours, the risk in percent its decision names."""
    world = World()
    run_virtual(live(world, 2.0, virtual={"risk_per_position": share}, strategy={"min_confidence": 0.2}))
    decision, found = None, []
    for entry in replay(world.disk):
        if isinstance(entry.record, DecisionRecord):
            decision = entry.record.decision
        elif isinstance(entry.record, PositionRecord) and entry.record.event.terms is not None:
            found.append(decision.risk_percent)
    return found


@pytest.mark.parametrize("share", [0.001, 0.0005])
def test_no_virtual_position_risks_more_of_the_book_than_its_setting_and_most_risk_about_that(share):
    percents = risked(share)
    assert percents
    assert max(percents) <= share * 100 * 1.001
    assert sorted(percents)[len(percents) // 2] > share * 100 * 0.5
