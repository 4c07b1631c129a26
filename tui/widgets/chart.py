"""Panel 8: candles of the selected symbol with the structures the desk sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.candles import draw_chart
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from tui.lines import Line
    from tui.view import View
    from tui.widgets.board import Row


class ChartPane(Pane):
    """The chart. The desk answers the question for it; the answer is asked for again every two seconds."""

    number = "8"
    title = "Chart"
    period = 1.0

    def __init__(self, view: View, *, colours: bool) -> None:
        """Without `colours` rising and falling bodies differ in shape."""
        super().__init__(view, board_id="chart")
        self._colours = colours

    def heading(self) -> Line:
        """Return symbol, frame and the last bar in numbers."""
        chart = self.view.chart
        if chart is None or not chart.close:
            return ((f"{self.view.symbol} {self.view.frame}", "dim"),)
        change = (chart.close[-1] / chart.open[-1] - 1) * 100 if chart.open[-1] else float("nan")
        return (
            (chart.symbol, "strong"),
            (f" {chart.frame}  ", "key"),
            *(
                (f"{name} {numbers.price(values[-1], chart.decimals)}  ", "dim")
                for name, values in (("O", chart.open), ("H", chart.high), ("L", chart.low), ("C", chart.close))
            ),
            (f"{numbers.signed(change)}%", "up" if change >= 0 else "down"),
            ("  forming" if chart.forming else "", "dim"),
        )

    def footing(self) -> str:
        """Return the keys of the chart and the legend."""
        return "[ ] time frame   EMA 20/50 dots   OB block  FVG gap"

    def content(self, width: int) -> list[Line]:
        """Return the reason why there is no chart."""
        del width
        note = self.view.chart_note if self.view.symbol else texts.CHART_NO_SYMBOL
        return [((" " + note, "dim"),)]

    def body(self, width: int, height: int) -> list[Row]:
        """Return the chart."""
        chart = self.view.chart
        if chart is None:
            return super().body(width, height)
        head: list[Row] = [] if self.framed else [(((" ", "text"), *self.heading()), "")]
        shapes = self.view.ascii_only or not self._colours
        lines = draw_chart(chart, width, height - len(head), shapes=shapes)
        return [*head, *((line, "") for line in lines)]
