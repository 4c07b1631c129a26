"""What must hold for any contract and any order: rounding keeps to the venue's grid and never asks for more."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instrument_samples import contract
from order_samples import EPOCH, entry, limit_entry, stop

from exchange.binance import rules_wire
from exchange.conditional_orders import ConditionalKind
from exchange.grid import unit_of
from exchange.instrument import LotRule
from exchange.orders import Side
from exchange.trading_rules import (
    MarketView,
    Refusal,
    quantise_conditional,
    quantise_order,
    quantise_price,
    quantise_quantity,
    smallest_quantity,
    split_quantity,
)

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "payloads"

steps = st.builds(lambda mantissa, places: Decimal(mantissa).scaleb(-places), st.sampled_from([1, 2, 5, 25, 125]),
                  st.integers(0, 8))  # fmt: skip
amounts = st.decimals(min_value=Decimal("1e-9"), max_value=Decimal("1e9"), allow_nan=False, places=9)


@st.composite
def contracts(draw):
    step, tick = draw(steps), draw(steps)
    crooked = draw(st.sampled_from([Decimal(0), step / 4]))
    lot = LotRule(step * draw(st.integers(1, 5)) + crooked, step * draw(st.integers(10, 10**7)), step)
    return contract(
        tick=tick,
        min_price=tick * draw(st.integers(1, 50)) + draw(st.sampled_from([0, 0, tick / 4])),
        max_price=tick * draw(st.integers(100, 10**9)),
        lot=lot,
        market_lot=lot,
        price_precision=draw(st.integers(0, 8)),
        quantity_precision=draw(st.integers(0, 8)),
        min_notional=Decimal(draw(st.integers(1, 100))),
    )


def places(value):
    return max(0, -value.as_tuple().exponent)


def on_grid(value, step):
    return value % step == 0


@settings(max_examples=300, deadline=None)
@given(contracts(), amounts)
def test_a_quantised_quantity_is_the_largest_on_the_grid_that_is_not_above_what_was_asked(instrument, wanted):
    quantity = quantise_quantity(instrument, wanted, market=False)
    lot = instrument.lot
    if isinstance(quantity, Refusal):
        return
    assert lot.minimum <= quantity <= min(wanted, lot.maximum)
    assert on_grid(quantity, lot.step)
    assert places(quantity) <= instrument.quantity_precision
    assert quantise_quantity(instrument, quantity, market=False) == quantity, "rounding twice changes nothing"
    if places(lot.step.normalize()) <= instrument.quantity_precision:
        assert wanted - quantity < lot.step


@settings(max_examples=300, deadline=None)
@given(contracts(), amounts, st.booleans())
def test_a_quantised_price_is_the_next_tick_on_the_side_asked_for(instrument, wanted, up):
    price = quantise_price(instrument, wanted, up=up)
    if isinstance(price, Refusal):
        return
    assert instrument.min_price <= price <= instrument.max_price
    assert on_grid(price, instrument.tick)
    assert price >= wanted if up else price <= wanted
    assert quantise_price(instrument, price, up=up) == price
    if places(instrument.tick.normalize()) <= instrument.price_precision:
        assert abs(price - wanted) < instrument.tick


@settings(max_examples=200, deadline=None)
@given(contracts(), amounts, amounts, amounts, st.sampled_from(Side))
def test_an_order_that_passes_never_asks_for_more_nor_for_a_worse_price(instrument, quantity, price, mark, side):
    view = MarketView(EPOCH, mark)
    order = quantise_order(instrument, limit_entry(side=side, quantity=quantity, price=price), view)
    if isinstance(order, Refusal):
        return
    assert order.quantity <= quantity
    assert order.price <= price if side is Side.BUY else order.price >= price
    assert order.quantity * order.price >= instrument.min_notional
    assert quantise_order(instrument, order, view) == order


@settings(max_examples=200, deadline=None)
@given(contracts(), amounts, amounts, st.sampled_from(Side), st.sampled_from(
    [ConditionalKind.STOP_MARKET, ConditionalKind.TAKE_PROFIT_MARKET]
))  # fmt: skip
def test_a_conditional_order_that_passes_waits_on_the_right_side_of_the_mark(instrument, trigger, mark, side, kind):
    wanted = stop(side=side, kind=kind, trigger_price=trigger, quantity=instrument.lot.minimum)
    order = quantise_conditional(instrument, wanted, MarketView(EPOCH, mark))
    if isinstance(order, Refusal):
        return
    falls = (side is Side.SELL) != kind.is_take_profit
    assert order.trigger_price < mark if falls else order.trigger_price > mark
    assert order.trigger_price >= trigger if falls else order.trigger_price <= trigger


@settings(max_examples=200, deadline=None)
@given(contracts(), amounts)
def test_the_pieces_of_a_split_add_up_to_what_was_asked_but_for_less_than_one_order(instrument, wanted):
    pieces = split_quantity(instrument, wanted, market=True)
    if isinstance(pieces, Refusal):
        return
    lot = instrument.market_lot
    assert all(lot.minimum <= piece <= lot.maximum for piece in pieces)
    assert 0 <= wanted - sum(pieces) < lot.minimum + unit_of(lot.step, instrument.quantity_precision)


@settings(max_examples=200, deadline=None)
@given(contracts(), amounts)
def test_the_smallest_quantity_may_be_opened_and_one_step_less_may_not(instrument, price):
    quantity = smallest_quantity(instrument, price, market=True)
    if isinstance(quantity, Refusal):
        return
    assert quantity * price >= instrument.min_notional
    view = MarketView(EPOCH, price)
    assert quantise_order(instrument, entry(quantity=quantity), view).quantity == quantity
    if places(instrument.lot.step.normalize()) <= instrument.quantity_precision:
        less = quantity - instrument.lot.step
        assert less < instrument.lot.minimum or less * price < instrument.min_notional


@pytest.mark.data
@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the repository")
@settings(max_examples=20, deadline=None)
@given(amounts, amounts)
def test_every_recorded_contract_keeps_to_its_grid(quantity, price):
    for instrument in _recorded():
        size = quantise_quantity(instrument, quantity, market=False)
        if not isinstance(size, Refusal):
            assert size % instrument.lot.step == 0
            assert places(size) <= instrument.quantity_precision
        fitted = quantise_price(instrument, price, up=True)
        if not isinstance(fitted, Refusal):
            assert fitted % instrument.tick == 0
            assert places(fitted) <= instrument.price_precision


_CACHE = []


def _recorded():
    if not _CACHE:
        body = json.loads(gzip.decompress((PAYLOADS / "exchangeInfo/prod_2025-08-11.json.gz").read_bytes()))
        _CACHE.extend(rules_wire.instruments(json.dumps(body).encode(), "x", _CACHE.append))
    return _CACHE
