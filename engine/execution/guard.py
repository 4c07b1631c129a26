"""What to do next for the protection of one position. Pure: picture and instant in, one action out.

A position is protected within seconds or closed: at first sight a stop is placed, a stop that fails is tried again in
the other form, and when the bound comes near, or the stop's level is passed already, the position is closed at the
market, reduce-only. Times are desk seconds on the monotonic clock.

A stop has two forms. One closes the whole position, follows its size and ends with it, but only one may exist per
symbol, direction and family; the other has a quantity and can only reduce. A stop is replaced by placing the other
form first and cancelling the old one afterwards, so at no moment is the position without one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.execution.book import BookAlgo
from engine.execution.coverage import is_breached
from engine.execution.intents import read_client_id

if TYPE_CHECKING:
    from engine.execution.book import BookPosition
    from engine.execution.coverage import Coverage

HUNDRED = Decimal(100)
CLOSE_PAUSE_GROWTH = 1.5
NEAR_LIQUIDATION = Decimal("0.8")
"""An emergency stop lies within this share of the way from the mark to the liquidation price."""


class GuardLimits(msgspec.Struct, frozen=True):
    """Bounds of protection in desk seconds. Reliability I2: naked at most 30 s."""

    answer_s: float = 2.0
    """How long a stop may be on its way before it counts as failed."""
    close_after_s: float = 12.0
    """Naked time after which the position is closed: leaves the close time to be repeated before 30 s."""
    triggering_s: float = 3.0
    """How long a triggered stop may take to become an execution."""
    close_again_s: float = 2.5
    """Pause before a close that brought nothing is repeated."""
    close_unknown_s: float = 1.0
    """Pause after a close of unknown fate: the next one can only reduce, whatever became of this one."""
    close_refused_s: float = 0.3
    """Pause after the first close that was certainly refused or never left; it grows up to `close_again_s`."""
    prune_after_s: float = 1.0
    """How long two stops may stand side by side before one is taken out."""
    attempts: int = 4
    """Stops tried before the position is closed."""
    emergency_percent: Decimal = Decimal(3)
    """Distance of an emergency stop from the mark price, in percent, for a position nobody planned."""

    def stretched(self, factor: float) -> GuardLimits:
        """Return the bounds for a venue whose clock runs `factor` times as fast as this machine can follow."""
        return GuardLimits(
            self.answer_s * factor,
            self.close_after_s * factor,
            self.triggering_s * factor,
            self.close_again_s * factor,
            self.close_unknown_s * factor,
            self.close_refused_s * factor,
            self.prune_after_s * factor,
            self.attempts,
            self.emergency_percent,
        )


class Wish(NamedTuple):
    """Where stop and target of a position should be."""

    stop: Decimal
    target: Decimal | None
    is_moved: bool = False
    """Whether the operator moved it: a working stop elsewhere is then replaced."""


class Watch(msgspec.Struct):
    """What the guard remembers of one position."""

    seen: float
    """When the position, or its present size, was first seen."""
    naked_since: float | None = None
    answers_since: float = 0.0
    """Since when the exchange answers: nothing can be placed while it bans this address."""
    tried: int = 0
    """Stops tried since it was last protected."""
    placing_until: float = 0.0
    """A stop is on its way until then."""
    last_whole: bool = False
    """Whether the last stop tried was of the form that closes the whole position."""
    triggering_since: float | None = None
    closing_since: float | None = None
    closes: int = 0
    close_at: float = 0.0
    """When the close may be sent again."""
    close_refusals: int = 0
    """Closes in a row that were certainly refused or never left."""
    surplus_since: float | None = None
    moves: int = 0
    """Stops tried to replace one that works and stands elsewhere; each waits longer, there is no hurry."""
    target_tried: float = -1e9
    close_reason: str = ""
    """Why it has to be closed, empty while it need not."""


class PlaceStop(NamedTuple):
    """Place a stop."""

    price: Decimal
    whole: bool
    """Whether it closes the whole position; else it has the position's size."""


class PlaceTarget(NamedTuple):
    """Place a take-profit order that closes the position."""

    price: Decimal


class CloseNow(NamedTuple):
    """Close at the market, reduce-only."""

    reason: str


class Prune(NamedTuple):
    """Cancel conditional orders that another one makes superfluous."""

    algos: tuple[BookAlgo, ...]


class Wait(NamedTuple):
    """Nothing to do now."""

    why: str = ""


Action = PlaceStop | PlaceTarget | CloseNow | Prune | Wait
TARGET_AGAIN_S = 5.0


def emergency_stop(position: BookPosition, mark: Decimal | None, percent: Decimal) -> Decimal:
    """Return where the stop of a position without a plan lies: a fixed distance from the mark, before liquidation."""
    base = mark if mark is not None and mark > 0 else position.entry
    stop = base * (1 - position.sign * percent / HUNDRED)
    if position.liquidation > 0 and position.sign * (base - position.liquidation) > 0:
        nearest = base - NEAR_LIQUIDATION * (base - position.liquidation)
        stop = max(stop, nearest) if position.sign > 0 else min(stop, nearest)
    return stop


def decide(  # noqa: PLR0911 - one return per reason, in their order of weight
    watch: Watch, position: BookPosition, coverage: Coverage, wish: Wish, mark: Decimal | None, now: float,
    limits: GuardLimits,
) -> Action:  # fmt: skip
    """Return the next action for an open position, and note in `watch` how long it has been naked."""
    watch.triggering_since = (watch.triggering_since or now) if coverage.triggering or coverage.breached else None
    if coverage.is_protected:
        _protected_again(watch)
    elif watch.naked_since is None:
        watch.naked_since = now
    if watch.close_reason:
        return _close(watch, watch.close_reason, now)
    if coverage.is_protected:
        return _when_protected(watch, coverage, wish, now, limits)
    naked = now - max(watch.naked_since, watch.answers_since) if watch.naked_since is not None else 0.0
    if naked >= limits.close_after_s or watch.tried >= limits.attempts:
        return _close(watch, f"no stop could be placed in {naked:.0f} s", now)
    if watch.triggering_since is not None:
        if now - watch.triggering_since <= limits.triggering_s:
            return Wait("its stop is triggering")
        return _close(watch, "its stop was reached and did not close it", now)
    if is_breached(position.sign, wish.stop, mark):
        return _close(watch, "the price is beyond its stop already", now)
    if now < watch.placing_until:
        return Wait("a stop is on its way")
    return PlaceStop(wish.stop, whole=_form(watch, coverage))


def _protected_again(watch: Watch) -> None:
    watch.naked_since = None
    watch.tried = 0
    watch.closing_since = None if not watch.close_reason else watch.closing_since


def _form(watch: Watch, coverage: Coverage) -> bool:
    """Return whether the next stop closes the whole position: at first, and then in turn."""
    if any(one.close_position for one in (*coverage.stops, *coverage.breached)):
        return False
    return not watch.last_whole if watch.tried else True


def _close(watch: Watch, reason: str, now: float) -> Action:
    """Close, again and again until it is closed; a position that has to go never gets another chance."""
    if watch.closing_since is None:
        watch.closing_since = now
    watch.close_reason = watch.close_reason or reason
    if now < watch.close_at:
        return Wait("a close is on its way")
    return CloseNow(watch.close_reason)


def note_close_sent(watch: Watch, now: float, limits: GuardLimits) -> None:
    """Note that a close leaves: what becomes of it is waited for."""
    watch.closes += 1
    watch.close_at = now + limits.close_again_s


def note_close_refused(watch: Watch, now: float, limits: GuardLimits) -> None:
    """Note that a close certainly was not executed: it is repeated soon, and less and less soon."""
    watch.close_at = now + min(limits.close_again_s, limits.close_refused_s * CLOSE_PAUSE_GROWTH**watch.close_refusals)
    watch.close_refusals += 1


def _when_protected(watch: Watch, coverage: Coverage, wish: Wish, now: float, limits: GuardLimits) -> Action:
    fitting = [one for one in coverage.stops if one.trigger == wish.stop]
    if not wish.is_moved or _covers(fitting, coverage.size):
        watch.moves = 0
    else:
        if now < watch.placing_until:
            return Wait("a stop is on its way")
        return PlaceStop(wish.stop, whole=not any(one.close_position for one in coverage.stops))
    surplus = _surplus(coverage, fitting)
    if not surplus:
        watch.surplus_since = None
    elif watch.surplus_since is None:
        watch.surplus_since = now
    elif now - watch.surplus_since >= limits.prune_after_s:
        return Prune(surplus)
    if wish.target is not None and not coverage.targets and now - watch.target_tried >= TARGET_AGAIN_S:
        return PlaceTarget(wish.target)
    return Wait()


def _covers(stops: list[BookAlgo], size: Decimal) -> bool:
    return any(one.close_position for one in stops) or sum((one.quantity for one in stops), Decimal(0)) >= size


def _surplus(coverage: Coverage, fitting: list[BookAlgo]) -> tuple[BookAlgo, ...]:
    """Return the desk's own stops that may go: all but one that covers the size, preferably where it is wished for.

    What somebody else placed is left alone.
    """
    ours = [one for one in coverage.stops if read_client_id(one.client_id) is not None]
    if len(ours) < 2:
        return ()
    ranked = [*(one for one in ours if one in fitting), *(one for one in ours if one not in fitting)]
    for one in ranked:
        if one.close_position or one.quantity >= coverage.size:
            return tuple(other for other in ours if other is not one)
    return ()
