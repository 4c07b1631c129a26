"""Bugs planted on purpose, one at a time: a harness that misses them proves nothing.

Each is a context manager over one change of the hand. Names say what the careless program does.
"""

import contextlib
from decimal import Decimal
from unittest import mock

import msgspec

from engine.execution import coverage, entering, guard, hand, intents, keeper, reconciler, sender
from engine.execution.book import Book
from engine.execution.intents import Purpose, client_id
from engine.execution.levels import StopLevel
from engine.execution.memory import HandMemory
from engine.execution.order_states import Stage
from engine.execution.sender import Outcome, Sent
from engine.journal.record import IntentRecord
from exchange.account_events import AccountUpdate, Resync
from exchange.binance.weights import WeightLedger
from exchange.unknown_outcome import Fate, UnknownOrder

PLANTED = {}


def planted(function):
    PLANTED[function.__name__] = contextlib.contextmanager(function)
    return function


def patched(target, name, new):
    return mock.patch.object(target, name, new)


@planted
def a_lost_answer_is_taken_for_a_refusal_and_sent_again():
    post = sender.Sender._post

    async def again(self, tracked, why_not):
        sent = await post(self, tracked, why_not)
        if sent.outcome is Outcome.UNKNOWN:
            tracked.state = msgspec.structs.replace(tracked.state, stage=Stage.REFUSED)
            return Sent(Outcome.NOT_SENT, None, "timeout")
        return sent

    with patched(sender.Sender, "_post", again):
        yield


@planted
def a_lost_entry_is_sent_again_under_a_new_id():
    send = entering.Entering._send

    async def again(self, intent, plan, called_off):
        done = await send(self, intent, plan, called_off)
        state = self._sender.orders[intent.client_id].state
        if state.stage is Stage.UNKNOWN:
            intent_id, name = self._state.numbers.take(Purpose.ENTRY)
            await send(self, msgspec.structs.replace(intent, intent_id=intent_id, client_id=name), plan, called_off)
        return done

    with patched(entering.Entering, "_send", again):
        yield


@planted
def an_intent_leaves_before_its_record_is_written():
    async def commit(self, intent, plan):
        del self, intent, plan
        return True

    with patched(sender.Sender, "_commit", commit):
        yield


@planted
def an_intent_leaves_although_the_disk_refused_it():
    commit = sender.Sender._commit

    async def careless(self, intent, plan):
        await commit(self, intent, plan)
        return True

    with patched(sender.Sender, "_commit", careless):
        yield


@planted
def one_denial_proves_an_order_absent():
    with patched(UnknownOrder, "fate", lambda self: _fate_of(self)):
        yield


def _fate_of(case):
    if case._found:
        return Fate.FOUND
    return Fate.DEAD if case._denials else Fate.PENDING


@planted
def a_dead_order_that_appears_is_ignored():
    hear = sender.Sender.hear

    def deaf(self, event):
        tracked = self.orders.get(getattr(event, "client_id", ""))
        if tracked is None or tracked.state.stage not in (Stage.UNKNOWN, Stage.DEAD):
            hear(self, event)

    with patched(sender.Sender, "hear", deaf), patched(UnknownOrder, "fate", lambda self: _fate_of(self)):
        yield


@planted
def a_close_is_sent_without_reduce_only():
    with patched(intents.Intent, "reduces", property(lambda _self: False)):
        yield


@planted
def a_close_is_twice_the_position():
    close_intent = keeper.Keeper.close_intent

    def twice(self, position, reason):
        intent = close_intent(self, position, reason)
        return msgspec.structs.replace(intent, quantity=intent.quantity * 2, purpose=Purpose.ENTRY)

    with patched(keeper.Keeper, "close_intent", twice):
        yield


@planted
def an_empty_answer_means_flat():
    original = Book.replace

    def believing(self, *reading):
        gone = original(self, *reading)
        for one in gone.positions:
            self.drop_position(one.key, 0, 0.0)
        return gone

    explained = patched(reconciler, "_is_explained", lambda _account: True)
    with patched(Book, "replace", believing), explained:
        yield


@planted
def what_a_list_lacks_is_gone():
    async def no_such_orders(self, missing):
        for one in missing:
            self._book.drop_order(one.order_id)

    async def no_such_algos(self, missing):
        for one in missing:
            self._book.drop_algo(one.algo_id)

    with (
        patched(reconciler.Reconciler, "_ask_for_orders", no_such_orders),
        patched(reconciler.Reconciler, "_ask_for_algos", no_such_algos),
    ):
        yield


@planted
def a_stop_is_tried_once():
    decide = guard.decide

    def once(watch, *rest):
        action = decide(watch, *rest)
        if isinstance(action, guard.PlaceStop) and watch.tried:
            return guard.Wait("tried")
        return guard.Wait("tried") if isinstance(action, guard.CloseNow) and watch.tried else action

    with patched(guard, "decide", once):
        yield


@planted
def a_stop_is_never_placed():
    decide = guard.decide

    def never(watch, *rest):
        action = decide(watch, *rest)
        return guard.Wait() if isinstance(action, guard.PlaceStop) else action

    with patched(guard, "decide", never), patched(guard.GuardLimits, "close_after_s", 1e9):
        yield


@planted
def a_triggering_stop_counts_as_protection():
    with (
        patched(coverage, "ALGO_WORKING", frozenset({"NEW", "TRIGGERING", "TRIGGERED"})),
        patched(coverage, "TRIGGERING", frozenset()),
        patched(coverage, "is_breached", lambda *_: False),
    ):
        yield


@planted
def a_conditional_entry_counts_as_a_stop():
    with patched(coverage, "_only_reduces", lambda _algo: True):
        yield


@planted
def orders_of_unknown_fate_are_never_resolved():
    with patched(sender.Sender, "resolve", lambda _self, _tracked: None):
        yield


@planted
def the_naked_clock_starts_anew_with_every_look():
    decide = guard.decide

    def anew(watch, position, *rest):
        watch.naked_since = None
        watch.tried = 0
        return decide(watch, position, *rest)

    with patched(guard, "decide", anew):
        yield


@planted
def the_old_stop_is_cancelled_before_the_new_one_is_there():
    decide = guard.decide

    def first(watch, position, found, wish, *rest):
        action = decide(watch, position, found, wish, *rest)
        if isinstance(action, guard.PlaceStop) and found.stops and wish.is_moved:
            return guard.Prune(found.stops)
        return action

    with patched(guard, "decide", first), patched(keeper, "RETRY_S", 5.0):
        yield


@planted
def pruning_takes_every_stop():
    surplus = guard._surplus
    with patched(guard, "_surplus", lambda found, fitting: found.stops if surplus(found, fitting) else ()):
        yield


@planted
def leftover_stops_are_not_swept():
    with patched(keeper.Keeper, "_sweep", lambda _self, _now: None):
        yield


@planted
def events_are_missed_and_nobody_reads_again():
    hear = reconciler.Reconciler.hear

    def deaf(self, item):
        if isinstance(item, Resync) and self.readings:
            return []
        return hear(self, item)

    async def never(self, every_s=0.0):
        del every_s
        await self._clock.sleep(1e9)

    async def no_patrol(self):
        await never(self)

    with (
        patched(reconciler.Reconciler, "hear", deaf),
        patched(reconciler.Reconciler, "run", never),
        patched(reconciler.Reconciler, "patrol", no_patrol),
    ):
        yield


@planted
def entries_go_out_before_ready():
    why = hand.Hand.why_no_entry

    def careless(self, symbol):
        text = why(self, symbol)
        return "" if "not ready" in text else text

    with patched(hand.Hand, "why_no_entry", careless):
        yield


@planted
def a_pause_does_not_stop_entries():
    why = hand.Hand.why_no_entry

    def careless(self, symbol):
        text = why(self, symbol)
        return "" if "stop level" in text else text

    with patched(hand.Hand, "why_no_entry", careless):
        yield


@planted
def plans_are_forgotten_over_a_restart():
    with patched(HandMemory, "plans", property(lambda _self: [])), patched(guard, "emergency_stop", _far_stop):
        yield


def _far_stop(position, mark, percent):
    del mark, percent
    return position.entry * (1 + position.sign)


@planted
def orders_of_unknown_fate_are_forgotten_over_a_restart():
    with patched(HandMemory, "orders", property(lambda _self: [])):
        yield


@planted
def an_adopted_position_gets_no_stop():
    wish = keeper.Keeper.wish

    def none(self, position):
        plan = self._state.plan_of(position)
        if plan.stop is None:
            return guard.Wish(position.entry * (1 - position.sign * Decimal("0.99")), None)
        return wish(self, position)

    covered = _covered_when_adopted(keeper.Keeper.coverage)
    with patched(keeper.Keeper, "coverage", covered), patched(keeper.Keeper, "wish", none):
        yield


def _covered_when_adopted(original):
    def lying(self, position):
        found = original(self, position)
        plan = self._state.plans.get(position.key)
        return found._replace(covered=found.size) if plan is not None and plan.stop is None else found

    return lying


@planted
def flatten_forgets_what_an_entry_still_brings():
    tick = hand.Hand.tick

    def forgetful(self):
        level = self.level
        if level is StopLevel.FLATTEN:
            self.level = StopLevel.CANCEL
        tick(self)
        if self.level is StopLevel.CANCEL:
            self.level = level

    with patched(hand.Hand, "tick", forgetful):
        yield


@planted
def a_refused_close_is_not_repeated():
    close = keeper.Keeper._close

    async def once(self, position, watch, reason):
        if watch.closes:
            return
        await close(self, position, watch, reason)

    with patched(keeper.Keeper, "_close", once):
        yield


@planted
def a_breached_stop_is_waited_for_for_ever():
    with (
        patched(guard, "is_breached", lambda *_: False),
        patched(guard, "_close", lambda watch, *_: guard.CloseNow("x") if watch.close_reason else guard.Wait()),
    ):
        yield


@planted
def every_session_has_the_same_ids():
    with patched(intents, "client_id", lambda _epoch, purpose, number: client_id("s0", purpose, number)):
        yield


@planted
def ids_are_drawn_anew_for_every_sending():
    order_of = sender.order_of
    count = iter(range(10**9))

    def anew(intent):
        return msgspec.structs.replace(order_of(intent), client_id=f"pd-zz-e{next(count)}")

    with patched(sender, "order_of", anew):
        yield


@planted
def a_fill_before_its_answer_is_dropped():
    apply = Book.apply

    def late(self, event):
        if isinstance(event, AccountUpdate) and any(
            row.quantity and (row.symbol, row.side) not in self.positions for row in event.positions
        ):
            return
        apply(self, event)

    with patched(Book, "apply", late), patched(Book, "take_positions", _no_new_positions(Book.take_positions)):
        yield


def _no_new_positions(original):
    def take_positions(self, positions, began_s):
        return original(self, [row for row in positions if (row.symbol, row.side) in self.positions], began_s)

    return take_positions


@planted
def a_defect_in_one_task_ends_all():
    async def bare(self, work, name):
        del self, name
        await work

    async def broken(self, position, watch, price):
        del self, position, watch, price
        raise RuntimeError("a defect")

    with patched(hand.Hand, "watched", bare), patched(keeper.Keeper, "_place_target", broken):
        yield


@planted
def intents_are_forgotten_over_a_restart():
    take = HandMemory.take

    def forgetful(self, record):
        if not isinstance(record, IntentRecord):
            take(self, record)

    with patched(HandMemory, "take", forgetful):
        yield


@planted
def a_ban_is_not_waited_out():
    with patched(WeightLedger, "ban", lambda _self, _until_ms: None):
        yield


@planted
def another_desks_order_is_noticed_by_its_event_alone():
    with patched(hand.Hand, "_shown", lambda *_: None):
        yield
