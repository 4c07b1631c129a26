"""Keeps every open position protected: carries out what the guard decides, one thing at a time per position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import Severity
from engine.execution import guard
from engine.execution.book import BookAlgo
from engine.execution.coverage import closing_side, coverage_of
from engine.execution.guard import CloseNow, PlaceStop, PlaceTarget, Prune, Wait, Watch, Wish
from engine.execution.intents import Purpose, read_client_id
from engine.execution.sender import Outcome
from exchange.conditional_orders import AlgoRef, ConditionalKind
from exchange.errors import ExchangeError, RefusedError
from exchange.orders import OrderKind, OrderRef
from exchange.reactions import Reaction
from exchange.trading_rules import Refusal, split_quantity

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.execution.book import BookOrder, BookPosition
    from engine.execution.coverage import Coverage
    from engine.execution.guard import Action
    from engine.execution.intents import Intent, PositionKey
    from engine.execution.reconciler import Reconciler
    from engine.execution.sender import Sender, Sent
    from engine.execution.state import HandState

RULES_CHANGED = frozenset({Reaction.REFRESH_RULES, Reaction.BELOW_MINIMUM})
UNKNOWN_S = 0.3
"""Pause after the fate of a stop became unknown and the list of its symbol did not show it."""
MOVE_MOST_S = 30.0
"""Longest pause between attempts to move a stop."""
PRUNE_AGAIN_S = 4.0
"""Pause before stops that should have gone are cancelled again."""
RETRY_S = 0.25
"""Pause after a stop was refused."""
NAKED_ALERT_S = 10.0


class Keeper:
    """The guard's hands."""

    def __init__(self, state: HandState, sender: Sender, reconciler: Reconciler) -> None:
        self._state = state
        self._sender = sender
        self._reconciler = reconciler
        self.watches: dict[PositionKey, Watch] = {}
        self._busy: set[PositionKey] = set()
        self._orphans: dict[str, float] = {}
        self._alerted: set[PositionKey] = set()
        self.naked_max_s = 0.0
        self.naked_times: list[float] = []
        """Length of every naked time that ended, in desk seconds, newest last."""

    def tick(self) -> None:
        """Look at every position and begin what has to be done; never waits."""
        now = self._state.clock.monotonic()
        positions = self._state.book.positions
        is_banned = self._state.access.client.calls.banned_s > 0
        for key in [key for key in self.watches if key not in positions]:
            self._gone(key, now)
        for key, position in list(positions.items()):
            if is_banned:
                self.judge_naked(position, now)
                self.watches[key].answers_since = now
            elif key not in self._busy:
                action = self.judge(position, now)
                if not isinstance(action, Wait):
                    self._busy.add(key)
                    self._state.spawn(self._act(key, action), f"guard {key.symbol} {key.side}")
            else:
                self.judge_naked(position, now)
        if not is_banned:
            self._sweep(now)

    def look_soon(self) -> None:
        """Let the account be read soon."""
        self._reconciler.want()

    def judge(self, position: BookPosition, now: float) -> Action:
        """Return what the guard wants done about a position now."""
        watch = self.watches.setdefault(position.key, Watch(now))
        was = watch.naked_since
        mark = self._state.mark(position)
        coverage = self.coverage(position)
        action = guard.decide(watch, position, coverage, self.wish(position), mark, now, self._state.limits.guard)
        self._measure(position.key, was, watch, now)
        return action

    def judge_naked(self, position: BookPosition, now: float) -> None:
        """Keep measuring while something is being done."""
        watch = self.watches.setdefault(position.key, Watch(now))
        was = watch.naked_since
        if self.coverage(position).is_protected:
            watch.naked_since = None
        elif watch.naked_since is None:
            watch.naked_since = now
        self._measure(position.key, was, watch, now)

    def coverage(self, position: BookPosition) -> Coverage:
        """Return what protects a position now."""
        return coverage_of(position, self._state.book.algos_of(position.key), self._state.mark(position))

    def wish(self, position: BookPosition) -> Wish:
        """Return where stop and target of a position should be, on the contract's ticks."""
        state = self._state
        plan = state.plan_of(position)
        stop = plan.stop
        if stop is None:
            percent = state.limits.guard.emergency_percent
            stop = guard.emergency_stop(position, state.mark(position), percent)
            placed = [one.trigger for one in self.coverage(position).stops]
            if placed:  # an emergency stop stays where it was first put
                return Wish(placed[0], plan.target)
        target = plan.target
        symbol, long = position.key.symbol, position.sign > 0
        return Wish(
            state.priced(symbol, stop, up=long),
            None if target is None else state.priced(symbol, target, up=not long),
            plan.is_moved,
        )

    def _measure(self, key: PositionKey, was: float | None, watch: Watch, now: float) -> None:
        if watch.naked_since is not None:
            naked = now - watch.naked_since
            self.naked_max_s = max(self.naked_max_s, naked)
            if naked > NAKED_ALERT_S and key not in self._alerted:
                self._alerted.add(key)
                text = f"{key.symbol}: NAKED for {naked:.0f} s: no working stop at the exchange; it is being repaired"
                self._state.say(text, Severity.ALERT, key.symbol)
        elif was is not None:
            self._ended(was, now)
            self._alerted.discard(key)

    def _ended(self, since: float, now: float) -> None:
        self.naked_times.append(now - since)
        del self.naked_times[:-10_000]

    def _gone(self, key: PositionKey, now: float) -> None:
        watch = self.watches.pop(key)
        if watch.naked_since is not None:
            self._ended(watch.naked_since, now)
        self._alerted.discard(key)

    # Acting.

    async def _act(self, key: PositionKey, action: Action) -> None:
        try:
            position, watch = self._state.book.positions.get(key), self.watches.get(key)
            if position is None or watch is None:
                return
            match action:
                case PlaceStop(price, whole):
                    await self._place_stop(position, watch, price, whole=whole)
                case PlaceTarget(price):
                    await self._place_target(position, watch, price)
                case CloseNow(reason):
                    await self._close(position, watch, reason)
                case Prune(algos):
                    await self.cancel_algos(algos)
                    watch.surplus_since = self._state.clock.monotonic() + PRUNE_AGAIN_S
        finally:
            self._busy.discard(key)

    async def _place_stop(self, position: BookPosition, watch: Watch, price: Decimal, *, whole: bool) -> None:
        state, now = self._state, self._state.clock.monotonic()
        watch.tried += 1
        watch.last_whole = whole
        watch.placing_until = now + state.limits.guard.answer_s
        intent = state.intent(
            Purpose.STOP,
            position.key,
            closing_side(position),
            ConditionalKind.STOP_MARKET,
            quantity=None if whole else abs(position.quantity),
            price=price,
            reason="protects the position",
        )
        is_move = watch.naked_since is None
        sent = await self._sender.send(intent)
        watch.placing_until = 0.0
        if sent.outcome is Outcome.ACCEPTED:
            return
        again = state.clock.monotonic() + max(RETRY_S, self._asked_to_wait(sent))
        if sent.reaction is Reaction.CLOSE_NOW:
            watch.close_reason = "the exchange says that its stop would trigger at once"
        elif sent.reaction is Reaction.CLOSE_POSITION_CONFLICT:
            self._reconciler.want()
            watch.placing_until = 0.0 if whole else again
        elif sent.reaction is Reaction.CANCEL_STALE:
            await self._make_room()
        elif sent.reaction in RULES_CHANGED:
            watch.placing_until = again + state.limits.guard.answer_s
            state.spawn(self._refit(watch, position.key.symbol), f"trading rules for {position.key.symbol}")
        elif sent.outcome is not Outcome.UNKNOWN:
            watch.placing_until = again
        if sent.outcome is Outcome.UNKNOWN:  # it may be there: the list shows it before another is tried
            await self._reconciler.look_for_stop(position.key.symbol)
            watch.placing_until = state.clock.monotonic() + UNKNOWN_S
        if is_move:
            watch.moves += 1
            pause = min(MOVE_MOST_S, 2.0**watch.moves)
            watch.placing_until = max(watch.placing_until, state.clock.monotonic() + pause)
        text = f"{position.key.symbol}: a stop at {price:f} was {sent.outcome.value}: {sent.text}; trying again"
        state.say(text, Severity.WARNING, position.key.symbol, intent.trade_id)

    async def _place_target(self, position: BookPosition, watch: Watch, price: Decimal) -> None:
        state = self._state
        watch.target_tried = state.clock.monotonic()
        resting = any(
            one.close_position and one.kind == ConditionalKind.TAKE_PROFIT_MARKET
            for one in state.book.algos_of(position.key)
        )
        intent = state.intent(
            Purpose.TARGET,
            position.key,
            closing_side(position),
            ConditionalKind.TAKE_PROFIT_MARKET,
            quantity=abs(position.quantity) if resting else None,
            price=price,
            reason="takes the profit",
        )
        sent = await self._sender.send(intent)
        if sent.reaction is Reaction.CLOSE_NOW:
            watch.close_reason = "the price is beyond its target already"
        elif sent.reaction in RULES_CHANGED:
            state.spawn(self._refresh_rules(position.key.symbol), f"trading rules for {position.key.symbol}")

    async def _close(self, position: BookPosition, watch: Watch, reason: str) -> None:
        state, key = self._state, position.key
        guard.note_close_sent(watch, state.clock.monotonic(), state.limits.guard)
        if watch.closes == 1:
            state.say(f"{key.symbol}: closing at the market: {reason}", Severity.ALERT, key.symbol)
        intent = self.close_intent(position, reason)
        sent = await self._sender.send(intent)
        if sent.outcome is Outcome.ACCEPTED:
            watch.close_refusals = 0
        elif sent.outcome is Outcome.UNKNOWN:
            watch.close_at = state.clock.monotonic() + state.limits.guard.close_unknown_s
        else:
            guard.note_close_refused(watch, state.clock.monotonic(), state.limits.guard)
            watch.close_at = max(watch.close_at, state.clock.monotonic() + self._asked_to_wait(sent))
        if sent.reaction is Reaction.FREE_REDUCE_ONLY:
            await self.free(key)
        elif sent.reaction in RULES_CHANGED:
            state.spawn(self._refresh_rules(key.symbol), f"trading rules for {key.symbol}")
        elif sent.outcome is not Outcome.ACCEPTED:
            state.say(f"{key.symbol}: the close was {sent.outcome.value}: {sent.text}", Severity.WARNING, key.symbol)
        # Whatever the answer: what is open now decides, never what was hoped for.
        self._reconciler.want()

    def _asked_to_wait(self, sent: Sent) -> float:
        """Return the desk seconds a refusal asks to wait: to carry on after it would lead to a ban."""
        return self._state.access.client.calls.held_s if sent.reaction is Reaction.WAIT else 0.0

    async def _refit(self, watch: Watch, symbol: str) -> None:
        """Read the rules a stop was refused for; once they are there it is tried again at once."""
        await self._refresh_rules(symbol)
        watch.placing_until = 0.0

    async def _refresh_rules(self, symbol: str) -> None:
        try:
            await self._state.refresh_rules()
        except ExchangeError as error:
            self._state.say(f"{symbol}: the trading rules could not be read: {error}", Severity.WARNING, symbol)

    def close_intent(self, position: BookPosition, reason: str) -> Intent:
        """Return the market order that closes a position, or the largest part of it one order may have."""
        size = abs(position.quantity)
        instrument = self._state.instrument(position.key.symbol)
        pieces = split_quantity(instrument, size, market=True) if instrument is not None else (size,)
        largest = size if isinstance(pieces, Refusal) or not pieces else pieces[0]
        return self._state.intent(
            Purpose.CLOSE, position.key, closing_side(position), OrderKind.MARKET, quantity=largest, reason=reason
        )

    async def free(self, key: PositionKey) -> None:
        """Cancel the plain orders that hold the position's size: they stand in the way of its close."""
        for order in self._state.book.orders_of(key):
            if order.reduces or read_client_id(order.client_id) is not None:
                await self.cancel_order(order)

    async def cancel_order(self, order: BookOrder) -> bool:
        """Cancel a plain order; return whether it is known not to be open any more. May be repeated."""
        access = self._state.access
        name = OrderRef(order_id=order.order_id)
        try:
            await access.orders.cancel(order.symbol, name)
        except RefusedError as refused:
            if refused.reaction not in (Reaction.ALREADY_CLOSED, Reaction.NO_SUCH_ORDER):
                return False
        except ExchangeError:
            self._reconciler.want()
            return False
        try:
            self._sender.take_order(await access.account.order(order.symbol, name))
        except ExchangeError:
            self._reconciler.want()
            return False
        return order.order_id not in self._state.book.orders

    async def cancel_algos(self, algos: tuple[BookAlgo, ...]) -> None:
        """Cancel conditional orders; what came too late is queried."""
        access = self._state.access
        for one in algos:
            name = AlgoRef(algo_id=one.algo_id)
            try:
                await access.algos.cancel(name)
            except RefusedError as refused:
                if refused.reaction not in (
                    Reaction.ALREADY_CLOSED,
                    Reaction.STOP_TRIGGERING,
                    Reaction.NO_SUCH_ORDER,
                ):
                    continue
            except ExchangeError:
                self._reconciler.want()
                continue
            try:
                self._sender.take_algo(await access.account.algo_order(name))
            except ExchangeError:
                self._reconciler.want()

    async def _make_room(self) -> None:
        """Take out the desk's own conditional orders that protect nothing: the exchange takes no further one."""
        book = self._state.book
        stale = [
            one
            for one in book.algos.values()
            if read_client_id(one.client_id) is not None
            and not any(key == (one.symbol, one.position_side) for key in book.positions)
        ]
        targets = [one for one in book.algos.values() if one.kind == ConditionalKind.TAKE_PROFIT_MARKET]
        await self.cancel_algos(tuple((stale or targets)[:5]))

    def _sweep(self, now: float) -> None:
        """Take out conditional and reduce-only orders of the desk whose position is gone."""
        book, waits = self._state.book, self._state.limits.sweep_s
        orphans: dict[str, BookAlgo | BookOrder] = {}
        rows: list[BookAlgo | BookOrder] = [*book.algos.values(), *book.orders.values()]
        for one in rows:
            ours = read_client_id(one.client_id)
            if ours is None or ours.purpose is Purpose.ENTRY:
                continue
            if not any(key == (one.symbol, one.position_side) for key in book.positions):
                orphans[one.client_id] = one
        self._orphans = {name: self._orphans.get(name, now) for name in orphans}
        due = [name for name, since in self._orphans.items() if now - since >= waits]
        for name in due:
            self._orphans[name] = now  # asked for again after the same time, if it is still there
            self._state.spawn(self._remove(orphans[name]), f"sweep {name}")

    async def _remove(self, one: BookAlgo | BookOrder) -> None:
        if isinstance(one, BookAlgo):
            await self.cancel_algos((one,))
        else:
            await self.cancel_order(one)
