"""What a recorder writes down, and what it leaves alone."""

import asyncio

from toy_desk import busy, record

from engine.commands import AskSignal, Halt
from engine.inputs.records import (
    Answered,
    Asked,
    Finished,
    Lost,
    Made,
    Messages,
    Ordered,
    Reply,
    Stepped,
    Stopped,
    encode,
)


def causes(turns, kind):
    return [turn.cause for turn in turns if isinstance(turn.cause, kind)]


def test_a_run_begins_with_the_desk_and_ends_with_a_mark():
    turns = record(busy)
    assert isinstance(turns[0].cause, Made)
    assert isinstance(turns[-1].cause, Finished)
    assert causes(turns, Stopped) == [Stopped("enough")]


def test_answers_stand_in_the_order_in_which_the_desk_got_them():
    answers = causes(record(busy), Answered)
    assert [one.label for one in answers if one.label.startswith("GET")] == ["GET /one", "GET /lost", "GET /two"]
    assert [one.result for one in answers if isinstance(one.result, Messages)] == [
        Messages([b"1"]),
        Messages([b"2"]),
        Messages([b"3"]),
    ]
    assert [type(one.result) for one in answers if one.label.startswith("GET")] == [Reply, Lost, Reply]


def test_an_answer_that_came_at_once_is_told_from_one_that_was_waited_for():
    answers = causes(record(busy), Answered)
    assert {one.waited for one in answers if one.label.startswith("receive")} == {False}
    assert {one.waited for one in answers if one.label.startswith("GET")} == {True}


def test_neither_queries_nor_headers_are_written():
    data = b"".join(encode(turn) for turn in record(busy))
    assert b"signature" not in data
    assert b"APIKEY" not in data
    assert b"streams=a" not in data


def test_readings_and_decisions_belong_to_the_turn_in_which_they_were_made():
    async def work(toy):
        toy.decide("first")
        await toy.clock.sleep(1)
        toy.decide("second")
        toy.decide("third")

    turns = record(work)
    found = [([words for _, words, _ in turn.decided], turn.reads[::2]) for turn in turns if turn.decided]
    assert found == [(["first"], ["w"]), (["second", "third"], ["w", "w"]), (["enough"], ["w"])]


def test_commands_and_questions_are_turns_of_their_own():
    def during(handlers):
        handlers.on_command(1, Halt(), "me")
        handlers.on_question(2, AskSignal("BTCUSDT"))

    turns = record(busy, during=during)
    assert causes(turns, Ordered) == [Ordered(1, Halt(), "me")]
    assert causes(turns, Asked) == [Asked(2, AskSignal("BTCUSDT"))]


def test_what_runs_beside_the_desk_is_not_written():
    async def work(toy):
        await toy.clock.sleep(1)  # the port waits by a timer of its own, in steps that are not the desk's

    turns = record(work)
    names = [name for turn in turns for _, name in turn.born]
    assert names == ["Toy.run 1", f"{work.__qualname__} 1"]
    assert len(causes(turns, Stepped)) == 3  # both tasks begin, and the desk ends


def test_when_the_disk_cannot_follow_the_recording_ends_and_the_desk_goes_on():
    turns = record(busy, limit=5)
    assert len(turns) == 5


def test_a_cancelled_wait_is_an_answer_too():
    async def work(toy):
        waiting = asyncio.ensure_future(toy.clock.sleep(10_000))
        await toy.clock.sleep(1)
        waiting.cancel()
        await asyncio.wait([waiting])

    results = [type(one.result).__name__ for one in causes(record(work), Answered)]
    assert results == ["Nothing", "Cancelled"]
