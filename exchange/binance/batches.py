"""The answer to a batch, element by element.

A batch is not atomic: each element was accepted or refused on its own, and the answer may be cut short, mixed or out
of step. An acknowledgement proves itself by the ids it carries; a refusal carries none and counts only where the
answer has exactly one element for each order. What nothing proves is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.bad_input import SAMPLE_BYTES
from exchange.binance.order_wire import acknowledged
from exchange.binance.outcomes import classify
from exchange.binance.refusals import error_for
from exchange.binance.row_wire import Refused, rows
from exchange.errors import DecodeError, ExchangeError, UnknownOutcomeError
from exchange.order_reports import OrderAck

if TYPE_CHECKING:
    from collections.abc import Sequence

Settled = OrderAck | ExchangeError
"""What became of one element: its acknowledgement, or the error that says what its outcome proves."""
_STATUS = 400
"""An element has no HTTP status; its code is judged like that of a refused request."""


class Element(NamedTuple):
    """One order of a batch, by whatever names it."""

    symbol: str
    order_id: int | None
    client_id: str | None

    def is_meant(self, ack: OrderAck) -> bool:
        """Say whether an acknowledgement is about this order."""
        if ack.symbol != self.symbol:
            return False
        if self.order_id is not None:
            return ack.order_id == self.order_id
        return ack.client_id == self.client_id


class _Coded(msgspec.Struct):
    code: int | None = None


_CODED = msgspec.json.Decoder(_Coded, strict=False)


def settle_batch(
    body: bytes, elements: Sequence[Element], where: str, now_ms: int, refused: Refused
) -> tuple[Settled, ...]:
    """Return what became of each element, and hand what cannot be believed to `refused`.

    Raises DecodeError when the answer is no list at all.
    """
    raws = rows(body, where)
    settled: list[Settled | None] = [None] * len(elements)
    refusals: dict[int, ExchangeError] = {}
    for index, raw in enumerate(raws):
        given = bytes(raw)
        if _is_refusal(given):
            verdict = classify(_STATUS, given)
            refusals[index] = error_for(verdict, _STATUS, {}, f"{where} element {index + 1}", now_ms)
            continue
        try:
            ack = acknowledged(given, where)
        except DecodeError as error:
            error.sample = given[:SAMPLE_BYTES]
            refused(error)
            continue
        for number, element in enumerate(elements):
            if settled[number] is None and element.is_meant(ack):
                settled[number] = ack
                break
    if len(raws) == len(elements):
        for index, refusal in refusals.items():
            settled[index] = settled[index] or refusal
    return tuple(
        one or UnknownOutcomeError(f"{where} element {number + 1}: the answer does not say what became of it")
        for number, one in enumerate(settled)
    )


def _is_refusal(raw: bytes) -> bool:
    try:
        code = _CODED.decode(raw).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return code is not None and code < 0
