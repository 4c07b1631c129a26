"""Closes everything on an account with nothing but its key: for the command that must work when the engine does not.

Cancel what may open, free what holds size, close every position reduce-only, take its stops out when it is flat, look
twice. Every step may be repeated: a reduce-only close can only bring a position nearer to zero, so an outcome that is
unknown is answered by reading the position again, and running the command again continues where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.execution.intents import Numbers, PositionKey, Purpose
from exchange.conditional_orders import AlgoRef
from exchange.errors import BannedError, ExchangeError, RateLimitedError, RefusedError
from exchange.orders import OrderKind, OrderRef, OrderRequest, Side
from exchange.priority import Priority
from exchange.reactions import Reaction
from exchange.trading_rules import Refusal, split_quantity

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from engine.execution.access import Access
    from exchange.account import PositionRisk
    from exchange.instrument import Instrument
    from exchange.ports import Clock

ROUNDS = 60
"""Rounds of looking and acting before it is given up for this run."""
PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
LOOKS = 2
"""Times in a row everything must be found flat."""


class Left(NamedTuple):
    """What is still there."""

    positions: tuple[str, ...]
    orders: tuple[str, ...]

    @property
    def is_flat(self) -> bool:
        """Say whether nothing is."""
        return not self.positions and not self.orders


class Flattening:
    """One run over an account, or over one symbol of it."""

    def __init__(
        self, access: Access, clock: Clock, epoch: str, say: Callable[[str], None], symbol: str | None = None
    ) -> None:
        """Take the ways out; `say` hears what is done, one line each."""
        self._access = access
        self._clock = clock
        self._numbers = Numbers(epoch)
        self._say = say
        self._symbol = symbol
        self._rules: dict[str, Instrument] = {}

    async def look(self) -> Left:
        """Return what is open. Raises ExchangeError."""
        positions = await self._positions()
        orders = await self._access.account.open_orders(self._symbol)
        algos = await self._access.account.open_algo_orders(self._symbol)
        return Left(
            tuple(f"{row.symbol} {row.side} {row.quantity:f}" for row in positions),
            (
                *(f"{one.symbol} {one.side} {one.kind} {one.quantity:f}" for one in orders),
                *(f"{one.symbol} {one.side} {one.kind} at {one.trigger_price:f}" for one in algos),
            ),
        )

    async def run(self) -> Left:
        """Work until everything is flat, looked at twice; return what is left where that was not reached."""
        looks = 0
        left = Left(("not looked at yet",), ())
        pause = PAUSE_S
        for _ in range(ROUNDS):
            try:
                await self._round()
                left = await self.look()
                pause = PAUSE_S
            except (BannedError, RateLimitedError) as error:
                pause = self._asked(error)
                self._say(f"the exchange asks to wait {pause:.0f} s: {error}")
            except ExchangeError as error:
                self._say(f"trying again: {error}")
                pause = min(LONGEST_PAUSE_S, pause * 2)
            else:
                looks = looks + 1 if left.is_flat else 0
                if looks == LOOKS:
                    return left
            await self._clock.sleep(pause)
        return left

    def _asked(self, error: BannedError | RateLimitedError) -> float:
        if isinstance(error, RateLimitedError):
            return max(PAUSE_S, error.retry_after_s)
        return max(PAUSE_S, (error.until_ms - self._access.client.venue_ms()) / 1000)

    async def _positions(self) -> list[PositionRisk]:
        rows = await self._access.client.positions(priority=Priority.CRITICAL)
        return [row for row in rows if row.quantity and self._symbol in (None, row.symbol)]

    async def _round(self) -> None:
        await self._cancel_orders()
        positions = await self._positions()
        if positions and not self._rules:
            await self._read_rules()
        for row in positions:
            await self._close(row)
        open_now = {PositionKey(row.symbol, row.side) for row in await self._positions()}
        for algo in await self._access.account.open_algo_orders(self._symbol):
            if PositionKey(algo.symbol, algo.position_side) not in open_now:
                await self._cancel_algo(algo.algo_id, f"{algo.symbol} {algo.kind} at {algo.trigger_price:f}")

    async def _cancel_orders(self) -> None:
        """Cancel every plain order: entries may open, and reduce-only ones hold the size a close needs."""
        for order in await self._access.account.open_orders(self._symbol):
            self._say(f"cancelling {order.symbol} {order.side} {order.kind} {order.quantity:f}")
            try:
                await self._access.orders.cancel(order.symbol, OrderRef(order_id=order.order_id))
            except (BannedError, RateLimitedError):
                raise
            except ExchangeError as error:  # one order that cannot be cancelled keeps no position from being closed
                if not _is_gone(error):
                    self._say(f"{order.symbol}: {error}")

    async def _cancel_algo(self, algo_id: int, words: str) -> None:
        self._say(f"removing {words}")
        try:
            await self._access.algos.cancel(AlgoRef(algo_id=algo_id))
        except RefusedError as refused:
            known = (Reaction.ALREADY_CLOSED, Reaction.NO_SUCH_ORDER, Reaction.STOP_TRIGGERING)
            if refused.reaction not in known:
                raise

    async def _read_rules(self) -> None:
        """Read the trading rules; without them the whole size is sent in one order."""
        try:
            self._rules = {one.symbol: one for one in await self._access.client.exchange_info()}
        except ExchangeError as error:
            self._say(f"the trading rules could not be read, positions are closed in one order each: {error}")

    async def _close(self, row: PositionRisk) -> None:
        size = abs(row.quantity)
        rules = self._rules.get(row.symbol)
        pieces: tuple[Decimal, ...] | Refusal = (size,)
        if rules is not None:
            pieces = split_quantity(rules, size, market=True)
        for piece in (size,) if isinstance(pieces, Refusal) or not pieces else pieces:
            self._say(f"closing {piece:f} of {row.symbol} {row.side} {row.quantity:f} at the market")
            try:
                await self._access.orders.place(
                    OrderRequest(
                        symbol=row.symbol,
                        side=Side.SELL if row.quantity > 0 else Side.BUY,
                        kind=OrderKind.MARKET,
                        quantity=piece,
                        client_id=self._numbers.take(Purpose.CLOSE)[1],
                        reduces=True,
                    )
                )
            except (BannedError, RateLimitedError):
                raise
            except ExchangeError as error:  # refused or unknown: the next round reads the position again
                self._say(f"{row.symbol}: {error}")
                return


def _is_gone(error: ExchangeError) -> bool:
    return isinstance(error, RefusedError) and error.reaction in (Reaction.ALREADY_CLOSED, Reaction.NO_SUCH_ORDER)
