"""The life of one order from intent to end: tables for plain and conditional orders, with every oddity by name.

News reaches the desk by answers, by the private stream and by queries, late, twice and out of order. A table maps
(stage, news) to the next stage; what is not in it is a contradiction, which is counted and told, and the stage stays.
Sizes only ever grow: `filled` is the largest that was told.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec


class Stage(StrEnum):
    """Where an order stands for the desk."""

    PLANNED = "planned"
    """Journaled, no byte has left."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """Bytes left, nothing certain came back: never sent again, counts as exposure."""
    WORKING = "working"
    PARTIAL = "partial"
    TRIGGERING = "triggering"
    """A conditional order whose price was reached: it protects no more and has not become an order yet."""
    TRIGGERED = "triggered"
    FILLED = "filled"
    ENDED = "ended"
    """Cancelled, expired or rejected by the exchange; what was filled before stays filled."""
    REFUSED = "refused"
    """Certainly not accepted, or never sent: the same intent may go out again."""
    DEAD = "dead"
    """Unknown once, proven absent since."""


class News(StrEnum):
    """What is heard of an order."""

    SEND = "send"
    REFUSE = "refuse"
    LOSE = "lose"
    ABSENT = "absent"
    """Proven absent by the rule for unknown outcomes."""
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    REJECTED = "REJECTED"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"


_S, _N = Stage, News
_ENDS: Final = (_N.CANCELED, _N.EXPIRED, _N.EXPIRED_IN_MATCH, _N.REJECTED)
_OPEN: Final = (_S.SENT, _S.UNKNOWN)
OPEN_STAGES: Final = frozenset({_S.WORKING, _S.PARTIAL})
PENDING_STAGES: Final = frozenset({_S.PLANNED, _S.SENT, _S.UNKNOWN})
FINAL_STAGES: Final = frozenset({_S.FILLED, _S.ENDED, _S.REFUSED, _S.DEAD})

_COMMON: Final[dict[tuple[Stage, News], Stage]] = {
    (_S.PLANNED, _N.SEND): _S.SENT,
    (_S.REFUSED, _N.SEND): _S.SENT,
    (_S.PLANNED, _N.REFUSE): _S.REFUSED,
    (_S.SENT, _N.REFUSE): _S.REFUSED,
    (_S.SENT, _N.LOSE): _S.UNKNOWN,
    (_S.UNKNOWN, _N.ABSENT): _S.DEAD,
}

PLAIN: Final[dict[tuple[Stage, News], Stage]] = {
    **_COMMON,
    **{(stage, _N.NEW): _S.WORKING for stage in _OPEN},
    **{(stage, _N.PARTIALLY_FILLED): _S.PARTIAL for stage in (*_OPEN, _S.WORKING, _S.PARTIAL)},
    **{(stage, _N.FILLED): _S.FILLED for stage in (*_OPEN, _S.WORKING, _S.PARTIAL, _S.FILLED)},
    **{(stage, end): _S.ENDED for stage in (*_OPEN, _S.WORKING, _S.PARTIAL, _S.ENDED) for end in _ENDS},
    (_S.WORKING, _N.NEW): _S.WORKING,
}
"""The ordinary life of a plain order."""

CONDITIONAL: Final[dict[tuple[Stage, News], Stage]] = {
    **_COMMON,
    **{(stage, _N.NEW): _S.WORKING for stage in (*_OPEN, _S.WORKING)},
    **{(stage, _N.TRIGGERING): _S.TRIGGERING for stage in (*_OPEN, _S.WORKING, _S.TRIGGERING)},
    **{(stage, _N.TRIGGERED): _S.TRIGGERED for stage in (*_OPEN, _S.WORKING, _S.TRIGGERING, _S.TRIGGERED)},
    **{(stage, _N.FINISHED): _S.FILLED for stage in (*_OPEN, _S.WORKING, _S.TRIGGERING, _S.TRIGGERED, _S.FILLED)},
    **{
        (stage, end): _S.ENDED
        for stage in (*_OPEN, _S.WORKING, _S.TRIGGERING, _S.TRIGGERED, _S.ENDED)
        for end in (_N.CANCELED, _N.EXPIRED, _N.REJECTED)
    },
}
"""The ordinary life of a conditional order. FINISHED says that its child ended, filled or not."""

_LATE: Final = "older than what is known: answers and stream overtake each other"
_ADOPT: Final = "an order given up for absent is there after all: it is adopted"
_RACE: Final = "a fill that raced the end: executions count whenever they are told"
_ODD_PLAIN: Final[dict[tuple[Stage, News], tuple[Stage, str]]] = {
    **{(stage, _N.NEW): (stage, _LATE) for stage in (_S.PARTIAL, _S.FILLED, _S.ENDED)},
    (_S.FILLED, _N.PARTIALLY_FILLED): (_S.FILLED, _LATE),
    **{(_S.FILLED, end): (_S.FILLED, _LATE) for end in _ENDS},
    (_S.ENDED, _N.PARTIALLY_FILLED): (_S.ENDED, _RACE),
    (_S.ENDED, _N.FILLED): (_S.FILLED, _RACE),
}
_ODD_CONDITIONAL: Final[dict[tuple[Stage, News], tuple[Stage, str]]] = {
    **{(stage, _N.NEW): (stage, _LATE) for stage in (_S.TRIGGERING, _S.TRIGGERED, _S.FILLED, _S.ENDED)},
    **{(stage, _N.TRIGGERING): (stage, _LATE) for stage in (_S.TRIGGERED, _S.FILLED, _S.ENDED)},
    **{(stage, _N.TRIGGERED): (stage, _LATE) for stage in (_S.FILLED, _S.ENDED)},
    (_S.ENDED, _N.FINISHED): (_S.FILLED, _RACE),
    **{(_S.FILLED, end): (_S.FILLED, _LATE) for end in (_N.CANCELED, _N.EXPIRED, _N.REJECTED)},
}


def _with_adoption(
    ordinary: dict[tuple[Stage, News], Stage], odd: dict[tuple[Stage, News], tuple[Stage, str]]
) -> dict[tuple[Stage, News], tuple[Stage, str]]:
    """Add what concerns orders of any kind: absent ones that appear, late verdicts on orders that were seen."""
    table = dict(odd)
    for (stage, news), after in ordinary.items():
        if stage is Stage.SENT and news.isupper():
            for given_up in (Stage.DEAD, Stage.REFUSED, Stage.PLANNED):
                table[given_up, news] = (after, _ADOPT)
    for stage in Stage:
        if stage in (Stage.PLANNED, Stage.SENT, Stage.UNKNOWN):
            continue
        for verdict in (News.LOSE, News.REFUSE):
            if stage not in (Stage.DEAD, Stage.REFUSED):
                table[stage, verdict] = (stage, "the stream told of the order before its answer was given up")
        if stage is not Stage.DEAD:
            table[stage, News.ABSENT] = (
                stage,
                "the order was seen while its absence was being proven: seen is stronger",
            )
    return table


ODD_PLAIN: Final = _with_adoption(PLAIN, _ODD_PLAIN)
"""Oddities of plain orders: (stage, news) to (next stage, why that happens)."""
ODD_CONDITIONAL: Final = _with_adoption(CONDITIONAL, _ODD_CONDITIONAL)


class Step(NamedTuple):
    """The outcome of one piece of news."""

    stage: Stage
    odd: str
    """Why it was out of the ordinary, empty where it was not."""
    fits: bool
    """False for a contradiction: the stage stayed."""


def advance(stage: Stage, news: News, *, conditional: bool) -> Step:
    """Return the next stage. Pure and total."""
    after = (CONDITIONAL if conditional else PLAIN).get((stage, news))
    if after is not None:
        return Step(after, "", fits=True)
    odd = (ODD_CONDITIONAL if conditional else ODD_PLAIN).get((stage, news))
    if odd is not None:
        return Step(odd[0], odd[1], fits=True)
    return Step(stage, f"{news} of an order that is {stage}", fits=False)


def news_of(status: str) -> News | None:
    """Return the news of a venue's status, None for one the desk does not know."""
    try:
        news = News(status)
    except ValueError:
        return None
    return news if news.isupper() else None


class OrderState(msgspec.Struct, frozen=True):
    """What is known of one order of the desk."""

    stage: Stage = Stage.PLANNED
    order_id: int = 0
    """The exchange's id: of the algo service for a conditional order; 0 while none was told."""
    child_id: int = 0
    """The plain order a conditional one became."""
    filled: Decimal = Decimal(0)
    sends: int = 0
    sent_ms: int = 0
    """When it was last sent, by the exchange's clock."""
    changed_ms: int = 0
    """When the stage last changed, by the desk's clock."""
    text: str = ""
    """What the exchange said last, where it said something."""

    @property
    def is_open(self) -> bool:
        """Say whether it can trade or trigger."""
        return self.stage in OPEN_STAGES

    @property
    def is_final(self) -> bool:
        """Say whether nothing more is expected."""
        return self.stage in FINAL_STAGES

    @property
    def is_pending(self) -> bool:
        """Say whether its fate is not known yet."""
        return self.stage in PENDING_STAGES
