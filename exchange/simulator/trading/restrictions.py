"""What the venue may forbid an account or a symbol: risk control, quantitative rules, missing permission.

Nothing is imposed by itself: a test or the control endpoint imposes a code and lifts it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.answers import refuse
from exchange.simulator.trading.model import Side

if TYPE_CHECKING:
    from exchange.simulator.trading.model import Order


class Rule(NamedTuple):
    """One refusal: its text, the side it hits (None: both), and whether it hits reducing orders too."""

    text: str
    side: Side | None = None
    reducing_too: bool = False


RULES = {
    -4087: Rule("User can only place reduce only order"),
    -4088: Rule("User can not place order currently", reducing_too=True),
    # The texts of the position risk control and of -4189 are not published; the codes are.
    -4105: Rule("Position risk control: this symbol takes no buy orders that open.", Side.BUY),
    -4106: Rule("Position risk control: this symbol takes no sell orders that open.", Side.SELL),
    -4107: Rule("Position risk control: this symbol takes no orders that open."),
    -4189: Rule("Trade forbidden: the account takes no orders that open."),
    -4192: Rule("Trade forbidden due to Cooling-off Period.", reducing_too=True),
    -4400: Rule(
        "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, please try again later."
    ),
    -4401: Rule(
        "Futures Trading Risk Control Rules of large position holding violated, only reduceOnly order is allowed, "
        "please reduce the position."
    ),
}
CONTROL_SIDES = {-4105: "BUY", -4106: "SELL", -4107: "BOTH"}
"""`positionControlSide` of the POSITION_RISK_CONTROL filter while a code is imposed on a symbol."""


class Restrictions:
    """The codes imposed at present, on the account (listing None) or on a symbol."""

    def __init__(self) -> None:
        """Start with none."""
        self._imposed: dict[int | None, int] = {}

    def impose(self, code: int, listing: int | None = None) -> None:
        """Refuse new orders of a symbol, or of the account, with a code of RULES. Raises KeyError on another code."""
        if code not in RULES:
            raise KeyError(code)
        self._imposed[listing] = code

    def lift(self, listing: int | None = None) -> None:
        """Take orders again."""
        self._imposed.pop(listing, None)

    def control_side(self, listing: int) -> str:
        """Return the `positionControlSide` that exchangeInfo shows for a symbol."""
        return CONTROL_SIDES.get(self._imposed.get(listing, 0), "NONE")

    def check(self, order: Order) -> None:
        """Raise RefusalError where a rule in force hits an order."""
        for listing in (None, order.listing):
            code = self._imposed.get(listing)
            if code is None:
                continue
            rule = RULES[code]
            if order.reduce_only and not rule.reducing_too:
                continue
            if rule.side in {None, order.side}:
                raise refuse(code, rule.text)
