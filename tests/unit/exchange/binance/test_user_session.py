import math

import pytest

from exchange.binance.user_effects import (
    Announce,
    AskKey,
    DialUser,
    LeaveUser,
    PingUser,
    Renew,
    Switch,
    TellUser,
    UserDoubted,
    UserLimits,
    UserLost,
    UserOpened,
    UserPhase,
    UserRotated,
)
from exchange.binance.user_session import UserSession

LIMITS = UserLimits()


def kinds(effects):
    return [type(effect) for effect in effects]


def opened(now=0.0):
    session = UserSession(LIMITS)
    session.start(now)
    session.key_given("k" * 64, now)
    effects = session.opened(1, now, 0.0)
    assert kinds(effects) == [TellUser, Announce]
    return session


def told(effects):
    return [effect.event for effect in effects if isinstance(effect, TellUser)]


def test_a_connection_begins_with_a_key_and_ends_in_a_first_reading():
    session = UserSession(LIMITS)
    assert session.start(0.0) == [AskKey()]
    (dial,) = session.key_given("abc", 1.0)
    assert dial == DialUser(1, "/private/ws?listenKey=abc")
    tell, announce = session.opened(1, 2.0, 0.0)
    assert tell.event == UserOpened(None)
    assert announce.resync.gap_s is None
    assert session.is_alive(2.0)


def test_the_key_is_renewed_every_half_hour():
    session = opened()
    session.heard(1, 1799.0)
    assert session.tick(1799.9, 0.0) == []
    assert session.tick(1800.0, 0.0) == [Renew()]
    assert session.tick(1801.0, 0.0) == [], "one renewal at a time"
    session.renewed(1801.0)
    session.heard(1, 3599.0)
    assert Renew() in session.tick(3601.0, 0.0)


def test_a_renewal_that_fails_is_tried_again_soon():
    session = opened()
    session.heard(1, 1799.0)
    session.tick(1800.0, 0.0)
    (doubt,) = told(session.renew_failed("no connection", 1800.0, 0.0, gone=False))
    assert isinstance(doubt, UserDoubted)
    session.heard(1, 1829.0)
    assert session.tick(1830.0, 0.0) == [Renew()]
    assert session.phase is UserPhase.OPEN


@pytest.mark.parametrize("cause", ["expired", "gone"])
def test_a_dead_key_is_replaced_at_once_on_a_new_socket(cause):
    session = opened()
    if cause == "expired":
        effects = session.expired(1, 100.0, 0.0)
    else:
        effects = session.renew_failed("-1125", 100.0, 0.0, gone=True)
    assert effects[0] == LeaveUser(1)
    assert session.tick(100.0, 0.0) == [AskKey()]
    (dial,) = session.key_given("new", 101.0)
    assert dial.socket == 2
    tell, announce = session.opened(2, 102.0, 0.0)
    assert tell.event.gap_s == 102.0
    assert "key" in announce.resync.reason
    assert not session.expired(1, 103.0, 0.0), "a late word of the old socket changes nothing"


def test_silence_is_probed_by_a_ping_and_a_renewal_and_proved_only_by_both():
    session = opened()
    assert session.due() == 45.0
    assert session.tick(45.0, 0.0) == [PingUser(1)]
    assert session.ponged(1, 45.1) == [Renew()]
    assert not session.is_alive(61.0)
    session.renewed(61.5)
    assert session.is_alive(61.5)
    assert session.due() == 61.5 + 45.0


def test_a_probe_whose_renewal_fails_proves_nothing_and_is_repeated():
    session = opened()
    session.tick(45.0, 0.0)
    session.ponged(1, 45.1)
    session.renew_failed("no connection", 46.0, 0.0, gone=False)
    assert session.tick(51.0, 0.0) == [PingUser(1)]
    assert not session.is_alive(61.0)


def test_a_frame_ends_a_probe():
    session = opened()
    session.tick(45.0, 0.0)
    session.heard(1, 46.0)
    assert session.ponged(1, 46.1) == []
    assert session.is_alive(100.0)


def test_a_lost_socket_is_replaced_with_growing_pauses_and_every_time_with_a_key():
    session = opened()
    pauses = []
    now = 10.0
    session.lost(1, "reset", now, 1.0)
    for number in range(2, 9):
        pauses.append(session.due() - now)
        now = session.due()
        assert session.tick(now, 0.0) == [AskKey()]
        session.key_given("k", now)
        session.lost(number, "refused", now, 1.0)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 20.0
    assert session.reconnects == 1


def test_a_refused_key_waits_for_as_long_as_asked():
    session = UserSession(LIMITS)
    session.start(0.0)
    (lost,) = told(session.key_failed("too many requests", 77.0, 0.0, 0.0))
    assert lost == UserLost("too many requests", 77.0)
    assert session.tick(76.0, 0.0) == []
    assert session.tick(77.0, 0.0) == [AskKey()]


def test_rotation_opens_a_second_socket_of_the_same_key_and_switches_after_the_overlap():
    session = opened()
    day = LIMITS.rotate_s
    session.heard(1, day)
    effects = session.tick(day, 0.0)
    assert DialUser(2, "/private/ws?listenKey=" + "k" * 64) in effects
    assert session.opened(2, day + 1, 0.0) == []
    session.heard(1, day + 3.9)
    assert Switch(2) not in session.tick(day + 3.9, 0.0)
    assert session.tick(day + 4.0, 0.0) == [Switch(2), LeaveUser(1), TellUser(UserRotated())]
    assert session.socket == 2
    assert session.reconnects == 0
    assert session.is_alive(day + 5)


def test_a_successor_that_cannot_be_opened_is_tried_again_while_the_old_socket_goes_on():
    session = opened()
    day = LIMITS.rotate_s
    session.heard(1, day)
    session.tick(day, 0.0)
    session.lost(2, "refused", day + 1, 0.0)
    assert session.phase is UserPhase.OPEN
    session.heard(1, day + 30)
    assert DialUser in kinds(session.tick(day + 31, 0.0))


@pytest.mark.parametrize("is_open", [True, False])
def test_the_successor_steps_in_when_the_old_socket_ends_early_and_the_account_is_read_again(is_open):
    session = opened()
    day = LIMITS.rotate_s
    session.heard(1, day)
    session.tick(day, 0.0)
    effects = []
    if is_open:
        session.opened(2, day + 1, 0.0)
    effects += session.lost(1, "24 h", day + 2, 0.0)
    if not is_open:
        effects += session.opened(2, day + 3, 0.0)
    assert kinds(effects).count(Switch) == 1
    assert kinds(effects).count(Announce) == 1
    assert session.socket == 2
    assert session.phase is UserPhase.OPEN


def test_doubts_are_announced_at_once_but_not_in_a_storm():
    session = opened()
    assert kinds(session.doubt("bad", 10.0)) == [Announce]
    assert session.doubt("bad", 10.1) == []
    assert session.doubt("worse", 10.2) == []
    assert session.due() == 15.0
    (announce,) = session.tick(15.0, 0.0)
    assert announce.resync.reason == "worse"
    assert session.due() > 15.0


def test_a_socket_nobody_waits_for_is_left():
    session = opened()
    assert session.opened(99, 5.0, 0.0) == [LeaveUser(99)]
    assert session.lost(99, "x", 5.0, 0.0) == []
    assert session.key_given("k", 5.0) == []
    assert UserSession(LIMITS).due() == math.inf
