from decimal import Decimal

import pytest
from account_bench import BTC, DOGE, ETH, LONG, ONE_WAY, Bench

from exchange.simulator.answers import RefusalError
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading.model import Side

D = Decimal


def refusal(call, *args):
    with pytest.raises(RefusalError) as caught:
        call(*args)
    assert caught.value.status == 400
    return caught.value.code, caught.value.text


def test_leverage_changes_are_published_and_repeating_one_is_no_event():
    bench = Bench()
    bench.book.set_leverage(BTC, 50, bench.now)
    bench.book.set_leverage(BTC, 50, bench.now)
    assert bench.heard.events == [
        {"e": "ACCOUNT_CONFIG_UPDATE", "E": bench.now, "T": bench.now, "ac": {"s": "BTCUSDT", "l": 50}}
    ]
    assert bench.book.max_notional(BTC) == 12_000_000


@pytest.mark.parametrize("leverage", [0, 151, 10**6])
def test_leverage_outside_the_brackets_is_refused(leverage):
    assert refusal(Bench().book.set_leverage, BTC, leverage, 0) == (-4028, f"Leverage {leverage} is not valid")


def test_leverage_starts_at_twenty_or_at_the_symbols_maximum():
    bench = Bench()
    assert (bench.book.leverage(BTC), bench.book.leverage(DOGE)) == (20, 20)


def test_lowering_leverage_needs_the_margin_for_it():
    bench = Bench(leverage={BTC: 50})
    bench.trade(BTC, "BUY", 5, 80_000)
    assert refusal(bench.book.set_leverage, BTC, 20, 0) == (
        -2028,
        "Leverage is smaller than permitted: insufficient margin balance.",
    )
    assert bench.book.leverage(BTC) == 50
    bench.book.set_leverage(BTC, 45, 0)


def test_raising_leverage_above_what_the_position_may_have_is_refused():
    bench = Bench(leverage={DOGE: 20})
    bench.trade(DOGE, "BUY", 40_000, "0.25")
    assert refusal(bench.book.set_leverage, DOGE, 75, 0)[0] == -2027


def test_leverage_of_an_isolated_position_cannot_be_lowered():
    bench = Bench(isolated=[BTC])
    bench.trade(BTC, "BUY", "0.1", 80_000)
    assert refusal(bench.book.set_leverage, BTC, 10, 0)[0] == -4161
    bench.book.set_leverage(BTC, 30, 0)


def test_margin_type_changes_are_published_with_the_symbols_position():
    bench = Bench()
    bench.book.set_margin_type(ETH, True, bench.now)
    (event,) = bench.heard.events
    assert event["a"]["m"] == "MARGIN_TYPE_CHANGE"
    assert event["a"]["B"] == []
    assert [(row["s"], row["mt"], row["pa"], row["ps"]) for row in event["a"]["P"]] == [
        ("ETHUSDT", "isolated", "0", "BOTH")
    ]
    bench.book.set_margin_type(ETH, False, bench.now)
    assert bench.book.isolated(ETH) is False


def test_margin_type_is_refused_while_something_stands_in_its_way():
    bench = Bench()
    book = bench.book
    assert refusal(book.set_margin_type, BTC, False, 0) == (-4046, "No need to change margin type.")
    order = bench.rest(BTC, Side.BUY, "0.1", 70_000)
    assert refusal(book.set_margin_type, BTC, True, 0)[0] == -4047
    bench.execute(order, 70_000)
    assert refusal(book.set_margin_type, BTC, True, 0)[0] == -4048
    book.set_margin_type(ETH, True, 0)


def test_open_conditional_orders_block_a_margin_type_unless_the_open_question_says_no():
    for blocks in (True, False):
        bench = Bench(questions=OpenQuestions(conditional_orders_block_settings=blocks))
        bench.book.conditional_orders = lambda listing: listing in {None, BTC}
        if blocks:
            assert refusal(bench.book.set_margin_type, BTC, True, 0)[0] == -4047
            assert refusal(bench.book.set_dual_side, True, 0)[0] == -4067
        else:
            bench.book.set_margin_type(BTC, True, 0)
            bench.book.set_dual_side(True, 0)


def test_position_mode_is_refused_while_something_stands_in_its_way():
    bench = Bench()
    book = bench.book
    assert refusal(book.set_dual_side, False, 0) == (-4059, "No need to change position side.")
    order = bench.rest(BTC, Side.BUY, "0.1", 70_000)
    assert refusal(book.set_dual_side, True, 0)[0] == -4067
    bench.execute(order, 70_000)
    assert refusal(book.set_dual_side, True, 0)[0] == -4068
    bench.trade(BTC, "SELL", "0.1", 70_000)
    book.mode_out_of_step = True
    assert refusal(book.set_dual_side, True, 0)[0] == -4531
    book.mode_out_of_step = False
    book.set_dual_side(True, 0)
    assert book.dual_side
    assert bench.heard.events == []


def test_multi_assets_mode_forbids_isolated_margin_and_the_other_way_round():
    bench = Bench(isolated=[BTC])
    book = bench.book
    assert refusal(book.set_multi_assets, False, 0)[0] == -4171
    assert refusal(book.set_multi_assets, True, 0)[0] == -4167
    book.set_margin_type(BTC, False, 0)
    bench.heard.events.clear()
    book.set_multi_assets(True, 7)
    assert bench.heard.events == [{"e": "ACCOUNT_CONFIG_UPDATE", "E": 7, "T": 7, "ai": {"j": True}}]
    assert refusal(book.set_margin_type, BTC, True, 0)[0] == -4168


def test_multi_assets_mode_is_refused_with_orders_a_negative_wallet_or_too_little_margin():
    bench = Bench()
    order = bench.rest(BTC, Side.BUY, "0.1", 70_000)
    assert refusal(bench.book.set_multi_assets, True, 0)[0] == -4170
    bench.execute(order, 70_000)
    bench.prices.marks[BTC] = D(1_000)
    bench.book.cross_wallet = D(6_800)
    assert refusal(bench.book.set_multi_assets, True, 0)[0] == -4169
    bench.book.cross_wallet = D(-1)
    assert refusal(bench.book.set_multi_assets, True, 0)[0] == -4172


def test_isolated_margin_can_be_added_and_taken_back():
    bench = Bench(isolated=[BTC])
    position = bench.trade(BTC, "BUY", "0.1", 80_000).position
    bench.book.adjust_isolated(BTC, ONE_WAY, D(100), True, bench.now)
    assert position.isolated_wallet == 400 - 4 + 100
    assert bench.book.cross_wallet == 9_500
    bench.book.adjust_isolated(BTC, ONE_WAY, D(96), False, bench.now + 1)
    assert position.isolated_wallet == 400
    assert [event["a"]["m"] for event in bench.heard.events] == ["MARGIN_TRANSFER", "MARGIN_TRANSFER"]
    assert [(c.kind, c.amount) for c in bench.book.margin_changes] == [(1, D(100)), (2, D(96))]
    assert bench.book.income.total == -4


def test_isolated_margin_is_refused_with_the_venues_codes():
    bench = Bench(isolated=[BTC])
    adjust = bench.book.adjust_isolated
    assert refusal(adjust, BTC, ONE_WAY, D(1), True, 0) == (-4054, "Cannot add position margin: position is 0.")
    assert refusal(adjust, BTC, ONE_WAY, D(0), True, 0) == (-4055, "Amount must be positive.")
    assert refusal(adjust, ETH, ONE_WAY, D(1), True, 0) == (-4049, "Add margin only support for isolated position.")
    assert refusal(adjust, BTC, LONG, D(1), True, 0)[0] == -4061
    bench.trade(BTC, "BUY", "0.1", 80_000)
    assert refusal(adjust, BTC, ONE_WAY, D(9_601), True, 0) == (-4050, "Cross balance insufficient.")
    assert refusal(adjust, BTC, ONE_WAY, D(1), False, 0) == (-4051, "Isolated balance insufficient.")
