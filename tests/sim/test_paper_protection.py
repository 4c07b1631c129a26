"""Closed paper trades drive the account protection, which gates the next entry and survives a restart."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
import simulated_desk
from simulated_desk import World, kill
from virtual_loop import run_virtual

from engine.journal.record import DecisionRecord
from engine.memory import recall
from engine.positions.costs import Costs
from engine.positions.opening import Opening
from engine.risk.paper import intent_of
from engine.risk.protection import ProtectionLevel
from engine.snapshot import LeverageRow
from engine.strategy.candidate import Direction

D = Decimal
FREE = Costs(D(0), D(0), D(0))


def decided(desk, signal_id: str, quantity: float) -> None:
    """Record what the account was sized for, as its entries do."""
    row = LeverageRow(
        desk.clock.now_ms(), "BTCUSDT", "ict", "LONG", 1.0, 0.55, 0.5, 0, 0, 1.0, (), "formula", 1.0, 1,
        quantity * 100, quantity * 100, quantity, 1.0, "sized",
        purpose="account", signal_id=signal_id, entry=100.0, stop=98.0, risk=quantity * 2,
    )  # fmt: skip
    desk.chronicle.record(DecisionRecord(row.time, signal_id, signal_id, decision=row))
    desk.live.entries.account.paper.intend(intent_of(row))


def trade(desk, signal_id: str, leaves_at: float) -> None:
    """Open a virtual position of the signal and let the price take it out."""
    now = desk.clock.now_ms()
    opening = Opening("ict", "BTCUSDT", 0, 2, Direction.LONG, 100.0, 98.0, 104.0, D(1), 1.0, 1, FREE, 0.6, signal_id)
    desk.chronicle.positions(desk.book.open(opening, now))
    one = np.array([leaves_at])
    desk.chronicle.positions(desk.book.tick(now + 10_000, one, one, one))
    assert not len(desk.book)


def lives(world, *stories):
    """Run one desk after another on the same disk, each through its story, without ending any in an orderly way."""

    async def run():
        desks = []
        for story in stories:
            desk = world.desk()
            story(desk)
            desk.chronicle.flush()
            desks.append(desk)
        return desks

    return run_virtual(run())


def begin(desk) -> None:
    desk.observe_equity(D(10_000))


def lose(times: int, quantity: float = 1.0):
    def story(desk) -> None:
        begin(desk)
        for at in range(times):
            name = f"S{desk.clock.now_ms()}-{at}"
            decided(desk, name, quantity)
            trade(desk, name, 98.0)

    return story


def win(times: int):
    def story(desk) -> None:
        for at in range(times):
            decided(desk, f"W{at}", 1.0)
            trade(desk, f"W{at}", 104.0)

    return story


@pytest.fixture(params=[True, False], ids=["with a key", "without a key"])
def world(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(simulated_desk, "Credentials", lambda *_: None)
    return World(symbols=2)


def test_three_paper_losses_make_the_account_cautious_and_it_stays_so_over_a_restart(world):
    first, second = lives(world, lose(3), lambda _: None)
    assert first.protection.level is ProtectionLevel.CAUTIOUS
    assert (second.protection.level, second.protection.losses_in_row) == (ProtectionLevel.CAUTIOUS, 3)
    assert second.protection.audit == first.protection.audit


def test_two_wins_after_the_restart_step_back(world):
    *_, last = lives(world, lose(3), win(2))
    assert last.protection.level is ProtectionLevel.NORMAL


def test_the_paper_result_survives_the_restart(world):
    first, second = lives(world, lose(2, quantity=7.0), lambda _: None)
    assert first.live.entries.account.paper.realised == D(-28)
    assert second.live.entries.account.paper.realised == D(-28)


def test_a_virtual_trade_the_account_was_not_sized_for_counts_for_nothing(world):
    def story(desk) -> None:
        begin(desk)
        for at in range(5):
            trade(desk, f"other-{at}", 98.0)

    (desk,) = lives(world, story)
    assert (desk.protection.level, desk.protection.losses_in_row) == (ProtectionLevel.NORMAL, 0)


def test_paper_losses_of_a_tenth_make_a_keyless_desk_defensive_by_drawdown(monkeypatch):
    monkeypatch.setattr(simulated_desk, "Credentials", lambda *_: None)

    def story(desk) -> None:
        desk.watch_equity()
        decided(desk, "S1", 500.0)
        trade(desk, "S1", 98.0)
        desk.watch_equity()

    (desk,) = lives(World(symbols=2), story)
    assert desk.protection.equity == D(9_000)
    assert desk.protection.level is ProtectionLevel.DEFENSIVE
    assert "drawdown of 10.0 %" in desk.protection.reason


def test_the_protection_of_paper_trading_is_not_taken_for_that_of_an_account(monkeypatch):
    world = World(symbols=2)
    with monkeypatch.context() as keyless:
        keyless.setattr(simulated_desk, "Credentials", lambda *_: None)
        lives(world, lose(5))
    (desk,) = lives(world, lambda _: None)
    assert desk.protection.level is ProtectionLevel.NORMAL
    assert not desk.protected


def test_a_price_that_changes_its_unit_ends_the_paper_trade_as_it_stood_and_not_as_a_gain_or_loss_of_the_new_unit():
    def story(desk) -> None:
        begin(desk)
        decided(desk, "S1", 50.0)
        now = desk.clock.now_ms()
        plain = Opening("ict", "BTCUSDT", 0, 2, Direction.SHORT, 100.0, 102.0, 96.0, D(1), 1.0, 1, FREE, 0.6, "S1")
        desk.chronicle.positions(desk.book.open(plain, now))
        one = np.array([101.0])
        desk.chronicle.positions(desk.book.tick(now + 10_000, one, one, one))
        desk.contracts.end_unit("BTCUSDT", 101.0, 0.101)

    (desk,) = lives(World(symbols=2), story)
    assert desk.live.entries.account.paper.realised == D(-50)
    assert desk.protection.losses_in_row == 1
    assert desk.protection.level is ProtectionLevel.NORMAL


def test_the_journal_of_a_killed_desk_rebuilds_its_paper_account():
    world = World(seed=4)
    desk = run_virtual(kill(world, 4, strategy={"min_confidence": 0.2}))
    lived, recalled = desk.live.entries.account.paper, recall(world.disk).paper
    assert recalled.realised == lived.realised != 0
    for paper in (lived, recalled):
        paper.stand(())
    assert recalled.exposures() == lived.exposures()


def test_an_equity_that_stands_still_is_looked_at_once_a_day_and_one_that_moves_at_once(monkeypatch):
    def story(desk) -> None:
        begin(desk)
        before = desk.protection
        for _ in range(3):
            desk.watch_equity()
            desk.pass_time()
        assert desk.protection is before
        tomorrow = desk.clock.now_ms() + 86_400_000
        monkeypatch.setattr(desk.clock, "now_ms", lambda: tomorrow)
        desk.pass_time()
        assert desk.protection.day == before.day + 1
        desk.observe_equity(D(9_000))
        assert desk.protection.level is not ProtectionLevel.NORMAL

    lives(World(), story)
