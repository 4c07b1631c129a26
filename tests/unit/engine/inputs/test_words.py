"""Inputs in words."""

import pytest

from engine.commands import AskSignal, Halt
from engine.inputs.records import (
    Answered,
    Asked,
    Cancelled,
    Ended,
    Finished,
    Lost,
    Made,
    Messages,
    Nothing,
    NotSent,
    Ordered,
    Reply,
    Stepped,
    Stopped,
    Turn,
)
from engine.inputs.words import around, words


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (Made(), "the desk was put together"),
        (Stepped(1), "Feed.run 1 went on"),
        (Stepped(9), "9 went on"),
        (Answered(1, "GET /x", Reply(200, {}, b"12345"), True), "GET /x answered 200 with 5 bytes, for Feed.run 1"),
        (Answered(1, "receive", Messages([b"12", b"3"]), True), "receive: 2 messages of 3 bytes, for Feed.run 1"),
        (Answered(1, "GET /x", NotSent("no route"), True), "GET /x failed: no route, for Feed.run 1"),
        (Answered(1, "GET /x", Lost("reset", False), True), "GET /x failed: reset, for Feed.run 1"),
        (Answered(1, "receive", Ended(1006, ""), True), "receive ended with 1006, for Feed.run 1"),
        (Answered(1, "sleep", Cancelled(), True), "sleep given up, for Feed.run 1"),
        (Answered(1, "sleep", Nothing(), True), "sleep done, for Feed.run 1"),
        (Ordered(1, Halt(), "me"), "command Halt by me"),
        (Asked(1, AskSignal("A")), "question AskSignal"),
        (Stopped("enough"), "stop: enough"),
        (Finished(20), "ended with exit code 20"),
    ],
)
def test_each_kind_of_input_has_its_words(cause, text):
    assert words(cause, {1: "Feed.run 1"}) == text


def test_around_an_input_stand_those_before_it_and_the_next():
    turns = [Turn(Made(), [], [(2, "Feed.run 1")])]
    turns += [Turn(Stepped(2), ["c", 0.5, "w", 1_767_571_200_000 + number]) for number in range(20)]
    assert around(turns, 10) == [
        f"input {number}, 2026-01-05 00:00:00.{number - 2:03d}: Feed.run 1 went on" for number in range(6, 12)
    ]
    assert around(turns, 1)[0] == "input 1, at the start: the desk was put together"
