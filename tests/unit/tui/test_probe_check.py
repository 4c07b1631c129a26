"""What the doctor and the panel say of an exchange that is as expected, and of one that changed."""

from __future__ import annotations

import asyncio
import json

import msgspec
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from engine.snapshot import CapabilityView
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from tui.probe_check import check_contract
from tui.widgets.breaker import capability_lines


class Changed:
    """The exchange's REST with one path changed."""

    def __init__(self, rest, path, change):
        self._rest, self._path, self._change = rest, path, change

    async def send(self, method, path, query, headers, deadline):
        answer = await self._rest.send(method, path, query, headers, deadline)
        return msgspec.structs.replace(answer, body=self._change(answer.body)) if path == self._path else answer


def doctor(path="", change=None):
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket()), clock)
        pump = asyncio.create_task(front.run())
        try:
            return await check_contract(Changed(front.rest, path, change), front.dialer, clock, ScriptedEntropy())
        finally:
            pump.cancel()

    return run_virtual(main())


def text(lines):
    return ["".join(span[0] for span in line) for line in lines]


def test_an_exchange_as_expected_is_one_line():
    (line,) = doctor()
    assert (line.name, line.state) == ("contract", "ok")
    assert line.text == "as expected: trading rules, algo service, market route, public route"


def test_a_changed_rule_is_a_failure_with_its_remedy():
    def change(body):
        info = json.loads(body)
        for row in info["symbols"]:
            row["filters"] = [one for one in row["filters"] if one["filterType"] != "LOT_SIZE"]
        return json.dumps(info).encode()

    (line,) = doctor("/fapi/v1/exchangeInfo", change)
    assert line.state == "fail"
    assert line.text.startswith("filter LOT_SIZE: expected")
    assert "update perpdesk" in line.remedy


def test_a_page_instead_of_the_rules_is_told_with_a_sample():
    contract, sample = doctor("/fapi/v1/exchangeInfo", lambda _: b"<html>maintenance\x1b[2J</html>")
    assert contract.state == "warn"
    assert (sample.name, sample.state) == ("input", "warn")
    assert "<html>maintenance\\x1b[2J" in sample.text


def test_the_panel_shows_nothing_before_there_is_a_picture_and_every_finding_afterwards():
    assert capability_lines(None, 0, 80) == []
    whole = CapabilityView("as expected", 60_000, "", ())
    assert "as expected" in text(capability_lines(whole, 120_000, 80))[0]
    finding = "route /market: expected frames, seen none; prices would be missing"
    changed = CapabilityView("CHANGED", 60_000, "the exchange is not as expected (x)", (("blocks", finding),))
    first, *rest = text(capability_lines(changed, 120_000, 80))
    assert "CHANGED" in first
    assert "live entries off" in first
    assert "route /market" in " ".join(rest)
