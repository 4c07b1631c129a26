import pytest

from exchange.unknown_outcome import Fate, UnknownOrder

SENT = 1_000_000
END = SENT + 5_000 + 50 + 1_000


def case():
    return UnknownOrder(SENT, 5_000, 50)


def denied_at(*offsets, witness=None):
    one = case()
    for offset in offsets:
        one.denied(SENT + offset)
    if witness is not None:
        one.witnessed(SENT + witness)
    return one.fate()


def test_looks_are_made_after_one_three_and_ten_seconds_and_then_every_ten():
    one = case()
    looks = []
    for _ in range(5):
        looks.append(one.next_look_ms - SENT)
        one.looked()
    assert looks == [1_000, 3_000, 10_000, 20_000, 30_000]


def test_an_order_is_dead_after_the_window_three_spaced_denials_and_a_witness():
    assert denied_at(1_000, 3_000, 10_000, witness=10_100) is Fate.DEAD


@pytest.mark.parametrize(
    ("denials", "witness"),
    [
        ((1_000, 3_000, 10_000), None),
        ((1_000, 3_000, 10_000), 6_000),
        ((1_000, 10_000), 10_100),
        ((1_000, 2_000, 3_000), 10_100),
        ((10_000, 10_001, 10_002), 10_100),
        ((), 10_100),
    ],
    ids=["no witness", "an early witness", "two denials", "none after the window", "not spaced", "no denial"],
)
def test_less_proves_nothing(denials, witness):
    assert denied_at(*denials, witness=witness) is Fate.PENDING


def test_a_witness_that_contradicts_keeps_the_case_open():
    one = case()
    for offset in (1_000, 3_000, 10_000):
        one.denied(SENT + offset)
    assert one.wants_witness(END + 5_000)
    one.witnessed(END + 5_000)
    one.contradicted()
    assert one.fate() is Fate.PENDING


def test_the_lists_are_not_asked_for_before_they_can_decide():
    one = case()
    one.denied(SENT + 1_000)
    assert not one.wants_witness(END + 5_000)
    one.denied(SENT + 3_000)
    one.denied(END + 1)
    assert not one.wants_witness(END)
    assert one.wants_witness(END + 1)


def test_what_is_found_is_adopted_even_after_it_was_dead():
    one = case()
    for offset in (1_000, 3_000, 10_000):
        one.denied(SENT + offset)
    one.witnessed(SENT + 10_100)
    assert one.fate() is Fate.DEAD
    one.found()
    assert one.fate() is Fate.FOUND


def test_the_operator_hears_after_a_minute_of_uncertainty():
    one = case()
    assert not one.is_overdue(SENT + 60_000)
    assert one.is_overdue(SENT + 60_001)
    one.found()
    assert not one.is_overdue(SENT + 60_001)
