"""Draws the desk for the screens: gathers the parts' views into one immutable snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engine.analysis.layout import FRAME_1H, FRAME_5M, FRAME_15M, FRAMES, SWING
from engine.flag_rows import flag_rows
from engine.risk.protection import protection_view
from engine.signals.explain import votes
from engine.snapshot import (
    AccountView,
    CycleView,
    EngineView,
    FeedView,
    LearningView,
    PositionRow,
    SignalRow,
    Snapshot,
)
from engine.strategy.candidate import NoCandidate
from ml.schema import SCHEMA_HASH

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.signals.signal import Signal

NAN = float("nan")
NOT_READY_SHOWN = 50
SAMPLES_NEEDED = 100
BRIEF = {"accepted": 0, "candidate": 1}
NO_CYCLE = CycleView(0, 0, 0.0, 0, 0, 0, (), 0, NAN, ())


class Judgement(NamedTuple):
    """What a cycle made of a symbol, in the order of the fields of SignalRow."""

    direction: str
    strategy: str
    state: str
    reason: str
    signal_rank: int
    confidence: float
    quality: float
    win_probability: float
    expected_r: float
    leverage: float
    reward_risk: float
    regime: str
    votes: str


class Picture:
    """Builds snapshots of one desk. The judgements are kept between cycles, where only prices move."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seq = 0
        self._cost_ms = 0.0
        self._rate = 0.0
        self._counted = (0, 0.0)
        self._standing: object = None
        self._judged: dict[str, tuple[int, int, Judgement]] = {}

    def take(self) -> Snapshot:
        """Return the present picture."""
        desk = self._desk
        began = desk.vitals.instant()
        self._seq += 1
        now = desk.clock.now_ms()
        snapshot = Snapshot(
            seq=self._seq,
            time=now,
            monotonic=began,
            speed=desk.identity.speed,
            environment=desk.identity.environment,
            exchange=desk.identity.exchange,
            trading="PAPER" if desk.orders is None else "LIVE",
            phase=desk.phase,
            phase_text=self._phase_text(),
            mode=desk.mode,
            entries=self._entries(),
            cycle=desk.cycle or NO_CYCLE,
            feed=self._feed(began),
            engine=self._engine(now),
            account=self._account(),
            breaker=desk.gate.view(),
            protection=protection_view(desk.protection),
            learning=self._learning(),
            flags=flag_rows(desk),
            signals=self._signals(),
            positions=self._positions(),
            virtual=desk.book.rows(),
            closed=desk.book.closed(),
            standings=desk.book.standings(),
            leverage=tuple(desk.decisions),
            event_counts=desk.book.event_counts(),
            capability=desk.venue.view(),
            hand=None if desk.orders is None else desk.orders.view(),
        )
        self._cost_ms = (desk.vitals.instant() - began) * 1000
        return snapshot

    def _phase_text(self) -> str:
        desk = self._desk
        if desk.phase != "back-filling":
            return desk.phase_text
        total = 3 * len(desk.feed.symbols)
        return f"fetching candles: {total - desk.feed.backfill.waiting} of {total} series"

    def _entries(self) -> str:
        desk = self._desk
        if desk.halted_by:
            return f"halted by {desk.halted_by}"
        if desk.chronicle.journal.failed:
            return f"halted: the journal cannot be written ({desk.chronicle.journal.failed})"
        if not desk.protection.effects.entries_allowed:
            return f"halted by the account protection: {desk.protection.reason}"
        if desk.resync.reason:
            return f"halted: {desk.resync.reason}"
        return "open"

    def _feed(self, instant: float) -> FeedView:
        desk, feed = self._desk, self._desk.feed
        messages, since = self._counted
        if instant - since >= 1.0:
            self._rate = (feed.messages - messages) / (instant - since) if since else 0.0
            self._counted = (feed.messages, instant)
        stats = feed.streams.stats()
        refused = desk.quarantine.last
        live = sum(one.phase == "open" for one in stats)
        return FeedView(
            connected=bool(stats) and live == len(stats),
            sockets=live,
            sockets_wanted=len(stats),
            messages_per_s=self._rate,
            last_message_ms=feed.last_message_ms,
            malformed=desk.quarantine.total,
            last_malformed=f"{refused.text}: {refused.sample}" if refused is not None else "",
            reconnects=sum(one.reconnects for one in stats),
            weight_used=desk.ledger.used(desk.client.venue_ms()),
            weight_limit=desk.settings.exchange.rate_limit,
            clock_offset_ms=float(desk.client.clock_sync.offset_ms),
            backfill_done=3 * len(feed.symbols) - feed.backfill.waiting,
            backfill_total=3 * len(feed.symbols),
            not_ready=desk.live.waiting[:NOT_READY_SHOWN],
            last_error=feed.last_error,
            bad_input=desk.venue.bad_input(),
            odd_bars=feed.odd_bars(),
            silent=tuple(
                (f"{one.route.value} {one.socket}", NAN if one.silent_s is None else one.silent_s) for one in stats
            ),
        )

    def _engine(self, now: int) -> EngineView:
        desk = self._desk
        p99, maximum = desk.vitals.lag()
        journal = desk.chronicle.journal
        monotonic = desk.clock.monotonic()
        return EngineView(
            lag_p99_ms=p99,
            lag_max_ms=maximum,
            memory_mb=desk.vitals.memory_mb(),
            uptime_s=(monotonic - desk.started) / desk.identity.speed,
            journal_records=journal.records,
            journal_lag_ms=journal.lag_ms,
            snapshot_ms=self._cost_ms,
            next_live_ms=now + int((desk.live_loop.next_due - monotonic) * 1000) if desk.live_loop.runs else 0,
            next_virtual_ms=now + int((desk.virtual_loop.next_due - monotonic) * 1000) if desk.virtual_loop.runs else 0,
            virtual_duration_ms=desk.virtual_loop.duration * 1000 / desk.identity.speed,
            virtual_overruns=desk.virtual_loop.overruns,
            restarts=desk.vitals.restarts(),
        )

    def _account(self) -> AccountView:
        desk = self._desk
        summary = desk.account.summary
        return AccountView(
            virtual_equity=desk.book.equity(),
            virtual_start=float(desk.settings.virtual.start_balance),
            wallet=float(summary.wallet) if summary is not None else NAN,
            available=float(summary.available) if summary is not None else NAN,
            unrealised=float(summary.unrealized) if summary is not None else NAN,
            updated_ms=desk.account.read_ms,
            position_mode=desk.account.mode,
        )

    def _learning(self) -> LearningView:
        desk = self._desk
        reason = desk.ports.infer.ready("predictor") or "serving"
        closed = sum(one.closed for one in desk.book.standings())
        return LearningView(
            rung=f"statistical fallback: {reason}",
            samples=closed,
            samples_needed=SAMPLES_NEEDED,
            note=f"feature schema {SCHEMA_HASH[:12]}; closed virtual trades are kept with their feature row",
        )

    def _positions(self) -> tuple[PositionRow, ...]:
        desk = self._desk
        rows = []
        for position in desk.account.positions:
            quantity, entry, mark = float(position.quantity), float(position.entry), float(position.mark)
            margin = float(position.initial_margin)
            pnl = float(position.unrealized)
            instrument = desk.feed.instruments.get(position.symbol)
            stop, target, state = NAN, NAN, ""
            if desk.orders is not None:
                stop, target, state = desk.orders.levels(position.symbol, position.side)
            rows.append(
                PositionRow(
                    symbol=position.symbol,
                    decimals=instrument.decimals if instrument is not None else 8,
                    direction="LONG" if quantity > 0 else "SHORT",
                    quantity=abs(quantity),
                    entry=entry,
                    mark=mark,
                    pnl=pnl,
                    pnl_percent=100 * pnl / margin if margin else NAN,
                    leverage=abs(float(position.notional)) / margin if margin else NAN,
                    stop=stop,
                    target=target,
                    liquidation=float(position.liquidation),
                    updated_ms=position.update_time,
                    last_event=state,
                )
            )
        return tuple(rows)

    def _signals(self) -> tuple[SignalRow, ...]:
        """Return one row per member; between cycles only prices and biases move, the judgement is kept."""
        desk, feed, quotes = self._desk, self._desk.feed, self._desk.feed.quotes
        standing = (desk.live.selection, desk.mode, desk.decisions[:1], feed.universe)
        if standing != self._standing:
            self._standing, self._judged = standing, self._judge()
        biases = feed.tables.series["bias"][:, SWING].tolist()
        prices = quotes.prices()
        rows = []
        for symbol, slot in feed.slots().items():
            last, change, volume, funding, spread, minute, updated = prices[slot]
            rank, decimals, judgement = self._judged[symbol]
            first = slot * len(FRAMES)
            rows.append(
                SignalRow(
                    rank,
                    symbol,
                    decimals,
                    last,
                    change,
                    minute,
                    volume,
                    biases[first + FRAME_1H],
                    biases[first + FRAME_15M],
                    biases[first + FRAME_5M],
                    *judgement[:11],
                    funding,
                    spread,
                    int(updated),
                    *judgement[11:],
                )
            )
        rows.sort(key=lambda row: row.rank)
        return tuple(rows)

    def _judge(self) -> dict[str, tuple[int, int, Judgement]]:
        """Return rank, decimals and judgement of every member."""
        feed = self._desk.feed
        waiting, best = dict(self._desk.live.waiting), self._best()
        leverage = {row.symbol: row.leverage for row in reversed(self._desk.decisions)}
        judged = {}
        for symbol in feed.symbols:
            views, signal, reason = self._desk.live.views.get(symbol), best.get(symbol), waiting.get(symbol, "")
            lever = leverage.get(symbol, NAN)
            regime = views.facts.regime.value if views is not None else ""
            seen = votes(views) if views is not None else "..."
            if signal is None:
                state = "not ready" if reason or views is None else "none"
                text = reason or self._why_none(symbol)
                judgement = Judgement("", "", state, text, 0, NAN, NAN, NAN, NAN, lever, NAN, regime, seen)
            else:
                candidate = signal.candidate
                judgement = Judgement(
                    candidate.direction.value,
                    str(candidate.strategy),
                    signal.state.value,
                    signal.reason,
                    signal.rank,
                    candidate.confidence,
                    signal.quality.score,
                    signal.p_win,
                    signal.expected_r,
                    lever,
                    candidate.reward_risk,
                    regime,
                    seen,
                )
            judged[symbol] = (feed.universe.ranks[symbol], feed.instruments[symbol].decimals, judgement)
        return judged

    def _best(self) -> dict[str, Signal]:
        """Return per symbol the signal to show: the acting strategy's, else another's, accepted before candidates."""
        selection = self._desk.live.selection
        best: dict[str, Signal] = {}
        for signal in selection.signals if selection is not None else ():
            symbol = signal.candidate.symbol
            known = best.get(symbol)
            if known is None or self._order(signal) < self._order(known):
                best[symbol] = signal
        return best

    def _order(self, signal: Signal) -> tuple[int, bool]:
        return BRIEF[signal.state.value], signal.candidate.strategy != self._desk.mode

    def _why_none(self, symbol: str) -> str:
        views = self._desk.live.views.get(symbol)
        if views is None:
            return "waits for the next cycle"
        view = views.view(self._desk.mode)
        return f"{view.gate}: {view.text}" if isinstance(view, NoCandidate) else ""
