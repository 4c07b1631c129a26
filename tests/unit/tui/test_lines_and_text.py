"""Lines measured in cells, and the one function that makes outside text harmless."""

from __future__ import annotations

from rich.cells import cell_len

from tui import glyphs
from tui.lines import bar, between, changed_cells, crop, fit, flow, left, right, wrapped
from tui.palette import THEMES, Palette
from tui.safe_text import clean


def test_wide_symbols_take_two_cells_and_are_never_cut_in_half():
    for width in range(1, 12):
        assert cell_len(left("币安人生USDT", width)) == width
        assert cell_len(right("币安人生USDT", width)) == width
    assert crop("币安人生", 5) == "币安…"


def test_control_bidi_and_combining_characters_are_removed():
    assert clean("a\x1b[31mb\x07c\u202ed\u200be\ufefff") == "a[31mbcdef"
    assert clean("one\ntwo\tthree\u2028four\u00a0five") == "one two three four five"
    assert clean("Z\u0335\u0321a\u0301lgo") == "Zálgo"
    assert clean("[bold]x[/bold]") == "[bold]x[/bold]", "markup is text, it is never interpreted"


def test_changed_cells_are_the_smallest_span_that_covers_the_difference():
    old = fit((("abc", "text"), ("def", "up"), ("ghi", "dim")), 12)
    assert changed_cells(old, old) == (0, 0)
    assert changed_cells(old, fit((("abc", "text"), ("xyz", "up"), ("ghi", "dim")), 12)) == (3, 6)
    assert changed_cells(old, fit((("abc", "text"), ("def", "down"), ("ghi", "dim")), 12)) == (3, 6)
    assert changed_cells(old, fit((("abcd", "text"),), 12)) == (0, 12)


def test_flow_keeps_pieces_whole():
    lines = flow("lead  ", [("one", "text"), ("two", "text"), ("three", "text")], 14)
    assert ["".join(text for text, _ in line).rstrip() for line in lines] == ["lead  one  two", "      three"]


def test_between_lets_the_right_end_give_way():
    assert "".join(text for text, _ in between((("abc", ""),), (("xyz", ""),), 10)) == "abc    xyz"
    assert "".join(text for text, _ in between((("abcdef", ""),), (("xyz", ""),), 8)) == "abcdef  "


def test_wrapped_text_counts_wide_characters_twice():
    assert all(cell_len("".join(text for text, _ in line)) <= 10 for line in wrapped("币安人生" * 9 + " a b c", 10))


def test_bar_of_an_unknown_share_is_empty():
    assert bar(float("nan"), 4, "up")[0][0] == ""
    assert bar(0.5, 4, "up")[0][0] == "██"
    assert bar(7.0, 4, "up")[0][0] == "████"


def test_plain_replaces_every_glyph_cell_for_cell():
    text = "╭─│▲▼·…█▓▒░▀▄▁▇╌◂"
    assert glyphs.plain(text).isascii()
    assert len(glyphs.plain(text)) == len(text)


def test_no_theme_draws_up_and_down_or_paper_and_live_alike():
    for theme in THEMES:
        palette = Palette(theme)
        assert palette.style("up").color != palette.style("down").color
        grounds = {palette.style("top", ground).bgcolor for ground in ("paper", "demo", "live", "stale", "danger")}
        assert len(grounds) == 5


def test_a_number_with_blanks_at_its_thousands_is_never_broken_over_two_lines():
    text = "swing low at 3 118.40 of the range 1 061 000 to 3 123.50 in 20 bars"
    for width in range(12, 60):
        lines = wrapped(text, width)
        words = [words for ((words, _),) in lines]
        for number in ("3 118.40", "1 061 000", "3 123.50"):
            assert sum(number in part for part in words) == 1
        assert "\u00a0" not in "".join(words)
        assert " ".join(words).split() == text.split()


def test_pieces_that_fill_a_line_to_its_last_cell_are_not_cut():
    pieces = [("abcd", "text"), ("efgh", "text"), ("ijkl", "text")]
    for width in range(6, 20):
        lines = flow("> ", pieces, width)
        assert "…" not in "".join(text for line in lines for text, _ in fit(line, width))
    assert len(flow("> ", pieces, 17)) == 2
    assert len(flow("> ", pieces, 18)) == 1
