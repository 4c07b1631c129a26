"""The desk's side of liquidity hunting: which candidates are hunted, and the order books they are judged by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from engine.strategy.candidate import Candidate
from engine.strategy.costs import risk_of
from engine.strategy.hunt import HuntRules, hunt
from exchange.errors import ExchangeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk
    from engine.strategy.views import SymbolViews, View
    from exchange.market_data import DepthSnapshot

FLAG = "ENABLE_LIQUIDITY_HUNTING"
BOOKS = 8
"""Order books read per cycle, 80 of the weight of a minute; further symbols are judged without one."""
DEPTH = 500
"""Levels per side, enough for 1 % of price in all but the finest ticks."""


class Hunter:
    """Moves the entries of one desk's candidates to resting liquidity."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def hunt(self, views: Sequence[SymbolViews]) -> list[SymbolViews]:
        """Return the views with every candidate of enough confidence hunted, or refused for its slippage."""
        settings = self._desk.settings
        rules = HuntRules(settings.liquidity_hunting.confidence, settings.liquidity_hunting.slippage_tolerance)
        wanted = [
            view.reading.symbol
            for view in views
            if any(candidate.confidence >= rules.confidence for candidate in view.candidates())
        ]
        books = await self._books(wanted[:BOOKS])
        return [self._view(view, books.get(view.reading.symbol), rules) for view in views]

    async def _books(self, symbols: Sequence[str]) -> dict[str, DepthSnapshot]:
        """Read the order books; one that cannot be read is an error of the module and no more."""
        books: dict[str, DepthSnapshot] = {}
        if not (symbols and self._desk.identity.has_books):
            return books

        async def read(symbol: str) -> None:
            try:
                books[symbol] = await self._desk.client.depth(symbol, DEPTH, priority=Priority.LOW)
            except ExchangeError as error:
                self._desk.modules[FLAG].errors += 1
                self._desk.modules[FLAG].note(f"no order book ({error})")

        async with asyncio.TaskGroup() as group:
            for symbol in symbols:
                group.create_task(read(symbol), name=f"order book of {symbol}")
        return books

    def _view(self, view: SymbolViews, book: DepthSnapshot | None, rules: HuntRules) -> SymbolViews:
        def hunted(one: View) -> View:
            if not isinstance(one, Candidate) or one.confidence < rules.confidence:
                return one
            settings = self._desk.settings
            notional = float(settings.virtual.start_balance) * settings.risk.risk_per_trade / risk_of(one)
            with self._desk.modules.timed(FLAG) as module:
                found = hunt(one, self._desk.feed.tables, view.reading, view.facts, book, notional, rules)
                module.note(found.rung)
                return found.view

        return msgspec.structs.replace(
            view,
            ict=hunted(view.ict),
            self_learning=hunted(view.self_learning),
            hybrid=hunted(view.hybrid),
            guests=tuple(hunted(one) for one in view.guests),
        )
