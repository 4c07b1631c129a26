"""Contracts that stop, end, appear, freeze or change their unit while the desk holds virtual positions in them."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from odd_market import OddMarket
from simulated_desk import START_MS, World
from virtual_loop import run_virtual

from engine.positions.opening import Opening
from engine.strategy.candidate import Direction
from exchange.simulator.faults.control import Control
from exchange.simulator.market_factory import make_market

HOUR = 3_600_000


def market(start_ms, symbols=6):
    return make_market("synthetic", start_ms=start_ms, symbols=symbols, seed=1, step_ms=5_000, origin_ms=START_MS)


def buy(desk, symbol):
    """Put a virtual long of one unit under watch at the newest price; return its id."""
    slot = desk.feed.slot_of(symbol)
    price = float(desk.feed.quotes.last[slot])
    desk.virtual.tick()
    opening = Opening(
        strategy="ict",
        symbol=symbol,
        slot=slot,
        decimals=desk.feed.instruments[symbol].decimals,
        direction=Direction.LONG,
        price=price,
        stop=price * 0.8,
        target=price * 1.3,
        quantity=Decimal(1),
        leverage=1.0,
    )
    desk.chronicle.positions(desk.book.open(opening, desk.clock.now_ms()))
    return desk.book.held("ict", symbol)


def shown(world, symbol):
    """What the operator reads of a symbol: the reason in the list of symbols."""
    return next((row.reason for row in world.port.snapshot().signals if row.symbol == symbol), None)


def closed(desk, position_id):
    return next((row for row in desk.book.closed() if row.position_id == position_id), None)


def told(world, symbol):
    return [event.text for event in world.port.events(0).events if event.text.startswith(symbol)]


def live(world, script, **settings):
    """Run a desk beside a script of what happens at the exchange; return what the script saw."""

    async def main():
        serving = asyncio.create_task(world.serve())
        desk = world.desk(**settings)
        running = asyncio.create_task(desk.run())
        seen = await script(desk)
        desk.stop("enough")
        await running
        serving.cancel()
        return seen

    return run_virtual(main())


@pytest.fixture(scope="module")
def ended():
    """One contract is halted and resumed, one settled, one removed, each with a position in it."""
    world = World()
    control = Control(world.exchange)

    async def script(desk):
        await asyncio.sleep(200)
        halted, settled, removed = desk.feed.symbols[:3]
        ids = {symbol: buy(desk, symbol) for symbol in (halted, settled, removed)}
        for symbol, state in ((halted, "halt"), (settled, "settle"), (removed, "delist")):
            control.act({"action": "symbol", "symbol": symbol, "state": state})
        await asyncio.sleep(0.5)
        at_once = [desk.feed.reason(symbol, desk.clock.now_ms()) for symbol in (halted, settled, removed)]
        await asyncio.sleep(90)
        while_away = SimpleNamespace(
            members=desk.feed.symbols,
            reason=shown(world, halted),
            held=desk.book.held("ict", halted),
            looks=desk.book.life(ids[halted]).looks,
        )
        control.act({"action": "symbol", "symbol": halted, "state": "resume"})
        await asyncio.sleep(700)
        after = SimpleNamespace(
            reason=desk.feed.reason(halted, desk.clock.now_ms()),
            held=desk.book.held("ict", halted),
            looks=desk.book.life(ids[halted]).looks,
        )
        return SimpleNamespace(
            world=world, desk=desk, ids=ids, halted=halted, settled=settled, removed=removed, at_once=at_once,
            away=while_away, after=after,
        )  # fmt: skip

    return live(world, script)


def test_a_contract_that_stops_is_not_ready_at_once(ended):
    for reason in ended.at_once:
        assert reason.startswith("the exchange has stopped its trading") or reason == "not in the universe"


def test_a_halted_contract_keeps_its_position_frozen_and_says_why_until_it_trades_again(ended):
    assert ended.halted in ended.away.members
    assert ended.away.reason == "the exchange has stopped its trading (TRADING_HALT)"
    assert ended.away.held == ended.ids[ended.halted]
    assert ended.after.reason == ""
    assert ended.after.held == ended.ids[ended.halted]
    assert ended.after.looks > ended.away.looks
    paused, again = told(ended.world, ended.halted)
    assert "is paused (TRADING_HALT): its positions stand until it trades again, no new entries" in paused
    assert again.endswith("trades again")


@pytest.mark.parametrize("which", ["settled", "removed"])
def test_a_contract_that_ends_leaves_and_its_position_is_closed_once_at_the_mark_price(ended, which):
    symbol = getattr(ended, which)
    assert symbol not in ended.away.members
    row = closed(ended.desk, ended.ids[symbol])
    assert row.cause == "manual_close"
    assert row.reason.startswith("the symbol stopped trading (")
    (text,) = [text for text in told(ended.world, symbol) if "stopped trading" in text]
    assert "1 virtual position closed at the mark price" in text
    names = [event.event for event in ended.desk.book.life(ended.ids[symbol]).life]
    assert names[-2:] == ["manual_close", "closed"]
    assert names.count("closed") == 1


def test_a_contract_that_lists_mid_run_is_seen_with_its_short_history_and_not_asked_for_in_vain():
    start = START_MS + HOUR // 4
    late = market(start)
    symbol = late.listings[2].instrument.symbol
    world = World(market=OddMarket(late, 2, born_ms=start + 400_000), start_ms=start)
    world.exchange.venue.life.hide([symbol])
    asked = []
    send = world.front.rest.send

    async def watched(*arguments):
        text = " ".join(map(str, arguments))
        if symbol in text and "klines" in text and "interval=1h" in text:
            asked.append(text)
        return await send(*arguments)

    world.front.rest.send = watched
    control = Control(world.exchange)

    async def script(desk):
        await asyncio.sleep(400)
        before = desk.feed.symbols
        control.act({"action": "symbol", "symbol": symbol, "state": "list"})
        await asyncio.sleep(200)
        early = shown(world, symbol)
        await asyncio.sleep(700)
        return before, early, desk.feed.tape.readiness(symbol, "5m"), desk.feed.tape.readiness(symbol, "1h")

    before, early, five, hour = live(world, script)
    assert symbol not in before
    assert early.startswith("5m: ")
    assert "of 500 bars" in early
    assert five in {"5m: 3 of 500 bars", "5m: 4 of 500 bars"}
    assert hour == "1h: 0 of 500 bars"
    assert 1 <= len(asked) <= 2
    assert world.port.snapshot().cycle.ready == 5


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_redenomination_closes_positions_in_the_old_unit_and_triggers_nothing(factor):
    start = START_MS + HOUR - 300_000
    world = World(market=OddMarket(market(start), 0, factor=factor, from_ms=START_MS + HOUR), start_ms=start)

    async def script(desk):
        await asyncio.sleep(200)
        symbol = world.market.listings[0].instrument.symbol
        name = buy(desk, symbol)
        before = desk.book.equity()
        await asyncio.sleep(200)
        reason = desk.feed.reason(symbol, desk.clock.now_ms())
        await asyncio.sleep(400)
        return desk, symbol, closed(desk, name), before, reason, shown(world, symbol)

    desk, symbol, row, before, at_once, later = live(world, script)
    assert row.cause == "manual_close"
    assert "at once, from" in row.reason
    assert row.reason.endswith("redenominated")
    assert abs(desk.book.equity() - before) < 0.05 * before
    assert "redenominated, waits for new bars" in at_once or "since the price" in at_once
    assert later.startswith("5m: ")
    assert "of 500 bars since the price " + ("rose" if factor > 1 else "fell") in later
    assert any("1 virtual position closed at the last price before" in text for text in told(world, symbol))
    assert world.port.snapshot().cycle.ready == 5


def test_a_contract_whose_price_and_volume_stand_still_is_watched_and_never_a_set_up():
    world = World(market=OddMarket(market(START_MS), 1, frozen=True))
    symbol = world.market.listings[1].instrument.symbol

    async def script(desk):
        await asyncio.sleep(700)
        return desk.live.views[symbol], shown(world, symbol), desk.cycle

    views, reason, cycle = live(world, script, strategy={"mode": "self_learning"})
    assert not views.facts.ready
    assert "stand still" in reason
    assert cycle.ready == 6
    (state,) = [row.state for row in world.port.snapshot().signals if row.symbol == symbol]
    assert state == "none"


def two_lives(world, first, second):
    """Run one desk for `first`, leave the exchange alone for ten minutes, and run the next desk for `second`."""

    async def main():
        serving = asyncio.create_task(world.serve())
        seen = []
        for script in (first, second):
            desk = world.desk()
            running = asyncio.create_task(desk.run())
            seen.append(await script(desk))
            desk.stop("enough")
            await running
            await asyncio.sleep(600)
        serving.cancel()
        return seen

    return run_virtual(main())


def test_a_contract_that_ended_while_the_desk_was_away_has_its_position_closed_at_the_start():
    world = World()
    symbol = world.market.listings[0].instrument.symbol

    async def hold(desk):
        await asyncio.sleep(200)
        name = buy(desk, symbol)
        Control(world.exchange).act({"action": "symbol", "symbol": symbol, "state": "delist"})
        return name

    async def come_back(desk):
        await asyncio.sleep(60)
        return desk

    name, desk = two_lives(world, hold, come_back)
    row = closed(desk, name)
    assert (row.cause, row.reason) == ("manual_close", "the symbol stopped trading (no longer listed)")
    assert symbol not in desk.book.symbols


def test_a_redenomination_while_the_desk_was_away_closes_the_position_in_the_old_unit():
    start = START_MS + HOUR - 600_000
    world = World(market=OddMarket(market(start), 0, factor=1000.0, from_ms=START_MS + HOUR), start_ms=start)
    symbol = world.market.listings[0].instrument.symbol

    async def hold(desk):
        await asyncio.sleep(200)
        return buy(desk, symbol), desk.book.equity()

    async def come_back(desk):
        await asyncio.sleep(300)
        return desk

    (name, before), desk = two_lives(world, hold, come_back)
    row = closed(desk, name)
    assert row.cause == "manual_close"
    assert row.reason.endswith("redenominated")
    assert abs(desk.book.equity() - before) < 0.05 * before


def test_an_answer_without_contracts_and_a_refused_row_are_no_delisting():
    world = World()
    symbol = world.market.listings[0].instrument.symbol
    send = world.front.rest.send
    bodies = []

    async def poisoned(*arguments):
        answer = await send(*arguments)
        if bodies and "exchangeInfo" in " ".join(map(str, arguments)):
            return msgspec.structs.replace(answer, body=bodies.pop(0)(answer.body))
        return answer

    def refused_row(body):
        info = msgspec.json.decode(body)
        for row in info["symbols"]:
            if row["symbol"] == symbol:
                row["filters"] = []
        return msgspec.json.encode(info)

    world.front.rest.send = poisoned

    async def script(desk):
        await asyncio.sleep(200)
        name = buy(desk, symbol)
        bodies.extend([lambda _: b'{"symbols":[]}', refused_row])
        desk.feed.contract_news.set()
        await asyncio.sleep(60)
        return desk, name

    desk, name = live(world, script)
    assert not bodies
    assert len(desk.feed.symbols) == 6
    assert desk.book.held("ict", symbol) == name
    (text,) = told(world, "the universe could not be read")
    assert "an empty list: the data is unavailable" in text
    assert desk.quarantine.total >= 1
