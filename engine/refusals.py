"""An operator's command that cannot be carried out."""

from __future__ import annotations


class RefusedCommand(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A command cannot be carried out; the text is the answer."""
