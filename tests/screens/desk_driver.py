"""A running application with the words the screen tests need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app import PerpdeskApp

WIDE, MEDIUM, NARROW = (200, 50), (120, 40), (80, 24)


class Desk:
    """A running application with the words tests need."""

    def __init__(self, app: PerpdeskApp, pilot) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def settle(self) -> None:
        await self.pilot.pause()
        self.app.turn()
        self.app.turn()
        self.app.desk.redraw_all()
        await self.pilot.pause()

    def text(self, name: str) -> str:
        board = self.app.desk.panes.get(name) or self.app.desk.edges[name]
        return "\n".join(board.render_line(y).text for y in range(board.size.height))

    def box(self) -> str:
        board = self.app.screen.query_one("Board")
        return "\n".join(board.render_line(y).text for y in range(board.size.height))

    def visible(self) -> set[str]:
        return {name for name, pane in self.app.desk.panes.items() if pane.display}


class Running:
    def __init__(self, app: PerpdeskApp, size) -> None:
        self.app = app
        self.context = app.run_test(size=size)

    async def __aenter__(self) -> Desk:
        desk = Desk(self.app, await self.context.__aenter__())
        await desk.settle()
        return desk

    async def __aexit__(self, *error) -> None:
        await self.context.__aexit__(*error)
