"""What an API key may do decides entries and arming, and nothing else."""

from dataclasses import dataclass

import msgspec
import pytest

from engine.execution.rights import CONSENT, judge_rights, unread
from exchange.account import KeyRights

NOW = 1_795_000_000_000
DAY = 86_400_000
GOOD = KeyRights(
    ip_restricted=True, reads=True, futures=True, withdraws=False, transfers=False, created_ms=NOW - DAY, expires_ms=0
)


def judged(*, transfers_allowed=False, **other):
    return judge_rights(msgspec.structs.replace(GOOD, **other), NOW, transfers_allowed=transfers_allowed)


def test_a_key_made_with_care_has_nothing_against_it():
    view = judged()
    assert (view.refused, view.consent, view.warnings) == ((), "", ())
    assert view.text == "reads, trades futures, listed addresses only"
    assert view.known


@dataclass
class Case:
    right: dict
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Case({"withdraws": True}, "may withdraw"),
        Case({"futures": False}, "may not trade futures: the desk only looks"),
        Case({"reads": False}, "may not read the account"),
        Case({"transfers": True}, "trading.key_may_transfer = true"),
    ],
    ids=lambda case: case.words,
)
def test_each_dangerous_or_lacking_right_refuses_entries_and_says_what_to_do(case):
    (text,) = judged(**case.right).refused
    assert case.words in text


def test_transfers_can_be_allowed_in_writing_but_withdrawals_never():
    view = judged(transfers=True, withdraws=True, transfers_allowed=True)
    assert len(view.refused) == 1
    assert "withdraw" in view.refused[0]
    assert "key_may_transfer allows it" in view.warnings[0]


def test_a_key_for_every_address_asks_for_a_typed_word_and_warns_of_its_end():
    view = judged(ip_restricted=False, expires_ms=NOW + 60 * DAY)
    assert view.consent == CONSENT
    assert "expire on 2027-01-" in view.warnings[0]
    assert len(view.warnings) == 1


def test_an_end_that_is_near_is_told_whatever_else_is_well():
    (text,) = judged(expires_ms=NOW + 3 * DAY).warnings
    assert "ends on" in text


def test_rights_nobody_knows_refuse_entries():
    view = unread("no answer")
    assert "no answer" in view.refused[0]
    assert not view.known
