import json
import math

import pytest

from exchange.binance.routes import Route
from exchange.binance.session import Dial, HangUp, Phase, Replace, Send, SessionLimits, SocketSession, Tell
from exchange.binance.stream_events import RequestRefused, SocketLost, SocketOpened, StreamsLive, SubscriptionsLost
from exchange.binance.streams_wire import ControlReply

NAMES = tuple(f"s{number}@kline_5m" for number in range(250))
LIMITS = SessionLimits()


def session(**changes):
    return SocketSession(0, Route.MARKET, SessionLimits(**changes))


def events(effects):
    return [effect.event for effect in effects if isinstance(effect, Tell)]


def requests(effects):
    return [json.loads(effect.text) for effect in effects if isinstance(effect, Send)]


def ok(number):
    return ControlReply(number, None, None, "")


def opened(machine, names, now=0.0):
    """Bring a session to where every stream is confirmed; return the time."""
    machine.want(names, now)
    effects = machine.opened(now, 0.5)
    while sent := requests(effects):
        now += 0.3
        effects = machine.answered(ok(sent[0]["id"]), now)
        effects += machine.tick(now)
    assert machine.confirmed == set(names)
    return now


def test_nothing_is_dialled_while_nothing_is_wanted():
    machine = session()
    assert machine.tick(0.0) == []
    assert machine.due() == math.inf


def test_wanting_dials_the_combined_path_of_the_route_once():
    machine = session()
    assert machine.want(NAMES, 0.0) == [Dial("/market/stream")]
    assert machine.tick(1.0) == []
    assert machine.phase is Phase.DIALLING


def test_streams_are_asked_for_in_chunks_one_request_at_a_time_and_paced():
    machine = session()
    machine.want(NAMES, 0.0)
    effects = machine.opened(0.0, 0.5)
    assert events(effects) == [SocketOpened(0, Route.MARKET)]
    (first,) = requests(effects)
    assert (first["method"], len(first["params"])) == ("SUBSCRIBE", 100)
    assert machine.tick(0.1) == [], "one request at a time"
    effects = machine.answered(ok(first["id"]), 0.1)
    assert events(effects) == [StreamsLive(0, NAMES[:100], None)]
    assert requests(effects) == [], "paced"
    assert machine.due() == pytest.approx(0.25)
    (second,) = requests(machine.tick(0.25))
    assert second["params"] == list(NAMES[100:200])


def test_answers_to_other_requests_are_ignored():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    machine.opened(0.0, 0.5)
    assert machine.answered(ok(99), 0.1) == []
    assert machine.confirmed == set()


def test_changes_of_the_wanted_set_are_worked_off():
    machine = session()
    now = opened(machine, NAMES[:3]) + 1
    (request,) = requests(machine.want(NAMES[1:4], now))
    assert (request["method"], request["params"]) == ("SUBSCRIBE", [NAMES[3]])
    machine.answered(ok(request["id"]), now)
    (request,) = requests(machine.tick(now + 1))
    assert (request["method"], request["params"]) == ("UNSUBSCRIBE", [NAMES[0]])
    machine.answered(ok(request["id"]), now + 1)
    assert machine.confirmed == set(NAMES[1:4])


def test_a_subscription_the_venue_lost_is_found_by_the_audit_and_asked_for_again():
    machine = session()
    opened(machine, NAMES[:3])
    machine.heard(119.0)
    (audit,) = requests(machine.tick(120.0))
    assert audit["method"] == "LIST_SUBSCRIPTIONS"
    effects = machine.answered(ControlReply(audit["id"], (NAMES[0], NAMES[2]), None, ""), 121.0)
    assert events(effects) == [SubscriptionsLost(0, (NAMES[1],))]
    (request,) = requests(effects)
    assert (request["method"], request["params"]) == ("SUBSCRIBE", [NAMES[1]])
    assert machine.lost_subscriptions == 1
    (back,) = events(machine.answered(ok(request["id"]), 122.0))
    assert back.streams == (NAMES[1],)
    assert back.silent_s == pytest.approx(62.0), "it was lost at some time since the audit before"


def test_a_stream_the_venue_carries_beyond_the_wanted_ones_is_unsubscribed():
    machine = session()
    opened(machine, NAMES[:1])
    machine.heard(119.0)
    (audit,) = requests(machine.tick(120.0))
    effects = machine.answered(ControlReply(audit["id"], (NAMES[0], "x@kline_5m"), None, ""), 121.0)
    (request,) = requests(effects)
    assert (request["method"], request["params"]) == ("UNSUBSCRIBE", ["x@kline_5m"])


def test_an_audit_without_an_answer_is_counted_and_does_not_cost_the_socket():
    machine = session()
    opened(machine, NAMES[:1])
    machine.heard(119.0)
    assert requests(machine.tick(120.0))
    machine.heard(139.0)
    assert machine.tick(141.0) == []
    assert machine.unanswered_audits == 1
    assert machine.phase is Phase.OPEN


def test_a_subscribe_without_an_answer_costs_the_socket():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    machine.opened(0.0, 0.5)
    machine.heard(19.0)
    (hang_up,) = machine.tick(20.0)
    assert isinstance(hang_up, HangUp)
    assert "SUBSCRIBE" in hang_up.reason


def test_a_refused_request_is_told_and_waits_before_the_next():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    (request,) = requests(machine.opened(0.0, 0.5))
    effects = machine.answered(ControlReply(request["id"], None, 2, "Invalid request"), 1.0)
    assert effects == [Tell(RequestRefused(0, 2, "Invalid request"))]
    machine.heard(29.0)
    assert machine.tick(30.0) == []
    assert requests(machine.tick(31.0))


def test_a_stall_is_found_within_ten_seconds_and_only_after_a_grace():
    machine = session()
    now = opened(machine, NAMES[:1])
    machine.heard(now)
    assert machine.due() == pytest.approx(now + 9.0)
    assert machine.tick(now + 9.0) == [], "suspected"
    assert machine.due() == pytest.approx(now + 10.0)
    (hang_up,) = machine.tick(now + 10.0)
    assert hang_up == HangUp("no frame for 10 s")
    assert machine.phase is Phase.CLOSING


def test_a_loop_that_stood_still_itself_gives_the_socket_a_second_look():
    machine = session(audit_s=1e9)
    now = opened(machine, NAMES[:1])
    assert machine.tick(now + 300.0) == []
    machine.heard(now + 300.1)
    assert machine.tick(now + 301.0) == []
    assert machine.phase is Phase.OPEN


def test_answers_to_requests_do_not_hide_a_stall():
    machine = session()
    opened(machine, NAMES[:1])
    assert machine.heard_at == 0.0


def test_after_a_loss_the_streams_are_asked_for_again_and_the_gap_is_told():
    machine = session()
    now = opened(machine, NAMES[:2])
    machine.heard(now + 5)
    (lost,) = events(machine.lost(now + 6, 1006, "reset", 0.5))
    assert lost == SocketLost(0, Route.MARKET, 1006, "reset", pytest.approx(0.375))
    assert machine.due() == pytest.approx(now + 6.375)
    assert machine.tick(now + 6.3) == []
    assert machine.tick(now + 6.375) == [Dial("/market/stream")]
    (request,) = requests(machine.opened(now + 7, 0.5))
    assert request["params"] == list(NAMES[:2])
    (back,) = events(machine.answered(ok(request["id"]), now + 8))
    assert back == StreamsLive(0, NAMES[:2], pytest.approx(3.0))
    assert machine.reconnects == 1


def test_a_gap_is_measured_from_the_last_frame_before_the_first_of_several_losses():
    machine = session()
    now = opened(machine, NAMES[:1])
    machine.heard(now + 1)
    machine.lost(now + 2, 1006, "", 0.5)
    machine.tick(now + 10)
    machine.opened(now + 10, 0.5)
    machine.lost(now + 11, 1006, "", 0.5)
    machine.tick(now + 40)
    (request,) = requests(machine.opened(now + 40, 0.5))
    (back,) = events(machine.answered(ok(request["id"]), now + 41))
    assert back.silent_s == pytest.approx(40.0)


def test_a_stream_dropped_while_away_and_wanted_later_is_new():
    machine = session()
    now = opened(machine, NAMES[:2])
    machine.lost(now, 1006, "", 0.5)
    machine.want(NAMES[:1], now)
    machine.want(NAMES[:2], now)
    machine.tick(now + 5)
    (request,) = requests(machine.opened(now + 5, 0.5))
    new, back = events(machine.answered(ok(request["id"]), now + 6))
    assert (new.streams, new.silent_s) == ((NAMES[1],), None)
    assert back.streams == (NAMES[0],)


def test_failing_attempts_back_off_exponentially_up_to_a_cap_and_with_jitter():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    now, delays = 0.0, []
    for _ in range(9):
        (lost,) = events(machine.lost(now, None, "refused", 0.999))
        delays.append(lost.retry_in_s)
        now += lost.retry_in_s
        assert machine.tick(now) == [Dial("/market/stream")]
    assert delays == pytest.approx([0.5, 1, 2, 4, 8, 16, 20, 20, 20], rel=0.01)
    (low,) = events(machine.lost(now, None, "refused", 0.0))
    assert low.retry_in_s == pytest.approx(10.0)
    assert machine.reconnects == 0, "what never opened was never lost"


def test_sockets_that_open_and_die_at_once_keep_backing_off():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    now, delays = 0.0, []
    for _ in range(6):
        machine.opened(now, 0.5)
        (lost,) = events(machine.lost(now + 0.1, 1006, "", 0.999))
        delays.append(lost.retry_in_s)
        now += 0.1 + lost.retry_in_s
        machine.tick(now)
    assert delays == sorted(delays)
    assert delays[-1] > 15


def test_a_socket_that_lived_and_delivered_resets_the_back_off():
    machine = session()
    machine.want(NAMES[:1], 0.0)
    for _ in range(5):
        machine.lost(0.0, None, "refused", 0.5)
        machine.tick(100.0)
    machine.opened(100.0, 0.5)
    machine.heard(140.0)
    (lost,) = events(machine.lost(141.0, 1006, "", 0.999))
    assert lost.retry_in_s == pytest.approx(0.5, rel=0.01)


def test_a_socket_that_comes_of_age_asks_once_to_be_replaced_and_goes_on():
    machine = session(rotate_s=100.0, audit_s=1e9)
    opened(machine, NAMES[:1])
    machine.heard(101.0)
    assert machine.due() == pytest.approx(101.0)
    assert machine.tick(101.0) == [Replace()]
    machine.heard(103.0)
    assert machine.tick(103.0) == []
    assert machine.phase is Phase.OPEN
    assert machine.due() > 103.0


def test_a_redial_that_fails_backs_off_more_each_time():
    machine = session()
    opened(machine, NAMES[:1])
    machine.lost(2.0, 1001, "gone", 0.5)
    machine.tick(3.0)
    first, second = (events(machine.lost(3.0, None, "refused", 0.999))[0].retry_in_s for _ in range(2))
    assert second > first


def test_the_default_rotation_lies_inside_the_venues_24_hours():
    assert LIMITS.rotate_s * 1.02 < 24 * 3600
    assert LIMITS.stall_s + LIMITS.grace_s <= 10.0
    assert 1 / LIMITS.pace_s <= 5


def test_a_socket_without_wanted_streams_is_closed_and_rests():
    machine = session()
    now = opened(machine, NAMES[:1]) + 1
    (hang_up,) = machine.want((), now)
    assert isinstance(hang_up, HangUp)
    machine.lost(now, 1000, hang_up.reason, 0.5)
    assert machine.phase is Phase.IDLE
    assert machine.due() == math.inf
    assert machine.want(NAMES[:1], now + 1) == [Dial("/market/stream")]


def test_what_is_due_now_always_has_an_effect_or_moves_the_due_time():
    """A session that is due, does nothing and stays due would spin its loop."""
    machine = session(rotate_s=500.0)
    machine.want(NAMES, 0.0)
    effects, now = machine.opened(0.0, 0.5), 0.0
    for _ in range(200):
        for request in requests(effects):
            machine.answered(ok(request["id"]), now)
        if machine.phase is Phase.CLOSING:
            machine.lost(now, 1000, "", 0.5)
        if machine.phase is Phase.DIALLING:
            effects = machine.opened(now, 0.5)
            continue
        due = machine.due()
        now = max(now, due)
        before = machine.due()
        effects = machine.tick(now)
        assert effects or machine.due() > before
