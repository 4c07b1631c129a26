"""Reads the exchange's bookings and compares them with the wallet, about once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import Severity
from engine.execution.ledger import Ledger
from exchange.errors import ExchangeError

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.execution.state import HandState
    from engine.snapshot import LedgerView

EVERY_S = 60.0
PAGE = 1000
OVERLAP_MS = 60_000
"""Bookings are read again from this long before the newest one: they are not always listed in order."""
TRIES = 3
"""Attempts at a moment in which the wallet stands still while the bookings are read."""
TOLD_AFTER = 2
"""Checks in a row that must differ before it is told: a booking may be listed after its wallet changed."""
ASSET = "USDT"


class Bookkeeper:
    """The ledger of one hand."""

    def __init__(self, state: HandState) -> None:
        self._state = state
        self.ledger = Ledger()
        self._differed = 0

    async def run(self) -> None:
        """Keep the books until cancelled."""
        told = ""
        while True:
            try:
                await self.read()
            except ExchangeError as error:
                if str(error) != told:
                    told = str(error)
                    self._state.say(f"the account's bookings could not be read: {error}", Severity.WARNING)
            await self._state.clock.sleep(EVERY_S)

    async def read(self) -> bool:
        """Read and compare once; return whether wallet and bookings belonged together. Raises ExchangeError."""
        access = self._state.access
        if not self.ledger.since_ms:
            await self._begin()
            return True
        for _ in range(TRIES):
            before = await self._wallets()
            start = max(self.ledger.since_ms, self.ledger.read_ms - OVERLAP_MS)
            while True:
                rows = await access.account.income(start_ms=start, limit=PAGE)
                for kind in self.ledger.take(rows):
                    text = f"the exchange booked something of the kind {kind}, which this desk does not know"
                    self._state.say(text, Severity.ALERT)
                if len(rows) < PAGE or rows[-1].time_ms <= start:
                    break
                start = rows[-1].time_ms
            wallets = await self._wallets()
            if wallets == before:
                self._compare(wallets)
                return True
        return False

    async def _begin(self) -> None:
        """Anchor the books at a moment in which the wallet stood still for more than the listing's second."""
        access = self._state.access
        before = await self._wallets()
        now_ms = access.client.venue_ms()
        await self._state.clock.sleep(1.0)
        if await self._wallets() == before:
            self.ledger.anchor(before, now_ms)

    async def _wallets(self) -> dict[str, Decimal]:
        summary = await self._state.access.client.account()
        return {one.asset: one.wallet for one in summary.assets if one.wallet}

    def _compare(self, wallets: dict[str, Decimal]) -> None:
        found = self.ledger.check(wallets, self._state.clock.now_ms())
        self._differed = self._differed + 1 if found else 0
        if self._differed == TOLD_AFTER:
            named = ", ".join(f"{amount:f} {asset}" for asset, amount in found.items())
            self._state.say(f"the wallet differs from its bookings by {named}", Severity.ALERT)

    def view(self) -> LedgerView | None:
        """Return what the screens show."""
        wallet = self._state.book.wallets.get(ASSET)
        return self.ledger.view(ASSET, wallet) if wallet is not None else None
