"""Text from outside (symbols, venue messages, errors) made harmless before it reaches a terminal cell.

Control characters, escape sequences, bidirectional overrides, zero-width and combining characters can move the cursor,
hide text or shift columns. Every line the screen draws passes through `clean`. Markup is never interpreted: lines are
drawn as segments, not as markup strings.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_SPACES = frozenset("\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc"})


def clean(text: str) -> str:
    """Return `text` with line breaks and tabs as spaces and every invisible or combining character removed."""
    if text.isascii() and text.isprintable():
        return text
    return _clean_slowly(text)


@lru_cache(maxsize=4096)
def _clean_slowly(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        " " if character in _SPACES or unicodedata.category(character) == "Zs" else character
        for character in composed
        if character in _SPACES or unicodedata.category(character) not in _DROPPED_CATEGORIES
    )
