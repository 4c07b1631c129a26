"""The keys that act on live orders: what they show first, what they ask for, and what they send."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import pytest
from desk_driver import MEDIUM, NARROW, WIDE
from fake_port import START_MS, FakePort, snapshot

from engine.commands import (
    AskWhatIf,
    CancelEntries,
    CancelOrder,
    CloseAll,
    ClosePosition,
    Flatten,
    Halt,
    HaltProcess,
    MoveStop,
    SetTrading,
)
from engine.snapshot import ArmingView, CoverageRow, HandView, LedgerView, NoAnswer, OrderRow, RightsView, WhatIf

STOP, ENTRY = 9_000_001, 71
COVERED = CoverageRow(
    "BTCUSDT", "BOTH", "0.100", "protected", "stop 64 200.0 closes it", 64_200.0, 66_100.0, 0.0, "hybrid", "T1", 78.2
)
NAKED = CoverageRow(
    "ETHUSDT", "BOTH", "-0.500", "NAKED", "a stop is on its way", math.nan, math.nan, 4.0, "adopted", "T2", math.nan
)
ORDERS = (
    OrderRow("SOLUSDT", ENTRY, "pdE1", False, "BUY", "LIMIT", "entry", "NEW", 3.0, 0.0, 181.5, 2, START_MS),
    OrderRow("BTCUSDT", STOP, "pdS1", True, "SELL", "STOP_MARKET", "stop", "NEW", 0.1, 0.0, 64_200.0, 1, START_MS),
    OrderRow("XRPUSDT", 72, "web_1", False, "SELL", "MARKET", "foreign", "NEW", 9.0, 0.0, math.nan, 4, START_MS),
)
LEDGER = LedgerView("USDT", 10_000.0, 12.5, 1.2, -0.3, 0.0, 0.0, 10_011.0, 10_011.0, "0", START_MS)
RIGHTS = RightsView("reads, trades futures, listed addresses only", (), "", (), known=True)
WHAT_IF = WhatIf(
    symbol="BTCUSDT", side="BOTH", order="SELL MARKET 0.100 BTCUSDT, reduce-only", mark=64_980.1, notional=6_498.01,
    fee=3.25, realised=12.5, margin_freed=1_249.6, liquidation=54_010.0, loss_at_stop=78.2, decimals=1, warning="",
)  # fmt: skip


def hand(**changes):
    made = HandView(
        level="RUN", step="READY", ready=True, entries_off="",
        arming=ArmingView(True, (), "screen", START_MS + 10**8, RIGHTS),
        coverage=(COVERED, NAKED), orders=ORDERS, naked=1, naked_now_s=4.0, naked_max_s=4.0, unknown=0,
        unknown_oldest_s=0.0, reconciled_ms=START_MS - 2_000, differences=0, stream_alive=True,
        stream_heard_ms=START_MS - 1_000, ledger=LEDGER,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


class LivePort(FakePort):
    """Answers what-if questions as well."""

    what_if = WHAT_IF

    def reply(self, question):
        return self.what_if if isinstance(question, AskWhatIf) else super().reply(question)


@pytest.fixture
def port():
    return LivePort(snapshot(trading="LIVE", hand=hand()))


def words(desk):
    """What the open box says, its borders and line breaks taken out."""
    return " ".join(desk.box().replace("│", " ").split())


@pytest.mark.parametrize("size", [NARROW, MEDIUM, WIDE])
async def test_closing_a_live_position_shows_what_it_sends_and_costs_and_asks_for_y(running, port, size):
    async with running(size) as desk:
        await desk.press("2", "x")
        await desk.settle()
        shown = words(desk)
        for part in ("SELL MARKET 0.100 BTCUSDT, reduce-only", "fee about 3.25", "loses 78.20 with fees"):
            assert part in shown
        assert "Liquidation stands at 54 010.0" in shown
        assert port.sent == []
        await desk.press("y", "enter")
        assert port.sent == [ClosePosition("BTCUSDT", "BOTH")]


async def test_without_an_answer_to_what_if_the_close_can_still_be_given(running, port):
    port.what_if = NoAnswer("no price of BTCUSDT")
    async with running() as desk:
        await desk.press("2", "x")
        await desk.settle()
        assert "no price of BTCUSDT" in words(desk)
        await desk.press("y", "enter")
        assert port.sent == [ClosePosition("BTCUSDT", "BOTH")]


async def test_escape_leaves_a_position_as_it_is(running, port):
    async with running() as desk:
        await desk.press("2", "x")
        await desk.settle()
        await desk.press("escape")
        assert port.sent == []
        assert desk.app.screen is desk.app.desk


async def test_closing_all_names_every_position_and_wants_the_whole_word(running, port):
    async with running() as desk:
        await desk.press("2", "X")
        assert "BTCUSDT 0.100, ETHUSDT -0.500" in words(desk)
        await desk.type("CLOS")
        await desk.press("enter")
        assert port.sent == []
        await desk.type("E")
        await desk.press("enter")
        assert port.sent == [CloseAll()]


async def test_a_stop_is_moved_by_a_typed_price_that_shows_its_loss_first(running, port):
    async with running() as desk:
        await desk.press("2", "S")
        assert "64 200" in words(desk)
        await desk.type("64500.5")
        await desk.press("enter")
        await desk.settle()
        assert port.asked[-1] == AskWhatIf("BTCUSDT", "BOTH", Decimal("64500.5"))
        assert "At the stop it loses 78.20" in words(desk)
        await desk.press("y", "enter")
        assert port.sent == [MoveStop("BTCUSDT", "BOTH", Decimal("64500.5"))]


@pytest.mark.parametrize("typed", ["sixty", "0.0", "0", "nan"])
async def test_what_is_no_price_moves_no_stop(running, port, typed):
    async with running() as desk:
        await desk.press("2", "S")
        await desk.type(typed)
        await desk.press("enter")
        await desk.settle()
        assert typed in desk.text("notice")
        assert port.sent == []


@pytest.mark.parametrize("size", [NARROW, MEDIUM, WIDE])
async def test_an_open_order_is_chosen_from_a_list_and_cancelled_after_y(running, port, size):
    async with running(size) as desk:
        await desk.press("C")
        for part in ("SOLUSDT BUY 3 LIMIT 181.50 NEW", "BTCUSDT SELL 0.1 STOP_MARKET", "XRPUSDT SELL 9 MARKET market"):
            assert part in words(desk)
        await desk.press("enter")
        assert "will not be filled any more" in words(desk)
        await desk.press("y", "enter")
        assert port.sent == [CancelOrder("SOLUSDT", ENTRY)]


async def test_cancelling_a_stop_says_that_the_desk_puts_one_back(running, port):
    async with running() as desk:
        await desk.press("C", "down", "enter")
        assert "puts a stop back within seconds" in words(desk)
        await desk.press("y", "enter")
        assert port.sent == [CancelOrder("BTCUSDT", STOP, True)]


async def test_an_order_that_ended_while_it_was_chosen_is_not_cancelled(running, port):
    async with running() as desk:
        await desk.press("C")
        port.latest = snapshot(trading="LIVE", hand=hand(orders=()))
        desk.app.turn()
        desk.app.desk.cancel_order(f"False {ENTRY}")
        await desk.settle()
        assert port.sent == []


async def test_without_an_open_order_there_is_nothing_to_cancel(running, port):
    port.latest = snapshot(trading="LIVE", hand=hand(orders=()))
    async with running() as desk:
        await desk.press("C")
        assert "no order of the account is open" in desk.text("notice")
        assert desk.app.screen is desk.app.desk


@pytest.mark.parametrize(
    ("steps", "word", "command"),
    [(0, "", Halt()), (1, "", CancelEntries()), (2, "FLATTEN", Flatten()), (3, "HALT", HaltProcess())],
)
async def test_the_mild_stop_levels_act_at_once_and_the_others_after_their_word(running, port, steps, word, command):
    async with running() as desk:
        await desk.press("K", *(["down"] * steps), "enter")
        if word:
            assert port.sent == []
            assert "BTCUSDT 0.100, ETHUSDT -0.500" in words(desk)
            await desk.type(word)
            await desk.press("enter")
        assert port.sent == [command]


async def test_arming_names_what_is_missing_and_wants_the_typed_word(running, port):
    off = ArmingView(False, ("no arming record: type LIVE to make one",), "", 0, RIGHTS)
    port.latest = snapshot(trading="PAPER", hand=hand(arming=off, entries_off="not armed"))
    async with running() as desk:
        await desk.press("T")
        assert "no arming record" in words(desk)
        await desk.type("live")
        await desk.press("enter")
        assert port.sent == []
        await desk.press(*["backspace"] * 4)
        await desk.type("LIVE")
        await desk.press("enter")
        assert port.sent == [SetTrading(live=True)]


async def test_disarming_acts_at_once(running, port):
    async with running() as desk:
        await desk.press("T")
        assert port.sent == [SetTrading(live=False)]


@pytest.mark.parametrize("size", [NARROW, MEDIUM, WIDE])
async def test_a_naked_position_is_told_in_words_on_every_size(running, port, size):
    async with running(size) as desk:
        assert "NAKED" in desk.text("top")


async def test_panel_5_shows_protection_books_and_orders(running, port):
    async with running(WIDE) as desk:
        await desk.press("5", "z")
        shown = desk.text("breaker")
        for part in ("protected", "NAKED 4s", "ledger", "exact", "READY", "STOP_MARKET", "foreign"):
            assert part in shown, part
