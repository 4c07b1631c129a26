import json

import pytest
from small_market import START, SmallMarket

from exchange.simulator.core import Exchange
from exchange.simulator.listen_keys import ListenKeys
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.venue import ExchangeOptions

ALICE, BOB = "a" * 64, "b" * 64
EVENT = {"e": "ORDER_TRADE_UPDATE", "E": START, "o": {"s": "BTCUSDT"}}
OTHER = {"e": "ACCOUNT_UPDATE", "E": START, "a": {}}


class Desk:
    """An exchange with two API keys, asked for its listen keys, publishing what a test wants."""

    def __init__(self, *, strict=False, **questions):
        options = ExchangeOptions(strict=strict, questions=OpenQuestions(**questions))
        self.exchange = Exchange(SmallMarket(step_ms=60_000), {ALICE: "x", BOB: "y"}, options)
        self.publish = self.exchange.venue.user_streams.publish

    def key(self, method="POST", api_key=ALICE):
        now = self.exchange.now_ms
        answer = self.exchange.request(method, "/fapi/v1/listenKey", b"", b"", {"x-mbx-apikey": api_key}, now)
        return json.loads(answer.body).get("listenKey")

    def open(self, path):
        return self.exchange.open(path, self.exchange.now_ms)


def heard(session):
    frames = [json.loads(frame) for frame in session.outbox]
    session.outbox.clear()
    return frames


def test_every_socket_of_a_live_key_gets_every_event_in_order():
    desk = Desk()
    key = desk.key()
    sockets = [desk.open(path) for path in (f"/private/ws/{key}", f"/private/ws?listenKey={key}", f"/ws/{key}")]
    desk.publish(EVENT)
    desk.publish(OTHER)
    assert [heard(socket) for socket in sockets] == [[EVENT, OTHER]] * 3


def test_a_key_nobody_was_given_hears_nothing():
    desk = Desk()
    desk.key()
    stranger = desk.open("/private/ws/" + "0" * 64)
    desk.publish(EVENT)
    assert heard(stranger) == []


def test_the_events_filter_belongs_to_the_key_before_it():
    desk = Desk(listen_key_per_api_key=True)
    one, two = desk.key(), desk.key(api_key=BOB)
    assert one != two
    both = desk.open(f"/private/stream?listenKey={one}&events=ORDER_TRADE_UPDATE&listenKey={two}")
    narrow = desk.open(f"/private/ws?listenKey={one}&events=ACCOUNT_UPDATE/MARGIN_CALL")
    path_form = desk.open(f"/private/ws/{one}?events=ACCOUNT_UPDATE")
    desk.publish(EVENT)
    desk.publish(OTHER)
    assert heard(both) == [
        {"stream": one, "data": EVENT},
        {"stream": two, "data": EVENT},
        {"stream": two, "data": OTHER},
    ]
    assert heard(narrow) == heard(path_form) == [OTHER]


def test_a_key_is_subscribed_to_and_left_by_message():
    desk = Desk()
    key = desk.key()
    socket = desk.open("/private/stream")
    socket.text(json.dumps({"method": "SUBSCRIBE", "params": [key], "id": "5f2c"}).encode(), START)
    desk.publish(EVENT)
    socket.text(json.dumps({"method": "UNSUBSCRIBE", "params": [key], "id": 2}).encode(), START)
    desk.publish(OTHER)
    assert heard(socket) == [
        {"result": None, "id": "5f2c"},
        {"stream": key, "data": EVENT},
        {"result": None, "id": 2},
    ]


def test_an_expired_key_leaves_its_socket_open_and_silent_until_a_new_key_comes():
    desk = Desk()
    key = desk.key()
    socket = desk.open(f"/private/ws/{key}")
    desk.exchange.advance(START + 3_600_000)
    desk.publish(EVENT)
    assert heard(socket) == [{"e": "listenKeyExpired", "E": START + 3_600_000, "listenKey": key}]
    fresh = desk.key()
    assert fresh != key
    again = desk.open(f"/private/ws/{fresh}")
    desk.publish(OTHER)
    assert (heard(socket), heard(again)) == ([], [OTHER])
    assert socket.ending is None


def test_a_deletion_by_one_program_silences_the_other():
    desk = Desk()
    assert desk.key() == desk.key(api_key=BOB)
    socket = desk.open(f"/private/ws/{desk.key()}")
    desk.key("DELETE", BOB)
    desk.publish(EVENT)
    assert heard(socket) == []


@pytest.mark.parametrize("hides", [False, True])
def test_whether_a_filter_hides_the_expiry_is_a_question(hides):
    desk = Desk(event_filter_hides_expiry=hides)
    socket = desk.open(f"/private/ws?listenKey={desk.key()}&events=ORDER_TRADE_UPDATE")
    desk.exchange.venue.user_streams.expire_all(START)
    assert [frame["e"] for frame in heard(socket)] == ([] if hides else ["listenKeyExpired"])


def test_the_strict_venue_delivers_user_data_on_the_private_route_only():
    desk = Desk(strict=True)
    key = desk.key()
    sockets = [desk.open(f"{route}/ws/{key}") for route in ("/private", "", "/public", "/market")]
    desk.publish(EVENT)
    assert [heard(socket) for socket in sockets] == [[EVENT], [], [], []]


def test_a_question_gives_each_api_key_a_listen_key_of_its_own():
    shared, own = ListenKeys(1), ListenKeys(1, per_api_key=True)
    assert shared.issue(ALICE, START) == shared.issue(BOB, START)
    assert own.issue(ALICE, START) != own.issue(BOB, START)
    own.drop(ALICE)
    assert own.extend(BOB, START) in own.live
