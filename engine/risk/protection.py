"""Account protection: losses make the desk careful, then small, then still. Exits are always allowed.

Specification section 6.3. The conditions of the moment (loss of the UTC day, drawdown from the peak, losses in a row)
name a least level; the level in force never lies below it, rises at once, and steps back one at a time after two wins
in a row or with a new UTC day, as far as the conditions allow. A halt for the day's loss ends with the UTC day, a halt
for the total drawdown only by the operator. Pure: state and observation in, new state out; `now` in UTC ms.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

import msgspec

from engine.snapshot import ProtectionView

DAY_MS = 86_400_000
AUDIT_KEPT = 100
WINS_TO_STEP_BACK = 2
PEAK_HAIR = Decimal("1.001")
"""A peak that moved by less is not stored at once: it rises with every look at a running gain."""
OF_ACCOUNT, OF_PAPER = "state", "paper"
"""Names of the stored states: of an account that a key opens, and of paper trading without one."""
HUNDRED = Decimal(100)
ZERO = Decimal(0)


class ProtectionLevel(IntEnum):
    """From free to still."""

    NORMAL = 0
    CAUTIOUS = 1
    DEFENSIVE = 2
    HALTED = 3


class ProtectionLimits(msgspec.Struct, frozen=True):
    """Settings of specification section 6.3; losses in percent."""

    cautious_day_loss: Decimal = Decimal(3)
    cautious_losses: int = 3
    defensive_drawdown: Decimal = Decimal(10)
    defensive_losses: int = 5
    halt_day_loss: Decimal = Decimal(15)
    halt_drawdown: Decimal = Decimal(20)


class Effects(msgspec.Struct, frozen=True):
    """What a level means for the desk."""

    entries_allowed: bool
    confidence_floor: float
    size_factor: Decimal
    max_positions: int | None
    """None for no limit."""
    exits_allowed: bool = True


EFFECTS: dict[ProtectionLevel, Effects] = {
    ProtectionLevel.NORMAL: Effects(True, 0.0, Decimal(1), None),
    ProtectionLevel.CAUTIOUS: Effects(True, 0.70, Decimal("0.7"), None),
    ProtectionLevel.DEFENSIVE: Effects(True, 0.70, Decimal("0.5"), 5),
    ProtectionLevel.HALTED: Effects(False, 0.70, Decimal("0.5"), 0),
}


class ProtectionState(msgspec.Struct, frozen=True):
    """Everything the protection remembers; plain data that `save` and `load` carry over a restart."""

    day: int
    """UTC day number."""
    equity: Decimal
    day_start_equity: Decimal
    peak_equity: Decimal
    level: ProtectionLevel = ProtectionLevel.NORMAL
    halted_day: int = -1
    """UTC day whose loss halted the desk, -1 for none."""
    halted_by_drawdown: bool = False
    losses_in_row: int = 0
    wins_in_row: int = 0
    reason: str = ""
    audit: tuple[tuple[int, str], ...] = ()
    audited: int = 0
    """Lines ever written to the audit."""

    @property
    def day_loss_percent(self) -> Decimal:
        """Return the loss since the UTC day began, 0 for a gain."""
        return _loss(self.day_start_equity, self.equity)

    @property
    def drawdown_percent(self) -> Decimal:
        """Return the loss from the peak."""
        return _loss(self.peak_equity, self.equity)

    @property
    def effects(self) -> Effects:
        """Return what the level means."""
        return EFFECTS[self.level]


class ProtectionError(Exception):
    """An observation or order the protection cannot take; the text says why."""


def fresh(equity: Decimal, now: int) -> ProtectionState:
    """Begin at NORMAL with this equity as day start and peak. Raises ProtectionError unless it is positive."""
    if not (equity.is_finite() and equity > 0):
        raise ProtectionError(f"starting equity {equity} is not a positive amount")
    return ProtectionState(now // DAY_MS, equity, equity, equity)


def observe(
    state: ProtectionState, equity: Decimal, now: int, limits: ProtectionLimits | None = None
) -> ProtectionState:
    """Take note of the account's equity. Raises ProtectionError for NaN or infinity: unknown is not a number."""
    if not equity.is_finite():
        raise ProtectionError(f"equity {equity} is not a number; keep the protection as it is until it is known")
    limits = limits or ProtectionLimits()
    state = _new_day(state, now, limits)
    state = msgspec.structs.replace(state, equity=equity, peak_equity=max(state.peak_equity, equity))
    return _raise_level(state, now, limits)


def closed_trade(
    state: ProtectionState, net: Decimal, now: int, limits: ProtectionLimits | None = None
) -> ProtectionState:
    """Take note of a closed trade's result after costs; a result of 0 neither wins nor loses."""
    if not net.is_finite():
        raise ProtectionError(f"result {net} of a closed trade is not a number")
    limits = limits or ProtectionLimits()
    state = _new_day(state, now, limits)
    if net < 0:
        state = msgspec.structs.replace(state, losses_in_row=state.losses_in_row + 1, wins_in_row=0)
    elif net > 0:
        state = msgspec.structs.replace(state, losses_in_row=0, wins_in_row=state.wins_in_row + 1)
        if state.wins_in_row >= WINS_TO_STEP_BACK:
            state = _step_back(state, now, f"{state.wins_in_row} wins in a row", limits)
            state = msgspec.structs.replace(state, wins_in_row=0)
    return _raise_level(state, now, limits)


def pass_time(state: ProtectionState, now: int, limits: ProtectionLimits | None = None) -> ProtectionState:
    """Let a new UTC day begin when it has."""
    limits = limits or ProtectionLimits()
    return _raise_level(_new_day(state, now, limits), now, limits)


def rearm(
    state: ProtectionState, reason: str, by: str, now: int, limits: ProtectionLimits | None = None
) -> ProtectionState:
    """Lift a halt for the total drawdown: the equity of now becomes the new peak, the level DEFENSIVE at least.

    Raises ProtectionError without a reason, or when no such halt is in force.
    """
    if not reason.strip():
        raise ProtectionError("re-arming refused: type the reason, it goes into the audit")
    limits = limits or ProtectionLimits()
    state = _new_day(state, now, limits)
    if not state.halted_by_drawdown:
        raise ProtectionError("nothing to re-arm: no halt waits for the operator")
    if state.equity <= 0:
        raise ProtectionError(f"re-arming refused: equity is {state.equity:f}")
    state = msgspec.structs.replace(
        state, halted_by_drawdown=False, peak_equity=state.equity, level=ProtectionLevel.DEFENSIVE, wins_in_row=0
    )
    state = _noted(state, now, f"re-armed by {by}: {reason.strip()}")
    return _raise_level(state, now, limits)


def _loss(start: Decimal, equity: Decimal) -> Decimal:
    return max(ZERO, (start - equity) / start * HUNDRED) if start > 0 else HUNDRED


def _demand(state: ProtectionState, limits: ProtectionLimits) -> tuple[ProtectionLevel, str]:
    """Return the least level the conditions of the moment name, and which condition it was; the gravest comes first."""
    day, drawdown, losses = state.day_loss_percent, state.drawdown_percent, state.losses_in_row
    for_good = state.halted_by_drawdown or drawdown >= limits.halt_drawdown
    for_today = state.halted_day == state.day or day >= limits.halt_day_loss
    halted, defensive, cautious = ProtectionLevel.HALTED, ProtectionLevel.DEFENSIVE, ProtectionLevel.CAUTIOUS
    conditions = (
        (for_good, halted, "drawdown of {drawdown:.1f} %: waits for the operator to re-arm"),
        (for_today, halted, "loss of {day:.1f} % today: until the next UTC day"),
        (drawdown >= limits.defensive_drawdown, defensive, "drawdown of {drawdown:.1f} %"),
        (losses >= limits.defensive_losses, defensive, "{losses} losses in a row"),
        (day >= limits.cautious_day_loss, cautious, "loss of {day:.1f} % today"),
        (losses >= limits.cautious_losses, cautious, "{losses} losses in a row"),
    )
    for holds, level, text in conditions:
        if holds:
            return level, text.format(drawdown=drawdown, day=day, losses=losses)
    return ProtectionLevel.NORMAL, ""


def _raise_level(state: ProtectionState, now: int, limits: ProtectionLimits) -> ProtectionState:
    if state.drawdown_percent >= limits.halt_drawdown and not state.halted_by_drawdown:
        state = msgspec.structs.replace(state, halted_by_drawdown=True)
    if state.day_loss_percent >= limits.halt_day_loss and state.halted_day != state.day:
        state = msgspec.structs.replace(state, halted_day=state.day)
    demand, reason = _demand(state, limits)
    if demand > state.level:
        return _moved(state, demand, reason, now)
    if demand is state.level and reason:
        return msgspec.structs.replace(state, reason=reason)
    return state


def _step_back(state: ProtectionState, now: int, why: str, limits: ProtectionLimits) -> ProtectionState:
    """Go one level down unless the conditions of the moment demand the present one; a halt has its own ends."""
    if state.level in {ProtectionLevel.NORMAL, ProtectionLevel.HALTED} or _demand(state, limits)[0] >= state.level:
        return state
    return _moved(state, ProtectionLevel(state.level - 1), why, now)


def _new_day(state: ProtectionState, now: int, limits: ProtectionLimits) -> ProtectionState:
    """Begin a UTC day with the last known equity. A clock that goes back begins no day."""
    day = now // DAY_MS
    if day <= state.day:
        return state
    over = state.level is ProtectionLevel.HALTED and not state.halted_by_drawdown
    state = msgspec.structs.replace(
        state, day=day, day_start_equity=state.equity, halted_day=-1, losses_in_row=0, wins_in_row=0
    )
    if over:
        return _moved(state, ProtectionLevel.DEFENSIVE, "the day of the halt is over", now)
    return _step_back(state, now, "a new UTC day", limits)


def _moved(state: ProtectionState, level: ProtectionLevel, reason: str, now: int) -> ProtectionState:
    text = f"{state.level.name} -> {level.name}: {reason}"
    shown = reason if level is not ProtectionLevel.NORMAL else ""
    return _noted(msgspec.structs.replace(state, level=level, reason=shown), now, text)


def _noted(state: ProtectionState, now: int, text: str) -> ProtectionState:
    audit = (*state.audit, (now, text))[-AUDIT_KEPT:]
    return msgspec.structs.replace(state, audit=audit, audited=state.audited + 1)


def save(state: ProtectionState) -> bytes:
    """Return the state as JSON; Decimal travels as text."""
    return msgspec.json.encode(state)


def worth_storing(stored: ProtectionState, state: ProtectionState) -> bool:
    """Return whether a restart from `stored` would forget more than the equity of the moment and a hair of the peak."""
    if state.peak_equity > stored.peak_equity * PEAK_HAIR:
        return True
    same = msgspec.structs.replace(stored, equity=state.equity, peak_equity=state.peak_equity)
    return state.peak_equity < stored.peak_equity or same != state


def load(raw: bytes) -> ProtectionState:
    """Return a saved state. Raises ProtectionError naming the field that does not fit."""
    try:
        return msgspec.json.decode(raw, type=ProtectionState)
    except msgspec.DecodeError as error:
        raise ProtectionError(f"the stored account protection cannot be read: {error}") from error


def protection_view(state: ProtectionState) -> ProtectionView:
    """Return the panel's picture."""
    effects = state.effects
    timed = state.halted_day == state.day and not state.halted_by_drawdown
    return ProtectionView(
        state.level.name,
        float(state.day_loss_percent),
        float(state.drawdown_percent),
        state.losses_in_row,
        float(effects.size_factor),
        effects.confidence_floor,
        (state.day + 1) * DAY_MS if timed else 0,
        state.reason,
        float(state.equity),
        float(state.day_start_equity),
        float(state.peak_equity),
    )
