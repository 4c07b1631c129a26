"""Panel 5: API breaker, account protection and the connection to the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.lines import Line, Span, bar, left, wrapped
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.snapshot import BreakerView, FeedView, ProtectionView, Snapshot
    from tui.view import View

_STYLES = {
    "NORMAL": "ok",
    "WARNING": "warn",
    "CAUTIOUS": "warn",
    "THROTTLED": "warn",
    "DEFENSIVE": "warn",
    "BLOCKED": "alert",
    "HALTED": "alert",
}


def state_style(state: str) -> str:
    """Return the style of a breaker or protection state."""
    return _STYLES.get(state.upper(), "warn")


class BreakerPane(Pane):
    """What may hold the desk back, and how the feed is."""

    number = "5"
    title = "Breaker / protection / feeds"
    period = 0.5

    def __init__(self, view: View) -> None:
        super().__init__(view, id="breaker")

    def heading(self) -> Line:
        """Return the breaker's state."""
        snapshot = self.view.shown
        return ((snapshot.breaker.state, state_style(snapshot.breaker.state)),) if snapshot else ()

    def content(self, width: int) -> list[Line]:
        """Return breaker, protection, feed, symbols that are not ready, audit."""
        snapshot = self.view.shown
        if snapshot is None:
            return [((" " + texts.WAITS_FOR_ENGINE, "dim"),)]
        now = self.view.now_ms
        lines = [
            *breaker_lines(snapshot.breaker, now, width),
            *protection_lines(snapshot.protection, now, width),
            *_feed_lines(snapshot, now, width),
        ]
        lines += _pieces(
            " not ready", [(f"{symbol}: {reason}", "dim") for symbol, reason in snapshot.feed.not_ready], width
        )
        lines += [
            ((f" {numbers.clock(time)} ", "faint"), (text, "dim")) for time, text in reversed(snapshot.breaker.audit)
        ]
        return lines


def breaker_lines(view: BreakerView, now: int, width: int) -> list[Line]:
    """Return the API breaker as lines."""
    spans: list[Span] = [(" API breaker ", "dim"), (view.state, state_style(view.state))]
    spans += [(f"  failures {view.failures}/5", "text")]
    if view.next_probe_ms:
        spans.append((f"  probe in {numbers.countdown(now, view.next_probe_ms)}", "warn"))
    if view.bypass_until_ms > now:
        spans.append((f"  BYPASSED for {numbers.countdown(now, view.bypass_until_ms)}", "alert"))
    if view.last_cause:
        spans.append((f"  last {view.last_cause}", "dim"))
    lines: list[Line] = [tuple(spans)]
    return lines + _pieces(" causes", [(f"{cause} {count}", "dim") for cause, count in view.counts], width)


def protection_lines(view: ProtectionView, now: int, width: int) -> list[Line]:
    """Return account protection as lines."""
    head: list[Span] = [(" protection  ", "dim"), (view.state, state_style(view.state))]
    head += [
        (f"  day loss {numbers.factor(view.day_loss_percent, 2)}%", "text"),
        (f"  drawdown {numbers.factor(view.drawdown_percent, 2)}%", "text"),
        (f"  losses in row {view.losses_in_row}", "text"),
    ]
    limits: list[Span] = [
        (f"             size × {numbers.factor(view.size_factor, 2)}", "dim"),
        (f"  confidence from {numbers.share(view.confidence_floor)}", "dim"),
        (f"  peak {numbers.price(view.peak_equity, 2)}", "dim"),
    ]
    if view.until_ms > now:
        limits.append((f"  until {numbers.stamp(view.until_ms)}", "warn"))
    lines: list[Line] = [tuple(head), tuple(limits)]
    if view.reason:
        lines += [((" ", "text"), *part) for part in wrapped(view.reason, width - 2, "warn", "  ")]
    return lines


def _feed_lines(snapshot: Snapshot, now: int, width: int) -> list[Line]:
    feed = snapshot.feed
    ws_style = "ok" if feed.connected and feed.sockets >= feed.sockets_wanted else "alert"
    word = "connected" if feed.connected else "NOT CONNECTED"
    lines: list[Line] = [
        (
            (" feed        ", "dim"),
            (word, ws_style),
            (f"  ws {feed.sockets}/{feed.sockets_wanted}", "text"),
            (f"  {numbers.compact(feed.messages_per_s)} msg/s", "text"),
            (f"  last {numbers.age(now, feed.last_message_ms)}", "text"),
            (f"  reconnects {feed.reconnects}", "dim"),
            (f"  clock {numbers.signed(feed.clock_offset_ms, 0)}ms", "dim"),
        ),
        _weight(feed, width),
    ]
    if feed.backfill_total and feed.backfill_done < feed.backfill_total:
        share = feed.backfill_done / feed.backfill_total
        lines.append(
            (
                (" back-fill   ", "dim"),
                *bar(share, max(8, min(24, width - 40)), "key"),
                (f" {feed.backfill_done}/{feed.backfill_total} series", "text"),
            )
        )
    if feed.malformed:
        lines.append(((f" malformed frames {feed.malformed}, last: {feed.last_malformed}", "warn"),))
    if feed.last_error:
        lines += [((" ", "text"), *part) for part in wrapped(feed.last_error, width - 2, "warn", "  ")]
    return lines


def _weight(feed: FeedView, width: int) -> Line:
    share = feed.weight_used / feed.weight_limit if feed.weight_limit else 0.0
    style = "alert" if share > 0.9 else "warn" if share > 0.7 else "ok"
    return (
        (" weight      ", "dim"),
        *bar(share, max(8, min(24, width - 40)), style),
        (f" {feed.weight_used}/{feed.weight_limit} a minute", "text"),
    )


def _pieces(title: str, pieces: list[Span], width: int) -> list[Line]:
    if not pieces:
        return []
    lines: list[Line] = []
    spans: list[Span] = [(left(title, 13), "dim")]
    used = 13
    for text, style in pieces:
        if used + len(text) + 2 > width and used > 13:
            lines.append(tuple(spans))
            spans, used = [(" " * 13, "dim")], 13
        spans.append((text + "  ", style))
        used += len(text) + 2
    return [*lines, tuple(spans)]
