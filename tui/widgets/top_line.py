"""The top line: where orders would go, what the desk does, and how old its figures are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.lines import Line, Span, line_cells, wrapped
from tui.widgets.board import Board
from tui.widgets.breaker import state_style

if TYPE_CHECKING:
    from engine.snapshot import HandView, Snapshot
    from tui.view import View
    from tui.widgets.board import Row

Part = tuple[int, Line] | tuple[int, Line, Line]
"""(rank, spans, shorter spans); parts with the largest rank leave first when the line is narrow."""


NAKED_ALARM_S, UNKNOWN_ALARM_S = 10.0, 60.0


class TopLine(Board):
    """One line whose whole colour is the environment; an alarm, a blocked breaker or old figures recolour it."""

    period = 0.25

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="top")

    def dims_when_stale(self) -> bool:
        """Return False: this line says itself that figures are old."""
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        """Return the line, or the calm notice of a terminal that is too small."""
        if height > 1:
            lines = wrapped(texts.SMALL.format(columns=width, rows=height), width - 2)
            blank: list[Row] = [((), "")] * ((height - len(lines)) // 2)
            return [*blank, *((((" " * max(0, (width - line_cells(line)) // 2), "text"), *line), "") for line in lines)]
        ground = self.ground()
        snapshot = self.view.shown
        parts = self._parts(snapshot) if snapshot else self._starting()
        return [(tuple((text, style) for text, style in _fitting(parts, width)), ground)]

    def ground(self) -> str:
        """Return the colour of the whole line."""
        snapshot = self.view.newest
        if self.view.alarm and self.view.monotonic() < self.view.alarm_until:
            return "danger"
        if self.view.stale():
            return "stale"
        if snapshot is None:
            return "paper"
        alarming = snapshot.hand is not None and is_alarming(snapshot.hand)
        if alarming or snapshot.breaker.state == "BLOCKED" or snapshot.protection.state == "HALTED":
            return "danger"
        if snapshot.trading == "LIVE":
            return "live"
        return "demo" if snapshot.environment == "demo" else "paper"

    def _starting(self) -> list[Part]:
        elapsed = numbers.span(self.view.monotonic() - self.view.started)
        return [(0, ((" perpdesk ", "top"),)), (0, ((f" {texts.WAITS_FOR_ENGINE}, {elapsed}", "top-dim"),))]

    def _parts(self, snapshot: Snapshot) -> list[Part]:
        view = self.view
        now = view.now_ms
        label = f" {snapshot.trading} {snapshot.environment} "
        parts: list[Part] = [(0, ((label, "top"),))]
        stale = view.stale()
        if stale:
            age = view.snapshot_age() if stale == texts.STALE_ENGINE else view.feed_age()
            parts.append((0, ((f" STALE {stale} {numbers.span(age)} ", "alert"),)))
        if view.frozen:
            parts.append((0, ((f" {texts.FROZEN} {numbers.span((now - snapshot.time) / 1000)} ", "warn"),)))
        if view.alarm and view.monotonic() < view.alarm_until:
            parts.append((1, ((f" ! {view.alarm} ", "top"),)))
        if view.read_only:
            parts.append((1, ((" read-only ", "warn"),)))
        if snapshot.hand is not None:
            parts += _hand_parts(snapshot.hand)
        if snapshot.phase != "running":
            parts.append((1, ((f" {snapshot.phase} ", "warn"),)))
        if snapshot.entries != "open":
            parts.append((1, ((f" ENTRIES {snapshot.entries.upper()} ", "warn"),)))
        return [*parts, *_desk_parts(snapshot, now), *self._machine_parts(snapshot, now)]

    def _machine_parts(self, snapshot: Snapshot, now: int) -> list[Part]:
        engine, feed = snapshot.engine, snapshot.feed
        lag_style = "warn" if engine.lag_p99_ms > 20 else "top"
        feed_age = self.view.feed_age()
        shown_age = f"{feed_age * 1000:.0f}ms" if feed_age < 1 else numbers.span(feed_age)
        return [
            (4, ((" feed ", "top-dim"), (f"{numbers.compact(feed.messages_per_s)}/s {shown_age}", "top"))),
            (7, ((" weight ", "top-dim"), (f"{feed.weight_used}/{feed.weight_limit}", "top"))),
            (
                2,
                (
                    (" lag ", "top-dim"),
                    (
                        f"{numbers.milliseconds(engine.lag_p99_ms)}/{numbers.milliseconds(engine.lag_max_ms)}ms",
                        lag_style,
                    ),
                ),
            ),
            (8, ((" mem ", "top-dim"), (f"{engine.memory_mb:.0f}M", "top"))),
            (9, ((f" x{snapshot.speed:g}", "top"),) if snapshot.speed != 1 else ()),
            (0, ((f"  {numbers.clock(now)}Z ", "top"),)),
        ]


def is_alarming(hand: HandView) -> bool:
    """Say whether live orders need eyes now: a naked position, a fate unknown for long, a violated invariant."""
    unknown_long = hand.unknown > 0 and hand.unknown_oldest_s > UNKNOWN_ALARM_S
    return hand.naked_now_s > NAKED_ALARM_S or unknown_long or bool(hand.violations)


def _hand_parts(hand: HandView) -> list[Part]:
    """Return arming, level, naked positions and unknown orders, the gravest first."""
    parts: list[Part] = []
    if hand.naked:
        parts.append((0, ((f" NAKED {hand.naked} {hand.naked_now_s:.0f}s ", "alert"),)))
    if hand.unknown:
        parts.append((1, ((f" UNKNOWN {hand.unknown} ", "alert"),)))
    if hand.violations:
        parts.append((0, ((" INVARIANT VIOLATED ", "alert"),)))
    if hand.level != "RUN":
        parts.append((1, ((f" {hand.level} ", "warn"),)))
    if hand.step != "READY":
        parts.append((1, ((f" {hand.step} ", "warn"),)))
    armed = hand.arming.armed
    parts.append((1, ((" ARMED " if armed else " not armed ", "top" if armed else "warn"),)))
    return parts


def _desk_parts(snapshot: Snapshot, now: int) -> list[Part]:
    account, protection = snapshot.account, snapshot.protection
    letters = "".join(flag.letter if flag.value else "-" for flag in snapshot.flags)
    gain = account.virtual_equity - account.virtual_start
    engine = snapshot.engine
    equity: Line = ((" eq ", "top-dim"), (numbers.price(account.virtual_equity, 2), "top"))
    gain_style = "up" if gain > 0 else "down" if gain < 0 else "top-dim"
    guard: Line = ()
    if protection.state != "NORMAL":
        guard = ((" protection ", "top-dim"), (protection.state, state_style(protection.state)))
    breaker_style = "top" if snapshot.breaker.state == "NORMAL" else state_style(snapshot.breaker.state)
    return [
        (1, ((" ", "top-dim"), (snapshot.mode.upper(), "top"))),
        (6, ((" flags ", "top-dim"), (letters, "top"))),
        (2, ((" CB ", "top-dim"), (f"{snapshot.breaker.state}", breaker_style))),
        (2, guard),
        (2, (*equity, (f" {numbers.signed(gain)}", gain_style)), equity),
        (3, ((" pos ", "top-dim"), (str(len(snapshot.positions)), "top"))),
        (3, ((" virt ", "top-dim"), (str(len(snapshot.virtual)), "top"))),
        (
            5,
            (
                (" next ", "top-dim"),
                (numbers.countdown(now, engine.next_live_ms), "top"),
                ("/", "top-dim"),
                (numbers.countdown(now, engine.next_virtual_ms), "top"),
            ),
        ),
    ]


def _fitting(parts: list[Part], width: int) -> Line:
    room = width - 1
    chosen: dict[int, Line] = {}
    for place in sorted(range(len(parts)), key=lambda at: (parts[at][0], at)):
        rank, *forms = parts[place]
        for line in forms:
            length = line_cells(line)
            if length and (rank == 0 or length <= room):
                chosen[place] = line
                room -= length
                break
    kept = [chosen[place] for place in sorted(chosen)]
    spans: list[Span] = [span for line in kept[:-1] for span in line]
    if kept:
        spans.append((" " * max(0, width - sum(map(line_cells, kept))), "top"))
        spans += kept[-1]
    return tuple(spans)
