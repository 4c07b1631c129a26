"""Panel 1: the universe with each symbol's best view of the acting strategy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from engine.snapshot import SignalRow
from tui import glyphs, numbers, texts
from tui.widgets.live_table import Column, LiveTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.filtering import FieldValue
    from tui.lines import Line, Span
    from tui.view import View

_STATE_ORDER = {"accepted": 0, "candidate": 1}
_SHORT_STRATEGY = {"ict": "ict", "self_learning": "learn", "hybrid": "hyb"}


class SignalsTable(LiveTable[SignalRow]):
    """Top symbols by volume: price, biases, the signal with its scores, and why it is not accepted."""

    number = "1"
    title = "Signals"
    period = 0.25
    natural_order = "signals first"
    fields: ClassVar[Mapping[str, type]] = {
        **dict.fromkeys(("symbol", "sig", "state", "strat", "regime", "why"), str),
        **dict.fromkeys(("rank", "last", "24h", "1m", "vol", "conf", "qual", "win", "er", "lev", "rr"), float),
        **dict.fromkeys(("fund", "spr"), float),
    }

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="signals")
        self._rows_of: object = None
        self._rows: list[SignalRow] = []
        self._counts = (0, 0, 0)
        self._now = 0
        self.columns = self._columns()

    def source(self) -> Sequence[SignalRow]:
        """Return accepted signals by rank, then candidates by expected value, then the rest by liquidity."""
        snapshot = self.view.shown
        signals = snapshot.signals if snapshot else ()
        if signals is not self._rows_of:
            self._rows_of = signals
            self._rows = sorted(signals, key=_natural)
            longs = sum(row.direction == "LONG" for row in signals)
            shorts = sum(row.direction == "SHORT" for row in signals)
            self._counts = (longs, shorts, len(signals) - longs - shorts)
        self._now = self.view.now_ms
        return self._rows

    def key_of(self, row: SignalRow) -> str:
        """Return the symbol."""
        return row.symbol

    def empty_text(self) -> str:
        """Return why the table is empty."""
        if self.view.shown is None:
            return texts.WAITS_FOR_ENGINE
        return texts.NOTHING_MATCHES if self.filter_text else self.view.shown.phase_text or texts.NO_SIGNALS

    def heading(self) -> Line:
        """Return counts per side."""
        longs, shorts, others = self._counts
        return (
            (f"{len(self._rows)}", "accent"),
            (f"   {glyphs.UP}{longs} long", "up"),
            (f"  {glyphs.DOWN}{shorts} short", "down"),
            (f"  {others} none", "dim"),
        )

    def field_values(self, row: SignalRow) -> Mapping[str, FieldValue]:
        """Return the filter fields."""
        return {
            "symbol": row.symbol,
            "sig": row.direction or "none",
            "state": row.state,
            "strat": row.strategy,
            "regime": row.regime,
            "why": row.reason,
            "rank": float(row.rank),
            "last": row.last,
            "24h": row.change_24h,
            "1m": row.change_1m,
            "vol": row.quote_volume,
            "conf": row.confidence,
            "qual": row.quality,
            "win": row.win_probability,
            "er": row.expected_r,
            "lev": row.leverage,
            "rr": row.reward_risk,
            "fund": row.funding_rate * 100,
            "spr": row.spread_bps,
        }

    def _columns(self) -> Sequence[Column[SignalRow]]:
        c = Column[SignalRow]
        return (
            c("rank", "#", 3, lambda r: (str(r.rank), "faint"), 0, sort=lambda r: float(r.rank), descending=False),
            c("symbol", "Symbol", 13, _symbol, 0, "left", sort=lambda r: r.symbol, descending=False),
            c("last", "Last", 11, lambda r: (numbers.price(r.last, r.decimals), "text"), 0),
            c("age", "Age", 4, self._age, 2, sort=lambda r: float(r.updated_ms), descending=False),
            c("1m", "1m%", 6, lambda r: _move(r.change_1m), 6, sort=lambda r: r.change_1m),
            c("spr", "Spr", 4, lambda r: (numbers.factor(r.spread_bps), "dim"), 9, sort=lambda r: r.spread_bps),
            c("24h", "24h%", 7, lambda r: _move(r.change_24h), 1, sort=lambda r: r.change_24h),
            c("vol", "Vol", 7, lambda r: (numbers.compact(r.quote_volume), "dim"), 7, sort=lambda r: r.quote_volume),
            c("tf", "1h 15 5m", 8, _biases, 1, "left"),
            c("sig", "Signal", 9, _signal, 0, "left", sort=lambda r: r.direction),
            c("votes", "I L H", 5, _votes, 8, "left"),
            c("conf", "Conf", 4, lambda r: _score(r, r.confidence), 0, sort=lambda r: r.confidence),
            c("qual", "Qual", 4, lambda r: _score(r, r.quality), 7, sort=lambda r: r.quality),
            c("win", "Win", 4, lambda r: _score(r, r.win_probability), 3, sort=lambda r: r.win_probability),
            c("er", "E[R]", 5, lambda r: (numbers.signed(r.expected_r), _tone(r)), 5, sort=lambda r: r.expected_r),
            c("lev", "Lev", 5, lambda r: (numbers.factor(r.leverage), _tone(r)), 1, sort=lambda r: r.leverage),
            c("rr", "R:R", 4, lambda r: (numbers.factor(r.reward_risk), _tone(r)), 5, sort=lambda r: r.reward_risk),
            c("fund", "Fund%", 7, _funding, 10, sort=lambda r: r.funding_rate),
            c("regime", "Regime", 9, lambda r: (r.regime or "-", "dim"), 11, "left", sort=lambda r: r.regime),
            c("why", "Why not", 24, lambda r: (r.reason, "dim"), 12, "left", grows=True),
        )

    def _age(self, row: SignalRow) -> Span:
        seconds = (self._now - row.updated_ms) / 1000
        return numbers.age(self._now, row.updated_ms), "warn" if seconds > 10 else "faint"


def _natural(row: SignalRow) -> tuple[int, float, int]:
    state = _STATE_ORDER.get(row.state, 2)
    if state == 0:
        return (0, float(row.signal_rank), row.rank)
    if state == 1 and math.isfinite(row.expected_r):
        return (1, -row.expected_r, row.rank)
    return (max(state, 1), 0.0, row.rank) if state == 1 else (2, 0.0, row.rank)


def _symbol(row: SignalRow) -> Span:
    if row.state == "accepted":
        return row.symbol, "strong"
    return row.symbol, "dim" if row.state == "not ready" else "text"


def _move(value: float) -> Span:
    if not math.isfinite(value):
        return numbers.NONE, "faint"
    return numbers.signed(value), "up" if value > 0 else "down" if value < 0 else "dim"


def _biases(row: SignalRow) -> Span:
    marks = [glyphs.arrow(bias) for bias in (row.bias_1h, row.bias_15m, row.bias_5m)]
    total = row.bias_1h + row.bias_15m + row.bias_5m
    style = "up" if total >= 2 else "down" if total <= -2 else "dim"
    return "  ".join(marks), style


def _signal(row: SignalRow) -> Span:
    if not row.direction:
        return ("not ready", "warn") if row.state == "not ready" else (glyphs.FLAT, "faint")
    up = row.direction == "LONG"
    mark = glyphs.UP if up else glyphs.DOWN
    if row.state == "accepted":
        return f"{mark}{row.direction} {row.signal_rank}", "up-strong" if up else "down-strong"
    return f"{mark}{row.direction.lower()}", "up" if up else "down"


def _votes(row: SignalRow) -> Span:
    marks = {"^": glyphs.UP, "v": glyphs.DOWN}
    return " ".join(marks.get(vote, glyphs.FLAT) for vote in row.votes), "dim"


def _tone(row: SignalRow) -> str:
    return "text" if row.state == "accepted" else "dim"


def _score(row: SignalRow, value: float) -> Span:
    return numbers.share(value), _tone(row)


def _funding(row: SignalRow) -> Span:
    percent = row.funding_rate * 100
    return numbers.signed(percent, 4), "warn" if abs(percent) > 0.1 else "dim"
