"""The socket's messages and the health answer: what is not understood is refused, never guessed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.commands import Flatten, SetMode
from engine.control import (
    LENGTH,
    MAX_TICKETS,
    Ask,
    ControlError,
    Hello,
    News,
    Pull,
    Send,
    packed,
    read_reply,
    read_request,
)
from engine.health import health


@pytest.mark.parametrize(
    "request_", [Hello(writes=True), Pull(3, 4, (1,), (2,)), Send(1, SetMode("ict"), "x"), Send(2, Flatten(), "x")]
)
def test_a_request_survives_the_wire(request_):
    body = packed(request_)
    (length,) = LENGTH.unpack(body[: LENGTH.size])
    assert length == len(body) - LENGTH.size
    assert read_request(body[LENGTH.size :]) == request_


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_understood_and_never_crash(body):
    for read in (read_request, read_reply):
        try:
            read(body)
        except ControlError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


def test_a_pull_for_too_many_tickets_is_refused():
    with pytest.raises(ControlError, match="at most"):
        read_request(msgspec.msgpack.encode(Pull(acks=tuple(range(MAX_TICKETS + 1)))))


def test_news_are_a_reply_and_no_request():
    body = msgspec.msgpack.encode(News(b"", (), 0))
    assert read_reply(body) == News(b"", (), 0)
    with pytest.raises(ControlError):
        read_request(body)
    with pytest.raises(ControlError):
        read_reply(msgspec.msgpack.encode(Ask(None)))


def test_an_engine_that_has_shown_nothing_yet_is_not_live():
    assert health(None, 0.0) == {"live": False, "ready": False, "phase": "starting"}
