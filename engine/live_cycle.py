"""The live cycle: ready symbols, all three strategies, quality, balance, rank, risk, entries.

Strategies run in small groups of symbols with a turn of the loop between them, so that a cycle over 200 symbols never
holds the loop for more than a few milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from engine.consult import consulted
from engine.entries import Entries
from engine.events import EventKind, Severity
from engine.hunter import FLAG as HUNTING
from engine.hunter import Hunter
from engine.journal.record import CycleRecord, SignalRecord
from engine.rules import advanced_rules, signal_rules
from engine.signals.gate_log import GateLog
from engine.signals.select import select
from engine.signals.signal import Selection, Signal, SignalState
from engine.snapshot import CycleView, DimensionRow
from engine.strategy.panel import StrategyRules
from engine.strategy.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk
    from engine.strategy.views import SymbolViews

GROUP = 8
"""Symbols evaluated per turn of the loop."""
KNOWN = 20_000
"""Signal ids remembered, so that a set-up is journaled once per state."""


class LiveCycle:
    """Runs the cycles and keeps what the last one found."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.number = 0
        self.views: dict[str, SymbolViews] = {}
        self.selection: Selection | None = None
        self.waiting: tuple[tuple[str, str], ...] = ()
        """(symbol, reason) of the members that are not ready."""
        self.known: OrderedDict[tuple[str, str], None] = OrderedDict()
        """(signal id, state) of what has been journaled."""
        self.entries = Entries(desk)
        self._gates = GateLog()
        self._rules = signal_rules(desk.settings)
        self.hunter = Hunter(desk)

    async def run(self) -> None:
        """Run one cycle."""
        desk = self._desk
        began = desk.vitals.instant()
        self.number += 1
        desk.modules.new_cycle()
        desk.virtual.catch_up()
        waiting: list[tuple[str, str]] = []
        views = await self._views(desk.feed.symbols, waiting)
        desk.tell_guests()
        if desk.flags.on(HUNTING):
            views = await self.hunter.hunt(views)
        self.waiting = tuple(waiting)
        now = desk.clock.now_ms()
        selection = select(views, desk.mode, desk.book.track, self._rules, now)
        self.views = {view.reading.symbol: view for view in views}
        self.selection = selection
        for signal in selection.signals:
            self._journal(signal)
        desk.resync.beat()
        if not desk.resync.reason:
            self.entries.follow(selection, now)
        duration = (desk.vitals.instant() - began) * 1000
        self._finish(selection, len(views), duration)

    async def _views(self, symbols: Sequence[str], waiting: list[tuple[str, str]]) -> list[SymbolViews]:
        """Return what the strategies say of the ready ones, a group per turn of the loop."""
        desk = self._desk
        views: list[SymbolViews] = []
        advise = partial(desk.advanced.advise, rules=advanced_rules(desk.settings, desk.flags))
        for first in range(0, len(symbols), GROUP):
            readings = self._readings(symbols[first : first + GROUP], waiting)
            views += await consulted(
                desk.served,
                desk.settings.prediction.batch_max_delay,
                desk.feed.tables,
                readings,
                desk.clock.now_ms(),
                StrategyRules(),
                desk.guests,
                advise,
            )
            await desk.clock.sleep(0)
        return views

    def _readings(self, symbols: Sequence[str], waiting: list[tuple[str, str]]) -> list[Reading]:
        """Return the readings of the ready ones; the others go to `waiting` with their reason."""
        ready = []
        now = self._desk.clock.now_ms()
        for symbol in symbols:
            reason = self._desk.feed.reason(symbol, now)
            slot = self._desk.feed.slot_of(symbol)
            if reason or slot is None:
                waiting.append((symbol, reason))
            else:
                ready.append(self._reading(symbol, slot))
        return ready

    def _reading(self, symbol: str, slot: int) -> Reading:
        feed = self._desk.feed
        quotes = feed.quotes
        bid, ask, last = float(quotes.bid[slot]), float(quotes.ask[slot]), float(quotes.last[slot])
        rules = feed.instruments[symbol]
        middle = (bid + ask) / 2
        return Reading(
            slot=slot,
            symbol=symbol,
            price=last if last > 0 else middle,
            mark=float(quotes.mark[slot]),
            bid=bid,
            ask=ask,
            spread_bps=(ask - bid) / middle * 1e4,
            funding_rate=float(quotes.funding_rate[slot]),
            quote_volume=float(quotes.quote_volume[slot]),
            volume_rank=feed.universe.ranks.get(symbol, len(feed.universe.ranks)),
            completeness=1.0,
            updated_ms=int(max(quotes.book_time[slot], quotes.mark_time[slot])),
            tick=float(rules.tick),
            decimals=rules.decimals,
        )

    def _journal(self, signal: Signal) -> None:
        """Store a set-up once per state it reaches; tell the accepted ones."""
        state = str(signal.state)
        if (signal.signal_id, state) in self.known:
            return
        self.remember(signal.signal_id, state)
        candidate = signal.candidate
        self._desk.chronicle.record(
            SignalRecord(
                signal.time,
                signal.signal_id,
                candidate=candidate,
                state=state,
                reason=signal.reason,
                rank=signal.rank,
                cycle=self.number,
                quality=signal.quality.score,
                win_probability=signal.p_win,
                expected_r=signal.expected_r,
                dimensions=tuple((one.name, one.value, one.passed) for one in signal.quality.dimensions),
                gate=signal.gate,
                distance=signal.distance,
                limits=tuple(one.text for one in signal.quality.dimensions),
                misses=signal.misses,
                win_source=signal.p_source,
                costs_r=signal.costs_r,
                mode=self._desk.mode,
            )
        )
        if signal.state is SignalState.ACCEPTED:
            text = (
                f"{candidate.symbol} {candidate.direction.value} accepted ({candidate.strategy}, {candidate.pattern}): "
                f"confidence {candidate.confidence:.2f}, {signal.reason}"
            )
            severity = Severity.NOTICE if signal.executable else Severity.INFO
            self._desk.chronicle.say(EventKind.SIGNAL, text, severity, candidate.symbol, signal.signal_id)

    def remember(self, signal_id: str, state: str) -> None:
        """Note that a set-up has been journaled in this state."""
        self.known[signal_id, state] = None
        while len(self.known) > KNOWN:
            self.known.popitem(last=False)

    def _finish(self, selection: Selection, ready: int, duration_ms: float) -> None:
        desk = self._desk
        if desk.phase == "back-filling" and ready:
            desk.phase, desk.phase_text = "running", ""
        view = CycleView(
            number=self.number,
            time=selection.time,
            duration_ms=duration_ms,
            overruns=desk.live_loop.overruns,
            universe=len(desk.feed.symbols),
            ready=ready,
            candidates=selection.candidates,
            accepted=len(selection.accepted),
            long_share=selection.long_share,
            dimensions=tuple(DimensionRow(one.name, one.kept, one.dropped) for one in selection.dimensions),
        )
        desk.cycle = view
        whole, gates = self._gates.take(list(self.views.values()), self.waiting, selection)
        desk.chronicle.record(CycleRecord(selection.time, f"cycle-{self.number}", cycle=view, whole=whole, gates=gates))
        desk.publish()
        if desk.on_cycle is not None:
            desk.on_cycle(view)
