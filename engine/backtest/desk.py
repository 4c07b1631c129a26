"""The desk as a replay drives it: the real one, with history in the place of the venue.

Only what touches the world is replaced: the clock stands where the replay puts it, the feed holds what history shows,
the virtual loop sees the next price when an entry is decided, and what would be journaled is kept as decisions.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NoReturn

import msgspec
import numpy as np

from engine.adapters.entropy import RandomEntropy
from engine.adapters.memory_disk import MemoryDisk
from engine.analysis.layout import BARS
from engine.chronicle import Chronicle
from engine.desk import Desk, Identity, Pace
from engine.events import EventKind, Severity
from engine.journal.record import DecisionRecord, PositionRecord, SignalRecord
from engine.live_cycle import LiveCycle
from engine.market.feed import Feed
from engine.market.tape import Tape
from engine.market.universe import Universe
from engine.port import LocalPort
from engine.ports import NoModels, Ports
from engine.positions.lifecycle import ENDINGS, EventName
from engine.positions.pending import PendingEntries, PendingEntry
from engine.signals.signal import SignalState
from engine.strategy import ict
from engine.strategy.hybrid import Vote
from engine.strategy.panel import StrategyRules, views_of
from engine.virtual_cycle import VirtualCycle
from exchange.ports import LostError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

    from config.flags import FlagBoard
    from config.settings import Settings
    from engine.backtest.foresight import Seen
    from engine.journal.record import Record
    from engine.positions.lifecycle import PositionEvent
    from engine.signals.signal import Selection, Signal
    from engine.strategy.guests import Guests
    from engine.strategy.views import SymbolViews
    from exchange.instrument import Bracket, Instrument
    from exchange.market_data import Candles
    from exchange.ports import RestAnswer, Stream

RULES = StrategyRules()
TOLD = ENDINGS | {EventName.CREATED, EventName.CLOSED}


class Decision(msgspec.Struct, frozen=True, gc=False):
    """One thing the desk decided, or that became of it."""

    time: int
    what: str
    """In a few words: kind, symbol, strategy."""
    digest: bytes
    """BLAKE2 of its canonical JSON: two runs decided alike when these are equal."""


class ReplayClock:
    """The Clock port; it stands where the replay puts it, and nobody waits."""

    speed = 1.0

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        """Return the instant the replay has reached."""
        return self.now

    def monotonic(self) -> float:
        """Return the same in seconds."""
        return self.now / 1000

    async def sleep(self, seconds: float) -> None:
        """Return at once: whatever happens meanwhile, the replay itself brings."""


class NoVenue:
    """The Rest port and the dialer of a desk that has no venue."""

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Refuse: a replay asks nobody."""
        del query, headers, deadline
        raise LostError(f"a replay has no venue to send {method} {path} to")

    async def connect(self, path: str, deadline: float) -> Stream:
        """Refuse: a replay listens to nobody."""
        del deadline
        raise LostError(f"a replay has no venue to open {path} at")


class Decisions:
    """The journal of a replay: keeps what was decided, in order, and forgets what only informs."""

    lag_ms = 0.0
    view_fault: str | None = None
    failed: str | None = None

    def __init__(self) -> None:
        self.records = 0
        self.kept: list[Decision] = []

    @property
    def durable(self) -> int:
        """Return the number of records taken; nothing is stored."""
        return self.records

    def write(self, record: Record) -> None:
        """Keep an accepted signal, a leverage and size decision, and where a position begins and ends."""
        self.records += 1
        line = canonical(record)
        if line is not None:
            self.kept.append(line)

    def flush(self, deadline: float) -> bool:
        """Return at once."""
        del deadline
        return True

    def close(self, deadline: float) -> bool:
        """Return at once."""
        del deadline
        return True


_JSON = msgspec.json.Encoder()


def _digest(record: Record) -> bytes:
    return blake2b(_JSON.encode(record), digest_size=16).digest()


def canonical(record: Record) -> Decision | None:
    """Return what a record says was decided, None where it only informs; live journals are read the same way."""
    if isinstance(record, SignalRecord):
        if record.state != str(SignalState.ACCEPTED):
            return None
        candidate = record.candidate
        plain = msgspec.structs.replace(record, cycle=0)  # cycles are counted otherwise where quiet ones are skipped
        return Decision(record.time, f"signal {candidate.symbol} {candidate.strategy}", _digest(plain))
    if isinstance(record, DecisionRecord):
        row = record.decision
        return Decision(record.time, f"leverage {row.symbol} {row.strategy}", _digest(record))
    if isinstance(record, PositionRecord) and record.event.event in TOLD:
        event = record.event
        # An estimate of arrival depends on how often one looks; it decides nothing.
        plain_record = msgspec.structs.replace(record, event=msgspec.structs.replace(event, eta_s=None))
        what = f"position {event.position_id} {event.symbol} {event.strategy} {event.event.value}"
        return Decision(record.time, what, _digest(plain_record))
    return None


class ReplayChronicle(Chronicle):
    """Stores only, and shows the replay every position that begins or ends."""

    watch: Callable[[PositionEvent], None] | None = None

    def say(
        self, kind: EventKind, text: str, severity: Severity = Severity.INFO, symbol: str = "", ref: str = ""
    ) -> None:
        """Say nothing: nobody reads the event log of a replay."""

    def positions(self, events: Iterable[PositionEvent]) -> None:
        """Take what begins and ends positions, and show it."""
        told = [event for event in events if event.event in TOLD]
        super().positions(told)
        if self.watch is not None:
            for event in told:
                self.watch(event)

    def _tell(self, event: PositionEvent) -> None:
        """Write no line: nobody reads the event log of a replay."""


class ReplayPending(PendingEntries):
    """The resting entries, which the replay has to follow."""

    @property
    def waiting(self) -> list[PendingEntry]:
        """Return what rests."""
        return list(self._entries.values())


class ReplayCycle(LiveCycle):
    """The live cycle without the account it gives of itself: nobody looks at the cycles of a replay."""

    foreseen: dict[str, Seen] | None = None
    """What the compiled passes found of the symbols of this cycle; None where the tables are to be asked."""
    vote = Vote()
    """What the predictor says where everything was foreseen: why it has no vote."""

    async def _views(self, symbols: Sequence[str], waiting: list[tuple[str, str]]) -> list[SymbolViews]:
        """Return what the strategies say; no model is there to be asked where everything was foreseen."""
        if self.foreseen is None:
            return await super()._views(symbols, waiting)
        now, views = self._desk.clock.now_ms(), []
        for reading in self._readings(symbols, waiting):
            seen = self.foreseen[reading.symbol]
            proposal = ict.view(seen.setup, reading, seen.facts.close_ms, now)
            views.append(views_of(reading, seen.facts, seen.market, proposal, seen.outlook, self.vote, (), RULES))
        return views

    def _journal(self, signal: Signal) -> None:
        """Store what was accepted; the others decide nothing."""
        if signal.state is SignalState.ACCEPTED:
            super()._journal(signal)

    def _finish(self, selection: Selection, ready: int, duration_ms: float) -> None:
        """Tell nothing."""


class ReplayVirtual(VirtualCycle):
    """The virtual loop: prices come from the replay, and an entry is filled at the price after its decision."""

    next_prices: tuple[Sequence[int], Sequence[float]] = ((), ())

    def catch_up(self) -> None:
        """Do nothing: a replay never restarts."""

    def tick(self) -> None:
        """Show the price that follows the decision; everything before was judged already."""
        last = self._desk.feed.quotes.last
        for slot, price in zip(*self.next_prices, strict=True):
            last[slot] = price


class ReplayTape(Tape):
    """The candles of the tape as history has them at the instant reached."""

    past: Callable[[str, int], Candles] | None = None

    def candles(self, symbol: str, frame: str, limit: int = BARS) -> Candles:
        """Return the newest closed bars; of 5m only, which is all that the desk asks for between cycles."""
        assert frame == "5m"
        assert self.past is not None
        return self.past(symbol, limit)


class ReplayFeed(Feed):
    """The market as history shows it. A symbol is ready when the replay says so."""

    ready: frozenset[str] = frozenset()

    def look_back(self, past: Callable[[str, int], Candles]) -> None:
        """Let the tape read history through this function."""
        self.tape = tape = ReplayTape(self.quotes.slots)
        tape.past = past

    def seat(self, symbols: Sequence[str]) -> None:
        """Give every symbol of the history its column."""
        self._slots = {symbol: self.tape.assign(symbol) for symbol in symbols}

    def show(self, members: tuple[str, ...], ranks: dict[str, int]) -> None:
        """Let these symbols be the universe of the moment, in rank order."""
        self.universe = Universe(members, ranks, (), (), ())

    def reason(self, symbol: str, now_ms: int) -> str:
        """Return why a symbol may not signal; the replay shows only bars it holds without a hole."""
        del now_ms
        return "" if symbol in self.ready else "not enough bars in history yet"


class StillVitals:
    """A process that is never late: what depends on the machine must not enter a decision."""

    def lag(self) -> tuple[float, float]:
        """Return no lateness."""
        return 0.0, 0.0

    def memory_mb(self) -> float:
        """Return nothing."""
        return 0.0

    def restarts(self) -> int:
        """Return 0: a backtest is no service."""
        return 0

    def instant(self) -> float:
        """Return always the same instant."""
        return 0.0


class ReplayDesk(Desk):
    """The desk without a screen, a venue, or a loop that waits."""

    def __init__(
        self,
        settings: Settings,
        flags: FlagBoard,
        symbols: Sequence[str],
        start_ms: int,
        seed: int,
        past: Callable[[str, int], Candles],
        guests: Guests | None = None,
    ) -> None:
        self.guest_news: list[str] = []
        """What the strategies from outside gave cause to say, for whoever reports the replay."""
        clock = ReplayClock(start_ms)
        venue = NoVenue()
        ports = Ports(clock, venue, venue, MemoryDisk(), RandomEntropy(seed), NoModels())
        self.decided = Decisions()
        port = LocalPort()
        super().__init__(
            settings,
            flags,
            ports,
            self.decided,
            port,
            Identity("replay", "history"),
            StillVitals(),
            pace=Pace(publish_s=0),
            guests=guests,
        )
        self.moment = clock
        following = self.chronicle.on_position
        self.chronicle = self.told = ReplayChronicle(clock, port, self.decided)
        self.chronicle.on_position = following
        self.feed = self.market = ReplayFeed(
            self.client, venue, clock, ports.entropy, self.chronicle, len(symbols), quarantine=self.quarantine
        )
        self.pending = self.resting = ReplayPending()
        self.virtual = self.prices = ReplayVirtual(self)
        self.live = self.cycles = ReplayCycle(self)
        self.phase, self.phase_text = "running", ""
        self.market.look_back(past)
        self.market.seat(symbols)
        nothing = np.full(self.feed.quotes.slots, np.nan)
        self.high, self.low = nothing, nothing.copy()

    def rules(self, symbol: str, instrument: Instrument, brackets: tuple[Bracket, ...]) -> None:
        """Give a symbol its trading rules."""
        self.feed.instruments[symbol] = instrument
        self.feed.brackets[symbol] = brackets

    def tell_guests(self) -> None:
        """Keep what the strategies from outside gave cause to say: nobody reads the event log of a replay."""
        self.guest_news += self.guests.news()

    def publish(self) -> None:
        """Show nothing: there is no screen."""

    def observe(self, slot: int, *seen: tuple[int, float, float, float]) -> None:
        """Let the book judge what one symbol traded since it was last seen: (now, high, low, last) per interval."""
        events = self.book.pass_bars(slot, np.array(seen, np.float64))
        if events:
            self.chronicle.positions(events)

    def filled(self, slot: int, high: float, low: float, now_ms: int) -> list[PendingEntry]:
        """Take out the resting entries of one symbol that were traded through."""
        self.high[slot], self.low[slot] = high, low
        done = self.pending.filled(self.high, self.low, now_ms)
        self.high[slot] = self.low[slot] = np.nan
        return done


def finish(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine that never really waits to its end."""
    try:
        work.send(None)
    except StopIteration:
        return
    _waited()


def _waited() -> NoReturn:
    raise RuntimeError("the desk waited for something that a replay cannot bring")
