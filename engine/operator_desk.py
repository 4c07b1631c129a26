"""Carries out what an operator asks: each command is done or refused with a reason, journaled and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import ConfigError
from engine.commands import (
    Arm,
    BypassBreaker,
    CancelEntries,
    CloseAllVirtual,
    CloseVirtual,
    Disarm,
    Flatten,
    Halt,
    HaltProcess,
    Rearm,
    ResetBreaker,
    Resume,
    SetFlag,
    SetMode,
    SetTrading,
    Shutdown,
)
from engine.events import EventKind, Severity
from engine.execution.levels import SENTINEL, StopLevel, read_sentinel
from engine.ports import DiskError
from engine.positions.book import UnknownPositionError
from engine.refusals import RefusedCommand
from engine.risk import protection
from engine.risk.breaker import BreakerError
from engine.risk.protection import ProtectionError
from engine.strategy.candidate import StrategyName

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.commands import Command
    from engine.desk import Desk


HOW_TO_GO_LIVE = (
    "the desk was started on paper and holds no way to send an order: start it with TRADING_ENABLED=true and "
    "trading.environment = live, then arm it"
)
ON_PAPER = "the desk is on paper: it holds no way to send an order, so there is nothing to arm, cancel or close"


class OperatorDesk:
    """The commands of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.keep: Callable[[str, object], None] | None = None
        """Writes a changed setting back to the configuration, off the loop."""
        self._obeyed: StopLevel | None = None

    def obey_sentinel(self) -> None:
        """Carry out what a stop file in the data directory asks for, once per word."""
        try:
            disk = self._desk.ports.disk
            asked = read_sentinel(disk.read(SENTINEL)) if disk.holds(SENTINEL) else None
        except DiskError as error:
            self._desk.chronicle.say(EventKind.RISK, f"the stop file cannot be read: {error}", Severity.ALERT)
            asked = StopLevel.PAUSE
        if asked is self._obeyed:
            return
        self._obeyed = asked
        commands: dict[StopLevel, Command] = {
            StopLevel.PAUSE: Halt(),
            StopLevel.CANCEL: CancelEntries(),
            StopLevel.FLATTEN: Flatten(),
            StopLevel.HALT: HaltProcess(),
        }
        if asked is not None:
            on_paper = self._desk.orders is None and asked is not StopLevel.HALT
            self.take(Halt() if on_paper else commands[asked], f"the file {SENTINEL}")

    def take(self, command: Command, by: str) -> tuple[bool, str]:
        """Carry out one command for `by`; return whether it was done, and the words."""
        try:
            text, old, new = self._carry_out(command, by)
        except (
            RefusedCommand,
            ConfigError,
            UnknownPositionError,
            BreakerError,
            ProtectionError,
            ValueError,
        ) as refusal:
            self._desk.chronicle.command(command, by, "refused", str(refusal))
            return False, str(refusal)
        self._desk.chronicle.command(command, by, "done", text, old, new)
        self._desk.publish()
        return True, text

    def _carry_out(self, command: Command, by: str) -> tuple[str, str, str]:  # noqa: C901, PLR0911, PLR0912 - an arm per command
        """Return (text, value before, value after)."""
        match command:
            case SetMode(mode):
                return self._set_mode(mode, by)
            case SetFlag(name, value):
                return self._set_flag(name, value, by)
            case SetTrading(live, consent):
                return self._set_trading(live, consent, by)
            case Halt():
                return self._halt(by)
            case Resume():
                return self._resume(by)
            case CloseVirtual(position_id):
                return self._close(position_id, by)
            case CloseAllVirtual():
                return self._close_all(by)
            case BypassBreaker(seconds, reason):
                self._desk.gate.bypass(seconds, reason, by)
                return f"API breaker bypassed for {seconds} s: {reason}", "", str(seconds)
            case ResetBreaker(reason):
                before = self._desk.gate.view().state
                self._desk.gate.reset(reason, by)
                return f"API breaker reset from {before}: {reason}", before, self._desk.gate.view().state
            case Rearm(reason):
                return self._rearm(reason, by)
            case Shutdown(reason):
                self._desk.stop(f"asked by {by}: {reason}")
                return f"the engine stops: {reason}", "running", "stopping"
            case HaltProcess() if self._desk.orders is None:
                self._desk.halt(f"halted by {by}")
                return "the process ends and is not started again by itself", "running", "HALT"
            case _:
                if self._desk.orders is None:
                    raise RefusedCommand(ON_PAPER)
                return self._desk.orders.take(command, by)

    def _set_mode(self, mode: str, by: str) -> tuple[str, str, str]:
        desk, old = self._desk, self._desk.mode
        known = (*(name.value for name in StrategyName), *desk.guests.names)
        if mode not in known:
            raise RefusedCommand(f"mode {mode!r} is unknown; known are {', '.join(known)}")
        if mode == old:
            return f"the strategy mode is {mode} already", old, mode
        desk.mode = mode
        desk.chronicle.change("mode", "STRATEGY_MODE", old, mode, by)
        text = f"strategy mode {old} -> {mode}, from the next cycle on"
        if mode in desk.guests.names:
            return f"{text}; not saved: a start knows the strategies of the desk only", old, mode
        self._keep("strategy.mode", mode)
        return text, old, mode

    def _set_flag(self, name: str, value: bool, by: str) -> tuple[str, str, str]:
        desk = self._desk
        change = desk.flags.set(name, value, desk.clock.now_ms(), by)
        words = {True: "on", False: "off"}
        old, new = words[change.old], words[change.new]
        if change.old == change.new:
            return f"{change.name} is {new} already", old, new
        desk.chronicle.change("flag", change.name, old, new, by, change.takes)
        fault = self._follow_flag(change.name, value)
        self._keep(f"flags.{change.name.lower()}", value)
        return f"{change.name} {old} -> {new}, takes effect {change.takes}{fault}", old, new

    def _follow_flag(self, name: str, value: bool) -> str:
        """Change what does not ask its flag at every cycle; return what stood in the way, empty for nothing."""
        desk = self._desk
        if name == "ENABLE_SMART_MONITORING":
            desk.book.set_smart(value, desk.clock.now_ms())
            if desk.orders is not None:
                desk.orders.lives.book.set_smart(value, desk.clock.now_ms())
        elif name == "ENABLE_INCREMENTAL_CACHE":
            desk.feed.incremental = value
        elif name == "ENABLE_MEMORY_MAPPED_STORAGE":
            desk.store.mapped = value
            desk.book.move()
            return f"; the book lies in {desk.store.rung}" if desk.store.fault else ""
        elif name == "ENABLE_LIQUIDITY_HUNTING":
            desk.pending.keep(())  # the next cycle offers them again, at the entries the new setting gives them
        return ""

    def _set_trading(self, live: bool, consent: str, by: str) -> tuple[str, str, str]:
        """Arm or disarm; a desk that was started on paper has no way to send an order and says so."""
        orders = self._desk.orders
        if orders is not None:
            return orders.take(Arm(consent=consent) if live else Disarm(), by)
        if live:
            raise RefusedCommand(HOW_TO_GO_LIVE)
        return "the desk trades on paper already: no order leaves", "PAPER", "PAPER"

    def _keep(self, path: str, value: object) -> None:
        if self.keep is not None:
            self.keep(path, value)

    def _halt(self, by: str) -> tuple[str, str, str]:
        desk = self._desk
        if desk.halted_by:
            return f"new entries were halted already by {desk.halted_by}", "halted", "halted"
        desk.halted_by = by
        if desk.orders is not None:
            desk.orders.pause(by)
        withdrawn = len(desk.pending.keep(()))
        return (
            (
                f"new entries halted; {withdrawn} waiting entries withdrawn, "
                f"{len(desk.book)} open positions stay under watch"
            ),
            "open",
            "halted",
        )

    def _resume(self, by: str) -> tuple[str, str, str]:
        desk = self._desk
        if not desk.halted_by and (desk.orders is None or not desk.orders.is_stopped):
            raise RefusedCommand("entries are not halted, there is nothing to resume")
        desk.halted_by = ""
        if desk.orders is not None:
            desk.orders.resume(by)
        return "new entries allowed again", "halted", "open"

    def _close(self, position_id: str, by: str) -> tuple[str, str, str]:
        desk = self._desk
        events = desk.book.close(position_id, None, desk.clock.now_ms(), f"closed by {by}")
        desk.chronicle.positions(events)
        last = events[-1]
        return f"{position_id} {last.symbol} closed at {last.price:g}, {last.pnl_r:+.2f} R", "open", "closed"

    def _close_all(self, by: str) -> tuple[str, str, str]:
        desk = self._desk
        count = len(desk.book)
        if not count:
            raise RefusedCommand("no virtual position is open")
        desk.chronicle.positions(desk.book.close_all(desk.clock.now_ms(), f"all closed by {by}"))
        return f"{count} virtual positions closed; entries stay as they are", str(count), "0"

    def _rearm(self, reason: str, by: str) -> tuple[str, str, str]:
        desk = self._desk
        before = desk.protection.level.name
        desk.protection = protection.rearm(desk.protection, reason, by, desk.clock.now_ms())
        desk.remember_protection(by)
        return f"account protection re-armed from {before}: {reason}", before, desk.protection.level.name
