"""What holds for every text and every filter an operator may type."""

from __future__ import annotations

import contextlib
import math
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui import numbers
from tui.filtering import FilterError, parse
from tui.lines import fit
from tui.safe_text import clean

FIELDS = {"symbol": str, "conf": float}
NUMBERS = st.floats(-1e6, 1e6)


@given(st.text(max_size=60))
def test_any_filter_either_parses_or_is_refused_as_a_filter(text):
    with contextlib.suppress(FilterError):
        assert parse(text, FIELDS)({"symbol": "BTCUSDT", "conf": 0.5}) in {True, False}


@given(st.lists(st.sampled_from(["btc", "!eth", "conf>.5", "!conf<=2", "symbol:BT", "conf=1k"]), max_size=6), NUMBERS)
def test_terms_are_joined_by_and_in_any_order(terms, value):
    row = {"symbol": "BTCUSDT", "conf": value}
    whole = parse(" ".join(terms), FIELDS)(row)
    assert whole == all(parse(term, FIELDS)(row) for term in terms)
    assert whole == parse(" ".join(reversed(terms)), FIELDS)(row)


@given(NUMBERS, st.sampled_from([">", ">=", "<", "<=", "="]), st.integers(-1000, 1000))
def test_negation_turns_every_comparison_round(value, relation, limit):
    row = {"symbol": "X", "conf": value}
    term = f"conf{relation}{limit}"
    assert parse(term, FIELDS)(row) != parse("!" + term, FIELDS)(row)


@given(st.text(max_size=80), st.integers(1, 60))
def test_a_fitted_line_has_its_width_and_nothing_that_moves_a_cursor(text, width):
    line = fit(((text, "text"), ("tail", "dim")), width)
    shown = "".join(part for part, _ in line)
    assert cell_len(shown) == width
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Mn", "Me"} for character in shown)


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_has_a_short_text_without_a_bare_nan(value):
    with contextlib.suppress(OverflowError):
        for text in (numbers.price(value, 2), numbers.signed(value), numbers.share(value), numbers.compact(value)):
            assert "nan" not in text
            assert "inf" not in text
            assert text == "-" or math.isfinite(value)
