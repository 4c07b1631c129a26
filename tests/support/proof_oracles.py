"""Judges of a run: they know the exchange's own truth and never ask the hand, except at the end for its book."""

from collections import defaultdict

from engine.execution.intents import Purpose, read_client_id
from engine.journal.frames import read_segment
from engine.journal.log import name_of, segments

NAKED_BOUND_S = 30.0


class Oracles:
    """Collects violations of one run as (invariant, text)."""

    def __init__(self, world):
        self.world = world
        self.found = []
        self.closes_seen = 0
        self.deaf_until = 0.0
        self._naked = {}
        self.naked_times = []
        self._posted = defaultdict(int)
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

    def look(self, elapsed):
        """Look at the present truth; `elapsed` seconds have passed since the last look."""
        witness, now = self.world.witness, self.world.clock.monotonic()
        held = witness.positions()
        answers = now >= self.deaf_until
        for key in [key for key in self._naked if key not in held]:
            self.naked_times.append(self._naked.pop(key))
        for key, position in held.items():
            if witness.is_protected(key, position):
                if key in self._naked:
                    self.naked_times.append(self._naked.pop(key))
            else:
                self._naked[key] = self._naked.get(key, 0.0) + (elapsed if answers else 0.0)
                if self._naked[key] > NAKED_BOUND_S:
                    self.fail("I2", f"{key} has been naked for {self._naked[key]:.1f} s")
                    self._naked[key] = -1e9

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

    def executed_once(self, quantities):
        """I1 over the whole history: one executed order per entry intent, never more than the intent's quantity."""
        by_name = defaultdict(list)
        house = self.world.exchange.venue.house
        for order in house.store.orders_of(None, self.world.exchange.now_ms):
            name = read_client_id(order.client_id)
            if name is not None and name.purpose is Purpose.ENTRY and order.executed > 0:
                by_name[order.client_id].append(order)
        for client_id, orders in by_name.items():
            if len(orders) > 1:
                self.fail("I1", f"{client_id} was executed {len(orders)} times")
            total = sum(order.executed for order in orders)
            most = quantities.get(client_id)
            if most is None:
                self.fail("I5", f"{client_id} was executed and no intent of it is in the journal")
            elif total > most:
                self.fail("I1", f"{client_id} executed {total}, its intent was {most}")

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
