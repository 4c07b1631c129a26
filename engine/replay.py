"""Replay: the desk's own decision code over history, from one instant at which something can happen to the next.

Order at the close of a 5m bar, for every symbol: what the bar traded reaches resting entries and open positions; then
the live cycle decides on the closed bars; then its entries are filled at the price that follows, the next bar's open.
Within a bar the order of prices is unknown: a position meets the open first, and where a bar holds both stop and target
the stop is taken; the bar that fills a resting entry can still stop it, but not reach its target.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine.analysis.tables import make_tables
from engine.backtest.desk import Decision, ReplayDesk, finish
from engine.backtest.foresight import Foresight
from engine.backtest.funding import Instants, usual_payments
from engine.backtest.gates import ICT, LONG, SHORT, Limits, judge
from engine.backtest.history import BAR_MS
from engine.backtest.listed import contract_from
from engine.backtest.symbols import ReplaySymbol, first_beyond, frames_of
from engine.backtest.universe import Ranks
from engine.positions.costs import exact
from engine.positions.lifecycle import EventName
from engine.risk.liquidation import isolated_liquidation
from engine.rules import signal_rules
from engine.strategy.candidate import Direction, StrategyName
from engine.strategy.costs import CostRules
from engine.strategy.hybrid import PREDICTOR, Vote
from engine.strategy.self_learning import HEAD, SelfLearningRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from config.flags import FlagBoard
    from config.settings import Settings
    from engine.backtest.funding import Payment
    from engine.backtest.history import History
    from engine.backtest.listed import Contract
    from engine.positions.lifecycle import PositionEvent
    from engine.strategy.guests import Guests
    from exchange.market_data import Candles

    Frames = tuple[npt.NDArray[np.void], ...]

READY_BARS = 500
"""Closed bars of every frame before a symbol may signal, as in the live desk."""
STEERING = ("ENABLE_MARKET_REGIME_PREDICTION", "ENABLE_DYNAMIC_FEATURES", "ENABLE_LIQUIDITY_HUNTING")
"""Flags that may move a threshold: with one of them on every close is put before the strategies themselves."""


class ReplayRules(msgspec.Struct, frozen=True):
    """What history does not tell."""

    spread_bps: float = 2.0
    funding_rate: float = 0.0001
    """Paid by longs at 00, 08 and 16 UTC."""
    sift: bool = True
    """Whether the cheap judgement runs first; without it every ready symbol is evaluated at every close."""


class Close(NamedTuple):
    """A close worth a look."""

    row: int
    """Its place among all of them."""
    slot: int
    bits: int


class Trade(msgspec.Struct, frozen=True):
    """One closed position."""

    position_id: str
    strategy: str
    symbol: str
    direction: Direction
    opened_ms: int
    closed_ms: int
    entry: float
    exit: float
    stop: float
    target: float
    quantity: Decimal
    leverage: float
    margin: Decimal
    cause: str
    reason: str
    net: Decimal
    r: float
    best: float
    """Best pnl in percent of margin after costs."""
    worst: float
    funding: Decimal
    confidence: float
    signal_id: str


class Outcome(msgspec.Struct, frozen=True):
    """What a replay found."""

    decisions: tuple[Decision, ...]
    trades: tuple[Trade, ...]
    bars: int
    """5m bars that went through the analysis."""
    ready_bars: int
    """Those at whose close their symbol could signal."""
    instants: int
    """Instants at which a cycle ran."""
    looked: int
    """Closes put before the strategies' full code."""
    first_ms: int
    last_ms: int
    start_balance: Decimal
    sifted: bool


class Replay:
    """One run over a history. The outcome depends on its arguments only."""

    def __init__(
        self,
        history: History,
        settings: Settings,
        flags: FlagBoard,
        rules: ReplayRules | None = None,
        *,
        seed: int = 1,
        start_ms: int = 0,
        guests: Guests | None = None,
    ) -> None:
        """Prepare a run that decides from `start_ms` on; bars before it only warm up.

        Where the history holds no recorded funding, `rules.funding_rate` is paid.
        """
        self._funding = history.funding
        self._due = Instants(history.funding.values())
        self.rules = rules or ReplayRules()
        self.settings = settings
        self._start_ms = start_ms
        self._symbols = [ReplaySymbol(series, slot) for slot, series in enumerate(history.series)]
        self._by_name = {one.symbol: one for one in self._symbols}
        names = [one.symbol for one in self._symbols]
        first = min(int(one.series.open_time[0]) for one in self._symbols)
        self.desk = ReplayDesk(settings, flags, names, first, seed, self._past, guests)
        self._told = history.told
        self._unit_ends: dict[int, int] = {}
        """First bar of the next unit by slot."""
        self.contracts: dict[str, Contract] = {}
        """The rules in force by symbol."""
        for one in self._symbols:
            self._list(one, 0)
        self.desk.told.watch = self._watch
        self._ranks = Ranks(history.series, settings.universe.size)
        self._sifts = self.rules.sift and not (
            self.desk.guests.names
            or any(flags.on(name) for name in STEERING)
            or any(self.desk.served.ready(model) is None for model in (HEAD, PREDICTOR))
        )
        self._foresight: Foresight | None = None
        self._acting = str(settings.strategy.mode)
        self._sides: dict[tuple[str, str], int] = {}
        self._openings: dict[str, PositionEvent] = {}
        self._liquidations: dict[str, float] = {}
        self._open_at: dict[int, set[str]] = {}
        self._wakes: list[tuple[int, int]] = []
        self._trades: list[Trade] = []
        self._instants = self._looked = 0
        self._funded_ms = 0

    def _list(self, one: ReplaySymbol, bar: int) -> None:
        """Give the desk the rules of the contract that a bar belongs to."""
        units = [*one.series.units(), len(one.series.open_time)]
        after = bisect_right(units, bar)
        contract = contract_from(one.series, units[after - 1], units[after], self._told)
        self.contracts[one.symbol] = contract
        self.desk.rules(one.symbol, contract.instrument, contract.brackets)
        self._unit_ends[one.slot] = units[after]

    # Judging.

    def _limits(self) -> Limits:
        rules, costs = signal_rules(self.settings), CostRules()
        quality, hard = rules.quality, rules.quality.hard
        share = costs.entry_fee + costs.exit_fee + 2 * costs.slippage + self.rules.spread_bps * 1e-4
        return Limits(
            quality.min_confidence if "confidence" in hard else 0.0,
            SelfLearningRules().margin,
            share,
            quality.min_atr_percent / 100 if "atr" in hard else 0.0,
            quality.max_atr_percent / 100 if "atr" in hard else np.inf,
            quality.max_reversal_risk if "reversal" in hard else np.inf,
            quality.min_reward_risk if "reward_risk" in hard else 0.0,
            quality.max_reward_risk if "reward_risk" in hard else np.inf,
        )

    def _frames(self, progress: Callable[[int], None]) -> Iterator[tuple[ReplaySymbol, Frames]]:
        """Yield the frames of every stretch and count its bars."""
        self._bars = self._ready = 0
        for one in self._symbols:
            for stretch in one.stretches:
                frames = frames_of(one.series, stretch)
                yield one, frames
                self._bars += len(frames[0])
                self._ready += len(frames[0]) - ready_from(frames)
                progress(stretch.end - stretch.first)

    def _judge(self, progress: Callable[[int], None]) -> Foresight:
        """Return the closes at which a strategy could propose."""
        tables, limits = make_tables(1), self._limits()
        times, slots, found = [], [], []
        for one, frames in self._frames(progress):
            for closes in judge(tables, 0, frames, READY_BARS, limits):
                time = frames[0]["t"][closes.bar] + BAR_MS
                late = np.flatnonzero(time >= self._start_ms)
                times.append(time[late])
                slots.append(np.full(len(late), one.slot, np.int64))
                found.append(closes.taken(late))
        return Foresight(times, slots, found, self.desk.served.ready(HEAD) or "")

    def _all(self, progress: Callable[[int], None]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (instant, slot) of every close of a ready symbol, in order of time, then slot."""
        times, slots = [], []
        for one, frames in self._frames(progress):
            time = frames[0]["t"][ready_from(frames) :] + BAR_MS
            times.append(time[time >= self._start_ms])
            slots.append(np.full(len(times[-1]), one.slot, np.int64))
        time, slot = np.concatenate(times), np.concatenate(slots)
        order = np.lexsort((slot, time))
        return time[order], slot[order]

    # Running.

    def run(self, progress: Callable[[int], None] = lambda _bars: None) -> Outcome:
        """Run to the end. `progress` hears how many bars were taken."""
        if self._sifts:
            self._foresight = self._judge(progress)
            self.desk.cycles.vote = Vote(reason=self.desk.served.ready(PREDICTOR) or "")
            time, slot, bits = self._foresight.time, self._foresight.slot, self._foresight.bits
        else:
            time, slot = self._all(progress)
            bits = np.full(len(time), ICT | LONG | SHORT)
        borders = np.flatnonzero(np.diff(time, prepend=-1, append=-1))
        instants = time[borders[:-1]].tolist() if len(time) else []
        place = 0
        while place < len(instants) or self._wakes:
            now = min(instants[place : place + 1] + [wake for wake, _ in self._wakes[:1]])
            due: set[int] = set()
            while self._wakes and self._wakes[0][0] <= now:
                slot_due = heappop(self._wakes)[1]
                if self._open_at.get(slot_due):  # what it was set for may have ended
                    due.add(slot_due)
            here: list[Close] = []
            if place < len(instants) and instants[place] == now:
                first, end = int(borders[place]), int(borders[place + 1])
                here = list(map(Close, range(first, end), slot[first:end].tolist(), bits[first:end].tolist()))
                place += 1
            if due or here or self.desk.resting.waiting:
                self._at(now, due, here)
        return self._outcome()

    def _at(self, now: int, due: set[int], here: list[Close]) -> None:
        """Let one instant happen."""
        self._fund(now)
        desk = self.desk
        desk.moment.now = now
        waiting = {entry.slot for entry in desk.resting.waiting}
        for slot in sorted(due | waiting):
            self._trade(self._symbols[slot], now)
        finish(desk.virtual.run())
        waiting = {entry.slot for entry in desk.resting.waiting}
        looked = [close for close in here if close.slot in waiting or self._may_act(close.slot, close.bits)]
        if looked or waiting:
            self._cycle(looked, now)

    def _may_act(self, slot: int, bits: int) -> bool:
        """Say whether a close can change anything: a side that is held already cannot be entered again."""
        if bits & ICT or self._acting == StrategyName.SELF_LEARNING.value or not self._sifts:
            return True
        side = self._sides.get((StrategyName.SELF_LEARNING.value, self._symbols[slot].symbol), 0)
        return bool((bits & LONG and side <= 0) or (bits & SHORT and side >= 0))

    def _cycle(self, closes: Iterable[Close], now: int) -> None:
        """Run the live cycle over these symbols."""
        desk, quotes = self.desk, self.desk.feed.quotes
        places, following, shown = [], [], []
        half = self.rules.spread_bps / 2e4
        seen = {}
        for row, slot, _ in closes:
            one = self._symbols[slot]
            bar = one.bar_closing(now)
            if self._foresight is None:
                one.bring(desk.feed.tables, bar)
            else:
                seen[one.symbol] = self._foresight.seen(row)
            self._catch_up(one, bar)
            if bar >= self._unit_ends[slot]:
                self._list(one, bar)
            price = float(one.series.close[bar])
            quotes.last[slot] = quotes.mark[slot] = price
            quotes.bid[slot], quotes.ask[slot] = price * (1 - half), price * (1 + half)
            quotes.funding_rate[slot] = self._rate(one.symbol, now)
            quotes.book_time[slot] = quotes.mark_time[slot] = now
            shown.append(one.symbol)
            places.append(slot)
            ends = bar + 1 >= one.stretch_of(bar).end
            following.append(np.nan if ends else float(one.series.open[bar + 1]))
        members, ranks = self._ranks.at(now, shown)
        desk.market.show(members, ranks)
        desk.market.ready = frozenset(shown)
        desk.prices.next_prices = places, following
        desk.cycles.foreseen = seen if self._foresight is not None else None
        finish(desk.live.run())
        self._instants += 1
        self._looked += len(shown)
        for slot in {entry.slot for entry in desk.resting.waiting}:
            heappush(self._wakes, (now + BAR_MS, slot))

    # What the market does.

    def _trade(self, one: ReplaySymbol, now: int) -> None:
        """Let the bar that closes now reach what is open and what rests."""
        bar = one.bar_closing(now)
        if bar < 0:
            return
        self._catch_up(one, bar)
        series, desk = one.series, self.desk
        if bar == one.stretch_of(bar).first:
            desk.pending.withdraw(one.symbol)
        high, low = float(series.high[bar]), float(series.low[bar])
        for entry in desk.filled(one.slot, high, low, now - 1):
            price = entry.signal.candidate.entry
            before = set(self._open_at.get(one.slot, ()))
            desk.live.entries.open(entry.signal, one.slot, price, now)
            if self._open_at.get(one.slot, set()) - before:
                self._same_bar(one, bar, entry.signal.candidate.direction.sign, price, now)
        if bar + 1 >= one.stretch_of(bar).end and self._open_at.get(one.slot):
            desk.chronicle.positions(
                desk.book.close_symbol(one.symbol, float(series.close[bar]), now, series.end_text(bar))
            )

    def _same_bar(self, one: ReplaySymbol, bar: int, sign: int, price: float, now: int) -> None:
        """Let the bar that filled a resting entry stop it; the order within the bar is unknown, so no target counts."""
        series = one.series
        high, low, close = float(series.high[bar]), float(series.low[bar]), float(series.close[bar])
        seen = (now, price, low, min(close, price)) if sign > 0 else (now, high, price, max(close, price))
        self.desk.observe(one.slot, seen)

    def _catch_up(self, one: ReplaySymbol, bar: int) -> None:
        """Let the book see every bar of a symbol up to this one."""
        if not self._open_at.get(one.slot):
            one.seen = bar
            return
        series, first = one.series, one.seen + 1
        if first > bar:
            return
        quiet = slice(first, bar)
        begins = int(series.open_time[bar])
        if first < bar:
            high, low = float(series.high[quiet].max()), float(series.low[quiet].min())
            self.desk.observe(one.slot, (begins, high, low, float(series.close[bar - 1])))
        opened, now = float(series.open[bar]), begins + BAR_MS
        self._liquidate(one, opened, begins)
        traded = now, float(series.high[bar]), float(series.low[bar]), float(series.close[bar])
        self.desk.observe(one.slot, (now, opened, opened, opened), traded)
        one.seen = bar

    def _liquidate(self, one: ReplaySymbol, opened: float, now: int) -> None:
        """Close what a bar opens beyond its liquidation price: the margin is lost, not more."""
        for position_id in sorted(self._open_at.get(one.slot, ())):
            level = self._liquidations[position_id]
            terms = self._openings[position_id].terms
            assert terms is not None
            if level > 0 and terms.direction.sign * (opened - level) <= 0:
                reason = f"liquidated at {level:.{terms.decimals}f}: the bar opened beyond it"
                self.desk.chronicle.positions(self.desk.book.close(position_id, level, now, reason))

    def _fund(self, now: int) -> None:
        """Charge the funding instants since the last one to what is open, at the recorded rates where there are any."""
        since, self._funded_ms = self._funded_ms, now
        if not (len(self.desk.book) and self._due.between(since, now)):
            return
        payments = [
            (one.time_ms, slot, one.rate, one.mark)
            for slot, open_here in self._open_at.items()
            if open_here
            for one in self._payments(self._symbols[slot].symbol, since, now)
        ]
        for due, slot, rate, recorded in sorted(payments):
            if not self._open_at.get(slot):
                continue
            self.desk.moment.now = due
            one = self._symbols[slot]
            bar = one.last_closed(due)
            self._catch_up(one, bar)
            mark = recorded if recorded > 0 else float(one.series.close[bar])
            self.desk.chronicle.positions(self.desk.book.fund(slot, rate, mark, due, due))

    def _payments(self, symbol: str, since: int, now: int) -> list[Payment]:
        recorded = self._funding.get(symbol)
        if recorded is not None:
            return recorded.payments(since, now, self.rules.funding_rate)
        return usual_payments(since, now, self.rules.funding_rate)

    def _rate(self, symbol: str, now: int) -> float:
        """Return the funding rate a strategy sees: the last that was paid."""
        recorded = self._funding.get(symbol)
        known = recorded.known(now) if recorded is not None else None
        return self.rules.funding_rate if known is None else known

    def _past(self, symbol: str, limit: int) -> Candles:
        one = self._by_name[symbol]
        return one.past(one.last_closed(self.desk.clock.now_ms()), limit)

    # What the desk did.

    def _watch(self, event: PositionEvent) -> None:
        one = self._by_name[event.symbol]
        if event.event is EventName.CREATED:
            self._opened(one, event)
        elif event.event is EventName.CLOSED:
            self._closed(one, event)
        else:
            self._openings[f"end {event.position_id}"] = event

    def _opened(self, one: ReplaySymbol, event: PositionEvent) -> None:
        terms = event.terms
        assert terms is not None
        self._openings[event.position_id] = event
        self._open_at.setdefault(one.slot, set()).add(event.position_id)
        self._sides[event.strategy, event.symbol] = terms.direction.sign
        brackets = self.desk.feed.brackets[event.symbol]
        margin_leverage = terms.notional / terms.margin
        sign = terms.direction.sign
        self._liquidations[event.position_id] = float(
            isolated_liquidation(sign, terms.notional, exact(terms.entry), margin_leverage, brackets)
        )
        bar = one.last_closed(event.time)
        one.seen = max(one.seen, bar)
        end = one.stretch_of(bar).end
        floor, ceiling = sorted((terms.stop, terms.target))
        found = int(first_beyond(one.series.high, one.series.low, bar + 1, end, ceiling, floor))
        heappush(self._wakes, (int(one.series.open_time[min(found, end - 1)]) + BAR_MS, one.slot))
        heappush(self._wakes, (terms.expires_ms // BAR_MS * BAR_MS + BAR_MS, one.slot))

    def _closed(self, one: ReplaySymbol, event: PositionEvent) -> None:
        opening = self._openings.pop(event.position_id)
        ending = self._openings.pop(f"end {event.position_id}")
        self._liquidations.pop(event.position_id)
        self._open_at[one.slot].discard(event.position_id)
        self._sides.pop((event.strategy, event.symbol), None)
        terms = opening.terms
        assert terms is not None
        assert event.net is not None
        self._trades.append(
            Trade(
                event.position_id,
                event.strategy,
                event.symbol,
                terms.direction,
                opening.time,
                event.time,
                terms.entry,
                event.price,
                terms.stop,
                terms.target,
                terms.quantity,
                terms.leverage,
                terms.margin,
                ending.event.value,
                ending.reason,
                event.net,
                event.pnl_r,
                event.max_percent,
                event.min_percent,
                event.funding,
                terms.confidence,
                terms.signal_id,
            )
        )

    def _outcome(self) -> Outcome:
        return Outcome(
            decisions=tuple(self.desk.decided.kept),
            trades=tuple(self._trades),
            bars=self._bars,
            ready_bars=self._ready,
            instants=self._instants,
            looked=self._looked,
            first_ms=min(int(one.series.open_time[0]) for one in self._symbols),
            last_ms=max(int(one.series.open_time[-1]) for one in self._symbols) + BAR_MS,
            start_balance=self.settings.virtual.start_balance,
            sifted=self._sifts,
        )


def ready_from(frames: tuple[npt.NDArray[np.void], ...]) -> int:
    """Return the first bar of a stretch at whose close every frame holds enough bars; its length where none does."""
    size = len(frames[0])
    if any(len(frame) < READY_BARS for frame in frames):
        return size
    closes = [
        int(frame[READY_BARS - 1]["t"]) + step
        for frame, step in zip(frames, (300_000, 900_000, 3_600_000), strict=True)
    ]
    return min(size, (max(closes) - BAR_MS - int(frames[0][0]["t"])) // BAR_MS)
