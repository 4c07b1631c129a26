"""Arming: three facts that agree, and a record that says for what and until when."""

import msgspec
import pytest

from config.settings import Settings
from engine.execution.arming import (
    ArmingError,
    account_hash,
    config_hash,
    decode,
    encode,
    facts_of,
    make_record,
)
from engine.execution.arming import judge as judge_all
from engine.execution.rights import CONSENT
from engine.snapshot import RightsView

NOW = 1_795_000_000_000
LIVE = Settings.model_validate({"trading": {"enabled": True, "environment": "live"}})
ACCOUNT = account_hash("a key")
HARMLESS = RightsView("reads, trades futures", known=True)
FROM_ANYWHERE = RightsView("reads, trades futures", consent=CONSENT, warnings=("works from every address",), known=True)


def judge(facts, record, now_ms, rights=HARMLESS):
    return judge_all(facts, record, now_ms, rights)


def facts(settings=LIVE, account=ACCOUNT):
    return facts_of(settings, account, {})


def record(hours=24.0):
    return make_record(facts(), {"risk_per_trade": 0.01}, "the operator", hours, NOW, HARMLESS)


def test_the_three_facts_together_arm():
    view = judge(facts(), record(), NOW + 1)
    assert view.armed
    assert view.missing == ()
    assert view.expires_ms == NOW + 86_400_000


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trading": {"enabled": False, "environment": "live"}}, "TRADING_ENABLED=true"),
        ({"trading": {"enabled": True, "environment": "paper"}}, "set it to live"),
        ({"trading": {"enabled": True, "environment": "live"}, "risk": {"risk_per_trade": 0.02}}, "settings differ"),
    ],
)
def test_each_fact_alone_keeps_entries_off_and_says_what_to_do(settings, words):
    view = judge(facts(Settings.model_validate(settings)), record(), NOW + 1)
    assert not view.armed
    assert any(words in text for text in view.missing)


def test_another_account_and_an_ended_arming_are_named():
    assert "another one" in judge(facts(account=account_hash("other")), record(), NOW).missing[0]
    assert "ended at" in judge(facts(), record(1.0), NOW + 3_600_000).missing[0]
    assert "future" in judge(facts(), record(), NOW - 120_000).missing[0]
    assert "not armed" in judge(facts(), None, NOW).missing[0]


def test_what_the_screen_shows_does_not_disarm():
    other = Settings.model_validate({"trading": {"enabled": True, "environment": "live"}, "screen": {"ascii": True}})
    assert config_hash(other) == config_hash(LIVE)


def test_a_record_survives_its_file_and_nothing_else_passes_for_one():
    assert decode(encode(record())) == record()
    assert decode(b"") is None
    fields = msgspec.json.decode(encode(record()))
    for bad in (b"{", b"[]", msgspec.json.encode({**fields, "more": 1}), msgspec.json.encode({**fields, "by": 3})):
        with pytest.raises(ArmingError, match="arm again"):
            decode(bad)


@pytest.mark.parametrize("hours", [0, -1, 24 * 31, float("nan")])
def test_an_arming_without_an_end_in_sight_is_refused(hours):
    with pytest.raises(ArmingError, match="hours"):
        record(hours)


def test_a_desk_whose_configuration_is_paper_cannot_be_armed():
    with pytest.raises(ArmingError, match="TRADING_ENABLED"):
        make_record(facts(Settings()), {}, "the operator", 1.0, NOW, HARMLESS)


def test_no_key_is_in_the_record():
    assert b"a key" not in encode(record())


def test_a_key_for_every_address_needs_its_word_at_the_arming_and_the_record_keeps_it():
    with pytest.raises(ArmingError, match=f"arm 2 {CONSENT}"):
        make_record(facts(), {}, "the operator", 2.0, NOW, FROM_ANYWHERE)
    made = make_record(facts(), {}, "the operator", 2.0, NOW, FROM_ANYWHERE, CONSENT)
    assert judge(facts(), made, NOW, FROM_ANYWHERE).armed


def test_a_key_that_lost_its_list_of_addresses_is_not_armed_by_an_older_record():
    view = judge(facts(), record(), NOW, FROM_ANYWHERE)
    assert not view.armed
    assert CONSENT in view.missing[0]


def test_a_dangerous_key_is_refused_at_the_arming_and_disarms_what_was_armed():
    may_withdraw = RightsView("withdraws", refused=("the API key may withdraw",))
    with pytest.raises(ArmingError, match="may withdraw"):
        make_record(facts(), {}, "the operator", 2.0, NOW, may_withdraw)
    assert not judge(facts(), record(), NOW, may_withdraw).armed
