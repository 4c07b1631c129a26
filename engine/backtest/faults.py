"""What keeps a history from being replayed."""

from __future__ import annotations


class HistoryError(ValueError):
    """The folder holds nothing to replay; the text names option, value and remedy."""
