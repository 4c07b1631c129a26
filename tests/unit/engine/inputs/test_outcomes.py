"""Answers of ports to records and back, without what is secret."""

import numpy as np
import pytest

from engine.inputs import outcomes
from engine.inputs.outcomes import Scrubber, fault, raise_fault
from engine.inputs.records import Cancelled, Ended, InputsError, Lost, Nothing, NotSent, Reply
from exchange.ports import LostError, NotSentError, RestAnswer, StreamClosedError

KEY = b"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"


def test_of_the_headers_only_those_a_client_reads_are_kept():
    answer = RestAnswer(
        429, {"retry-after": "3", "x-mbx-used-weight-1m": "9", "set-cookie": "id=1", "x-amz-cf-id": "q"}, b"{}"
    )
    assert Scrubber().reply("/fapi/v1/time", answer).headers == {"retry-after": "3", "x-mbx-used-weight-1m": "9"}


def test_a_listen_key_is_replaced_by_its_number_wherever_it_comes_again():
    scrub = Scrubber()
    first = scrub.reply("/fapi/v1/listenKey", RestAnswer(200, {}, b'{"listenKey":"' + KEY + b'"}'))
    assert first.body == b'{"listenKey":"listen-key-1"}'
    assert scrub.data(b'{"e":"listenKeyExpired","listenKey":"' + KEY + b'"}').endswith(b'"listen-key-1"}')
    assert scrub.text(f"/ws/{KEY.decode()}") == "/ws/listen-key-1"
    again = scrub.reply("/fapi/v1/listenKey", RestAnswer(200, {}, b'{"listenKey":"other"}'))
    assert again.body == b'{"listenKey":"listen-key-2"}'


def test_an_answer_without_a_listen_key_stays_as_it_is():
    for body in (b"{}", b"<html>", b'{"listenKey":""}'):
        assert Scrubber().reply("/fapi/v1/listenKey", RestAnswer(400, {}, body)).body == body


def test_queries_are_taken_out_of_words():
    text = "cannot reach https://x/fapi/v1/order?symbol=A&signature=abc now"
    assert Scrubber().text(text) == "cannot reach https://x/fapi/v1/order now"


@pytest.mark.parametrize(
    ("error", "record"),
    [
        (NotSentError("no route"), NotSent("no route")),
        (LostError("reset"), Lost("reset", False)),
        (StreamClosedError(1006, "gone"), Ended(1006, "gone")),
    ],
)
def test_what_a_port_raised_is_raised_again(error, record):
    assert fault(error, Scrubber()) == record
    with pytest.raises(type(error)) as caught:
        raise_fault(record)
    assert str(caught.value) == str(error)


def test_a_deadline_that_passed_is_one_again():
    late = LostError("no answer")
    late.__cause__ = TimeoutError()
    with pytest.raises(LostError) as caught:
        raise_fault(fault(late, Scrubber()))
    assert isinstance(caught.value.__cause__, TimeoutError)


def test_a_wait_that_was_given_up_raises_nothing_of_its_own():
    assert fault(BaseException(), Scrubber()) == Cancelled()
    raise_fault(Nothing())


def test_values_come_back_as_they_were():
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (outcomes.give_rows(outcomes.keep_rows(rows)) == rows).all()
    assert outcomes.give_rows(outcomes.keep_rows(None)) is None
    assert outcomes.give_messages(outcomes.keep_messages([b"a", b"b"])) == [b"a", b"b"]
    assert outcomes.give_durable(outcomes.keep_durable(True))
    assert not outcomes.give_durable(outcomes.keep_durable(False))
    assert outcomes.give_answer(Reply(200, {"date": "x"}, b"1")) == RestAnswer(200, {"date": "x"}, b"1")
    assert outcomes.give_nothing(outcomes.nothing("anything")) is None


def test_a_record_of_another_kind_is_named():
    with pytest.raises(InputsError, match="an HTTP answer was expected, Nothing is recorded"):
        outcomes.give_answer(Nothing())
    with pytest.raises(InputsError, match="messages were expected, Nothing is recorded"):
        outcomes.give_messages(Nothing())
