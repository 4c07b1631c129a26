"""Balance of sides among the signals a cycle accepts. It only leaves out, it never invents."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")


def balanced(
    ranked: Sequence[Item], sign_of: Callable[[Item], int], most: int, share: float
) -> tuple[list[Item], list[Item]]:
    """Split candidates (best first) into (accepted, left out by balance or by number), both in rank order.

    While both sides have candidates neither takes more than `share` of what is accepted; a single accepted signal is
    exempt, since it is always all of one side. With one side only, balance has nothing to say. As many are accepted as
    the rule and `most` allow.
    """
    sides = {sign_of(item) for item in ranked}
    for total in range(min(most, len(ranked)), 0, -1):
        cap = total if len(sides) < 2 else max(1, int(share * total + 1e-9))
        taken = {1: 0, -1: 0}
        accepted: list[Item] = []
        left: list[Item] = []
        for item in ranked:
            sign = sign_of(item)
            if len(accepted) < total and taken[sign] < cap:
                taken[sign] += 1
                accepted.append(item)
            else:
                left.append(item)
        if len(accepted) == total:
            return accepted, left
    return [], list(ranked)


def long_share(signs: Sequence[int]) -> float:
    """Return the share of longs, NaN where there is nothing."""
    return sum(1 for sign in signs if sign > 0) / len(signs) if signs else float("nan")
