"""Change log: what the kernels did to which object at which bar, for tests, journals and event feeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.analysis.compiled import kernel

OF_SWING, OF_BREAK, OF_GAP, OF_BLOCK, OF_POOL, OF_SWEEP = 0, 1, 2, 3, 4, 5

BORN = -1  # `what` of a creation; otherwise it is the new state
TEST = -2  # `what` of a test of an order block
PROMOTED = -3  # `what` of a pool whose extreme the (20, 20) layer confirmed

CHANGE = np.dtype(
    [
        ("row", "i8"),
        ("of", "i1"),
        ("layer", "i1"),
        ("what", "i1"),
        ("side", "i1"),
        ("kind", "i1"),  # label of a swing, kind of a break, pool or sweep
        ("number", "i8"),  # number of the object within its table
        ("at", "i8"),
        ("known", "i8"),  # bar of this change
        ("value", "f8", 3),  # levels: low, high and quality, displacement, depth or the like
    ],
    align=True,
)


LOG_SIZE = 16_384
LOG = np.dtype([("on", "i8"), ("count", "i8"), ("ring", CHANGE, LOG_SIZE)], align=True)

ChangeLog = npt.NDArray[np.void]
"""One LOG record: a ring of the newest LOG_SIZE changes and the count of all so far."""


def make_log(*, on: bool = True) -> ChangeLog:
    """Return an empty log; one that is off costs a comparison per change and never touches its ring."""
    log = np.zeros(1, LOG)
    log["on"] = on
    return log


NO_LOG = make_log(on=False)


def changes_since(log: ChangeLog, seen: int) -> tuple[npt.NDArray[np.void], int]:
    """Return the changes after the first `seen` in order, and how many of them the ring had already dropped."""
    count = int(log[0]["count"])
    first = max(seen, count - LOG_SIZE)
    return log[0]["ring"][np.arange(first, count) % LOG_SIZE], first - seen


@kernel
def note(
    log: Any,
    row: int,
    of: int,
    layer: int,
    what: int,
    side: int,
    kind: int,
    number: int,
    at: int,
    known: int,
    a: float,
    b: float,
    c: float,
) -> None:
    """Append one change unless logging is off."""
    if log.on == 0:
        return
    entry = log.ring[log.count % LOG_SIZE]
    entry.row = row
    entry.of = of
    entry.layer = layer
    entry.what = what
    entry.side = side
    entry.kind = kind
    entry.number = number
    entry.at = at
    entry.known = known
    entry.value[0] = a
    entry.value[1] = b
    entry.value[2] = c
    log.count += 1
