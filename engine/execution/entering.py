"""Carries a decision to enter to the exchange: freshness, verified settings, reservation, then one order.

The order goes out at the market while the price is within the slippage allowed, else as a limit order that rests for a
while; what was filled by then is kept and protected, the remainder is cancelled. The position that comes of it is
protected by the keeper from its first fill on, whatever happens here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.events import Severity
from engine.execution.intents import PositionKey, Purpose, order_of
from engine.execution.order_states import Stage
from engine.execution.plans import Owner, Plan
from engine.execution.sender import Outcome
from exchange.errors import ExchangeError, RefusedError
from exchange.orders import OrderKind, Side
from exchange.reactions import Reaction
from exchange.trading_rules import MarketView, Refusal, quantise_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.execution.intents import Intent
    from engine.execution.keeper import Keeper
    from engine.execution.market import Quote
    from engine.execution.sender import Sender
    from engine.execution.state import HandState

AGAIN_S = (1.0, 3.0)
"""Pauses before an entry that was certainly refused for the moment, or never left, is sent again."""
PASSING = frozenset({Reaction.WAIT, Reaction.BACK_OFF, Reaction.RESYNC_CLOCK})
"""Refusals that say something about the moment, not about the order."""
CANCEL_AGAIN_S = 2.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A decision to enter. Prices and sizes are Decimal, on no grid yet."""

    symbol: str
    sign: int
    """+1 for a long, -1 for a short."""
    price: Decimal
    quantity: Decimal
    stop: Decimal
    target: Decimal | None
    leverage: int
    """Leverage to be set at the exchange."""
    isolated: bool = False
    strategy: str = ""
    signal_id: str = ""
    confidence: float = 0.0
    risk: Decimal = Decimal(0)
    """Loss at the stop in the quote asset, costs included."""
    group: tuple[str, ...] = ()
    """Symbols that share its risk budget."""
    expires_ms: int = 0
    features: tuple[float, ...] | None = None


class Refused(msgspec.Struct, frozen=True):
    """Why no entry was sent."""

    text: str


class Entering:
    """The entries of one account."""

    def __init__(
        self,
        state: HandState,
        sender: Sender,
        keeper: Keeper,
        why_not: Callable[[str], str],
        reserve: Callable[[Intent, Wanted], str],
        release: Callable[[str], None],
    ) -> None:
        """Take the parts.

        `why_not` tells for a symbol why no entry may go out now; `reserve` checks and reserves by client id without a
        wait, and tells why not; `release` gives back.
        """
        self._state = state
        self._sender = sender
        self._keeper = keeper
        self._why_not = why_not
        self._reserve = reserve
        self._release = release
        self.decided: list[Wanted] = []
        """Decisions on their way to becoming a plan: they count as exposure and against a second one."""
        self._called_off = 0
        """How often all decisions on their way were let go."""
        self.under_way: set[str] = set()
        """Trades whose entry is being sent, or waits to be sent again."""
        self._resting: dict[str, float] = {}
        """Client ids of entries that rest, with the desk second at which they are cancelled."""

    def announce(self, wanted: Wanted) -> None:
        """Let a decision count from now on, until `enter` has made a plan of it or has refused it."""
        self.decided.append(wanted)

    async def enter(self, wanted: Wanted) -> Plan | Refused:
        """Send one entry; return its plan once the exchange has it or may have it, else why there is none."""
        if not any(one is wanted for one in self.decided):
            self.announce(wanted)
        try:
            return await self._enter(wanted)
        finally:
            self._decided_no_more(wanted)

    def _decided_no_more(self, wanted: Wanted) -> None:
        self.decided = [one for one in self.decided if one is not wanted]

    def _twice(self, wanted: Wanted) -> str:
        """Return that an earlier decision for the same position is on its way; empty where none is."""
        for one in self.decided:
            if one is wanted:
                break
            if (one.symbol, one.sign) == (wanted.symbol, wanted.sign):
                return f"{wanted.symbol}: an entry of it is on its way already"
        return ""

    async def _enter(self, wanted: Wanted) -> Plan | Refused:
        called_off = self._called_off
        refusal = self._why_not(wanted.symbol) or self._twice(wanted)
        if refusal:
            return Refused(refusal)
        try:
            hedge = await self._state.access.mode.refresh()
            refusal = await self._settings(wanted)
        except ExchangeError as error:
            refusal = f"{wanted.symbol}: mode, margin type or leverage could not be verified: {error}"
        if refusal:
            return Refused(refusal)
        key = PositionKey(wanted.symbol, _side_of(wanted.sign, hedge=hedge))
        made = self._made(wanted, key)
        if isinstance(made, Refused):
            return made
        intent, plan = made
        # Time has passed since the first look: check again, and reserve, without a wait in between.
        refusal = self._why_not(wanted.symbol) or self._held(key) or self._stopped_since(called_off, wanted.symbol)
        refusal = refusal or self._reserve(intent, wanted)
        if refusal:
            return Refused(refusal)
        self._state.plans[key] = plan
        self._decided_no_more(wanted)
        self.under_way.add(plan.trade_id)
        try:
            if await self._send(intent, plan, called_off):
                return plan
        finally:
            self.under_way.discard(plan.trade_id)
        return self._given_up(intent, plan)

    def _given_up(self, intent: Intent, plan: Plan) -> Refused:
        self._release(intent.client_id)
        if plan.key not in self._state.book.positions:
            self._state.set_plan(plan, "dropped", "the exchange", "the entry was not accepted")
        said = self._sender.orders[intent.client_id].state.text
        return Refused(f"{intent.symbol}: the entry was not accepted: {said}")

    def _held(self, key: PositionKey) -> str:
        if key in self._state.plans or key in self._state.book.positions:
            return f"{key.symbol}: a position or an entry of it is there already"
        return ""

    async def _settings(self, wanted: Wanted) -> str:
        """Make margin type and leverage what the size was decided with; return why that cannot be, empty when it is."""
        access, symbol = self._state.access, wanted.symbol
        config = next((one for one in await access.client.symbol_configs() if one.symbol == symbol), None)
        if config is None:
            return f"{symbol}: the exchange tells no margin type and leverage"
        if config.isolated != wanted.isolated:
            try:
                await access.settings.set_isolated(symbol, isolated=wanted.isolated)
            except RefusedError as refused:
                kind = "isolated" if wanted.isolated else "cross"
                return f"{symbol}: the margin type could not be made {kind}: {refused}"
        if config.leverage != wanted.leverage:
            try:
                await access.settings.set_leverage(symbol, wanted.leverage)
            except RefusedError:
                read = next((one for one in await access.client.symbol_configs() if one.symbol == symbol), None)
                if read is None or read.leverage < wanted.leverage:
                    has = "unknown" if read is None else f"{read.leverage}x"
                    return f"{symbol}: the leverage stays {has}, the size was decided with {wanted.leverage}x"
        return ""

    def _made(self, wanted: Wanted, key: PositionKey) -> tuple[Intent, Plan] | Refused:
        """Return the order fitted to rules and market, and the plan of its position."""
        state = self._state
        quote, instrument = state.market.quote(wanted.symbol), state.instrument(wanted.symbol)
        if quote is None or instrument is None:
            return Refused(f"{wanted.symbol}: no price or no trading rules")
        side = Side.BUY if wanted.sign > 0 else Side.SELL
        at_market = _slip(wanted, quote) <= state.limits.slippage
        intent = state.intent(
            Purpose.ENTRY,
            key,
            side,
            OrderKind.MARKET if at_market else OrderKind.LIMIT,
            quantity=wanted.quantity,
            price=None if at_market else state.priced(wanted.symbol, wanted.price, up=wanted.sign < 0),
            reason=f"{wanted.strategy} {wanted.signal_id}".strip(),
        )
        view = MarketView(state.access.client.venue_ms(), quote.mark, quote.bid, quote.ask)
        fitted = quantise_order(instrument, order_of(intent), view)
        if isinstance(fitted, Refusal):
            return Refused(fitted.text)
        trade_id = f"T{intent.intent_id}"
        intent = msgspec.structs.replace(intent, quantity=fitted.quantity, price=fitted.price, trade_id=trade_id)
        plan = Plan(
            trade_id=trade_id,
            symbol=wanted.symbol,
            side=key.side,
            sign=wanted.sign,
            owner=Owner.DESK,
            stop=state.priced(wanted.symbol, wanted.stop, up=wanted.sign > 0),
            target=None if wanted.target is None else state.priced(wanted.symbol, wanted.target, up=wanted.sign < 0),
            opened_ms=intent.created_ms,
            entry=wanted.price,
            quantity=fitted.quantity,
            strategy=wanted.strategy,
            signal_id=wanted.signal_id,
            confidence=wanted.confidence,
            leverage=wanted.leverage,
            expires_ms=wanted.expires_ms,
            features=wanted.features,
        )
        return intent, plan

    def call_off(self) -> None:
        """Let go of all decisions on their way: a stop level ends them, also when it is taken back meanwhile."""
        self._called_off += 1

    def _stopped_since(self, called_off: int, symbol: str) -> str:
        return f"{symbol}: entries were stopped after it was decided" if self._called_off != called_off else ""

    async def _send(self, intent: Intent, plan: Plan, called_off: int) -> bool:
        """Send until it is accepted, may be accepted, or certainly is not; one POST unless it certainly was not."""

        def why_not() -> str:
            return self._why_not(intent.symbol) or self._stopped_since(called_off, intent.symbol)

        first = True
        for pause in (*AGAIN_S, None):
            sent = await self._sender.send(intent, plan if first else None, why_not)
            first = False
            if sent.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
                self._keeper.look_soon()  # should the stream be silent, a reading shows what was filled
                if intent.kind == OrderKind.LIMIT:
                    self._resting[intent.client_id] = self._state.clock.monotonic() + self._state.limits.rest_s
                return True
            if sent.reaction is Reaction.REFRESH_RULES:
                await self._read_rules(intent.symbol)
                break
            passing = sent.outcome is Outcome.NOT_SENT or sent.reaction in PASSING
            if not passing or pause is None:
                break
            await self._state.clock.sleep(pause)
            if why_not():
                break
        text = f"{intent.symbol}: the entry was {sent.outcome.value}: {sent.text}"
        self._state.say(text, Severity.WARNING, intent.symbol, intent.trade_id)
        return False

    async def _read_rules(self, symbol: str) -> None:
        """Read the rules an entry was refused for: the next decision is fitted to them."""
        try:
            await self._state.refresh_rules()
        except ExchangeError as error:
            self._state.say(f"{symbol}: the trading rules could not be read: {error}", Severity.WARNING, symbol)

    # Resting entries.

    def tick(self) -> None:
        """Cancel the entries whose time is over; never waits."""
        now = self._state.clock.monotonic()
        for client_id, due in list(self._resting.items()):
            tracked = self._sender.orders.get(client_id)
            if tracked is None or tracked.state.is_final:
                del self._resting[client_id]
            elif now >= due and tracked.state.is_open:
                self._resting[client_id] = now + CANCEL_AGAIN_S
                self._state.spawn(self._withdraw(client_id), f"withdraw {client_id}")

    async def _withdraw(self, client_id: str) -> None:
        tracked = self._sender.orders[client_id]
        order = self._state.book.orders.get(tracked.state.order_id)
        if order is not None:
            await self._keeper.cancel_order(order)

    def withdraw_all(self) -> int:
        """Let every resting entry be cancelled now; return how many there are."""
        now = self._state.clock.monotonic()
        for client_id in self._resting:
            self._resting[client_id] = now
        self.tick()
        return len(self._resting)

    def rest_again(self) -> None:
        """Take over the entries of an earlier session that still rest: their time is over."""
        now = self._state.clock.monotonic()
        for client_id, tracked in self._sender.orders.items():
            if tracked.intent.purpose is Purpose.ENTRY and not tracked.state.is_final:
                self._resting[client_id] = now

    @property
    def resting(self) -> list[Intent]:
        """Return the entries that rest or may rest."""
        return [
            self._sender.orders[client_id].intent
            for client_id in self._resting
            if client_id in self._sender.orders and self._sender.orders[client_id].state.stage is not Stage.REFUSED
        ]


def _side_of(sign: int, *, hedge: bool) -> str:
    if not hedge:
        return "BOTH"
    return "LONG" if sign > 0 else "SHORT"


def _slip(wanted: Wanted, quote: Quote) -> Decimal:
    """Return by which share the market is worse than the decided price; below 0 it is better."""
    at = quote.ask if wanted.sign > 0 else quote.bid
    return wanted.sign * (at - wanted.price) / wanted.price
