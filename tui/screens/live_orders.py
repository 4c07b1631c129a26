"""The keys that act on live orders: close, move a stop, cancel, stop levels, arm. Each shows its consequence first."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from textual.screen import Screen

from engine.commands import (
    AskWhatIf,
    CancelEntries,
    CancelOrder,
    CloseAll,
    ClosePosition,
    Command,
    Flatten,
    Halt,
    HaltProcess,
    MoveStop,
)
from engine.snapshot import CoverageRow, OrderRow, WhatIf
from tui import numbers, texts
from tui.lines import left
from tui.screens.choice import ChoiceScreen, Option
from tui.screens.confirm import ConfirmScreen
from tui.widgets.hand import order_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.snapshot import Answer, Snapshot
    from tui.view import View
    from tui.widgets.positions import PositionsTable


class LiveCommands(Screen[None]):
    """Actions of the desk screen about the positions and orders of the account."""

    view: View
    active: str
    positions: PositionsTable

    def _changing(self) -> Snapshot | None:
        """Return the newest snapshot where a command may be given; say why where it may not."""
        raise NotImplementedError

    def _confirm(self, title: str, body: Sequence[str], word: str, then: Callable[[str], tuple[Command, str]]) -> None:
        raise NotImplementedError

    def selected_live(self) -> CoverageRow | None:
        """Return the live position under the cursor of panel 2, None where there is none."""
        snapshot = self.view.newest
        row = self.positions.selected() if self.active == "positions" else None
        if snapshot is None or snapshot.hand is None or row is None:
            return None
        for one in snapshot.hand.coverage:
            long = not one.quantity.startswith("-")
            if one.symbol == row.symbol and long is (row.direction == "LONG"):
                return one
        return None

    def close_live(self, row: CoverageRow) -> None:
        """Show what closing a position would send and cost, then ask for y."""
        command, label = ClosePosition(row.symbol, row.side), texts.LIVE_CLOSE_LABEL.format(symbol=row.symbol)

        def told(answer: Answer | None) -> None:
            body = what_if_lines(answer)
            title = texts.LIVE_CLOSE_TITLE.format(symbol=row.symbol, quantity=row.quantity)
            self._confirm(title, [*body, *texts.LIVE_CLOSE_BODY], "y", lambda _: (command, label))

        self.view.dispatch.ask("close", AskWhatIf(row.symbol, row.side), told)

    def close_all_positions(self) -> None:
        """Close every live position, whichever panel has the keys."""
        snapshot = self._changing()
        if snapshot is not None:
            self.close_all_live(snapshot)

    def close_all_live(self, snapshot: Snapshot) -> None:
        """Close every live position, after a typed CLOSE."""
        hand = snapshot.hand
        if hand is None or not hand.coverage:
            self.view.dispatch.say(texts.NO_LIVE, "warn")
            return
        named = ", ".join(f"{one.symbol} {one.quantity}" for one in hand.coverage)
        body = [line.format(named=named, entries=snapshot.entries) for line in texts.LIVE_CLOSE_ALL_BODY]
        title = texts.LIVE_CLOSE_ALL_TITLE.format(count=len(hand.coverage))
        self._confirm(title, body, "CLOSE", lambda _: (CloseAll(), texts.LIVE_CLOSE_ALL_LABEL))

    def action_move_stop(self) -> None:
        """Type a price for the stop of the selected live position; see what it means; confirm with y."""
        if self._changing() is None:
            return
        row = self.selected_live()
        if row is None:
            self.view.dispatch.say(texts.NO_LIVE_SELECTED, "warn")
            return
        now = numbers.price(row.stop, 8) if row.stop == row.stop else "none"
        body = [line.format(now=now, text=row.text) for line in texts.MOVE_STOP_BODY]

        def typed(text: str | None) -> None:
            if text:
                self._ask_stop(row, text)

        title = texts.MOVE_STOP_TITLE.format(symbol=row.symbol)
        self.app.push_screen(ConfirmScreen(self.view, title, body, ""), typed)

    def _ask_stop(self, row: CoverageRow, text: str) -> None:
        try:
            price = Decimal(text.replace(" ", "").replace(",", ""))
        except InvalidOperation:
            price = Decimal(0)
        if not price.is_finite() or price <= 0:
            self.view.dispatch.say(texts.NO_PRICE.format(text=text), "warn")
            return
        command = MoveStop(row.symbol, row.side, price)
        label = texts.MOVE_STOP_LABEL.format(symbol=row.symbol, price=price)

        def told(answer: Answer | None) -> None:
            title = texts.MOVE_STOP_TITLE.format(symbol=row.symbol)
            self._confirm(title, [*what_if_lines(answer), *texts.MOVE_STOP_SURE], "y", lambda _: (command, label))

        self.view.dispatch.ask("stop", AskWhatIf(row.symbol, row.side, price), told)

    def action_cancel_order(self) -> None:
        """Choose an open order of the account, see what cancelling it means, confirm with y."""
        if self._changing() is None:
            return
        if not self._open_orders():
            self.view.dispatch.say(texts.NO_ORDERS, "warn")
            return

        def options(width: int) -> list[Option]:
            del width
            return [
                Option(key, ((left(one.purpose, 9), "strong"), (order_text(one), "text")))
                for key, one in self._open_orders().items()
            ]

        screen = ChoiceScreen(self.view, texts.CANCEL_ORDER_CHOICE, texts.CANCEL_ORDER_FOOT, options)
        self.app.push_screen(screen, self.cancel_order)

    def _open_orders(self) -> dict[str, OrderRow]:
        hand = self.view.newest.hand if self.view.newest is not None else None
        return {f"{one.conditional} {one.order_id}": one for one in hand.orders} if hand is not None else {}

    def cancel_order(self, key: str | None) -> None:
        """Say what cancelling an open order means, then ask for y."""
        order = self._open_orders().get(key or "")
        if order is None:
            if key:
                self.view.dispatch.say(texts.NO_ORDERS, "warn")
            return
        command = CancelOrder(order.symbol, order.order_id, order.conditional)
        label = texts.CANCEL_ORDER_LABEL.format(purpose=order.purpose, symbol=order.symbol)
        means = texts.CANCEL_ORDER_MEANS.get(order.purpose, texts.CANCEL_ORDER_FOREIGN)
        self._confirm(texts.CANCEL_ORDER_TITLE, [order_text(order), means], "y", lambda _: (command, label))

    def action_stop_level(self) -> None:
        """Choose how far the desk is stopped."""
        snapshot = self._changing()
        if snapshot is None:
            return

        def options(width: int) -> list[Option]:
            del width
            return [Option(name, ((f"{name.upper():9}", "strong"), (text, "text"))) for name, text in texts.STOP_LEVELS]

        foot = "enter chooses   esc closes"
        self.app.push_screen(ChoiceScreen(self.view, texts.STOP_TITLE, foot, options), self.stop_at)

    def stop_at(self, level: str | None) -> None:
        """Ask the desk to stop at a level: the mild ones at once, the others after their typed word."""
        snapshot = self._changing()
        if snapshot is None or not level:
            return
        if level == "pause":
            self.view.dispatch.send(Halt(), texts.HALT_LABEL)
        elif level == "cancel":
            self.view.dispatch.send(CancelEntries(), texts.CANCEL_LABEL)
        else:
            command: Command = Flatten() if level == "flatten" else HaltProcess()
            body = texts.FLATTEN_BODY if level == "flatten" else texts.HALT_BODY
            held = snapshot.hand.coverage if snapshot.hand is not None else ()
            named = ", ".join(f"{one.symbol} {one.quantity}" for one in held) or "no position"
            lines = [line.format(named=named) for line in body]
            self._confirm(f"{level.upper()}?", lines, level.upper(), lambda _: (command, level))


def what_if_lines(answer: Answer | None) -> list[str]:
    """Return what would be sent and what it costs, as sentences."""
    if not isinstance(answer, WhatIf):
        return [texts.NO_WHAT_IF if answer is None else getattr(answer, "text", texts.NO_WHAT_IF)]
    price = numbers.price(answer.mark, answer.decimals)
    worth = f"notional {answer.notional:,.2f}, fee about {answer.fee:,.2f}"
    result = f"realises {answer.realised:+,.2f} before it, frees {answer.margin_freed:,.2f} of margin"
    lines = [f"Sends: {answer.order}.", f"At the mark {price}: {worth}, {result}."]
    if answer.loss_at_stop == answer.loss_at_stop:
        lines.append(f"At the stop it loses {answer.loss_at_stop:,.2f} with fees.")
    if answer.liquidation == answer.liquidation:
        lines.append(f"Liquidation stands at {numbers.price(answer.liquidation, answer.decimals)}.")
    if answer.warning:
        lines.append(f"WARNING: {answer.warning}.")
    return lines
