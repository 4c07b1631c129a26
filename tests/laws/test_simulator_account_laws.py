"""Laws of the simulated account: money is conserved, margin is never negative, positions follow an independent sum."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

from account_bench import BTC, BTC_BRACKETS, DOGE, ETH, LISTINGS, LONG, ONE_WAY, SHORT, SMALL_BRACKETS, Bench
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exchange.simulator.answers import RefusalError
from exchange.simulator.trading.brackets import Leg, liquidation_price, maintenance
from exchange.simulator.trading.model import Side
from exchange.simulator.trading.position_maths import break_even

D = Decimal
PRICES = {BTC: 80_000, ETH: 3_000, DOGE: D("0.25")}
SIZES = {BTC: D("0.001"), ETH: D("0.01"), DOGE: D(10)}
PLACES = D("1e-8")

symbols = st.sampled_from([BTC, ETH, DOGE])
sides = st.sampled_from([Side.BUY, Side.SELL])
moves = st.sampled_from([850, 930, 960, 985, 1_015, 1_040, 1_070, 1_150]).map(lambda thousandths: D(thousandths) / 1000)
trades = st.tuples(st.just("trade"), symbols, sides, st.integers(1, 40).map(lambda n: 10 * n), *[st.booleans()] * 2)
steps = st.tuples(st.just("move"), symbols, moves)
others = st.one_of(
    st.tuples(st.just("hours"), st.integers(1, 9)),
    st.tuples(st.just("money"), st.integers(-3_000, 3_000).filter(bool)),
    st.tuples(st.just("margin"), symbols, st.integers(1, 2_000), st.booleans(), st.booleans()),
    st.tuples(st.just("leverage"), symbols, st.integers(1, 75)),
    st.tuples(st.just("special"), symbols, st.integers(-300, 300)),
    st.tuples(st.just("adl"), symbols, st.integers(1, 100), st.booleans()),
)
commands = st.lists(st.one_of(trades, steps, others), min_size=8, max_size=40)
BALANCE = D(2_500)
"""Small beside the sizes, so that a good part of the runs end in liquidations."""


def side_of(bench, first):
    return (LONG if first else SHORT) if bench.book.dual_side else ONE_WAY


def trade(bench, listing, side, lots, first, maker):
    position_side = side_of(bench, first)
    size = lots * SIZES[listing]
    if bench.book.dual_side:
        # In hedge mode nobody closes more than there is.
        closing = side is (Side.SELL if position_side is LONG else Side.BUY)
        if closing:
            size = min(size, abs(bench.book.position(listing, position_side).quantity))
    tick = LISTINGS[listing].instrument.tick
    price = bench.prices.marks[listing].quantize(tick)
    if size and price > 0:
        order = bench.order(listing, side, size, price, position_side)
        bench.book.check_order(order, price)
        bench.execute(order, price, maker=maker)


def run(bench, command):
    book, (name, *values) = bench.book, command
    if name == "trade":
        trade(bench, *values)
    elif name == "move":
        listing, factor = values
        bench.prices.marks[listing] = (bench.prices.marks[listing] * factor).quantize(PLACES)
        bench.step()
    elif name == "hours":
        for _ in range(values[0]):
            bench.step(3_600_000)
    elif name == "money":
        amount = D(values[0])
        book.deposit(amount, bench.now) if amount > 0 else book.withdraw(-amount, bench.now)
    elif name == "margin":
        listing, amount, add, first = values
        book.adjust_isolated(listing, side_of(bench, first), D(amount), add, bench.now)
    elif name == "leverage":
        book.set_leverage(*values, bench.now)
    elif name == "special":
        book.special_funding(values[0], D(values[1]) / 100_000, bench.now)
    else:
        listing, lots, first = values
        book.auto_deleverage(listing, side_of(bench, first), lots * SIZES[listing], bench.now)


CRASH = [("move", listing, factor) for factor in (D("0.8"), D("0.8"), D("1.6"), D("1.6")) for listing in PRICES]
"""Every program ends in moves that liquidate most of what is open."""


def play(bench, program):
    for command in [*program, *CRASH]:
        with suppress(RefusalError):
            run(bench, command)
        yield command


@settings(max_examples=150, deadline=None)
@given(commands, st.booleans(), st.booleans(), st.booleans())
def test_the_wallet_is_the_opening_balance_plus_all_income(program, hedge, isolated, beyond):
    bench = Bench(BALANCE, hedge=hedge, isolated=[BTC, DOGE] if isolated else [])
    bench.desk.beyond = beyond
    for _ in play(bench, program):
        expected, wallet = bench.balances()
        assert wallet == expected
        shown = sum((row.amount for row in bench.book.income.rows(bench.now, start_ms=0, limit=10**6)), D(0))
        assert wallet == bench.book.opening + shown


@settings(max_examples=150, deadline=None)
@given(commands, st.booleans(), st.booleans())
def test_no_margin_is_ever_negative(program, hedge, isolated):
    bench = Bench(BALANCE, hedge=hedge, isolated=[BTC, DOGE] if isolated else [])
    for _ in play(bench, program):
        bench.step()
        book = bench.book
        assert book.wallet >= 0
        assert book.margin.available() >= 0
        assert book.margin.withdrawable() >= 0
        for position in book.open_positions():
            if book.isolated(position.listing):
                assert position.isolated_wallet > 0
                balance = position.isolated_wallet + book.margin.unrealized(position)
                assert balance > book.margin.maintenance(position) > 0
        if book.margin.cross_positions():
            assert book.margin.cross_balance() > book.margin.cross_maintenance() > 0


@settings(max_examples=150, deadline=None)
@given(commands, st.booleans(), st.booleans())
def test_the_changes_told_add_up_to_the_income_that_is_no_trades(program, hedge, isolated):
    bench = Bench(BALANCE, hedge=hedge, isolated=[ETH] if isolated else [])
    for _ in play(bench, program):
        told = [event["a"] for event in bench.heard.named("ACCOUNT_UPDATE") if event["a"]["m"] != "MARGIN_TRANSFER"]
        rows = bench.book.income.rows(bench.now, start_ms=0, limit=10**6)
        booked = sum((row.amount for row in rows if row.kind not in {"REALIZED_PNL", "COMMISSION"}), D(0))
        assert sum((D(row["bc"]) for body in told for row in body["B"]), D(0)) == booked


fills = st.lists(st.tuples(sides, st.integers(1, 50), st.integers(70_000, 90_000)), min_size=1, max_size=30)


class Reference:
    """A position worked out in fractions from the list of its open lots, all at their mean price."""

    def __init__(self):
        self.size = self.entry = self.realized = Fraction(0)

    def fill(self, signed, price):
        if self.size * signed >= 0:
            total = self.size + signed
            self.entry = (self.size * self.entry + signed * price) / total
            self.size = total
            return
        closed = min(abs(signed), abs(self.size)) * (1 if self.size > 0 else -1)
        self.realized += closed * (price - self.entry)
        self.size += signed
        if self.size * closed < 0:
            self.entry = Fraction(price)
        elif not self.size:
            self.entry = Fraction(0)


@given(fills, st.booleans())
def test_entry_flip_and_profit_follow_an_independent_reference(program, isolated):
    bench = Bench(balance=D(10**9), isolated=[BTC] if isolated else [])
    reference = Reference()
    for side, lots, price in program:
        effect = bench.trade(BTC, side, lots * SIZES[BTC], price)
        reference.fill(side.sign * Fraction(lots, 1000), price)
        position = effect.position
        assert Fraction(position.quantity) == reference.size
        assert abs(Fraction(position.entry) - reference.entry) < Fraction(1, 10**15)
        assert abs(Fraction(position.realized) - reference.realized) <= len(program) * Fraction(1, 10**8)


@given(fills)
def test_closing_at_the_break_even_price_pays_back_what_the_position_cost(program):
    bench = Bench(balance=D(10**9))
    before = bench.book.wallet
    for side, lots, price in program:
        if not bench.book.open_positions():
            before = bench.book.wallet
        held = bench.book.position(BTC, ONE_WAY).quantity
        size = lots * SIZES[BTC]
        assume(not held or held * side.sign > 0 or abs(held) >= size)  # a flip starts anew inside one fill
        bench.trade(BTC, side, size, price)
    position = bench.book.position(BTC, ONE_WAY)
    assume(position.quantity)
    price = break_even(position)
    gain = position.quantity * (price - position.entry)
    assert abs(bench.book.wallet + gain - before) <= len(program) * PLACES


legs = st.lists(st.tuples(st.integers(-3_000, 3_000).filter(bool), st.integers(100, 200_000)), min_size=1, max_size=2)


@given(legs, st.integers(1, 10**6), st.sampled_from([BTC_BRACKETS, SMALL_BRACKETS]), st.integers(1, 200_000))
def test_at_the_liquidation_price_margin_balance_equals_maintenance_margin(drawn, wallet, brackets, mark):
    held = [Leg(D(lots) / 100, D(entry)) for lots, entry in drawn]
    price = liquidation_price(brackets, D(wallet), held, D(mark))
    assert price >= 0

    def surplus(at):
        balance = wallet + sum(leg.quantity * (at - leg.entry) for leg in held)
        return balance - sum(maintenance(brackets, abs(leg.quantity) * at) for leg in held)

    if price:
        scale = wallet + sum(abs(leg.quantity) * (price + leg.entry) for leg in held)
        assert abs(surplus(price)) <= scale * D("1e-20")
    else:
        # No price above 0: the sign never changes.
        signs = {surplus(D(10) ** power) > 0 for power in range(-6, 12)}
        assert len(signs) == 1
