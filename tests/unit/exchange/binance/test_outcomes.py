import json

import pytest

from exchange.binance.gate import FailureCause, failure_cause
from exchange.binance.outcomes import (
    CODE_RULES,
    INTERNAL_ERROR,
    STATUS_RULES,
    TEXT_RULES,
    THROTTLED,
    UNAVAILABLE,
    UNKNOWN_ERROR,
    Outcome,
    classify,
    error_body,
)
from exchange.ports import LostError, NotSentError


def body(code, msg="whatever"):
    return json.dumps({"code": code, "msg": msg}).encode()


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.text[:30])
def test_a_known_text_decides_before_code_and_status(rule):
    status = rule.statuses[0] if rule.statuses else 400
    assert classify(status, body(-1121, rule.text)).outcome is rule.outcome
    assert classify(status, rule.text.encode()).outcome is rule.outcome, "also as a plain body"


@pytest.mark.parametrize("rule", [rule for rule in TEXT_RULES if rule.statuses], ids=lambda rule: rule.text[:30])
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_text_that_promises_a_refusal_holds_only_under_its_status(rule, status):
    assert classify(status, rule.text.encode()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("rule", CODE_RULES, ids=lambda rule: str(rule.code))
@pytest.mark.parametrize("status", [400, 408, 429, 500, 503])
def test_a_listed_code_decides_before_the_status(rule, status):
    assert classify(status, body(rule.code)).outcome is rule.outcome


@pytest.mark.parametrize("rule", STATUS_RULES, ids=lambda rule: f"{rule.statuses}")
def test_each_status_row_decides_when_text_and_code_do_not(rule):
    for status in rule.statuses:
        if rule.needs_code:
            assert classify(status, body(-2019)).outcome is rule.outcome
        else:
            assert classify(status, b"<html>no code</html>").outcome is rule.outcome


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, b""),
        (503, b"<html>busy</html>"),
        (500, body(-1234)),
        (502, b"Bad Gateway"),
        (504, b""),
        (400, b"no code at all"),
        (302, b""),
        (307, body(-2019)),
        (101, b""),
        (200, b"<html>all is well</html>"),
        (200, b""),
        (600, b"{}"),
    ],
)
def test_what_no_row_lists_is_unknown(status, answer):
    assert classify(status, answer).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [200, 400, 401, 403, 418, 429, 500, 503])
def test_code_1000_without_a_known_text_is_unknown_whatever_the_status(status):
    expected = Outcome.OK if status == 200 else Outcome.UNKNOWN
    assert classify(status, body(-1000, "An unknown error occurred")).outcome is expected


def test_a_success_needs_a_json_body():
    assert classify(200, b"{}").outcome is Outcome.OK
    assert classify(200, b" []").outcome is Outcome.OK


def test_transport_errors_are_not_sent_or_unknown():
    assert classify(None, b"", NotSentError("refused")).outcome is Outcome.NOT_SENT
    assert classify(None, b"", LostError("reset")).outcome is Outcome.UNKNOWN
    assert classify(None, b"").outcome is Outcome.UNKNOWN


def test_a_code_spelled_as_a_string_is_read():
    assert error_body(b'{"code":"-2011","msg":"Unknown order sent."}') == (-2011, "Unknown order sent.")


def test_a_duplicate_client_id_is_resolved_by_evidence_and_not_sent_again():
    assert classify(400, body(-4116)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "answer", "cause"),
    [
        (500, b"", FailureCause.SERVER),
        (503, UNAVAILABLE.encode(), FailureCause.SERVER),
        (503, body(-1000, UNKNOWN_ERROR), FailureCause.SERVER),
        (503, body(-1001, INTERNAL_ERROR), FailureCause.INTERNAL),
        (503, body(-1008, THROTTLED), FailureCause.OVERLOAD),
        (429, body(-1003), FailureCause.RATE_LIMIT),
        (429, b"", FailureCause.RATE_LIMIT),
        (418, body(-1003), FailureCause.BAN),
        (408, body(-1007), FailureCause.TIMEOUT),
        (400, body(-1021), FailureCause.CLOCK),
        (400, body(-1001), FailureCause.INTERNAL),
        (302, b"", FailureCause.SERVER),
        (200, b"<html>", FailureCause.SERVER),
        (200, b"{}", None),
        (400, body(-1111), None),
        (400, body(-2019), None),
        (400, body(-4164), None),
        (401, body(-2015), None),
        (403, b"<html>", None),
    ],
)
def test_only_signs_of_a_sick_venue_are_counted(status, answer, cause):
    assert failure_cause(classify(status, answer), status) is cause


def test_transport_failures_are_counted_by_their_kind():
    lost = classify(None, b"", LostError("reset"))
    assert failure_cause(lost, None) is FailureCause.TRANSPORT
    assert failure_cause(lost, None, timed_out=True) is FailureCause.TIMEOUT
    assert failure_cause(classify(None, b"", NotSentError("dns")), None) is FailureCause.TRANSPORT
