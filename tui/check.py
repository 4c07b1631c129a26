"""One line of `perpdesk doctor`."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """What was looked at, how it stands, and what to do about it."""

    name: str
    state: str
    """`ok`, `warn` or `fail`."""
    text: str
    remedy: str = ""
