"""The money of the virtual book, exact in Decimal, in total and per strategy.

Balance = start + gross results - fees + funding, booked when each occurs: the entry fee at the opening, funding at its
instant, gross result and exit fee at the close (reliability I8).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from engine.positions.lifecycle import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from engine.positions.costs import Settlement
    from engine.positions.lifecycle import Terms


class Account:
    """Sums of one strategy."""

    __slots__ = ("closed", "closed_net", "fees", "funding", "gross", "losses", "open", "total_r", "wins")

    def __init__(self) -> None:
        self.gross = ZERO
        self.fees = ZERO
        self.funding = ZERO
        self.closed_net = ZERO
        self.open = 0
        self.closed = 0
        self.wins = 0
        self.losses = 0
        self.total_r = 0.0

    @property
    def result(self) -> Decimal:
        """Return everything booked so far."""
        return self.gross - self.fees + self.funding


class Ledger:
    """Books of all strategies over one starting balance."""

    def __init__(self, start: Decimal) -> None:
        if not (start.is_finite() and start > 0):
            raise ValueError(f"virtual balance = {start} must be a positive amount of USDT, for example 10000")
        self.start = start
        self._accounts: defaultdict[str, Account] = defaultdict(Account)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Return the accounts by strategy."""
        return self._accounts

    def account(self, strategy: str) -> Account:
        """Return the strategy's account, empty at first."""
        return self._accounts[strategy]

    @property
    def balance(self) -> Decimal:
        """Return the wallet: everything booked, nothing unrealised."""
        return self.start + sum((account.result for account in self._accounts.values()), ZERO)

    @property
    def settled(self) -> Decimal:
        """Return start plus the net of closed positions; costs of open ones count in their running pnl instead."""
        return self.start + sum((account.closed_net for account in self._accounts.values()), ZERO)

    def opened(self, strategy: str, terms: Terms) -> None:
        """Book the entry."""
        account = self._accounts[strategy]
        account.fees += terms.entry_fee
        account.open += 1

    def funded(self, strategy: str, amount: Decimal) -> None:
        """Book funding: received positive, paid negative."""
        self._accounts[strategy].funding += amount

    def closed(self, strategy: str, settlement: Settlement) -> None:
        """Book the close."""
        account = self._accounts[strategy]
        account.gross += settlement.gross
        account.fees += settlement.exit_fee
        account.closed_net += settlement.net
        account.open -= 1
        account.closed += 1
        account.total_r += settlement.r
        if settlement.net > 0:
            account.wins += 1
        else:
            account.losses += 1
