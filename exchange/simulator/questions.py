"""What the venue's contract leaves open, as named switches: each field is one question with our answer as its default.

A client that works under either answer does not depend on what nobody has proven.
"""

from __future__ import annotations

import msgspec


class OpenQuestions(msgspec.Struct, frozen=True):
    """Answers to what is not settled by evidence; the comment under a field names the question and its sources."""

    hedge_reduce_only_code: int = -1106
    """`reduceOnly` sent in hedge mode: the error list says -4062, live answers said -1106."""
    batch_self_trade_prevention: str = "EXPIRE_MAKER"
    """Self-trade prevention of a batch element that names none: POST order says EXPIRE_MAKER, the batch page NONE."""
    listen_key_per_api_key: bool = False
    """Has each API key of an account a listen key of its own? Documented is one per account, whoever asks."""
    event_filter_hides_expiry: bool = False
    """Does `events=` on the private path hide listenKeyExpired, too, where it is not named?"""
