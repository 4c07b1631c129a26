"""Judges of a run: they know the exchange's own truth and never ask the hand, except at the end for its book."""

from collections import defaultdict
from decimal import Decimal

from engine.execution.intents import Purpose, read_client_id
from engine.journal.frames import read_segment
from engine.journal.log import name_of, segments
from engine.journal.record import IntentRecord, OrderRecord, PlanRecord

NAKED_BOUND_S = 30.0
NEW_MS = 2_000
MEDDLED_S = 20.0
CLOCK_MS = 500
"""By how much the desk may be wrong about the exchange's clock."""
MOST_STOPS = 6
"""Stops of the desk on one position: its tries, before they are pruned to one."""


class Oracles:
    """Collects violations of one run as (invariant, text)."""

    def __init__(self, world):
        self.world = world
        self.found = []
        self.closes_seen = 0
        self.knows_of_ban = False
        """Whether the present process was told of a ban."""
        self.outages = []
        """(from, until) in desk seconds: the exchange is down, bans the address or refuses the key."""
        self._naked = {}
        self.naked_times = []
        self._posted = defaultdict(int)
        self.meddled = -1e9
        """When somebody else cancelled stops of ours: for a while the desk may not know."""
        self.openers = {}
        """Client id of the order that opened the present position."""
        self.allowed = lambda: True
        account = world.exchange.venue.house.account
        self._fill = account.fill
        account.fill = self._watched_fill

    def fail(self, invariant, text):
        if len(self.found) < 20:
            self.found.append((invariant, f"{self.world.clock.monotonic():.2f} s: {text}"))

    # I10: whatever reduces never increases and never turns a position.

    def _watched_fill(self, execution):
        account = self.world.exchange.venue.house.account
        order = execution.order
        before = account.position(order.listing, order.position_side).quantity
        effect = self._fill(execution)
        after = account.position(order.listing, order.position_side).quantity
        name = read_client_id(self._name_behind(order))
        key = (account.listings[order.listing].instrument.symbol, order.position_side.value)
        if not before or before * after < 0:
            self.openers[key] = order.client_id
        if name is not None and name.purpose is not Purpose.ENTRY:
            self.closes_seen += 1
            if abs(after) > abs(before) or before * after < 0:
                self.fail("I10", f"{order.client_id} took the position from {before} to {after}")
        return effect

    def _name_behind(self, order):
        """The client id of the order, or of the conditional order whose child it is."""
        for algo in self.world.exchange.venue.house.algo.store.history(order.listing, self.world.exchange.now_ms):
            if algo.child is order:
                return algo.client_id
        return order.client_id

    # I2: naked time by the exchange's state, while it answers.

    def answers(self, now):
        """Say whether the exchange answers at an instant."""
        return not any(since <= now < until for since, until in self.outages)

    def _naked_no_more(self, key):
        """Note the length of a naked time; one wholly within an outage says nothing about the desk."""
        lasted = self._naked.pop(key)
        if lasted > 0:
            self.naked_times.append(lasted)

    def look(self, elapsed):
        """Look at the present truth; `elapsed` seconds have passed since the last look."""
        witness, now = self.world.witness, self.world.clock.monotonic()
        held = witness.positions()
        answers = self.answers(now)
        for key in [key for key in self._naked if key not in held]:
            self._naked_no_more(key)
        for key, position in held.items():
            own = [
                one for one in witness.stops(key) if read_client_id(one.client_id) and one.terms.kind == "STOP_MARKET"
            ]
            if len(own) > MOST_STOPS:
                self.fail("I2", f"{key} has {len(own)} stops of the desk")
            if witness.is_protected(key, position):
                if key in self._naked:
                    self._naked_no_more(key)
            else:
                self._naked[key] = self._naked.get(key, 0.0) + (elapsed if answers else 0.0)
                if self._naked[key] > NAKED_BOUND_S:
                    self.fail("I2", f"{key} has been naked for {self._naked[key]:.1f} s")
                    self._naked[key] = -1e9

    # I16 at the wire: in a ban there is silence.

    def asked(self, operation):
        """Note a request on its way out; where a clock has stepped nobody can tell when the ban ends."""
        clock, venue = self.world.clock, self.world.exchange.venue
        stepped = clock.error_ms or venue.clock_error_ms
        if self.knows_of_ban and not stepped and venue.weights._banned_until - clock.now_ms() > CLOCK_MS:
            self.fail("I16", f"{operation} left although this address is banned")

    def answered(self, status):
        """Note an answer: 418 tells of a ban until the instant the exchange has in its books."""
        if status == 418:
            self.knows_of_ban = True

    # I1, I4, I5 at the wire.

    def posted(self, client_id, stored):
        """Note a POST of ours on its way out; `stored` is what the disk would keep over a power cut."""
        self._posted[client_id] += 1
        name = read_client_id(client_id)
        if name is None or name.purpose is not Purpose.ENTRY:
            return
        if client_id.encode() not in stored:
            self.fail("I5", f"{client_id} left before its intent was durable")
        if not self.allowed():
            self.fail("I3", f"{client_id} left before READY or against a stop level")

    def executed_once(self, records):
        """I1 over the whole history: one executed order per entry intent, never more than was decided for its trade."""
        intents = {one.intent.client_id: one.intent for one in records if isinstance(one, IntentRecord)}
        by_name, by_trade = defaultdict(list), defaultdict(lambda: Decimal(0))
        house = self.world.exchange.venue.house
        for order in house.store.orders_of(None, self.world.exchange.now_ms):
            name = read_client_id(order.client_id)
            if name is not None and name.purpose is Purpose.ENTRY and name.epoch != "other" and order.executed > 0:
                by_name[order.client_id].append(order)
        for client_id, orders in by_name.items():
            intent = intents.get(client_id)
            if len(orders) > 1:
                self.fail("I1", f"{client_id} was executed {len(orders)} times")
            if intent is None:
                self.fail("I5", f"{client_id} was executed and no intent of it is in the journal")
            else:
                by_trade[intent.trade_id] += sum(order.executed for order in orders)
        decided = {one.plan.trade_id: one.plan.quantity for one in records if isinstance(one, PlanRecord)}
        for trade_id, total in by_trade.items():
            if total > decided.get(trade_id, total):
                self.fail("I1", f"trade {trade_id} executed {total}, {decided[trade_id]} were decided")
        for one in records:
            if isinstance(one, OrderRecord) and one.news == "absent" and one.client_id in by_name:
                self.fail("I1", f"{one.client_id} was declared absent and was executed")

    def adopted(self, key):
        """Note that the hand takes a position for somebody else's: then no entry of its own must have opened it."""
        name = read_client_id(self.openers.get(tuple(key), ""))
        if name is not None and name.purpose is Purpose.ENTRY and name.epoch != "other":
            self.fail("I3", f"{key} was opened by {self.openers[tuple(key)]} and is taken for somebody else's")

    # I2: the desk never takes the protection away itself.

    def covered(self):
        """Return the positions that are protected now."""
        witness = self.world.witness
        return {key for key, position in witness.positions().items() if witness.is_protected(key, position)}

    def still_covered(self, before):
        """After a cancel of the desk: what was protected and is still open must still be protected."""
        witness = self.world.witness
        if self.world.clock.monotonic() - self.meddled < MEDDLED_S:
            return
        for key in before:
            position = witness.positions().get(key)
            if position is not None and self.world.exchange.now_ms - position.updated_ms < NEW_MS:
                continue  # a stop left over from the position before is swept while a new one opens
            # A stop whose price was reached this very instant triggers with the market's next step.
            left = [*witness.triggering(key), *witness.stops(key)] if position is not None else []
            triggering = any(
                one.terms.kind == "STOP_MARKET" and read_client_id(one.client_id) is not None for one in left
            )
            if position is not None and not witness.is_protected(key, position) and not triggering:
                self.fail("I2", f"the desk cancelled the stop of {key}")

    # I3, I5 at the end.

    def equal(self, hand):
        """The hand's book is the exchange."""
        witness = self.world.witness
        book = hand.state.book
        truth = {key: position.quantity for key, position in witness.positions().items()}
        ours = {tuple(key): position.quantity for key, position in book.positions.items()}
        if ours != truth:
            self.fail("I3", f"positions {ours} in the book, {truth} at the exchange")
        orders = {order.order_id for order in witness.orders()}
        if set(book.orders) != orders:
            self.fail("I3", f"orders {sorted(book.orders)} in the book, {sorted(orders)} at the exchange")
        algos = {one.algo_id for one in witness.stops()}
        if set(book.algos) != algos:
            self.fail("I3", f"conditional orders {sorted(book.algos)} in the book, {sorted(algos)} at the exchange")

    def protected(self):
        """Every open position is protected now."""
        for key, position in self.world.witness.positions().items():
            if not self.world.witness.is_protected(key, position):
                self.fail("I2", f"{key} is naked at the end")

    def journal(self, disk):
        """Every segment of the journal is whole."""
        for number, suffix in segments(disk):
            segment = read_segment(disk.read(name_of(number, suffix)), number)
            if segment.fault is not None:
                self.fail("I5", f"journal segment {number}: {segment.fault.text}")
