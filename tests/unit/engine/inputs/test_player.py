"""A recorded run repeated: the same, and in which words it is not."""

import asyncio

import msgspec
import pytest
from toy_desk import busy, play, record

from engine.commands import AskSignal, Halt
from engine.inputs.records import Answered, Finished, Reply


def decided(player):
    return [one.decision for one in player.here], [one.decision for one in player.there]


def changed(turns, label, **more):
    """Change the first answer to a label."""
    done = False
    for turn in turns:
        cause = turn.cause
        if not done and isinstance(cause, Answered) and cause.label == label:
            done = True
            yield msgspec.structs.replace(turn, cause=msgspec.structs.replace(cause, **more))
        else:
            yield turn


def test_the_same_code_decides_the_same():
    player = play(record(busy), busy)
    here, there = decided(player)
    assert here == there
    assert len(here) == 11
    assert player.parted is None
    assert player.strayed is None
    assert player.finished == 0
    assert player.loop.faults == []


def test_commands_and_questions_come_again_where_they_came():
    def during(handlers):
        handlers.on_command(1, Halt(), "me")
        handlers.on_question(2, AskSignal("BTCUSDT"))

    player = play(record(busy, during=during), busy)
    here, there = decided(player)
    assert here == there
    assert {"1 Halt me", "2 AskSignal"} < {what for _, what, _ in here}
    assert [words for _, words in player.commands] == ["Halt by me"]


def test_a_changed_answer_changes_what_rests_on_it_and_nothing_else():
    turns = changed(record(busy), "GET /one", result=Reply(200, {}, b"other"))
    here, there = decided(play(turns, busy))
    assert [(one[1], other[1]) for one, other in zip(here, there, strict=True) if one != other] == [
        ("b'other'", "b'1'")
    ]


def test_a_desk_that_asks_for_something_else_parts_and_is_not_left_running():
    async def other(toy):
        await toy.rest.send("GET", "/elsewhere", b"", {}, 1.0)

    async def work(toy):
        await toy.rest.send("GET", "/one", b"", {}, 1.0)

    work.__qualname__ = other.__qualname__ = "work"
    player = play(record(work), other)
    assert player.parted[1] == "the recorded desk was answered GET /one in work 1, which asks for GET /elsewhere here"
    assert player.unused > 0
    assert player.finished == 0


def test_a_desk_without_a_task_of_the_recorded_one_parts():
    async def work(toy):
        await toy.clock.sleep(1)

    async def other(toy):
        del toy
        await asyncio.Event().wait()

    player = play(record(work), other)
    assert "which does not exist here" in player.parted[1]


def test_one_reading_more_is_told_and_the_run_goes_on():
    async def work(toy):
        toy.decide("first")
        await toy.clock.sleep(1)
        toy.decide("second")

    async def other(toy):
        toy.decide("first")
        toy.clock.now_ms()
        await toy.clock.sleep(1)
        toy.decide("second")

    work.__qualname__ = other.__qualname__ = "work"
    turns = record(work)
    player = play(turns, other)
    assert (player.strayed.what, player.strayed.times) == ("w", 1)
    here, there = decided(player)
    assert here == there
    fewer = play(record(other), work)
    assert (fewer.strayed.what, fewer.strayed.times) == ("w", 1)
    assert fewer.parted is None


def test_a_deadline_of_the_recorded_run_passes_again():
    async def work(toy):
        stream = await toy.dialer.connect("/ws", 1.0)
        try:
            async with asyncio.timeout(0.01):
                await stream.send(b"never taken")
        except TimeoutError:
            toy.decide("too late")

    player = play(record(work), work)
    here, there = decided(player)
    assert here == there
    assert here[0][1] == "too late"


def test_a_wait_that_was_given_up_is_given_up_again():
    async def work(toy):
        waiting = asyncio.ensure_future(toy.clock.sleep(10_000))
        await toy.clock.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        toy.decide(waiting.cancelled())

    player = play(record(work), work)
    here, there = decided(player)
    assert here == there
    assert player.parted is None


def test_a_desk_that_fails_is_said_to_have_failed():
    async def work(toy):
        await toy.clock.sleep(1)

    async def other(toy):
        await toy.clock.sleep(1)
        raise ValueError("a fault of the program")

    work.__qualname__ = other.__qualname__ = "work"
    player = play(record(work), other)
    assert "the desk failed" in player.parted[1]


def test_without_its_last_mark_a_recording_is_not_finished():
    turns = record(busy)
    assert isinstance(turns[-1].cause, Finished)
    assert play(turns[:-1], busy).finished is None


@pytest.mark.parametrize("kept", [0, 1, 7])
def test_a_recording_may_end_anywhere(kept):
    player = play(record(busy)[:kept], busy)
    here, there = decided(player)
    assert here == there
    assert (player.parted is None) == (kept > 0)
