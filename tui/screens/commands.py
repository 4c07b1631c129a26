"""The keys that change what the desk does: each asks as much as its risk deserves, then sends one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.commands import (
    BypassBreaker,
    CloseAllVirtual,
    CloseVirtual,
    Command,
    Halt,
    Rearm,
    ResetBreaker,
    Resume,
    SetFlag,
    SetMode,
    SetTrading,
)
from tui import numbers, texts
from tui.lines import Line, left, wrapped
from tui.modes import modes
from tui.screens.choice import ChoiceScreen, Option
from tui.screens.confirm import ConfirmScreen
from tui.screens.live_orders import LiveCommands
from tui.widgets.breaker import breaker_lines, protection_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.snapshot import Snapshot
    from tui.view import View
    from tui.widgets.virtual import VirtualTable

BYPASS_S = 60
_MODE_TEXT_FROM, _FLAG_DEFAULTS_FROM, _FLAG_SINCE_FROM = 72, 72, 100
"""Inner widths of a list from which it has room for these columns; below, the note under it tells them."""


class DeskCommands(LiveCommands):
    """Actions of the desk screen that end in a command to the desk."""

    view: View
    active: str
    virtual: VirtualTable

    def action_mode(self) -> None:
        """Choose the strategy mode."""
        snapshot = self._changing()
        if snapshot is None:
            return

        def options(width: int) -> list[Option]:
            mode = self.view.newest.mode if self.view.newest else ""
            beside = width >= _MODE_TEXT_FROM
            return [
                Option(
                    name,
                    (
                        (left(title, 16), "strong"),
                        (left("current" if name == mode else "", 9), "ok"),
                        (text if beside else "", "dim"),
                    ),
                    () if beside else tuple(wrapped(text, width, "dim")),
                )
                for name, title, text in modes(self.view.newest)
            ]

        def chosen(mode: str | None) -> None:
            if mode:
                self.set_mode(mode)

        foot = "enter chooses   esc closes"
        self.app.push_screen(ChoiceScreen(self.view, texts.MODE_TITLE, foot, options, start=snapshot.mode), chosen)

    def set_mode(self, mode: str) -> None:
        """Change the mode; asks first when positions are open."""
        snapshot = self._changing()
        if snapshot is None or mode == snapshot.mode:
            return
        command, label = SetMode(mode), f"mode {mode}"
        if not snapshot.positions and not snapshot.virtual:
            self.view.dispatch.send(command, label)
            return
        counts = {"positions": len(snapshot.positions), "virtual": len(snapshot.virtual)}
        body = [line.format(**counts) for line in texts.MODE_CONFIRM]
        self._confirm(texts.MODE_CONFIRM_TITLE.format(mode=mode), body, "y", lambda _: (command, label))

    def action_flags(self) -> None:
        """Show the feature flags; enter switches one."""

        def switch(name: str) -> None:
            snapshot = self._changing()
            flag = next((row for row in snapshot.flags if row.name == name), None) if snapshot else None
            if flag is not None:
                word = "off" if flag.value else "on"
                self.view.dispatch.send(SetFlag(name, not flag.value), f"{name} {word} ({flag.takes})")

        foot = texts.READ_ONLY if self.view.read_only else texts.FLAGS_HELP
        self.app.push_screen(ChoiceScreen(self.view, texts.FLAGS_TITLE, foot, self._flag_options, stays=switch))

    def _flag_options(self, width: int) -> list[Option]:
        snapshot = self.view.newest
        notice = self.view.dispatch.notice
        said: Line = ((notice.text, notice.style),) if notice else ()
        options = []
        for flag in snapshot.flags if snapshot else ():
            line: Line = (
                (f"{flag.letter} ", "key"),
                (left(flag.name, 34), "text"),
                (left("ON" if flag.value else "off", 5), "ok" if flag.value else "dim"),
            )
            default = f"default {'on' if flag.default else 'off'}"
            if width >= _FLAG_DEFAULTS_FROM:
                line = (*line, (left(default, 13), "dim"), (left(flag.takes, 15), "accent"))
            if width >= _FLAG_SINCE_FROM:
                line = (*line, (f"since {numbers.stamp(flag.since_ms)} by {flag.by}", "dim"))
            since = f"{numbers.stamp(flag.since_ms)} by {flag.by}"
            who = f"{default.capitalize()}, since {since}; a change takes effect {flag.takes}."
            notes = (
                *wrapped(who, width, "dim"),
                *wrapped(flag.effect, width, "text"),
                *wrapped(f"rung: {flag.rung or '-'}", width, "dim"),
                said,
            )
            options.append(Option(flag.name, line, notes))
        return options

    def action_halt(self) -> None:
        """Halt new entries at once; when they are halted, ask to resume."""
        snapshot = self._changing()
        if snapshot is None:
            return
        if snapshot.entries == "open":
            self.view.dispatch.send(Halt(), texts.HALT_LABEL)
            return
        body = [line.format(entries=snapshot.entries) for line in texts.RESUME_BODY]
        self._confirm(texts.RESUME_TITLE, body, "RESUME", lambda _: (Resume(), texts.RESUME_LABEL))

    def action_trading(self) -> None:
        """Take trading to paper at once; ask for a typed LIVE before the desk is asked to send orders."""
        snapshot = self._changing()
        if snapshot is None:
            return
        hand = snapshot.hand
        if snapshot.trading == "LIVE" and (hand is None or hand.arming.armed):
            self.view.dispatch.send(SetTrading(live=False), texts.TRADING_OFF_LABEL)
            return
        if hand is not None:
            rights = hand.arming.rights
            words = {
                "mode": snapshot.mode,
                "missing": "; ".join(hand.arming.missing) or "nothing",
                "rights": rights.text,
            }
            lines = [line.format(**words) for line in texts.ARM_BODY]
            lines += [f"WARNING: {text}." for text in rights.warnings]
            arm = texts.ARM_TITLE.format(exchange=snapshot.exchange)
            command = SetTrading(live=True, consent=rights.consent)
            typed = f"LIVE {rights.consent}".rstrip()
            self._confirm(arm, lines, typed, lambda _: (command, texts.TRADING_ON_LABEL))
            return
        values = {"mode": snapshot.mode, "exchange": snapshot.exchange, "virtual": len(snapshot.virtual)}
        body = [line.format(**values) for line in texts.TRADING_BODY]
        title = texts.TRADING_TITLE.format(exchange=snapshot.exchange)
        self._confirm(title, body, "LIVE", lambda _: (SetTrading(live=True), texts.TRADING_ON_LABEL))

    def action_close_one(self) -> None:
        """Close the selected live or virtual position, after y."""
        snapshot = self._changing()
        live = self.selected_live()
        if snapshot is not None and live is not None:
            self.close_live(live)
            return
        row = self.virtual.selected() if self.active == "virtual" else None
        if snapshot is None:
            return
        if row is None:
            self.view.dispatch.say(texts.NO_VIRTUAL_SELECTED, "warn")
            return
        values = {
            "symbol": row.symbol,
            "direction": row.direction,
            "strategy": row.strategy,
            "entry": numbers.price(row.entry, row.decimals),
            "price": numbers.price(row.price, row.decimals),
            "result": f"{numbers.signed(row.pnl_percent)}% of margin, {numbers.signed(row.pnl_r)}R"
            f" at {numbers.factor(row.leverage)}x",
        }
        label = texts.CLOSE_LABEL.format(id=row.position_id, symbol=row.symbol)
        body = [line.format(**values) for line in texts.CLOSE_BODY]
        command = CloseVirtual(row.position_id)
        self._confirm(texts.CLOSE_TITLE.format(id=row.position_id), body, "y", lambda _: (command, label))

    def action_close_all(self) -> None:
        """Close all virtual positions, after a typed CLOSE."""
        snapshot = self._changing()
        if snapshot is None:
            return
        if self.active == "positions" and snapshot.hand is not None:
            self.close_all_live(snapshot)
            return
        if not snapshot.virtual:
            self.view.dispatch.say(texts.NO_VIRTUAL, "warn")
            return
        body = [line.format(entries=snapshot.entries) for line in texts.CLOSE_ALL_BODY]
        title = texts.CLOSE_ALL_TITLE.format(count=len(snapshot.virtual))
        self._confirm(title, body, "CLOSE", lambda _: (CloseAllVirtual(), texts.CLOSE_ALL_LABEL))

    def action_breaker(self) -> None:
        """Show the causes; offer reset, bypass and re-arm."""
        if self._changing() is None:
            return

        def head(width: int) -> list[Line]:
            snapshot = self.view.newest
            if snapshot is None:
                return []
            now = self.view.now_ms
            audit: list[Line] = [
                ((f" {numbers.clock(time)} ", "faint"), (text, "dim")) for time, text in snapshot.breaker.audit[-6:]
            ]
            return [
                *breaker_lines(snapshot.breaker, now, width),
                *protection_lines(snapshot.protection, now, width),
                *audit,
            ]

        def options(width: int) -> list[Option]:
            del width
            return [Option(name, ((text, "text"),)) for name, text in texts.BREAKER_OPTIONS]

        steps: dict[str, Callable[[], None]] = {
            "reset": self.reset_breaker,
            "bypass": self.bypass_breaker,
            "rearm": self.rearm,
        }

        def chosen(name: str | None) -> None:
            if name:
                steps[name]()

        foot = "enter chooses   esc closes"
        self.app.push_screen(ChoiceScreen(self.view, texts.BREAKER_TITLE, foot, options, head=head), chosen)

    def reset_breaker(self) -> None:
        """Reset the API breaker, after a typed RESET."""
        if (snapshot := self._changing()) is None:
            return
        breaker = snapshot.breaker
        values = {"state": breaker.state, "failures": breaker.failures, "cause": breaker.last_cause or "none"}
        body = [line.format(**values) for line in texts.RESET_BODY]
        command = ResetBreaker(texts.BY_OPERATOR)
        self._confirm(texts.RESET_TITLE, body, "RESET", lambda _: (command, texts.RESET_LABEL))

    def bypass_breaker(self) -> None:
        """Bypass the API breaker for a minute, after a typed reason."""
        if (snapshot := self._changing()) is None:
            return
        body = [line.format(state=snapshot.breaker.state) for line in texts.BYPASS_BODY]
        self._confirm(
            texts.BYPASS_TITLE, body, "", lambda reason: (BypassBreaker(BYPASS_S, reason), texts.BYPASS_LABEL)
        )

    def rearm(self) -> None:
        """Re-arm after a protection halt, after a typed REARM."""
        if (snapshot := self._changing()) is None:
            return
        values = {"state": snapshot.protection.state, "reason": snapshot.protection.reason or "no reason given"}
        body = [line.format(**values) for line in texts.REARM_BODY]
        command = Rearm(texts.BY_OPERATOR)
        self._confirm(texts.REARM_TITLE, body, "REARM", lambda _: (command, texts.REARM_LABEL))

    def _changing(self) -> Snapshot | None:
        """Return the newest snapshot where a command may be given; say why where it may not."""
        if self.view.read_only:
            self.view.dispatch.say(texts.READ_ONLY, "warn")
            return None
        if self.view.newest is None:
            self.view.dispatch.say(texts.WAITS_FOR_ENGINE, "warn")
        return self.view.newest

    def _confirm(self, title: str, body: Sequence[str], word: str, then: Callable[[str], tuple[Command, str]]) -> None:
        def answered(typed: str | None) -> None:
            if typed:
                self.view.dispatch.send(*then(typed))

        self.app.push_screen(ConfirmScreen(self.view, title, body, word), answered)
