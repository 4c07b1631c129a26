"""The demo account: its wallet and settings, and the bodies of every read of it.

It holds USDT and no positions; all totals follow from the wallet.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator.encode import money, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.simulator.market import Listing

Row = dict[str, Any]

START_BALANCE = Decimal(10_000)
START_LEVERAGE = 20
NOTHING = "0.00000000"
OTHER_ASSETS = ("USDC", "BNB", "BTC")
"""Assets the older account answer lists although they are empty."""
MAKER_FEE = Decimal("0.000200")
TAKER_FEE = Decimal("0.000500")
RPI_FEE = Decimal("0.000050")


class Account:
    """One futures account in single-asset, one-way mode."""

    def __init__(self, listings: Sequence[Listing], opened_ms: int, balance: Decimal = START_BALANCE) -> None:
        """Open an account with `balance` USDT; each symbol starts at 20x or at its own maximum, crossed.

        The deposit happens at `opened_ms`. Clients take an asset that was never updated for uninitialised.
        """
        self._listings = listings
        self._updated_ms = opened_ms
        self.wallet = balance
        self.dual_side = False
        self.multi_assets = False
        self.leverage: dict[str, int] = {
            listing.instrument.symbol: min(START_LEVERAGE, max(b.max_leverage for b in listing.brackets))
            for listing in listings
        }

    def totals(self) -> Row:
        """Return the totals that both account answers start with."""
        wallet = money(self.wallet)
        return {
            "totalInitialMargin": NOTHING,
            "totalMaintMargin": NOTHING,
            "totalWalletBalance": wallet,
            "totalUnrealizedProfit": NOTHING,
            "totalMarginBalance": wallet,
            "totalPositionInitialMargin": NOTHING,
            "totalOpenOrderInitialMargin": NOTHING,
            "totalCrossWalletBalance": wallet,
            "totalCrossUnPnl": NOTHING,
            "availableBalance": wallet,
            "maxWithdrawAmount": wallet,
        }

    def account_v2(self) -> Row:
        """Return GET v2/account: settings, totals, every asset and every symbol's position."""
        return {
            "feeTier": 0,
            "feeBurn": False,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "updateTime": 0,
            "multiAssetsMargin": self.multi_assets,
            "tradeGroupId": -1,
            **self.totals(),
            "assets": [
                self._asset("USDT", self.wallet) | {"marginAvailable": True},
                *(self._asset(name, Decimal(0)) | {"marginAvailable": True} for name in OTHER_ASSETS),
            ],
            "positions": [self._flat_v2(listing) for listing in self._listings],
        }

    def account_v3(self) -> Row:
        """Return GET v3/account: totals and only what is in use."""
        return {**self.totals(), "assets": [self._asset("USDT", self.wallet)], "positions": []}

    def balances(self, *, every_asset: bool) -> list[Row]:
        """Return GET balance, in version 2 with the empty assets too."""
        rows = [self._balance("USDT", self.wallet)]
        return rows + [self._balance(name, Decimal(0)) for name in OTHER_ASSETS] if every_asset else rows

    def symbol_config(self, listings: Sequence[Listing]) -> list[Row]:
        """Return GET symbolConfig."""
        return [
            {
                "symbol": listing.instrument.symbol,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": self.leverage[listing.instrument.symbol],
                "maxNotionalValue": self._max_notional(listing),
            }
            for listing in listings
        ]

    def position_risk_v2(self, listings: Sequence[Listing], marks: Sequence[str]) -> list[Row]:
        """Return GET v2/positionRisk: every asked symbol, also flat ones. `marks` are the mark prices as text."""
        return [
            {
                "symbol": listing.instrument.symbol,
                "positionAmt": "0",
                "entryPrice": "0.0",
                "breakEvenPrice": "0.0",
                "markPrice": mark,
                "unRealizedProfit": NOTHING,
                "liquidationPrice": "0",
                "leverage": str(self.leverage[listing.instrument.symbol]),
                "maxNotionalValue": self._max_notional(listing),
                "marginType": "cross",
                "isolatedMargin": NOTHING,
                "isAutoAddMargin": "false",
                "positionSide": "BOTH",
                "notional": "0",
                "isolatedWallet": "0",
                "updateTime": 0,
            }
            for listing, mark in zip(listings, marks, strict=True)
        ]

    def account_config(self) -> Row:
        """Return GET accountConfig."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": self.dual_side,
            "updateTime": 0,
            "multiAssetsMargin": self.multi_assets,
            "tradeGroupId": -1,
        }

    @staticmethod
    def commission_rate(symbol: str) -> Row:
        """Return GET commissionRate."""
        return {
            "symbol": symbol,
            "makerCommissionRate": plain(MAKER_FEE),
            "takerCommissionRate": plain(TAKER_FEE),
            "rpiCommissionRate": plain(RPI_FEE),
        }

    def _max_notional(self, listing: Listing) -> str:
        leverage = self.leverage[listing.instrument.symbol]
        return plain(max(b.cap for b in listing.brackets if b.max_leverage >= leverage))

    def _asset(self, name: str, wallet: Decimal) -> Row:
        amount = money(wallet)
        return {
            "asset": name,
            "walletBalance": amount,
            "unrealizedProfit": NOTHING,
            "marginBalance": amount,
            "maintMargin": NOTHING,
            "initialMargin": NOTHING,
            "positionInitialMargin": NOTHING,
            "openOrderInitialMargin": NOTHING,
            "crossWalletBalance": amount,
            "crossUnPnl": NOTHING,
            "availableBalance": amount,
            "maxWithdrawAmount": amount,
            "updateTime": self._updated_ms if wallet else 0,
        }

    def _balance(self, name: str, wallet: Decimal) -> Row:
        amount = money(wallet)
        return {
            "accountAlias": "SimSimSimSimSims",
            "asset": name,
            "balance": amount,
            "crossWalletBalance": amount,
            "crossUnPnl": NOTHING,
            "availableBalance": amount,
            "maxWithdrawAmount": amount,
            "marginAvailable": True,
            "updateTime": self._updated_ms if wallet else 0,
        }

    def _flat_v2(self, listing: Listing) -> Row:
        return {
            "symbol": listing.instrument.symbol,
            "initialMargin": "0",
            "maintMargin": "0",
            "unrealizedProfit": NOTHING,
            "positionInitialMargin": "0",
            "openOrderInitialMargin": "0",
            "leverage": str(self.leverage[listing.instrument.symbol]),
            "isolated": False,
            "entryPrice": "0.0",
            "breakEvenPrice": "0.0",
            "maxNotional": self._max_notional(listing),
            "bidNotional": "0",
            "askNotional": "0",
            "positionSide": "BOTH",
            "positionAmt": "0",
            "updateTime": 0,
        }
