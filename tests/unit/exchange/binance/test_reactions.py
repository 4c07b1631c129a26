"""Sections 6.1 and 6.2 of the contract, row by row: what each answer proves, and what the desk then does."""

import json

import pytest

from exchange.binance.outcomes import INTERNAL_ERROR, THROTTLED, UNAVAILABLE, UNKNOWN_ERROR, Outcome, classify
from exchange.binance.reactions import CODES, REACTIONS, reaction_to
from exchange.binance.refusals import error_for
from exchange.errors import (
    BannedError,
    BusinessError,
    ClockError,
    CredentialsError,
    OverloadedError,
    RateLimitedError,
    RestrictedError,
    UnknownOutcomeError,
)
from exchange.reactions import Reaction

UNKNOWN, REFUSED = Outcome.UNKNOWN, Outcome.REFUSED


def body(code, msg="whatever"):
    return json.dumps({"code": code, "msg": msg}).encode()


def error_of(status, answer):
    verdict = classify(status, answer)
    return verdict.outcome, error_for(verdict, status, {}, "POST /fapi/v1/order", 0)


ROWS = [
    # codes, HTTP status, outcome, branch, reaction
    ((-1000,), 400, UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
    ((-1001,), 400, UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
    ((-1002,), 401, REFUSED, CredentialsError, Reaction.STOP_TRADING),
    ((-1003,), 429, REFUSED, RateLimitedError, Reaction.WAIT),
    ((-1003,), 418, REFUSED, BannedError, Reaction.WAIT),
    ((-1006, -1007), 400, UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
    ((-1007,), 408, UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
    ((-1008,), 503, REFUSED, OverloadedError, Reaction.BACK_OFF),
    ((-1010, -1011), 400, REFUSED, BusinessError, Reaction.STOP_TRADING),
    ((-1013,), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-1014, -1020), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-1016,), 400, REFUSED, BusinessError, Reaction.BACK_OFF),
    ((-1015,), 429, REFUSED, RateLimitedError, Reaction.WAIT),
    ((-1021,), 400, REFUSED, ClockError, Reaction.RESYNC_CLOCK),
    ((-1022,), 400, REFUSED, CredentialsError, Reaction.DEFECT),
    ((-1023, -1127, -4165), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-1100, -1101, -1102, -1103, -1104, -1105, -1106), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-1111,), 400, REFUSED, BusinessError, Reaction.REFRESH_RULES),
    ((-1114, -1115, -1116, -1117, -1136), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-1120, -1121, -1122, -1130), 400, REFUSED, BusinessError, Reaction.DROP_SYMBOL),
    ((-1125,), 400, REFUSED, BusinessError, Reaction.NEW_LISTEN_KEY),
    ((-2010,), 400, REFUSED, BusinessError, Reaction.GIVE_UP),
    ((-2011,), 400, REFUSED, BusinessError, Reaction.ALREADY_CLOSED),
    ((-2013,), 400, REFUSED, BusinessError, Reaction.NO_SUCH_ORDER),
    ((-2014, -2015, -2017), 401, REFUSED, CredentialsError, Reaction.STOP_TRADING),
    ((-2014, -2015, -2017), 400, REFUSED, CredentialsError, Reaction.STOP_TRADING),
    ((-2018, -2020), 400, REFUSED, BusinessError, Reaction.GIVE_UP),
    ((-2019,), 400, REFUSED, BusinessError, Reaction.LOWER_SIZE),
    ((-2021,), 400, REFUSED, BusinessError, Reaction.CLOSE_NOW),
    ((-2022, -2024), 400, REFUSED, BusinessError, Reaction.REREAD_POSITION),
    ((-2023,), 400, REFUSED, BusinessError, Reaction.HALT),
    ((-2025, -4045), 400, REFUSED, BusinessError, Reaction.CANCEL_STALE),
    ((-2026,), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-2027,), 400, REFUSED, BusinessError, Reaction.LOWER_SIZE),
    ((-2028,), 400, REFUSED, BusinessError, Reaction.KEEP_LEVERAGE),
    (
        (-4001, -4002, -4003, -4004, -4005, -4013, -4014, -4023), 400, REFUSED, BusinessError, Reaction.REFRESH_RULES
    ),
    ((-4015,), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-4016, -4024), 400, REFUSED, BusinessError, Reaction.REPRICE),
    ((-4021,), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-4028,), 400, REFUSED, BusinessError, Reaction.LOWER_LEVERAGE),
    ((-4046, -4059, -4171), 400, REFUSED, BusinessError, Reaction.NOTHING_TO_CHANGE),
    ((-4047, -4048, -4067, -4068), 400, REFUSED, BusinessError, Reaction.CLEAN_UP_FIRST),
    ((-4050, -4051, -4054, -4055), 400, REFUSED, BusinessError, Reaction.SHOW),
    ((-4060, -4061, -4062), 400, REFUSED, BusinessError, Reaction.REREAD_MODE),
    ((-4082, -4083), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-4087, -4088, -4189, -4192), 400, REFUSED, BusinessError, Reaction.CLOSE_ONLY),
    ((-4105, -4106, -4107, -4400, -4401), 400, REFUSED, BusinessError, Reaction.BLOCK_SYMBOL),
    ((-4109,), 400, REFUSED, BusinessError, Reaction.SHOW),
    ((-4116,), 400, UNKNOWN, UnknownOutcomeError, Reaction.DUPLICATE_ID),
    ((-4117,), 400, REFUSED, BusinessError, Reaction.STOP_TRIGGERING),
    ((-4118,), 400, REFUSED, BusinessError, Reaction.FREE_REDUCE_ONLY),
    ((-4120,), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-4130, -4509), 400, REFUSED, BusinessError, Reaction.CLOSE_POSITION_CONFLICT),
    ((-4131,), 400, REFUSED, BusinessError, Reaction.WAIT_FOR_PRICE),
    ((-4135, -4137, -4138), 400, REFUSED, BusinessError, Reaction.DEFECT),
    ((-4142,), 400, REFUSED, BusinessError, Reaction.CLOSE_NOW),
    ((-4140, -4141), 400, REFUSED, BusinessError, Reaction.DROP_SYMBOL),
    ((-4161,), 400, REFUSED, BusinessError, Reaction.KEEP_LEVERAGE),
    ((-4164,), 400, REFUSED, BusinessError, Reaction.BELOW_MINIMUM),
    ((-4167, -4168, -4169, -4170, -4172, -4183, -4184), 400, REFUSED, BusinessError, Reaction.SHOW),
    ((-4202, -4203, -4205, -4206, -4208, -4209, -4210, -4211), 400, REFUSED, BusinessError, Reaction.SHOW),
    ((-4402, -4403), 400, REFUSED, BusinessError, Reaction.SHOW),
    ((-4531,), 400, REFUSED, BusinessError, Reaction.CLEAN_UP_FIRST),
    ((-5021, -5022), 400, REFUSED, BusinessError, Reaction.REPRICE),
    ((-5024, -5025, -5026, -5027, -5029, -5043, -5047), 400, REFUSED, BusinessError, Reaction.QUERY_ORDER),
    ((-5028,), 400, REFUSED, BusinessError, Reaction.RESYNC_CLOCK),
    ((-5037, -5038, -5039, -5040, -5041), 400, REFUSED, BusinessError, Reaction.DEFECT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "status", "outcome", "branch", "reaction"),
    [(code, *rest) for codes, *rest in ROWS for code in codes],
)
def test_each_code_of_the_contract_has_its_outcome_branch_and_reaction(code, status, outcome, branch, reaction):
    proven, error = error_of(status, body(code))
    assert proven is outcome
    assert type(error) is branch
    assert error.reaction is reaction
    assert error.code == code


def test_every_row_of_the_table_is_tested_and_stands_once():
    tested = {code for codes, *_ in ROWS for code in codes}
    assert set(REACTIONS) == tested
    assert sum(len(codes) for codes in CODES.values()) == len(REACTIONS)


@pytest.mark.parametrize(
    ("status", "answer", "outcome", "branch", "reaction"),
    [
        (401, b"", REFUSED, CredentialsError, Reaction.STOP_TRADING),
        (403, b"<html>blocked</html>", REFUSED, RestrictedError, Reaction.BACK_OFF),
        (404, b"<html>", REFUSED, BusinessError, Reaction.DEFECT),
        (408, b"", UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
        (418, b"", REFUSED, BannedError, Reaction.WAIT),
        (429, b"", REFUSED, RateLimitedError, Reaction.WAIT),
        (451, body(0, "Service unavailable from a restricted location"), REFUSED, RestrictedError,
         Reaction.STOP_TRADING),
        (500, b"", UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
        (503, body(-1000, UNKNOWN_ERROR), UNKNOWN, UnknownOutcomeError, Reaction.RECONCILE),
        (503, UNAVAILABLE.encode(), REFUSED, OverloadedError, Reaction.BACK_OFF),
        (503, body(-1001, INTERNAL_ERROR), REFUSED, OverloadedError, Reaction.BACK_OFF),
        (503, body(-1008, THROTTLED), REFUSED, OverloadedError, Reaction.BACK_OFF),
    ],
)  # fmt: skip
def test_each_http_level_answer_has_its_outcome_branch_and_reaction(status, answer, outcome, branch, reaction):
    proven, error = error_of(status, answer)
    assert (proven, type(error), error.reaction) == (outcome, branch, reaction)


def test_a_code_no_row_lists_is_shown_to_the_operator():
    assert reaction_to(400, -9999) is Reaction.SHOW
    assert reaction_to(400, None) is Reaction.SHOW
