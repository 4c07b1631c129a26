"""Strategies from outside: what they are given, what is made of their answers, and that none of them harms the desk."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from math import exp, nan

import ict_tables as hand
import msgspec
import numpy as np
import pytest
from ict_tables import NOW, PRICE
from strategy_market import reading

from engine.adapters.installed_strategies import load_strategies
from engine.positions.track import TrackRecord
from engine.signals.explain import cards
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step
from engine.strategy.guests import STRIKES, Guest, Guests
from engine.strategy.panel import StrategyRules, evaluate
from ml.schema import INDEX

READING = reading(0, "BTCUSDT", exp(PRICE))
SOUND = {
    "stop": exp(PRICE - 0.01),
    "targets": [exp(PRICE + 0.02), exp(PRICE + 0.03)],
    "confidence": 0.8,
    "reasons": [Step("always", "It is always time.", "1h", NOW - 2, NOW - 1, 1.0)],
    "pattern": "always",
    "anchor": NOW,
    "expires": NOW + 60_000,
    "sub_scores": {"mood": 1.0},
}


class Always:
    api = 1

    def __init__(self, **over):
        self.over, self.asked = over, []

    def view(self, market):
        self.asked.append(market)
        return market.propose(**({"direction": Direction.LONG} | SOUND | self.over))


class Answers:
    api = 1

    def __init__(self, make):
        self.make = make

    def view(self, market):
        return self.make(market)


def asked(strategy, name="always", tables=None):
    guests = Guests([Guest(name, strategy, "some-package 1.0")])
    guests.news()
    views = evaluate(tables or hand.reversal(), [READING], NOW, StrategyRules(), guests=guests)[0]
    return views, guests


def test_a_strategy_from_outside_proposes_beside_the_three():
    views, guests = asked(Always())
    assert [view.strategy for view in views.all()] == ["ict", "self_learning", "hybrid", "always"]
    own = views.view("always")
    assert isinstance(own, Candidate)
    assert (own.symbol, own.entry, own.limit) == ("BTCUSDT", READING.price, False)
    assert own.bar_close == views.facts.close_ms
    assert guests.news() == []
    assert list(views.candidates())[-1] is own


def test_it_may_act_is_ranked_by_its_own_record_and_has_a_card():
    views, _ = asked(Always())
    views = msgspec.structs.replace(views, p_win=0.99)
    pick = select([views], "always", TrackRecord(), SignalRules(), NOW)
    assert [signal.candidate.strategy for signal in pick.accepted] == ["always"]
    assert (pick.accepted[0].p_source, pick.accepted[0].p_win) == ("shrunk win rate", 0.55)
    assert dict(pick.candidates)["always"] == 1
    assert [card.strategy for card in cards(views, pick)] == ["ict", "self_learning", "hybrid", "always"]
    assert cards(views, pick)[3].sub_scores == (("mood", 1.0),)


def test_its_feature_row_claims_to_be_none_of_the_three():
    views, _ = asked(Always())
    signal = select([views], "always", TrackRecord(), SignalRules(), NOW).accepted[0]
    assert [signal.features[INDEX[name]] for name in ("is_ict", "is_self_learning", "is_hybrid")] == [0.0, 0.0, 0.0]


def test_it_sees_prices_indicators_and_columns_but_cannot_write_to_any_of_them():
    strategy = Always()
    tables = hand.reversal()
    asked(strategy, tables=tables)
    market = strategy.asked[0]
    assert market.indicators("15m")["rsi14"] == 50.0
    assert market.bars("5m", 3)["c"] == pytest.approx(np.exp(tables.bars[0, [297, 298, 299]]["c"]))
    assert market.feature("rsi_15m") == 0.0
    with pytest.raises(KeyError):
        market.feature("confidence")
    for column in (*market.tables, market.columns):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    market.bars("5m")["c"][:] = 0.0
    assert tables.bars[0]["c"].all()


def test_a_named_entry_makes_a_limit_order():
    views, _ = asked(Always(entry=exp(PRICE - 0.005)))
    assert views.view("always").limit
    assert views.view("always").entry == exp(PRICE - 0.005)


def test_numbers_of_numpy_become_plain_ones_so_that_the_journal_can_store_them():
    views, _ = asked(Always(stop=np.float64(exp(PRICE - 0.01)), confidence=np.float64(0.5)))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(views.view("always")), type=Candidate).confidence == 0.5


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda market: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda market: None, "view() returned NoneType"),
        (lambda market: market.tables.series.__setitem__(0, 0), "ValueError: assignment destination is read-only"),
        (lambda market: market.nothing("gate", "why", nan), "distance nan of gate gate is no number"),
        (lambda market: market.nothing("gate", "\x1b[31mred", 1.0), "cannot be shown"),
        (lambda market: NoCandidate("ict", "BTCUSDT", "bias", "none", 1.0), "the answer speaks of ('ict', 'BTCUSDT')"),
        (lambda market: NoCandidate("always", "ETHUSDT", "bias", "none", 1.0), "speaks of ('always', 'ETHUSDT')"),
        (lambda market: Always(stop=exp(PRICE + 0.01)).view(market), "wants stop, entry and targets in that order"),
        (lambda market: Always(targets=[exp(PRICE + 0.03), exp(PRICE + 0.02)]).view(market), "nearest target first"),
        (lambda market: Always(targets=[]).view(market), "at least one target"),
        (lambda market: Always(stop=nan).view(market), "must be positive numbers"),
        (lambda market: Always(direction="LONG").view(market), "direction 'LONG' is no Direction"),
        (lambda market: Always(confidence=1.2).view(market), "confidence 1.2 is outside 0 to 1"),
        (lambda market: Always(sub_scores={"mood": nan}).view(market), "mood nan is outside 0 to 1"),
        (lambda market: Always(anchor=NOW + 1, expires=0).view(market), "is no instant up to now"),
        (lambda market: Always(expires=NOW).view(market), "must be 0 or lie after the anchor"),
        (lambda market: Always(reasons=[]).view(market), "must give its reasons"),
        (lambda market: Always(reasons=[Step("s", "t", known=NOW + 1)]).view(market), "in the future"),
        (lambda market: Always(pattern="two\nlines").view(market), "cannot be shown"),
    ],
)
def test_an_exception_or_an_unsound_answer_is_a_gate_with_its_reason(make, said):
    views, guests = asked(Answers(make))
    view = views.view("always")
    assert isinstance(view, NoCandidate)
    assert view.gate == "plugin fault"
    assert said in view.text
    (line,) = guests.news()
    assert "strategy always (some-package 1.0) failed on BTCUSDT" in line
    assert said in line
    assert isinstance(views.ict, Candidate)


def test_after_three_faults_it_is_switched_off_and_no_longer_asked():
    strategy = Always(confidence=2.0)
    guests = Guests([Guest("always", strategy)])
    guests.news()
    for _ in range(STRIKES + 2):
        views = evaluate(hand.reversal(), [READING], NOW, StrategyRules(), guests=guests)[0]
    assert len(strategy.asked) == STRIKES
    assert views.view("always").gate == "switched off"
    told = guests.news()
    assert len(told) == STRIKES
    assert "switched off until the desk starts again" in told[-1]


def test_a_symbol_that_warms_up_is_not_brought_to_it():
    strategy = Always()
    tables = hand.reversal()
    tables.series["ema200"][2] = nan
    views, _ = asked(strategy, tables=tables)
    assert strategy.asked == []
    assert views.view("always").gate == "warm-up"


def test_a_strategy_nobody_installed_is_said_to_be_absent():
    views, _ = asked(Always())
    assert views.view("fancy").text == "no strategy fancy takes part"


def points(tmp_path, monkeypatch, source, **names):
    (tmp_path / "offered.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "offered", raising=False)
    return [EntryPoint(name, f"offered:{what}", "perpdesk.strategies") for name, what in names.items()]


GOOD = "class Good:\n    api = 1\n    def view(self, market):\n        return market.nothing('none', 'nothing today')\n"


def test_a_class_or_an_object_behind_an_entry_point_takes_part(tmp_path, monkeypatch):
    guests = load_strategies(points(tmp_path, monkeypatch, GOOD + "one = Good()\n", first="Good", second="one"))
    assert guests.names == ("first", "second")
    assert [line.split(" of ")[0] for line in guests.news()] == ["strategy first", "strategy second"]


@pytest.mark.parametrize(
    ("source", "names", "said"),
    [
        ("import nonsense_that_is_not_there", {"a1": "Good"}, "ModuleNotFoundError: No module named 'nonsense"),
        ("def broken(:", {"a1": "Good"}, "SyntaxError"),
        ("raise SystemExit(3)", {"a1": "Good"}, "SystemExit: 3"),
        (GOOD, {"a1": "Missing"}, "AttributeError"),
        (GOOD, {"ict": "Good"}, "the name ict is taken; taken are ict, self_learning, hybrid"),
        (GOOD, {"Big Name": "Good"}, "the name 'Big Name' is unusable"),
        (GOOD.replace("api = 1", "api = 2"), {"a1": "Good"}, "version 2 of the protocol, this desk speaks version 1"),
        (GOOD.replace("api = 1", "pass"), {"a1": "Good"}, "it is no strategy"),
        (GOOD.replace("view", "look"), {"a1": "Good"}, "it is no strategy"),
        ("class Good:\n    def __init__(self, needs):\n        pass\n", {"a1": "Good"}, "TypeError"),
        ("Good = 5", {"a1": "Good"}, "it is no strategy"),
    ],
)
def test_what_cannot_take_part_is_left_out_with_a_clear_sentence(tmp_path, monkeypatch, source, names, said):
    guests = load_strategies(points(tmp_path, monkeypatch, source, **names))
    assert guests.names == ()
    (line,) = guests.news()
    assert said in line
    assert "is left out" in line
    assert line.endswith("repair or uninstall the package")
    assert "\n" not in line


def test_of_two_with_one_name_the_first_takes_part(tmp_path, monkeypatch):
    same = points(tmp_path, monkeypatch, GOOD, twin="Good") * 2
    guests = load_strategies(same)
    assert guests.names == ("twin",)
    assert "the name twin is taken" in guests.news()[1]
