"""Balance never lets one side crowd out the other, never invents, and accepts as many as it may."""

from hypothesis import given
from hypothesis import strategies as st

from engine.signals.balance import balanced, long_share

SIDES = st.lists(st.sampled_from([1, -1]), max_size=40)


@given(SIDES, st.integers(1, 12), st.floats(0.5, 1.0))
def test_neither_side_takes_more_than_its_share_while_the_other_has_candidates(sides, most, share):
    ranked = list(enumerate(sides))
    accepted, left = balanced(ranked, lambda item: item[1], most, share)
    assert len(accepted) <= most
    assert sorted(accepted + left) == ranked
    assert accepted == sorted(accepted)
    assert left == sorted(left)
    if len(set(sides)) == 2 and len(accepted) > 1:
        longs = long_share([sign for _, sign in accepted])
        assert max(longs, 1.0 - longs) <= share + 1e-9
    if len(set(sides)) == 1:
        assert len(accepted) == min(most, len(sides))
    if ranked:
        assert accepted


@given(SIDES, st.integers(1, 12))
def test_within_a_side_the_better_is_taken_first(sides, most):
    ranked = list(enumerate(sides))
    accepted, left = balanced(ranked, lambda item: item[1], most, 0.7)
    for side in (1, -1):
        worst = max((place for place, sign in accepted if sign == side), default=-1)
        assert all(place > worst for place, sign in left if sign == side)


@given(SIDES, st.integers(1, 10))
def test_no_larger_acceptance_would_keep_the_rule(sides, most):
    accepted, _ = balanced(list(enumerate(sides)), lambda item: item[1], most, 0.7)
    longs, shorts = sides.count(1), sides.count(-1)
    for total in range(len(accepted) + 1, min(most, len(sides)) + 1):
        cap = total if 0 in (longs, shorts) else max(1, int(0.7 * total + 1e-9))
        assert min(longs, cap) + min(shorts, cap) < total
