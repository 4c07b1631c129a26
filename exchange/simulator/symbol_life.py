"""A contract's life at the venue while it runs: listed, halted, settled, removed, and its rules changed.

Every change shows at once where it shows live: in exchangeInfo, on `!contractInfo` (status and brackets), in what
orders are told, and in streams that fall silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from exchange.instrument import LotRule
from exchange.simulator.contract_info import PERPETUAL_DELIVERY_MS, bracket_events, exchange_info
from exchange.simulator.encode import Formats, encode_json
from exchange.simulator.frames import LINEAR, stray
from exchange.simulator.stream_names import Kind
from exchange.simulator.subscriptions import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from exchange.instrument import Bracket
    from exchange.simulator.market import Listing
    from exchange.simulator.subscriptions import Subscriptions
    from exchange.simulator.tape import Tape

TRADING = "TRADING"
PENDING = "PENDING_TRADING"
HALTED = "TRADING_HALT"
CANCEL_ONLY = "TRADING_CANCEL_ONLY"
SETTLING = "SETTLING"
CLOSED = "CLOSE"
RULES = frozenset(
    {
        "price_precision", "quantity_precision", "tick", "min_price", "max_price", "lot", "market_lot", "min_notional",
        "multiplier_up", "multiplier_down", "max_orders", "liquidation_fee", "market_take_bound", "contract_type",
    }
)  # fmt: skip
"""Fields of an Instrument that may change while it lives."""


class LifeError(ValueError):
    """A change that cannot be made; the text names symbol, value and remedy."""


class SymbolLife:
    """Changes contracts by their symbols. LifeError where a symbol is unknown or a change makes no sense."""

    def __init__(
        self,
        tape: Tape,
        subscriptions: Subscriptions,
        start_ms: int,
        settle: Callable[[int, int], None],
        control_side: Callable[[int], str],
    ) -> None:
        """Start with the contracts as listed.

        `settle(listing, now_ms)` ends orders and positions of one; `control_side` says what risk control has closed.
        """
        self._tape = tape
        self._subscriptions = subscriptions
        self._start_ms = start_ms
        self._control_side = control_side
        self._settle = settle
        self._known = dict(tape.index)
        self._delivery: dict[int, int] = {}
        self.renewed: list[Callable[[], None]] = []
        """Called after every change, for those who keep something made of the contracts' rules."""
        self.exchange_info = b""
        for index, listing in enumerate(tape.listings):
            if not listing.instrument.is_trading:
                tape.stop(index, start_ms)
        self._renew()

    def hide(self, symbols: Sequence[str]) -> None:
        """Keep contracts from being listed at the start of a run; `list_symbol` brings them."""
        for symbol in symbols:
            self._remove(self._find(symbol), self._start_ms)
        self._renew()

    def list_symbol(self, symbol: str, now_ms: int, *, pending: bool = False) -> None:
        """List a contract that is not listed (yet or any more); `pending` keeps it from trading until `resume`."""
        index = self._find(symbol)
        if symbol in self._tape.index:
            raise LifeError(f"{symbol} is listed already; its status is {self._status(index)}")
        self._tape.index[symbol] = index
        self._subscriptions.hidden.discard(index)
        self._delivery.pop(index, None)
        self._change(index, onboard_ms=now_ms)
        self._set_status(index, PENDING if pending else TRADING, now_ms)

    def halt(self, symbol: str, now_ms: int) -> None:
        """Stop the matching: no trade, no change of the book; orders are refused, cancels are taken."""
        self._set_status(self._listed(symbol), HALTED, now_ms)

    def cancel_only(self, symbol: str, now_ms: int) -> None:
        """Take cancels only; nothing is matched."""
        self._set_status(self._listed(symbol), CANCEL_ONLY, now_ms)

    def resume(self, symbol: str, now_ms: int) -> None:
        """Let a contract trade (again), at the price the market has reached meanwhile."""
        index = self._listed(symbol)
        if index in self._delivery and self._delivery[index] <= now_ms:
            raise LifeError(f"{symbol} is settled and cannot trade again; delist it and list it anew")
        self._set_status(index, TRADING, now_ms)

    def announce_delivery(self, symbol: str, delivery_ms: int, now_ms: int) -> None:
        """Announce that a contract will be settled at an instant; it trades until then."""
        index = self._listed(symbol)
        if delivery_ms <= now_ms:
            raise LifeError(
                f"delivery of {symbol} at {delivery_ms} is over; name an instant after {now_ms}, or settle it"
            )
        self._delivery[index] = delivery_ms
        self._renew()
        self._publish(index, now_ms)

    def settle(self, symbol: str, now_ms: int) -> None:
        """Settle a contract: its orders expire, its positions close at the mark price, it trades no more."""
        index = self._listed(symbol)
        self._delivery[index] = now_ms
        self._set_status(index, SETTLING, now_ms)
        self._settle(index, now_ms)

    def close(self, symbol: str, now_ms: int) -> None:
        """Close a settled contract that is still listed: orders for it are told so."""
        index = self._listed(symbol)
        if self._status(index) != SETTLING:
            raise LifeError(f"{symbol} is {self._status(index)}: settle it before it is closed")
        self._set_status(index, CLOSED, now_ms)

    def delist(self, symbol: str, now_ms: int) -> None:
        """Remove a contract, settled first where it was not: afterwards the venue does not know the symbol."""
        index = self._listed(symbol)
        if self._status(index) not in {SETTLING, CLOSED}:
            self.settle(symbol, now_ms)
        self._remove(index, now_ms)
        self._renew()

    def change_rules(self, symbol: str, **rules: Any) -> None:
        """Change trading rules, named as the fields of `Instrument`; the market itself keeps its own ticks and lots."""
        index = self._listed(symbol)
        unknown = sorted(rules.keys() - RULES)
        if unknown:
            raise LifeError(
                f"{unknown[0]} is no rule of a contract that can change; these can: {', '.join(sorted(RULES))}"
            )
        for name, value in rules.items():
            if not all(_is_usable(number) for number in _numbers(value)):
                raise LifeError(f"{name} of {symbol} is {value}: use numbers above 0")
        self._change(index, **rules)
        self._renew()

    def change_brackets(self, symbol: str, brackets: Sequence[Bracket], now_ms: int) -> None:
        """Change the leverage brackets; `!contractInfo` carries the new ones."""
        if not brackets:
            raise LifeError(f"{symbol} needs at least one bracket")
        for bracket in brackets:
            sound = all(map(_is_usable, (bracket.cap, bracket.mmr))) and bracket.mmr < 1 <= bracket.max_leverage
            if not (sound and bracket.floor.is_finite() and bracket.cum.is_finite()):
                raise LifeError(f"a bracket of {symbol} is {bracket}: use leverage, cap and mmr above 0, mmr below 1")
        index = self._listed(symbol)
        listing = self._tape.listings[index]
        self._tape.listings[index] = msgspec.structs.replace(listing, brackets=tuple(brackets))
        self._renew()
        self._publish(index, now_ms, brackets=True)

    def change_funding(self, symbol: str, hours: int) -> None:
        """Change the funding interval: 1, 4 or 8 hours."""
        if hours not in {1, 4, 8}:
            raise LifeError(f"funding of {symbol} every {hours} hours: use 1, 4 or 8")
        index = self._listed(symbol)
        self._tape.listings[index] = msgspec.structs.replace(self._tape.listings[index], funding_hours=hours)
        self._tape.set_funding(index, hours)

    def step(self, now_ms: int) -> None:
        """Settle the contracts whose announced delivery has come."""
        if not self._delivery:
            return
        for index, at_ms in list(self._delivery.items()):
            symbol = self._tape.symbols[index]
            if at_ms <= now_ms and symbol in self._tape.index and self._status(index) not in {SETTLING, CLOSED}:
                self.settle(symbol, now_ms)

    def _find(self, symbol: str) -> int:
        index = self._known.get(symbol)
        if index is None:
            raise LifeError(f"{symbol!r} is no contract of this market; GET exchangeInfo names the listed ones")
        return index

    def _listed(self, symbol: str) -> int:
        index = self._find(symbol)
        if symbol not in self._tape.index:
            raise LifeError(f"{symbol} is not listed; list it first")
        return index

    def _status(self, index: int) -> str:
        return self._tape.listings[index].instrument.status

    def _change(self, index: int, **fields: Any) -> None:
        listing = self._tape.listings[index]
        instrument = msgspec.structs.replace(listing.instrument, **fields)
        self._tape.listings[index] = msgspec.structs.replace(listing, instrument=instrument)
        self._tape.formats[index] = Formats(instrument)

    def _set_status(self, index: int, status: str, now_ms: int) -> None:
        self._change(index, status=status)
        if status == TRADING:
            self._tape.resume(index)
        else:
            self._tape.stop(index, now_ms)
        self._renew()
        self._publish(index, now_ms)

    def _remove(self, index: int, now_ms: int) -> None:
        self._tape.index.pop(self._tape.symbols[index], None)
        self._subscriptions.hidden.add(index)
        self._tape.stop(index, now_ms)

    def refresh(self) -> None:
        """Write exchangeInfo anew: something outside the contracts' own rules has changed that it shows."""
        self._renew()

    def _renew(self) -> None:
        listings = {index: self._tape.listings[index] for index in self._tape.listed()}
        self.exchange_info = exchange_info(listings, self._start_ms, self._delivery, self._control_side)
        for call in self.renewed:
            call()

    def _publish(self, index: int, now_ms: int, *, brackets: bool = False) -> None:
        sinks = self._subscriptions.of_array(Kind.CONTRACT_INFO)
        if sinks:
            listing = self._tape.listings[index]
            deliver(sinks, encode_json(self._event(listing, index, now_ms, brackets=brackets)))

    def _event(self, listing: Listing, index: int, now_ms: int, *, brackets: bool) -> dict[str, Any]:
        instrument = listing.instrument
        event: dict[str, Any] = {
            "e": "contractInfo",
            "E": now_ms,
            "s": instrument.symbol,
            "ps": instrument.base + instrument.quote,
            "ct": instrument.contract_type,
            "dt": self._delivery.get(index, PERPETUAL_DELIVERY_MS),
            "ot": instrument.onboard_ms,
            "cs": instrument.status,
        }
        if brackets:
            event["bks"] = bracket_events(listing)
        name, value = stray(instrument.symbol)
        return {**event, "st": LINEAR, name: value}


def _numbers(value: Any) -> tuple[Decimal | int, ...]:
    """Return the numbers of a rule: its own, or those of a lot; none of a text."""
    if isinstance(value, LotRule):
        return value.minimum, value.maximum, value.step
    return () if isinstance(value, str) else (value,)


def _is_usable(number: Decimal | int) -> bool:
    """Say whether a rule may be that number; a precision may be 0."""
    if isinstance(number, int):
        return number >= 0
    return number.is_finite() and number > 0
