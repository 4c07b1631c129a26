"""Look-ahead analysis: what was decided before an instant must not depend on what came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.adapters.entropy import RandomEntropy
from engine.backtest.history import BAR_MS
from engine.market.tape import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.backtest.desk import Decision
    from engine.backtest.history import History

SMALLEST_SHARE = 0.1


class Proof(msgspec.Struct, frozen=True):
    """One prefix against the whole run."""

    cut_ms: int
    compared: int
    """Decisions before the cut."""
    divergence: str
    """The first difference in words, empty where there is none."""


def prove(
    history: History,
    decisions: Sequence[Decision],
    run: Callable[[History], Sequence[Decision]],
    count: int,
    seed: int,
) -> list[Proof]:
    """Run `count` random prefixes of the history; each must decide what the whole run decided before its end.

    The cuts lie between a decision of the first tenth and the last one, drawn from `seed`.
    """
    if not decisions:
        return []
    entropy = RandomEntropy(seed)
    first = decisions[int(len(decisions) * SMALLEST_SHARE)].time
    last = decisions[-1].time
    proofs = []
    for _ in range(count):
        cut = (first + int(entropy.uniform() * (last - first + 1))) // BAR_MS * BAR_MS
        whole = [one for one in decisions if one.time < cut]
        prefix = [one for one in run(history.until(cut)) if one.time < cut]
        proofs.append(Proof(cut, len(whole), first_difference(whole, prefix, "the whole run", "the prefix")))
    return proofs


def first_difference(ours: Sequence[Decision], theirs: Sequence[Decision], name: str, other: str) -> str:
    """Return where two runs part, in words; empty where they do not."""
    for number, (one, two) in enumerate(zip(ours, theirs, strict=False), start=1):
        if one != two:
            what = "with other figures" if (one.time, one.what) == (two.time, two.what) else f"{other}: {_words(two)}"
            return f"decision {number}: {name}: {_words(one)}; {what}"
    if len(ours) != len(theirs):
        longer, who = (ours, name) if len(ours) > len(theirs) else (theirs, other)
        shorter = min(len(ours), len(theirs))
        return f"decision {shorter + 1}: only {who} has {_words(longer[shorter])}"
    return ""


def _words(one: Decision) -> str:
    return f"{moment(one.time)} {one.what}"
