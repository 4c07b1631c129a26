"""A desk that was killed continues: nothing twice, nothing lost."""

from collections import Counter

import pytest
from simulated_desk import World, kill, live
from virtual_loop import run_virtual

from engine.journal.log import replay, verify
from engine.journal.record import PositionRecord, SignalRecord
from engine.positions.lifecycle import EventName, Stage, fold_all

STRATEGY = {"strategy": {"min_confidence": 0.2}}


@pytest.fixture(scope="module")
def story():
    """A first life of six hours that ends by a kill, and a second of two hours."""
    world = World(seed=4)

    async def two_lives():
        first = await kill(world, 6, **STRATEGY)
        opened = dict(first.book.event_counts())
        held = {row.position_id: (row.symbol, row.strategy, row.entry, row.stop) for row in first.book.rows()}
        stored = [entry.record for entry in replay(world.disk)]
        second = await live(world, 2, **STRATEGY)
        return opened, held, stored, second

    return world, *run_virtual(two_lives())


def records(world, kind):
    return [entry.record for entry in replay(world.disk) if isinstance(entry.record, kind)]


def test_the_first_life_left_something_to_continue(story):
    _, opened, held, _, _ = story
    assert opened["created"] > 0
    assert held


def test_every_position_is_created_once_and_closed_at_most_once(story):
    world, *_ = story
    events = [record.event for record in records(world, PositionRecord)]
    created = Counter(event.position_id for event in events if event.event is EventName.CREATED)
    closed = Counter(event.position_id for event in events if event.event is EventName.CLOSED)
    assert set(created.values()) == {1}
    assert set(closed.values()) <= {1}


def test_what_was_open_at_the_kill_is_open_or_ended_in_the_journal(story):
    world, _, held, _, second = story
    states = fold_all(record.event for record in records(world, PositionRecord))
    for position_id, (symbol, strategy, entry, stop) in held.items():
        state = states[position_id]
        assert (state.symbol, state.strategy, state.terms.entry, state.terms.stop) == (symbol, strategy, entry, stop)
        assert (state.stage is Stage.OPEN) == (second.book.state(position_id) is not None)


def test_no_signal_is_journaled_twice_in_one_state(story):
    world, *_ = story
    seen = Counter((record.ref, record.state) for record in records(world, SignalRecord))
    assert seen
    assert set(seen.values()) == {1}


def test_no_signal_opens_two_positions(story):
    world, *_ = story
    causes = Counter(
        record.cause for record in records(world, PositionRecord) if record.event.event is EventName.CREATED
    )
    assert set(causes.values()) == {1}


def test_the_records_of_the_first_life_stand_unchanged_in_front_of_the_second(story):
    world, _, _, stored, _ = story
    now = [entry.record for entry in replay(world.disk)]
    assert [repr(record) for record in now[: len(stored)]] == [repr(record) for record in stored]
    assert not verify(world.disk).faults


def test_the_book_of_the_second_life_equals_the_fold_of_the_whole_journal(story):
    world, _, _, _, second = story
    states = fold_all(record.event for record in records(world, PositionRecord))
    open_ones = {name for name, state in states.items() if state.stage is Stage.OPEN}
    assert {row.position_id for row in second.book.rows()} == open_ones
    assert len(second.book.closed()) == sum(state.stage is Stage.CLOSED for state in states.values())


def two_lives(*, new_exchange):
    """Six hours that end by a kill, two more; return how the positions held at the kill stand, and prices around it."""
    world = World(seed=4)

    async def story():
        first = await kill(world, 6, **STRATEGY)
        held = [row.position_id for row in first.book.rows()]
        prices = world.market.columns.last
        if new_exchange:
            world.new_exchange()
        again = world.market.columns.last
        await live(world, 2, **STRATEGY)
        return held, prices, again

    held, prices, again = run_virtual(story())
    states = fold_all(record.event for record in records(world, PositionRecord))
    return {name: (states[name].stage, states[name].reason) for name in held}, prices, again


def test_positions_live_on_where_the_exchange_was_restarted_too():
    kept, *_ = two_lives(new_exchange=False)
    renewed, prices, again = two_lives(new_exchange=True)
    assert (again == prices).all()
    assert renewed == kept
    assert any(stage is Stage.OPEN for stage, _ in renewed.values())
