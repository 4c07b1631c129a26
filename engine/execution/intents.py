"""Intents: what the desk wants done at the exchange, each with an id of its own. One POST per intent.

The client id of an order is a pure function of its intent and of the session's epoch. It is a search key, not a
protection: the exchange takes an id again once its order is no longer open.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from exchange.conditional_orders import AlgoRequest, ConditionalKind
from exchange.orders import OrderKind, OrderRequest, Side

PREFIX = "pd"
_ID = re.compile(r"pd-([0-9a-z]{1,12})-([estc])([0-9a-z]{1,10})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Purpose(StrEnum):
    """What an intent is for; the value is its letter in the client id."""

    ENTRY = "e"
    STOP = "s"
    TARGET = "t"
    CLOSE = "c"

    @property
    def word(self) -> str:
        """Return the name for records and screens."""
        return self.name.lower()


class PositionKey(NamedTuple):
    """Which position: the symbol and BOTH in one-way mode, else LONG or SHORT."""

    symbol: str
    side: str


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be done by one order. Sizes and prices are Decimal, times UTC milliseconds of the desk."""

    intent_id: str
    """Unique in the journal: the session's epoch and a number."""
    client_id: str
    purpose: Purpose
    symbol: str
    position_side: str
    """Of the position it concerns: BOTH in one-way mode, else LONG or SHORT."""
    side: Side
    kind: str
    """MARKET, LIMIT, STOP_MARKET or TAKE_PROFIT_MARKET."""
    created_ms: int
    quantity: Decimal | None = None
    """None closes whatever is open at the trigger."""
    price: Decimal | None = None
    """Limit price, or trigger price of a conditional order."""
    trade_id: str = ""
    reason: str = ""

    @property
    def key(self) -> PositionKey:
        """Return the position it concerns."""
        return PositionKey(self.symbol, self.position_side)

    @property
    def reduces(self) -> bool:
        """Say whether it can only reduce a position."""
        return self.purpose is not Purpose.ENTRY

    @property
    def is_conditional(self) -> bool:
        """Say whether it goes to the algo service."""
        return self.kind in (ConditionalKind.STOP_MARKET, ConditionalKind.TAKE_PROFIT_MARKET)


class Numbers:
    """Hands out intent numbers of one session."""

    def __init__(self, epoch: str) -> None:
        """Begin the session of this epoch, 1 to 12 of `[0-9a-z]`. Raises ValueError."""
        if not re.fullmatch(r"[0-9a-z]{1,12}", epoch):
            raise ValueError(f"the session epoch {epoch!r} must be 1 to 12 of [0-9a-z]")
        self.epoch = epoch
        self._last = 0

    def take(self, purpose: Purpose) -> tuple[str, str]:
        """Return the next intent id and its client id."""
        self._last += 1
        return f"{self.epoch}-{self._last}", client_id(self.epoch, purpose, self._last)


def client_id(epoch: str, purpose: Purpose, number: int) -> str:
    """Return the client id of an intent: a pure function of session, purpose and number."""
    return f"{PREFIX}-{epoch}-{purpose.value}{_base36(number)}"


class Name(NamedTuple):
    """What a client id of the desk tells."""

    epoch: str
    purpose: Purpose


def read_client_id(text: str) -> Name | None:
    """Return session and purpose of a client id of the desk's form, None for any other id."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    return Name(match[1], Purpose(match[2]))


def order_of(intent: Intent) -> OrderRequest:
    """Return the plain order of an intent. Raises ValueError for one without a quantity.

    A limit order is GTC: its time-out is the desk's own, and the next start finds what a lost desk left.
    """
    if intent.quantity is None:
        raise ValueError(f"intent {intent.intent_id} has no quantity, a {intent.kind} order needs one")
    return OrderRequest(
        symbol=intent.symbol,
        side=intent.side,
        kind=OrderKind(intent.kind),
        quantity=intent.quantity,
        client_id=intent.client_id,
        reduces=intent.reduces,
        price=intent.price,
    )


def conditional_of(intent: Intent) -> AlgoRequest:
    """Return the conditional order of an intent. It triggers on the mark price."""
    return AlgoRequest(
        symbol=intent.symbol,
        side=intent.side,
        kind=ConditionalKind(intent.kind),
        client_id=intent.client_id,
        reduces=intent.reduces,
        quantity=intent.quantity,
        close_position=intent.quantity is None,
        trigger_price=intent.price,
    )


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
