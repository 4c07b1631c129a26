"""A desk at a venue that is as expected, at one that changed while it ran, and at one that sends nonsense."""

import asyncio
import json

import msgspec
from simulated_desk import START_MS, World, live
from virtual_loop import run_virtual

from engine.journal.log import replay
from engine.journal.record import ChangeRecord
from exchange.capability import Capability, Finding, Weight
from exchange.ports import RestAnswer

HOUR = 3_600_000


class ChangingRest:
    """The simulated exchange's REST; from `since_ms` on, `change` edits the answers of one path."""

    def __init__(self, world, path, change, since_ms=0):
        self._rest, self._clock = world.front.rest, world.clock
        self._path, self._change, self._since = path, change, since_ms

    async def send(self, method, path, query, headers, deadline):
        answer = await self._rest.send(method, path, query, headers, deadline)
        if path != self._path or self._clock.now_ms() < self._since:
            return answer
        changed = self._change(json.loads(answer.body))
        return changed if isinstance(changed, RestAnswer) else msgspec.structs.replace(answer, body=changed)


def without_lots(info):
    for row in info["symbols"]:
        row["filters"] = [one for one in row["filters"] if one["filterType"] != "MARKET_LOT_SIZE"]
    return json.dumps(info).encode()


def lines(world):
    return [event.text for event in world.port.events(0).events]


def run(world, hours):
    """Run a desk and return it with its last picture."""

    async def main():
        desk = await live(world, hours)
        return desk, desk.picture.take()

    return run_virtual(main())


def test_an_expected_venue_is_told_once_and_shown():
    world = World(symbols=4)
    desk, shown = run(world, 0.3)
    assert desk.venue.entries_off == ""
    view = shown.capability
    assert (view.state, view.findings) == ("as expected", ())
    assert view.checked_ms > 0
    assert [line for line in lines(world) if line.startswith("the exchange is as expected")] != []
    assert shown.feed.bad_input == ()


def test_a_venue_that_changes_is_named_and_keeps_live_entries_off_while_virtual_ones_go_on(monkeypatch):
    monkeypatch.setattr("engine.venue_watch.PROBE_S", 3600.0)
    world = World(symbols=4)
    world.front.rest = ChangingRest(world, "/fapi/v1/exchangeInfo", without_lots, START_MS + HOUR // 2)
    # The desk's own reading of the rules refuses such symbols as well; the probe tells why.
    desk, shown = run(world, 1.2)
    assert "MARKET_LOT_SIZE" in desk.venue.entries_off
    assert shown.capability.state == "CHANGED"
    assert shown.capability.findings[0][0] == "blocks"
    assert shown.entries == "open"
    assert any(line.startswith("exchange probe: filter MARKET_LOT_SIZE") for line in lines(world))
    changes = [
        entry.record
        for entry in replay(world.disk)
        if isinstance(entry.record, ChangeRecord) and entry.record.what == "venue"
    ]
    assert [(change.name, change.old) for change in changes] == [("live entries", "allowed")]
    assert "MARKET_LOT_SIZE" in changes[0].new


def test_a_finding_that_stays_is_not_repeated_and_its_end_is_told():
    world = World(symbols=4)
    broken = Finding("route /market", "frames", "none in 15 s", "prices would be missing")
    unsure = Finding("algo service", "an answer", "no network", "it is asked again", Weight.UNSURE)

    async def main():
        desk = world.desk()
        for findings in ((broken, unsure), (broken,), ()):
            desk.venue.take(Capability(1, ("a",), findings))
            await asyncio.sleep(1)
        return desk

    desk = run_virtual(main())
    assert desk.venue.entries_off == ""
    said = lines(world)
    assert sum(line.startswith("exchange probe: route /market") for line in said) == 1
    assert said[-1] == "the exchange is as expected again"


def test_nonsense_in_an_answer_is_told_with_a_sample_once_a_minute_and_shown():
    world = World(symbols=4)

    def poison(rows):
        rows[0]["lastPrice"] = "NaN"
        return json.dumps(rows).encode()

    world.front.rest = ChangingRest(world, "/fapi/v1/ticker/24hr", poison)
    _, shown = run(world, 0.2)
    feed = shown.feed
    (row,) = feed.bad_input
    assert row.source == "GET /fapi/v1/ticker/24hr"
    assert feed.malformed == row.count >= 10
    assert "NaN" in row.sample
    told = [line for line in lines(world) if "refused, the last from GET /fapi/v1/ticker/24hr" in line]
    assert 5 <= len(told) <= 13
