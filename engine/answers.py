"""Answers the questions of the screens: a chart, why a signal, the life of a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.analysis.chart import chart
from engine.analysis.layout import FRAMES
from engine.analysis.reading import indicators
from engine.analysis.tables import row_of
from engine.commands import AskChart, AskPosition, AskSignal, AskWhatIf
from engine.signals.explain import cards, waiting_cards
from engine.snapshot import ChartLevel, NoAnswer, SignalDetail
from engine.strategy.candidate import StrategyName
from exchange.market_data import FRAME_MS, KlineUpdate

if TYPE_CHECKING:
    from engine.commands import Question
    from engine.desk import Desk
    from engine.snapshot import Answer, Chart


class Answers:
    """Answers for one desk; keeps the forming bar of every symbol for the charts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._forming: dict[int, KlineUpdate] = {}
        desk.feed.on_forming = self._note_forming

    def _note_forming(self, slot: int, bar: KlineUpdate) -> None:
        self._forming[slot] = bar

    def take(self, ticket: int, question: Question) -> None:
        """Answer one question through the port."""
        self._desk.port.reply(ticket, self.answer(question))

    def answer(self, question: Question) -> Answer:
        """Return the answer, or why there is none."""
        match question:
            case AskChart(symbol, frame, bars):
                return self._chart(symbol, frame, bars)
            case AskSignal(symbol):
                return self._signal(symbol)
            case AskPosition(position_id):
                orders = self._desk.orders
                live = orders.lives.book.life(position_id) if orders is not None else None
                found = live or self._desk.book.life(position_id)
                return found if found is not None else NoAnswer(f"no position {position_id} in the book")
            case AskWhatIf():
                orders = self._desk.orders
                if orders is None:
                    return NoAnswer(f"the desk is on paper: nothing would be sent for {question.symbol}")
                return orders.what_if(question)

    def _chart(self, symbol: str, frame: str, bars: int) -> Chart | NoAnswer:
        desk = self._desk
        slot = desk.feed.slot_of(symbol)
        if slot is None or frame not in FRAMES:
            return NoAnswer(f"no candles of {symbol} {frame}: the desk watches its universe on {', '.join(FRAMES)}")
        if int(desk.feed.tables.series[row_of(slot, frame)]["n"]) == 0:
            return NoAnswer(f"{symbol} {frame}: candles are still being fetched")
        return chart(
            desk.feed.tables,
            slot,
            frame,
            symbol=symbol,
            decimals=desk.feed.instruments[symbol].decimals,
            as_of_ms=desk.clock.now_ms(),
            limit=bars,
            forming=self._forming_bar(slot, frame),
            levels=self._levels(symbol),
        )

    def _forming_bar(self, slot: int, frame: str) -> KlineUpdate | None:
        """Return the forming bar of a frame; a longer one is made of its closed 5m bars and the forming one."""
        bar = self._forming.get(slot)
        if bar is None or frame == "5m":
            return bar
        start = bar.open_time // FRAME_MS[frame] * FRAME_MS[frame]
        parts = self._desk.feed.tape.candles(bar.symbol, "5m", FRAME_MS[frame] // FRAME_MS["5m"])
        inside = parts.open_time >= start
        if not inside.any():
            return msgspec.structs.replace(bar, interval=frame, open_time=start)
        return msgspec.structs.replace(
            bar,
            interval=frame,
            open_time=start,
            open=float(parts.open[inside][0]),
            high=max(bar.high, float(parts.high[inside].max())),
            low=min(bar.low, float(parts.low[inside].min())),
            volume=bar.volume + float(parts.volume[inside].sum()),
        )

    def _levels(self, symbol: str) -> tuple[ChartLevel, ...]:
        """Return entry, stop and target of what is open or signalled on a symbol, the open position first."""
        desk = self._desk
        for strategy in (desk.mode, "ict", "self_learning", "hybrid"):
            state = desk.book.state(desk.book.held(strategy, symbol))
            if state is not None:
                terms, sign = state.terms, state.terms.direction.sign
                return (
                    ChartLevel("entry", terms.entry, f"{state.position_id} entry", sign),
                    ChartLevel("stop", terms.stop, "stop", sign),
                    ChartLevel("target", terms.target, "target", sign),
                )
        selection = desk.live.selection
        for signal in selection.signals if selection is not None else ():
            candidate = signal.candidate
            if candidate.symbol == symbol:
                sign = candidate.direction.sign
                return (
                    ChartLevel("entry", candidate.entry, f"{candidate.strategy} entry", sign),
                    ChartLevel("stop", candidate.stop, "stop", sign),
                    ChartLevel("target", candidate.targets[0], "target", sign),
                )
        return ()

    def _signal(self, symbol: str) -> SignalDetail | NoAnswer:
        desk = self._desk
        views = desk.live.views.get(symbol)
        if views is None:
            return self._not_judged(symbol)
        selection = desk.live.selection
        signals = [one for one in selection.signals if one.candidate.symbol == symbol] if selection else []
        acting = next((one for one in signals if one.candidate.strategy == desk.mode), signals[0] if signals else None)
        return SignalDetail(
            symbol=symbol,
            decimals=desk.feed.instruments[symbol].decimals,
            time=selection.time if selection is not None else 0,
            signal_id=acting.signal_id if acting is not None else "",
            cards=cards(views, selection),
            indicators=self._indicators(views.reading.slot),
            leverage=next((row for row in desk.decisions if row.symbol == symbol), None),
        )

    def _not_judged(self, symbol: str) -> SignalDetail | NoAnswer:
        """Return why no strategy was asked about a symbol, with the indicators as far as they stand."""
        desk = self._desk
        now, slot = desk.clock.now_ms(), desk.feed.slot_of(symbol)
        reason = desk.feed.reason(symbol, now)
        if slot is None or symbol not in desk.feed.instruments:
            return NoAnswer(f"{symbol} is not judged: {reason}")
        names = (*(name.value for name in StrategyName), *desk.guests.names)
        return SignalDetail(
            symbol=symbol,
            decimals=desk.feed.instruments[symbol].decimals,
            time=now,
            signal_id="",
            cards=waiting_cards(names, reason),
            indicators=self._indicators(slot),
            leverage=None,
        )

    def _indicators(self, slot: int) -> tuple[tuple[str, str, float], ...]:
        shown = []
        for frame in FRAMES:
            row = row_of(slot, frame)
            if int(self._desk.feed.tables.series[row]["n"]) > 0:
                values = indicators(self._desk.feed.tables, row)
                shown += [(frame, name, value) for name, value in values.items()]
        return tuple(shown)
