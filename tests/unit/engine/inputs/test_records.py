"""Records of a recording to bytes and back."""

import msgspec
import pytest

from engine.commands import AskSignal, SetMode
from engine.inputs.records import (
    SCHEMA,
    Answered,
    Asked,
    Beginning,
    Cancelled,
    Ended,
    Finished,
    InputsError,
    Kept,
    Lost,
    Made,
    Messages,
    Nothing,
    NotSent,
    Ordered,
    Predicted,
    Reply,
    Stepped,
    Stopped,
    Turn,
    decode_beginning,
    decode_turn,
    encode,
)

RESULTS = [
    Nothing(),
    Reply(200, {"retry-after": "1"}, b"{}"),
    Messages([b"a", b""]),
    Kept(True),
    Predicted(2, bytes(16)),
    NotSent("no route"),
    Lost("late", True),
    Ended(1006, "reset"),
    Cancelled(),
]
CAUSES = [
    Made(),
    Stepped(3),
    *[Answered(3, "GET /x", result, True) for result in RESULTS],
    Ordered(1, SetMode("ict"), "me"),
    Asked(2, AskSignal("BTCUSDT")),
    Stopped("enough"),
    Finished(0),
]


def beginning(**more):
    plain = Beginning(SCHEMA, "1", "s", 1, "simulator", "memory", 1.0, "{}", "hash", [], True, 0.1, 0.25)
    return msgspec.structs.replace(plain, **more)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: str(cause)[:40])
def test_a_turn_survives_its_bytes(cause):
    turn = Turn(cause, ["w", 1_767_571_200_000, "c", 0.1, "u", 1 / 3], [(4, "Feed.run 1")], [(5, "signal X ict", b"d")])
    assert decode_turn(encode(turn)) == turn


def test_a_beginning_survives_its_bytes():
    assert decode_beginning(encode(beginning())) == beginning()


def test_another_schema_is_refused_with_what_to_do():
    with pytest.raises(InputsError, match=f"schema 99, this version reads {SCHEMA}; use the version that recorded it"):
        decode_beginning(encode(beginning(schema=99)))


def test_bytes_that_are_no_record_are_refused():
    with pytest.raises(InputsError, match="replay with the version that recorded it"):
        decode_turn(b"\x93\x01")
    with pytest.raises(InputsError, match="cannot be understood"):
        decode_beginning(b"\xc1")
    with pytest.raises(InputsError, match="record again"):
        decode_beginning(b"")
