"""Aggregate and single trades and liquidation orders on the streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.single_trades import single_trades
from exchange.simulator.stream_names import Kind
from exchange.simulator.subscriptions import deliver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchange.simulator.frames import Templates
    from exchange.simulator.liquidations import Liquidation, Liquidations
    from exchange.simulator.subscriptions import Subscriptions
    from exchange.simulator.tape import Tape

FORCE_MS = 1_000
_COIN_ONE_IN = 3
"""How often the COIN-margined twin of a contract has a liquidation along with it."""


class TradeFeed:
    """The trade and liquidation frames of each market step."""

    def __init__(
        self,
        tape: Tape,
        templates: Sequence[Templates],
        subscriptions: Subscriptions,
        liquidations: Liquidations,
        coin: Mapping[int, Templates],
    ) -> None:
        """Feed the subscribers from the tape and from what is reported as liquidated; `coin` has COIN-M contracts."""
        self._tape = tape
        self._templates = templates
        self._subscriptions = subscriptions
        self._liquidations = liquidations
        self._coin = coin

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send the step's trades, and at the end of a second its liquidations."""
        self._aggregates(now_ms)
        self._singles(now_ms)
        if self._subscriptions.of(Kind.FORCE) or self._subscriptions.of_array(Kind.EVERY_FORCE):
            self._liquidations.watch(self._tape.trades)
        if previous_ms // FORCE_MS != now_ms // FORCE_MS:
            for liquidation in self._liquidations.take():
                self._force(liquidation, now_ms)

    def _aggregates(self, now_ms: int) -> None:
        group = self._subscriptions.of(Kind.AGG_TRADE)
        if not group:
            return
        for index, time, price, quantity, buyer_is_maker, first, last in self._tape.trades.tolist():
            sinks = group.get(index)
            if sinks:
                maker = "true" if buyer_is_maker else "false"
                template = self._templates[index].agg_trade
                text = template % (now_ms, first, price, quantity, quantity, first, last, time, maker)
                deliver(sinks, text.encode())

    def _singles(self, now_ms: int) -> None:
        tape = self._tape
        for index, sinks in self._subscriptions.of(Kind.TRADE).items():
            lot = float(tape.listings[index].instrument.lot.step)
            template = self._templates[index].trade
            for trade in single_trades(tape.trades[tape.trades["symbol"] == index], lot):
                maker = "true" if trade.buyer_is_maker else "false"
                text = template % (now_ms, trade.time_ms, trade.trade_id, trade.price, trade.quantity, maker)
                deliver(sinks, text.encode())

    def _force(self, liquidation: Liquidation, now_ms: int) -> None:
        index = liquidation.listing
        single = self._subscriptions.of(Kind.FORCE).get(index, [])
        every = self._subscriptions.of_array(Kind.EVERY_FORCE)
        templates = self._templates[index]
        _, side, price, average, quantity, time = liquidation
        values = (now_ms, side, quantity, price, average, quantity, quantity, time)
        deliver(single, (templates.force % (*values, "}")).encode())
        if index not in self._subscriptions.hidden:
            deliver(every, (templates.force % (*values, "," + templates.tail)).encode())
        twin = self._coin.get(index)
        if twin is not None and time % _COIN_ONE_IN == 0:
            deliver(every, (twin.force % (*values, "," + twin.tail)).encode())
