"""A local book kept by the venue's rules is the venue's book: a snapshot, then differences, at every speed."""

import itertools
import json
import random

import pytest

from exchange.simulator.core import Exchange
from exchange.simulator.synthetic import SyntheticMarket

START = 1_773_147_600_000
SPEEDS = ("@100ms", "", "@500ms")


class LocalBook:
    """The rules of contract section 8.4, and nothing else."""

    def __init__(self, snapshot):
        self.last = snapshot["lastUpdateId"]
        self.sides = {side: dict(snapshot[name]) for side, name in (("b", "bids"), ("a", "asks"))}
        self.applied = 0

    def apply(self, event):
        """Apply an event; False where the rules ask for a new snapshot."""
        if event["u"] < self.last:
            return True
        if self.applied == 0:
            if not event["U"] <= self.last <= event["u"]:
                return False
        elif event["pu"] != self.last:
            return False
        self.applied += 1
        self.last = event["u"]
        for side in ("b", "a"):
            for price, quantity in event[side]:
                if float(quantity) == 0:
                    self.sides[side].pop(price, None)
                else:
                    self.sides[side][price] = quantity
        return True

    def rows(self):
        return (
            sorted(self.sides["b"].items(), key=lambda row: -float(row[0])),
            sorted(self.sides["a"].items(), key=lambda row: float(row[0])),
        )


def depth(exchange, symbol):
    query = f"symbol={symbol}&limit=1000".encode()
    return json.loads(exchange.request("GET", "/fapi/v1/depth", query, b"", {}, exchange.now_ms).body)


def events(session):
    frames = [json.loads(frame) for frame in session.outbox]
    session.outbox.clear()
    return frames


@pytest.fixture(scope="module", params=[100, 500])
def exchange(request):
    return Exchange(SyntheticMarket(6, seed=request.param, start_ms=START, step_ms=request.param))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "DOGEUSDT"])
@pytest.mark.parametrize("speed", SPEEDS)
def test_snapshot_and_differences_are_the_book_at_any_time(exchange, speed, symbol):
    chance = random.Random(f"{speed}{symbol}")
    for _ in range(3):
        session = exchange.open(f"/public/ws/{symbol.lower()}@depth{speed}", exchange.now_ms)
        pause = 500  # a common multiple of every step and every speed
        exchange.advance(exchange.now_ms + chance.randint(1, 8) * pause)
        book = LocalBook(depth(exchange, symbol))
        compared = 0
        while compared < 6:
            exchange.advance(exchange.now_ms + chance.randint(1, 9) * pause)
            for event in events(session):
                if not book.apply(event):
                    assert book.applied == 0, "the chain of events broke"
                    book = LocalBook(depth(exchange, symbol))
            there = depth(exchange, symbol)
            if book.applied:
                assert book.rows() == ([tuple(row) for row in there["bids"]], [tuple(row) for row in there["asks"]])
                assert book.last <= there["lastUpdateId"]
                compared += 1
        exchange.close(session)


def test_ids_of_the_wide_contract_do_not_fit_a_double_and_jump():
    exchange = Exchange(SyntheticMarket(3, seed=1, start_ms=START, step_ms=250))
    session = exchange.open("/public/ws/ethusdt@depth", START)
    exchange.advance(START + 5_000)
    frames = events(session)
    assert len(frames) > 5
    for before, event in itertools.pairwise(frames):
        assert event["pu"] == before["u"]
        assert before["u"] + 1 < event["U"] <= event["u"]
        assert int(float(event["u"])) != event["u"] or event["u"] > 2**53
