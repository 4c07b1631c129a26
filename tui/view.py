"""What the screen knows at this moment: the pulled snapshot, the log, the selection, and what is being waited for.

Panels read it and draw; keys change it. It holds no widget and no timer, so panels can be tested by drawing alone.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from engine.commands import AskChart, AskPosition, AskSignal
from engine.events import Event, Severity
from engine.snapshot import Answer, Chart, NoAnswer, PositionDetail, SignalDetail
from tui import texts
from tui.dispatch import Dispatch
from tui.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.port import ScreenPort
    from engine.snapshot import Snapshot

STALE_AFTER_S = 3.0
LOG_LINES = 2000
FRAMES = ("5m", "15m", "1h")
ALARM_S = 12.0
CHART_EVERY_S = 2.0


class Gap(NamedTuple):
    """Events the ring had to drop before this screen read them."""

    missed: int
    before: int
    """Number of the first event after the gap."""


class View:
    """The state every panel draws from. `clock_ms` is the desk clock, `monotonic` the process clock in seconds.

    `started` is set by the application when its loop runs.
    """

    def __init__(
        self,
        port: ScreenPort,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float],
        *,
        theme: str,
        read_only: bool,
        ascii_only: bool,
        operator: str,
    ) -> None:
        self.port = port
        self.clock_ms = clock_ms
        self.monotonic = monotonic
        self.palette = Palette(theme)
        self._read_only = read_only
        self.ascii_only = ascii_only
        self.dispatch = Dispatch(port, monotonic, operator)
        self.started = 0.0
        self.newest: Snapshot | None = None
        self.shown: Snapshot | None = None
        self.frozen = False
        self.log: deque[Event | Gap] = deque(maxlen=LOG_LINES)
        self.last_event = 0
        self.alarm = ""
        self.alarm_until = 0.0
        self.bell = False
        self.symbol = ""
        self.frame = FRAMES[0]
        self.chart: Chart | None = None
        self.chart_note = texts.CHART_WAITS
        self.detail: SignalDetail | PositionDetail | None = None
        self.detail_note = ""
        self.arrived: set[str] = set()
        """Panels whose answer came since they were last drawn."""
        self._detail_of: AskSignal | AskPosition | None = None
        self._chart_due = 0.0
        self._detail_due = 0.0

    @property
    def now_ms(self) -> int:
        """Return the desk clock."""
        return self.clock_ms()

    def snapshot_age(self) -> float:
        """Return the age of the engine's newest snapshot in seconds, infinite before the first."""
        return self.monotonic() - self.newest.monotonic if self.newest else float("inf")

    def feed_age(self) -> float:
        """Return the age of the newest market message in real seconds, infinite before the first."""
        snapshot = self.newest
        if snapshot is None or snapshot.feed.last_message_ms <= 0:
            return float("inf")
        return max(0.0, (self.now_ms - snapshot.feed.last_message_ms) / 1000 / max(snapshot.speed, 1e-9))

    def stale(self) -> str:
        """Return why the figures are old, empty while they are fresh or the desk has not come so far yet."""
        if self.newest is None:
            return ""
        if self.snapshot_age() > STALE_AFTER_S:
            return texts.STALE_ENGINE
        if self.newest.phase == "running" and self.feed_age() > STALE_AFTER_S:
            return texts.STALE_FEED
        return ""

    @property
    def read_only(self) -> bool:
        """Return whether this screen sends no commands: it was asked to, or another one gives them."""
        return self._read_only or not self.port.writes

    def poll(self) -> bool:
        """Pull snapshot, events, acknowledgements and answers; True when something arrived."""
        latest = self.port.snapshot()
        moved = latest is not self.newest
        self.newest = latest
        if not self.frozen or self.shown is None:
            self.shown = latest
        moved = self._poll_events() or moved
        self.dispatch.poll()
        self._keep_asking()
        return moved

    def choose(self, symbol: str) -> None:
        """Select the symbol that chart and detail are about."""
        if symbol and symbol != self.symbol:
            self.symbol = symbol
            self.chart, self.chart_note = None, texts.CHART_WAITS
            self._chart_due = 0.0

    def step_frame(self, step: int) -> None:
        """Move to the next or previous time frame of the chart."""
        place = (FRAMES.index(self.frame) + step) % len(FRAMES)
        self.frame = FRAMES[place]
        self.chart, self.chart_note = None, texts.CHART_WAITS
        self._chart_due = 0.0

    def open_detail(self, question: AskSignal | AskPosition) -> None:
        """Ask for the story of a signal or a position; the answer is kept fresh until `close_detail`."""
        self._detail_of, self.detail, self.detail_note = question, None, texts.DETAIL_WAITS
        self._detail_due = 0.0

    def close_detail(self) -> None:
        """Stop asking."""
        self._detail_of, self.detail = None, None

    @property
    def detail_open(self) -> bool:
        """Return whether a detail is asked for."""
        return self._detail_of is not None

    def _poll_events(self) -> bool:
        batch = self.port.events(self.last_event)
        if not batch.events:
            return False
        if batch.missed and self.last_event:
            self.log.append(Gap(batch.missed, batch.events[0].seq))
        fresh = self.last_event > 0
        self.last_event = batch.events[-1].seq
        self.log.extend(batch.events)
        alerts = [event for event in batch.events if event.severity is Severity.ALERT]
        if alerts and fresh:
            self.alarm = alerts[-1].text
            self.alarm_until = self.monotonic() + ALARM_S
            self.bell = True
        return True

    def _keep_asking(self) -> None:
        now = self.monotonic()
        if self.symbol and now >= self._chart_due:
            self._chart_due = now + CHART_EVERY_S
            self.dispatch.ask("chart", AskChart(self.symbol, self.frame), self._take_chart)
        if self._detail_of is not None and now >= self._detail_due:
            self._detail_due = now + CHART_EVERY_S
            self.dispatch.ask("detail", self._detail_of, self._take_detail)

    def _take_chart(self, answer: Answer | None) -> None:
        self.arrived.add("chart")
        if self.frozen and self.chart is not None:
            return
        if isinstance(answer, Chart):
            if (answer.symbol, answer.frame) == (self.symbol, self.frame):
                self.chart, self.chart_note = answer, ""
            return
        self.chart_note = answer.text if isinstance(answer, NoAnswer) else texts.NO_ANSWER
        self.chart = None

    def _take_detail(self, answer: Answer | None) -> None:
        self.arrived.add("detail")
        if self._detail_of is None or (self.frozen and self.detail is not None):
            return
        if isinstance(answer, SignalDetail | PositionDetail):
            self.detail, self.detail_note = answer, ""
        else:
            self.detail_note = answer.text if isinstance(answer, NoAnswer) else texts.NO_ANSWER
