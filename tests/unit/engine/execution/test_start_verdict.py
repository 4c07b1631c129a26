"""A start that does not come through ends with the code that says why, and only where nothing is held."""

import pytest

from engine.execution.start_verdict import StartStanding, judge_start
from exchange.errors import (
    BannedError,
    ClockError,
    CredentialsError,
    DecodeError,
    OverloadedError,
    UnknownOutcomeError,
    UnsentError,
)

DEADLINE, CLOCK_MS = 180.0, 500


def standing(**changes):
    late = StartStanding("account", None, "", clock_error_ms=20, holds=False, waited_s=DEADLINE)
    return late._replace(**changes)


def ending(deadline=DEADLINE, **changes):
    return judge_start(standing(**changes), deadline, CLOCK_MS)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (BannedError("banned", status=418, until_ms=1), 17),
        (OverloadedError("maintenance", status=503, code=-1016), 17),
        (UnsentError("no connection"), 17),
        (UnknownOutcomeError("no answer"), 17),
        (ClockError("-1021", status=400), 15),
        (DecodeError("GET x", "y", "is no number"), 13),
        (None, 13),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_the_code_says_what_kept_the_desk_from_beginning(trouble, code):
    found = ending(trouble=trouble)
    assert found.code == code
    assert str(trouble or "no answer yet") in found.text


def test_an_account_that_contradicts_itself_ends_with_13_and_says_how():
    found = ending(step="reconcile", fault="the positions shown do not explain the margin")
    assert found.code == 13
    assert "do not explain" in found.text


def test_a_clock_that_is_not_known_well_enough_ends_with_15_though_all_else_came_through():
    found = ending(step="", clock_error_ms=900)
    assert (found.code, "900 ms" in found.text) == (15, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"holds": True},
        {"waited_s": DEADLINE - 1},
        {"step": ""},
        {"deadline": 0.0},
        {"trouble": CredentialsError("-2015", status=401)},
    ],
    ids=["holds something", "in time", "came through", "waits for ever", "its key is refused"],
)
def test_a_desk_goes_on_that(changes):
    assert ending(**{"trouble": UnsentError("no connection"), **changes}) is None
