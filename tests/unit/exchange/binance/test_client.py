import asyncio
import math
import re

import pytest
from venue_fakes import ScriptedEntropy, ScriptedRest, answer
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.calls import CallLimits
from exchange.binance.client import BinanceClient
from exchange.binance.gate import FailureCause, OpenGate
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.errors import (
    BannedError,
    BusinessError,
    ClockError,
    CredentialsError,
    DecodeError,
    HeldBackError,
    OverloadedError,
    RateLimitedError,
    RestrictedError,
    UnknownOutcomeError,
    UnsentError,
)
from exchange.ports import LostError, NotSentError
from exchange.priority import Priority

EPOCH = 1_800_000_000_000 // 60_000 * 60_000
SECRET = "s" * 32
TIME = answer({"serverTime": EPOCH})


class Desk:
    """A client over a scripted venue, with everything a test wants to look at."""

    def __init__(self, *script, credentials=True, limit=1920, gate=None):
        self.clock = VirtualClock(EPOCH)
        self.rest = ScriptedRest(*script)
        self.ledger = WeightLedger(limit)
        self.gate = gate or RecordingGate()
        keys = Credentials("public-key", SECRET) if credentials else None
        self.client = BinanceClient(
            self.rest, self.clock, self.ledger, self.gate, ScriptedEntropy(), keys, CallLimits()
        )

    @property
    def paths(self):
        return [f"{request[0]} {request[1]}" for request in self.rest.requests]


class RecordingGate(OpenGate):
    def __init__(self):
        self.entered = []
        self.settlements = []

    async def enter(self, priority, operation):
        self.entered.append((priority, operation))

    def settled(self, settlement):
        self.settlements.append(settlement)


def run(desk, call):
    async def main():
        return await call(desk.client)

    return run_virtual(main())


def refused(desk, error, call=lambda client: client.server_time()):
    async def main():
        with pytest.raises(error) as caught:
            await call(desk.client)
        return caught.value

    return run_virtual(main())


def failure(status, code=None, msg="", **headers):
    return answer(b"<html>" if code is None else {"code": code, "msg": msg}, status, **headers)


def test_a_public_call_carries_neither_key_nor_signature():
    desk = Desk(TIME)
    assert run(desk, lambda client: client.server_time()) == EPOCH
    assert desk.rest.requests == [("GET", "/fapi/v1/time", "", {}, 10.0)]


def test_a_signed_call_carries_key_window_time_and_a_signature_over_them():
    desk = Desk(answer({"dualSidePosition": False}))
    assert run(desk, lambda client: client.position_mode()) is False
    _, path, query, headers, _ = desk.rest.requests[0]
    payload, _, signature = query.partition("&signature=")
    assert path == "/fapi/v1/positionSide/dual"
    assert payload == f"recvWindow=5000&timestamp={EPOCH}"
    assert signature == Credentials("public-key", SECRET).sign(payload.encode())
    assert headers == {"X-MBX-APIKEY": "public-key"}


def test_listen_key_calls_carry_the_key_but_no_signature():
    desk = Desk(answer({"listenKey": "abc"}))
    assert run(desk, lambda client: client.listen_key_create()) == "abc"
    assert desk.rest.requests[0][2:4] == ("", {"X-MBX-APIKEY": "public-key"})


def test_an_account_call_without_a_key_names_the_settings_and_sends_nothing():
    desk = Desk(TIME, credentials=False)
    error = refused(desk, CredentialsError, lambda client: client.account())
    assert "BINANCE_API_KEY" in str(error)
    assert desk.rest.requests == []
    assert desk.ledger.used(EPOCH) == 0


def test_klines_are_asked_for_with_their_bounds_and_weight():
    desk = Desk(answer([]))
    run(desk, lambda client: client.klines("币安人生USDT", "5m", 499, start_ms=1))
    assert desk.rest.requests[0][2] == (
        "symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=5m&startTime=1&limit=499"
    )
    assert desk.ledger.used(EPOCH) == 2


def test_priority_and_operation_travel_to_the_gate_and_the_end_is_settled_once():
    desk = Desk(TIME)
    run(desk, lambda client: client.server_time(priority=Priority.HIGH))
    assert desk.gate.entered == [(Priority.HIGH, "GET /fapi/v1/time")]
    (settlement,) = desk.gate.settlements
    assert (settlement.priority, settlement.operation, settlement.cause) == (Priority.HIGH, "GET /fapi/v1/time", None)


def test_the_gate_may_hold_a_request_back_and_its_weight_returns():
    class Shut(RecordingGate):
        async def enter(self, priority, operation):
            raise HeldBackError(f"{operation} is held back: the breaker is BLOCKED")

    desk = Desk(TIME, gate=Shut())
    error = refused(desk, HeldBackError)
    assert "BLOCKED" in str(error)
    assert desk.rest.requests == []
    assert desk.ledger.used(EPOCH) == 0
    assert desk.gate.settlements == []


@pytest.mark.parametrize(
    ("trouble", "error", "text", "cause"),
    [
        (failure(451), RestrictedError, "does not serve this location", None),
        (failure(403), RestrictedError, "firewall", None),
        (failure(401, -2015, "Invalid API-key"), CredentialsError, "check key and secret", None),
        (failure(400, -2014, "API-key format invalid."), CredentialsError, "-2014", None),
        (failure(400, -1121, "Invalid symbol."), BusinessError, "Invalid symbol.", None),
        (failure(404), BusinessError, "HTTP 404", None),
        (failure(302), UnknownOutcomeError, "HTTP 302", FailureCause.SERVER),
        (failure(500), UnknownOutcomeError, "HTML page", FailureCause.SERVER),
        (failure(503, -1008, "Request throttled"), OverloadedError, "overloaded", FailureCause.OVERLOAD),
        (LostError("reset"), UnknownOutcomeError, "reset", FailureCause.TRANSPORT),
        (NotSentError("host name x was not found"), UnsentError, "was not sent", FailureCause.TRANSPORT),
        (answer(b"<html>hello</html>"), UnknownOutcomeError, "not JSON", FailureCause.SERVER),
    ],
)
def test_each_failure_is_one_branch_of_the_tree_with_a_readable_text(trouble, error, text, cause):
    desk = Desk(trouble)
    caught = refused(desk, error)
    assert text in str(caught)
    assert "GET /fapi/v1/time" in str(caught)
    assert {settlement.cause for settlement in desk.gate.settlements} == {cause}
    assert len(desk.gate.settlements) == len(desk.rest.requests)


def test_hostile_text_of_a_venue_reaches_no_screen_unfiltered():
    desk = Desk(failure(400, -1121, "bad\x1b[31m\x00\u202e[bold]" + "x" * 5000))
    text = str(refused(desk, BusinessError))
    assert text.isprintable()
    assert len(text) < 400


def test_no_error_shows_query_key_or_secret():
    desk = Desk(failure(400, -1102, "Mandatory parameter"))
    text = str(refused(desk, BusinessError, lambda client: client.account()))
    for secret in ("signature", "timestamp", "public-key", SECRET):
        assert secret not in text


@pytest.mark.parametrize("trouble", [LostError("reset"), NotSentError("refused"), failure(502), failure(503, -1008)])
def test_a_get_is_tried_three_times_with_growing_pauses_and_may_succeed(trouble):
    desk = Desk(trouble, trouble, TIME)

    async def main():
        instant = await desk.client.server_time()
        return instant, desk.clock.monotonic()

    instant, elapsed = run_virtual(main())
    assert instant == EPOCH
    assert len(desk.rest.requests) == 3
    assert elapsed == pytest.approx(0.5 + 1.0, abs=0.01)


def test_a_get_gives_up_after_three_attempts():
    desk = Desk(LostError("reset"))
    refused(desk, UnknownOutcomeError)
    assert len(desk.rest.requests) == 3


@pytest.mark.parametrize("trouble", [LostError("reset"), NotSentError("refused"), failure(503), failure(503, -1008)])
@pytest.mark.parametrize("method", ["listen_key_create", "listen_key_keepalive", "listen_key_close"])
def test_what_is_no_get_is_sent_once(trouble, method):
    desk = Desk(trouble)
    refused(desk, (UnknownOutcomeError, UnsentError, OverloadedError), lambda client: getattr(client, method)())
    assert len(desk.rest.requests) == 1


@pytest.mark.parametrize("trouble", [failure(400, -1121), failure(401, -2015), failure(451), failure(404)])
def test_a_refusal_of_the_request_itself_is_not_tried_again(trouble):
    desk = Desk(trouble)
    refused(desk, (BusinessError, CredentialsError, RestrictedError))
    assert len(desk.rest.requests) == 1


def test_an_unreadable_success_is_a_decode_error_for_a_get_and_unknown_for_anything_else():
    refused(Desk(answer({"nothing": 1})), DecodeError)
    refused(Desk(answer({"nothing": 1})), UnknownOutcomeError, lambda client: client.listen_key_create())


def test_a_rate_limit_holds_every_reading_until_retry_after():
    desk = Desk(failure(429, -1003, "Too many requests", retry_after=7), TIME)

    async def main():
        with pytest.raises(RateLimitedError) as caught:
            await desk.client.server_time(priority=Priority.HIGH)
        assert caught.value.retry_after_s == 7.0
        assert "paused for 7 s" in str(caught.value)
        with pytest.raises(HeldBackError):
            await desk.client.server_time(priority=Priority.CRITICAL)
        assert desk.clock.monotonic() < 1.0, "not even a reading that protection rests on is worth a ban"
        await desk.client.server_time(priority=Priority.NORMAL)
        return desk.clock.monotonic()

    assert 8.0 <= run_virtual(main()) < 10.0
    assert desk.gate.settlements[0].cause is FailureCause.RATE_LIMIT
    assert desk.gate.settlements[0].retry_after_s == 7.0


def test_what_can_wait_is_told_for_how_long():
    desk = Desk(failure(429, -1003, "Too many requests", retry_after=7), limit=20)

    async def main():
        assert desk.client.calls.pause_for(16) == 0.0
        assert desk.client.calls.pause_for(40) == math.inf, "it never fits into this budget"
        with pytest.raises(RateLimitedError):
            await desk.client.server_time(priority=Priority.CRITICAL)
        assert desk.client.calls.pause_for(16) >= 7.0
        assert desk.client.calls.held_s == pytest.approx(7.0, abs=0.1)
        assert desk.client.calls.banned_s == 0.0

    run_virtual(main())


def test_a_rate_limit_without_retry_after_waits_for_the_next_minute():
    desk = Desk(failure(429, -1003), TIME)

    async def main():
        await desk.clock.sleep(20.0)
        await desk.client.server_time(priority=Priority.LOW)
        return desk.clock.monotonic()

    assert 60.0 <= run_virtual(main()) < 85.0
    assert len(desk.rest.requests) == 2


def test_a_ban_ends_the_call_and_silences_the_client_until_its_end():
    until = EPOCH + 600_000
    message = f"Way too many requests; IP banned until {until}. Please use the websocket for live updates."
    desk = Desk(failure(418, -1003, message), TIME)

    async def main():
        with pytest.raises(BannedError) as caught:
            await desk.client.server_time(priority=Priority.LOW)
        assert caught.value.until_ms == until
        assert re.search(r"banned until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", str(caught.value))
        with pytest.raises(HeldBackError):
            await desk.client.server_time(priority=Priority.LOW)
        assert len(desk.rest.requests) == 1
        await desk.clock.sleep(601.0)
        return await desk.client.server_time(priority=Priority.LOW)

    assert run_virtual(main()) == EPOCH
    assert len(desk.rest.requests) == 2


@pytest.mark.parametrize("trouble", [failure(418, -1003, "banned"), failure(429, -1003, retry_after=120)])
@pytest.mark.parametrize("priority", [Priority.CRITICAL, Priority.NORMAL])
def test_a_machine_clock_that_goes_back_makes_no_silence_longer(trouble, priority):
    desk = Desk(trouble, TIME)

    async def main():
        with pytest.raises((BannedError, RateLimitedError)):
            await desk.client.server_time(priority=Priority.HIGH)
        desk.clock.error_ms = -3_600_000
        await desk.clock.sleep(110.0)
        assert desk.client.calls.held_s > 0.0
        await desk.clock.sleep(12.0)
        assert desk.client.calls.held_s == desk.client.calls.banned_s == 0.0
        await desk.client.server_time(priority=priority)
        return desk.clock.monotonic()

    assert run_virtual(main()) < 125.0


@pytest.mark.parametrize("message", ["banned", "banned until 9999999999999", "banned until 1000000000000"])
def test_a_ban_without_a_believable_end_lasts_two_minutes(message):
    desk = Desk(failure(418, -1003, message))
    assert refused(desk, BannedError).until_ms == EPOCH + 120_000


def test_a_full_budget_waits_for_the_next_minute_and_gives_up_beyond_its_patience():
    desk = Desk(TIME, limit=50)

    async def main():
        for _ in range(40):
            await desk.client.server_time()
        with pytest.raises(HeldBackError, match="request budget"):
            await desk.client.server_time(priority=Priority.HIGH)
        await desk.client.server_time(priority=Priority.CRITICAL)
        assert desk.clock.monotonic() < 1.0
        await desk.client.server_time(priority=Priority.LOW)
        return desk.clock.monotonic()

    assert 60.0 <= run_virtual(main()) < 62.0


def test_the_offset_is_taken_from_the_midpoint_of_the_quickest_round_trip():
    ahead = 2_500

    def venue(clock, delays):
        async def send(method, path, query, headers, deadline):
            there, back = delays.pop(0)
            await asyncio.sleep(there)
            body = answer({"serverTime": clock.now_ms() + ahead})
            await asyncio.sleep(back)
            return body

        return send

    desk = Desk(TIME)
    desk.rest.send = venue(desk.clock, [(0.5, 0.0), (0.02, 0.02), (0.1, 0.4)])
    sync = run(desk, lambda client: client.sync_clock())
    assert abs(sync.offset_ms - ahead) <= sync.error_ms <= 21
    assert desk.client.clock_sync == sync


def test_a_refused_timestamp_is_cured_once_by_reading_the_venue_clock():
    skew = 90_000

    def venue(method, path, query):
        if path == "/fapi/v1/time":
            return answer({"serverTime": EPOCH + skew})
        stamp = int(re.search(r"timestamp=(\d+)", query.decode())[1])
        if abs(stamp - EPOCH - skew) > 1_000:
            return failure(400, -1021, "Timestamp for this request is outside of the recvWindow.")
        return answer({"dualSidePosition": True})

    desk = Desk(venue)
    assert run(desk, lambda client: client.position_mode()) is True
    assert desk.paths == [
        "GET /fapi/v1/positionSide/dual",
        *["GET /fapi/v1/time"] * 3,
        "GET /fapi/v1/positionSide/dual",
    ]
    assert desk.client.clock_sync.offset_ms == skew
    assert desk.gate.settlements[0].cause is FailureCause.CLOCK


def test_many_calls_with_a_refused_timestamp_share_one_reading_of_the_clock():
    skew = -45_000

    def venue(method, path, query):
        if path == "/fapi/v1/time":
            return answer({"serverTime": EPOCH + skew})
        stamp = int(re.search(r"timestamp=(\d+)", query.decode())[1])
        return answer([]) if stamp < EPOCH - 40_000 else failure(400, -1021)

    desk = Desk(venue)

    async def main():
        await asyncio.gather(*(desk.client.positions() for _ in range(20)))

    run_virtual(main())
    assert desk.paths.count("GET /fapi/v1/time") == 3


def test_a_timestamp_that_stays_refused_is_an_error_and_no_loop():
    desk = Desk(lambda method, path, query: TIME if path.endswith("time") else failure(400, -1021, "ahead"))
    error = refused(desk, ClockError, lambda client: client.position_mode())
    assert "time service" in str(error)
    assert desk.paths.count("GET /fapi/v1/positionSide/dual") == 2


def test_a_cancelled_call_leaves_no_weight_in_flight_and_proves_nothing_to_the_breaker():
    desk = Desk(TIME)

    async def never(*_):
        await asyncio.sleep(1e6)

    desk.rest.send = never

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await desk.client.server_time()
        return desk.ledger.used(desk.clock.now_ms())

    assert run_virtual(main()) == 1, "it may have left, so it counts in this minute"
    assert desk.ledger.used(EPOCH + 60_000) == 0
    (settlement,) = desk.gate.settlements
    assert settlement.abandoned
    assert settlement.cause is None


def test_critical_requests_have_the_short_deadline():
    desk = Desk(answer([]))
    run(desk, lambda client: client.positions())
    assert desk.rest.requests[0][4] == 2.0


def test_refused_rows_are_counted_and_the_last_one_kept():
    good = {"symbol": "A", "lastPrice": "1", "priceChangePercent": "0", "quoteVolume": "1", "closeTime": 1}
    desk = Desk(answer([good, good | {"lastPrice": "-1"}]))
    assert len(run(desk, lambda client: client.tickers())) == 1
    assert desk.client.refused_rows == 1
    assert desk.client.quarantine.last.field == "lastPrice"


@pytest.mark.parametrize(("method", "argument"), [("klines", 0), ("klines", 1501), ("depth", 3), ("depth", 1500)])
def test_a_limit_the_venue_does_not_offer_is_refused_before_sending(method, argument):
    desk = Desk(answer([]))
    arguments = ("BTCUSDT", "5m", argument) if method == "klines" else ("BTCUSDT", argument)
    with pytest.raises(ValueError, match=r"bars|levels"):
        run(desk, lambda client: getattr(client, method)(*arguments))
    assert desk.rest.requests == []
