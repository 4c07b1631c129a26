"""Panel 5: API breaker, account protection and the connection to the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.lines import Line, Span, bar, flow, left, wrapped
from tui.widgets.hand import hand_lines
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.snapshot import BreakerView, CapabilityView, FeedView, ProtectionView, Snapshot
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
        super().__init__(view, board_id="breaker")

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
            *(hand_lines(snapshot.hand, now, width) if snapshot.hand is not None else ()),
            *breaker_lines(snapshot.breaker, now, width),
            *protection_lines(snapshot.protection, now, width),
            *capability_lines(snapshot.capability, now, width),
            *_feed_lines(snapshot, now, width),
        ]
        waiting = [(f"{symbol}: {reason}", "dim") for symbol, reason in snapshot.feed.not_ready]
        lines += flow(_lead("not ready"), waiting, width) if waiting else []
        lines += [
            ((f" {numbers.clock(time)} ", "faint"), (text, "dim")) for time, text in reversed(snapshot.breaker.audit)
        ]
        return lines


def breaker_lines(view: BreakerView, now: int, width: int) -> list[Line]:
    """Return the API breaker as lines."""
    pieces: list[Span] = [(view.state, state_style(view.state)), (f"failures {view.failures}/5", "text")]
    if view.next_probe_ms:
        pieces.append((f"probe in {numbers.countdown(now, view.next_probe_ms)}", "warn"))
    if view.bypass_until_ms > now:
        pieces.append((f"BYPASSED for {numbers.countdown(now, view.bypass_until_ms)}", "alert"))
    if view.last_cause:
        pieces.append((f"last {view.last_cause}", "dim"))
    pieces += [(f"{cause} x{count}", "dim") for cause, count in view.counts]
    return flow(_lead("API breaker"), pieces, width)


def protection_lines(view: ProtectionView, now: int, width: int) -> list[Line]:
    """Return account protection as lines."""
    pieces: list[Span] = [
        (view.state, state_style(view.state)),
        (f"day loss {numbers.factor(view.day_loss_percent, 2)}%", "text"),
        (f"drawdown {numbers.factor(view.drawdown_percent, 2)}%", "text"),
        (f"losses in row {view.losses_in_row}", "text"),
        (f"size x{numbers.factor(view.size_factor, 2)}", "dim"),
        (f"confidence from {numbers.share(view.confidence_floor)}", "dim"),
        (f"peak {numbers.price(view.peak_equity, 2)}", "dim"),
    ]
    if view.until_ms > now:
        pieces.append((f"until {numbers.stamp(view.until_ms)}", "warn"))
    lines = flow(_lead("protection"), pieces, width)
    return lines + (_note(view.reason, width) if view.reason else [])


def capability_lines(view: CapabilityView | None, now: int, width: int) -> list[Line]:
    """Return what the probe of the exchange found as lines."""
    if view is None:
        return []
    style = {"as expected": "ok", "CHANGED": "alert"}.get(view.state, "warn")
    pieces: list[Span] = [(view.state, style)]
    if view.checked_ms:
        pieces.append((f"probed {numbers.age(now, view.checked_ms)}", "dim"))
    if view.entries_off:
        pieces.append(("live entries off", "warn"))
    lines = flow(_lead("exchange"), pieces, width)
    for _, text in view.findings:
        lines += _note(text, width)
    return lines


def _feed_lines(snapshot: Snapshot, now: int, width: int) -> list[Line]:
    feed = snapshot.feed
    whole = feed.connected and feed.sockets >= feed.sockets_wanted
    pieces: list[Span] = [
        ("connected" if feed.connected else "NOT CONNECTED", "ok" if whole else "alert"),
        (f"ws {feed.sockets}/{feed.sockets_wanted}", "text"),
        (f"{numbers.compact(feed.messages_per_s)} msg/s", "text"),
        (f"last {numbers.age(now, feed.last_message_ms)}", "text"),
        (f"reconnects {feed.reconnects}", "dim"),
        (f"clock {numbers.signed(feed.clock_offset_ms, 0)}ms", "dim"),
        (snapshot.exchange, "dim"),
    ]
    lines = [*flow(_lead("feed"), pieces, width), _weight(feed, width)]
    if feed.backfill_total and feed.backfill_done < feed.backfill_total:
        share = feed.backfill_done / feed.backfill_total
        progress = (f" {feed.backfill_done}/{feed.backfill_total} series", "text")
        lines.append(((_lead("back-fill"), "dim"), *bar(share, _bar_width(width), "key"), progress))
    if feed.malformed:
        lines += _note(f"refused input {feed.malformed}, last: {feed.last_malformed}", width)
    if feed.odd_bars:
        lines += _note("odd bars: " + ", ".join(f"{count} {kind}" for kind, count in feed.odd_bars), width)
    if feed.last_error:
        lines += _note(feed.last_error, width)
    return lines


def _weight(feed: FeedView, width: int) -> Line:
    share = feed.weight_used / feed.weight_limit if feed.weight_limit else 0.0
    style = "alert" if share > 0.9 else "warn" if share > 0.7 else "ok"
    used = (f" {feed.weight_used}/{feed.weight_limit} a minute", "text")
    return ((_lead("weight"), "dim"), *bar(share, _bar_width(width), style), used)


def _bar_width(width: int) -> int:
    return max(8, min(24, width - 40))


def _lead(name: str) -> str:
    return left(" " + name, 14)


def _note(text: str, width: int) -> list[Line]:
    return [((_lead(""), "text"), *part) for part in wrapped(text, width - 15, "warn")]
