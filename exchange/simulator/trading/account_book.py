"""The account: wallet, positions, settings and income, and what fills, funding and transfers do to them.

Every amount lies in one of two kinds of pockets: the cross wallet, or the isolated wallet of a position. A booking
changes a pocket and leaves an income row; moving margin between pockets leaves none. So the wallet, which is the sum of
the pockets, equals the opening balance plus all income to the last digit.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.answers import refuse
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading import account_settings as settings
from exchange.simulator.trading.account_events import account_update
from exchange.simulator.trading.brackets import max_leverage, notional_cap
from exchange.simulator.trading.funding import fund, settle_funding
from exchange.simulator.trading.income import (
    COMMISSION,
    REALIZED_PNL,
    SPECIAL_FUNDING_FEE,
    TRANSFER,
    IncomeLedger,
)
from exchange.simulator.trading.liquidation import Liquidation, is_forced, is_liquidation
from exchange.simulator.trading.margin import MarginReader
from exchange.simulator.trading.model import ZERO, FillEffect, Order, Position, PositionSide
from exchange.simulator.trading.position_maths import cut, cut_up, divide, entry_after, profit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.simulator.market import Listing
    from exchange.simulator.trading.liquidation import Liquidator
    from exchange.simulator.trading.model import Execution, OpenOrders, Publisher, Row
    from exchange.simulator.trading.prices import Prices

START_BALANCE = Decimal(10_000)
START_LEVERAGE = 20
MARGIN_CHANGES_KEPT = 5_000
MAKER_FEE = Decimal("0.000200")
TAKER_FEE = Decimal("0.000500")
RPI_FEE = Decimal("0.000050")
ONE_WAY = (PositionSide.BOTH,)
HEDGE = (PositionSide.LONG, PositionSide.SHORT)


class AccountBook:
    """One futures account. Every method that changes it takes the simulated instant; refusals are RefusalError."""

    def __init__(
        self,
        listings: Sequence[Listing],
        prices: Prices,
        orders: OpenOrders,
        publish: Publisher,
        opened_ms: int,
        balance: Decimal = START_BALANCE,
        *,
        maker_fee: Decimal = MAKER_FEE,
        taker_fee: Decimal = TAKER_FEE,
        rpi_fee: Decimal = RPI_FEE,
        questions: OpenQuestions | None = None,
    ) -> None:
        """Open the account with `balance` USDT, in one-way and single-asset mode, every symbol crossed.

        Each symbol starts at 20x or at its own maximum. The deposit counts as made at `opened_ms`: clients take an
        asset that was never updated for uninitialised.
        """
        self.listings = listings
        self.prices = prices
        self.orders = orders
        self.publish = publish
        self.opened_ms = opened_ms
        self.updated_ms = opened_ms
        self.maker_fee, self.taker_fee, self.rpi_fee = maker_fee, taker_fee, rpi_fee
        self.questions = questions or OpenQuestions()
        self.opening = balance
        self.cross_wallet = balance
        self.dual_side = False
        self.multi_assets = False
        self.fee_burn = False
        self.income = IncomeLedger()
        self.margin = MarginReader(self)
        self.margin_changes: deque[settings.MarginChange] = deque(maxlen=MARGIN_CHANGES_KEPT)
        self.conditional_orders: Callable[[int | None], bool] = lambda _listing: False
        """Asked whether a symbol (None: any) has open conditional orders; the house connects the algo service."""
        self.mode_out_of_step = False
        """Control switch: position mode changes are refused with -4531, as while UM and CM are not in step."""
        self.liquidation = Liquidation(self)
        self.liquidator: Liquidator | None = None
        """The order desk; the house connects it."""
        self.forced: list[Order] = []
        """Orders the venue placed to liquidate or deleverage, in time order: GET forceOrders."""
        self._leverage: dict[int, int] = {}
        self._isolated: set[int] = set()
        self._positions: dict[tuple[int, PositionSide], Position] = {}
        self._open: dict[tuple[int, PositionSide], Position] = {}

    @property
    def sides(self) -> tuple[PositionSide, ...]:
        """Return the position sides of the present mode."""
        return HEDGE if self.dual_side else ONE_WAY

    @property
    def wallet(self) -> Decimal:
        """Return the whole wallet: cross plus every isolated pocket."""
        return self.cross_wallet + sum((position.isolated_wallet for position in self._open.values()), ZERO)

    def leverage(self, listing: int) -> int:
        """Return a symbol's leverage, never above what its brackets allow now."""
        return min(self._leverage.get(listing, START_LEVERAGE), max_leverage(self.listings[listing].brackets))

    def max_notional(self, listing: int) -> Decimal:
        """Return the largest notional of a symbol at its leverage."""
        return notional_cap(self.listings[listing].brackets, self.leverage(listing))

    def isolated(self, listing: int) -> bool:
        """Say whether a symbol's margin is isolated."""
        return listing in self._isolated

    def position(self, listing: int, side: PositionSide) -> Position:
        """Return the position of a side, a flat one where none ever was."""
        return self._positions.get((listing, side)) or Position(listing, side)

    def open_positions(self) -> list[Position]:
        """Return the positions that are not flat, in order of opening."""
        return [position for position in self._open.values() if position.quantity]

    def set_leverage(self, listing: int, leverage: int, now_ms: int) -> None:
        """Change a symbol's leverage. Refusals -4028, -4161, -2027, -2028."""
        settings.set_leverage(self, self._leverage, listing, leverage, now_ms)

    def set_margin_type(self, listing: int, isolated: bool, now_ms: int) -> None:
        """Change a symbol's margin type. Refusals -4046, -4047, -4048, -4168."""
        settings.set_margin_type(self, self._isolated, listing, isolated, now_ms)

    def set_dual_side(self, dual: bool, now_ms: int) -> None:
        """Change the position mode. Refusals -4059, -4067, -4068, -4531."""
        settings.set_dual_side(self, dual, now_ms)

    def set_multi_assets(self, multi: bool, now_ms: int) -> None:
        """Change the margin mode. Refusals -4167, -4169, -4170, -4171, -4172."""
        settings.set_multi_assets(self, self._isolated, multi, now_ms)

    def adjust_isolated(self, listing: int, side: PositionSide, amount: Decimal, add: bool, now_ms: int) -> None:
        """Move margin into or out of an isolated position. Refusals -4049, -4050, -4051, -4054, -4055, -4061."""
        settings.adjust_isolated(self, listing, side, amount, add, now_ms)

    def check_order(self, order: Order, worst_price: Decimal) -> None:
        """Check account state, leverage bracket and margin for an order about to be placed or amended.

        `worst_price` values it: its limit, or the price assumed for a market order. An amended order comes as a copy:
        the one it replaces is known by its id. Raises RefusalError -2023, -2027 or -2019; an order that reduces, or
        that needs no more than is bound already, passes the last two.
        """
        if self.liquidation.running:
            raise refuse(-2023, "User in liquidation mode now.")
        if not (order.reduce_only or order.close_position):
            self.margin.check_room(order, worst_price)

    def fill(self, execution: Execution) -> FillEffect:
        """Book a fill: position, pockets and income; the caller publishes the events."""
        order, price, now_ms = execution.order, execution.price, execution.now_ms
        listing, side = order.listing, order.position_side
        position = self._positions.setdefault((listing, side), Position(listing, side))
        held = position.quantity
        signed = order.side.sign * execution.quantity
        parts = divide(held, signed)
        fee = cut(execution.quantity * price * self._fee_rate(order, maker=execution.maker))
        opening_fee = cut(fee * parts.opened / execution.quantity) if parts.closed else fee
        realized = cut(profit(parts.closed if held > 0 else -parts.closed, position.entry, price))
        if parts.closed:
            self._close_part(position, parts.closed, realized - (fee - opening_fee), taken_over=is_liquidation(order))
            position.realized += realized
            position.fees += fee - opening_fee - realized
            position.quantity += order.side.sign * parts.closed
            if not position.quantity:
                position.entry = position.fees = ZERO
        if parts.opened:
            position.entry = entry_after(position.quantity, position.entry, parts.opened, price)
            position.quantity += order.side.sign * parts.opened
            position.fees += opening_fee
            self._open_part(position, parts.opened * price, opening_fee)
        position.updated_ms = self.updated_ms = now_ms
        self._keep(position)
        transaction = self.income.next_transaction()
        trade_id = execution.trade_id
        self.income.book(REALIZED_PNL, realized, now_ms, transaction, listing=listing, trade_id=trade_id)
        self.income.book(COMMISSION, -fee, now_ms, transaction, listing=listing, trade_id=trade_id)
        if is_forced(order):
            self.liquidation.note(order, execution.quantity * price)
        return FillEffect(realized, fee, position)

    def _close_part(self, position: Position, closed: Decimal, gain: Decimal, *, taken_over: bool) -> None:
        """Settle a closing part: in isolated margin its share of the pocket is released together with its gain.

        A loss beyond the share stays in the pocket while the position lives; of a closed one it falls on the cross
        wallet. A liquidation leaves everything in the pocket: its fee comes first.
        """
        if not self.isolated(position.listing):
            self.cross_wallet += gain
            return
        position.isolated_wallet += gain
        if taken_over:
            return
        if closed == abs(position.quantity):
            self.release(position)
            return
        share = cut((position.isolated_wallet - gain) * closed / abs(position.quantity))
        release = max(ZERO, share + gain)
        position.isolated_wallet -= release
        self.cross_wallet += release

    def release(self, position: Position) -> None:
        """Return all of an isolated pocket to the cross wallet."""
        self.cross_wallet += position.isolated_wallet
        position.isolated_wallet = ZERO
        self._keep(position)

    def move_margin(self, position: Position, amount: Decimal, now_ms: int) -> None:
        """Move margin from the cross wallet into an isolated pocket, or back where negative."""
        self.cross_wallet -= amount
        position.isolated_wallet += amount
        position.updated_ms = self.updated_ms = now_ms

    def _open_part(self, position: Position, notional: Decimal, fee: Decimal) -> None:
        """Pay an opening part's fee; in isolated margin move its initial margin into the position's pocket first."""
        if not self.isolated(position.listing):
            self.cross_wallet -= fee
            return
        margin = min(cut_up(notional / self.leverage(position.listing)), max(ZERO, self.cross_wallet))
        self.cross_wallet -= margin
        position.isolated_wallet += margin - fee

    def _keep(self, position: Position) -> None:
        key = (position.listing, position.side)
        if position.quantity or position.isolated_wallet:
            self._open[key] = position
        else:
            self._open.pop(key, None)
            self.liquidation.forget(position)

    def _fee_rate(self, order: Order, *, maker: bool) -> Decimal:
        if is_liquidation(order):
            return ZERO  # a liquidation pays its own fee
        if maker:
            return self.rpi_fee if order.time_in_force == "RPI" else self.maker_fee
        return self.taker_fee

    def book_other(
        self, kind: str, amount: Decimal, now_ms: int, *, listing: int | None = None, pocket: Position | None = None
    ) -> None:
        """Book an amount that belongs to no trade into a position's pocket, or into the cross wallet."""
        if pocket is None:
            self.cross_wallet += amount
        else:
            pocket.isolated_wallet += amount
            pocket.updated_ms = now_ms
            self._keep(pocket)
        self.updated_ms = now_ms
        self.income.book(kind, amount, now_ms, self.income.next_transaction(), listing=listing)

    def account_update(
        self, reason: str, positions: Sequence[Position], now_ms: int, change: Decimal = ZERO, symbol: str | None = None
    ) -> Row:
        """Return the ACCOUNT_UPDATE event: the USDT balance, and the positions that changed."""
        return account_update(self, reason, positions, now_ms, change, symbol)

    def step(self, previous_ms: int, now_ms: int) -> None:
        """Follow a market step: funding at interval ends, margin calls, liquidation. A flat account does nothing."""
        if not self._open:
            return
        settle_funding(self, previous_ms, now_ms)
        self.liquidation.check(now_ms)

    def special_funding(self, listing: int, rate: Decimal, now_ms: int) -> None:
        """Control: settle a funding outside the regular intervals."""
        fund(self, listing, rate, SPECIAL_FUNDING_FEE, now_ms)

    def deposit(self, amount: Decimal, now_ms: int) -> None:
        """Transfer money in."""
        self.book_other(TRANSFER, amount, now_ms)
        self.publish.publish(self.account_update("DEPOSIT", [], now_ms, amount))

    def withdraw(self, amount: Decimal, now_ms: int) -> None:
        """Transfer money out. Raises RefusalError -2018 where more is asked than may leave."""
        if amount > self.margin.withdrawable():
            raise refuse(-2018, "Balance is insufficient.")
        self.book_other(TRANSFER, -amount, now_ms)
        self.publish.publish(self.account_update("WITHDRAW", [], now_ms, -amount))

    def auto_deleverage(self, listing: int, side: PositionSide, quantity: Decimal, now_ms: int) -> None:
        """Control: close part of a position against a bankrupt counterparty at the mark price."""
        self.liquidation.auto_deleverage(listing, side, quantity, now_ms)
