"""The account's bodies as REST and the WS-API answer them (contract 3.3): account, balance, settings, income."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.encode import money, plain
from exchange.simulator.trading.model import ZERO
from exchange.simulator.trading.position_rows import (
    account_position_v2,
    account_position_v3,
    active,
    figures,
    in_use,
    risk_v2,
    risk_v3,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.account_settings import MarginChange
    from exchange.simulator.trading.income import IncomeRow
    from exchange.simulator.trading.model import Row

OTHER_ASSETS = ("USDC", "BNB", "BTC")
"""Assets the older answers list although they are empty."""
NOTHING = "0.00000000"
ALIAS = "SimSimSimSimSims"


def totals(book: AccountBook) -> Row:
    """Return the totals both account answers start with; USDT, the only asset held, in either margin mode."""
    margin = book.margin
    held = book.open_positions()
    unrealized = sum((margin.unrealized(position) for position in held), ZERO)
    positions = sum((margin.initial(position) for position in held), ZERO)
    orders = margin.all_order_margin()
    wallet = book.wallet
    return {
        "totalInitialMargin": money(positions + orders),
        "totalMaintMargin": money(sum((margin.maintenance(position) for position in held), ZERO)),
        "totalWalletBalance": money(wallet),
        "totalUnrealizedProfit": money(unrealized),
        "totalMarginBalance": money(wallet + unrealized),
        "totalPositionInitialMargin": money(positions),
        "totalOpenOrderInitialMargin": money(orders),
        "totalCrossWalletBalance": money(book.cross_wallet),
        "totalCrossUnPnl": money(margin.cross_unrealized()),
        "availableBalance": money(margin.available()),
        "maxWithdrawAmount": money(margin.withdrawable()),
    }


def account_v2(book: AccountBook, listings: Iterable[int]) -> Row:
    """Return GET v2/account: settings, totals, every asset and the position of every symbol listed."""
    sums = totals(book)
    return {
        "feeTier": 0,
        "feeBurn": book.fee_burn,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": book.multi_assets,
        "tradeGroupId": -1,
        **sums,
        "assets": [
            _asset(sums, book.updated_ms) | {"marginAvailable": True},
            *(_empty_asset(name) | {"marginAvailable": True} for name in OTHER_ASSETS),
        ],
        "positions": [account_position_v2(book, row) for row in figures(book, listings)],
    }


def account_v3(book: AccountBook) -> Row:
    """Return GET v3/account: totals and only what is in use."""
    sums = totals(book)
    rows = in_use(figures(book, active(book)))
    return {**sums, "assets": [_asset(sums, book.updated_ms)], "positions": [account_position_v3(row) for row in rows]}


def _asset(sums: Row, updated_ms: int) -> Row:
    return {
        "asset": "USDT",
        "walletBalance": sums["totalWalletBalance"],
        "unrealizedProfit": sums["totalUnrealizedProfit"],
        "marginBalance": sums["totalMarginBalance"],
        "maintMargin": sums["totalMaintMargin"],
        "initialMargin": sums["totalInitialMargin"],
        "positionInitialMargin": sums["totalPositionInitialMargin"],
        "openOrderInitialMargin": sums["totalOpenOrderInitialMargin"],
        "crossWalletBalance": sums["totalCrossWalletBalance"],
        "crossUnPnl": sums["totalCrossUnPnl"],
        "availableBalance": sums["availableBalance"],
        "maxWithdrawAmount": sums["maxWithdrawAmount"],
        "updateTime": updated_ms,
    }


def _empty_asset(name: str) -> Row:
    return {
        "asset": name,
        "walletBalance": NOTHING,
        "unrealizedProfit": NOTHING,
        "marginBalance": NOTHING,
        "maintMargin": NOTHING,
        "initialMargin": NOTHING,
        "positionInitialMargin": NOTHING,
        "openOrderInitialMargin": NOTHING,
        "crossWalletBalance": NOTHING,
        "crossUnPnl": NOTHING,
        "availableBalance": NOTHING,
        "maxWithdrawAmount": NOTHING,
        "updateTime": 0,
    }


def balances(book: AccountBook, *, every_asset: bool) -> list[Row]:
    """Return GET balance, in version 2 with the empty assets too."""
    sums = totals(book)
    rows = [_balance("USDT", sums, book.updated_ms)]
    return rows + [_balance(name, {}, 0) for name in OTHER_ASSETS] if every_asset else rows


def _balance(asset: str, sums: Row, updated_ms: int) -> Row:
    return {
        "accountAlias": ALIAS,
        "asset": asset,
        "balance": sums.get("totalWalletBalance", NOTHING),
        "crossWalletBalance": sums.get("totalCrossWalletBalance", NOTHING),
        "crossUnPnl": sums.get("totalCrossUnPnl", NOTHING),
        "availableBalance": sums.get("availableBalance", NOTHING),
        "maxWithdrawAmount": sums.get("maxWithdrawAmount", NOTHING),
        "marginAvailable": True,
        "updateTime": updated_ms,
    }


def position_risk_v2(book: AccountBook, listings: Iterable[int]) -> list[Row]:
    """Return GET v2/positionRisk: every asked symbol, also flat ones."""
    return [risk_v2(book, row) for row in figures(book, listings)]


def position_risk_v3(book: AccountBook, listings: Iterable[int]) -> list[Row]:
    """Return GET v3/positionRisk: of the asked symbols those with a position or an open order."""
    busy = set(active(book))
    return [risk_v3(row) for row in in_use(figures(book, [i for i in listings if i in busy]))]


def symbol_config(book: AccountBook, listing: int) -> Row:
    """Return an element of GET symbolConfig."""
    return {
        "symbol": book.listings[listing].instrument.symbol,
        "marginType": "ISOLATED" if book.isolated(listing) else "CROSSED",
        "isAutoAddMargin": False,
        "leverage": book.leverage(listing),
        "maxNotionalValue": plain(book.max_notional(listing)),
    }


def account_config(book: AccountBook) -> Row:
    """Return GET accountConfig."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": book.dual_side,
        "updateTime": 0,
        "multiAssetsMargin": book.multi_assets,
        "tradeGroupId": -1,
    }


def commission_rate(book: AccountBook, listing: int) -> Row:
    """Return GET commissionRate."""
    return {
        "symbol": book.listings[listing].instrument.symbol,
        "makerCommissionRate": plain(book.maker_fee),
        "takerCommissionRate": plain(book.taker_fee),
        "rpiCommissionRate": plain(book.rpi_fee),
    }


def leverage_change(book: AccountBook, listing: int) -> Row:
    """Return the answer to POST leverage."""
    return {
        "leverage": book.leverage(listing),
        "maxNotionalValue": plain(book.max_notional(listing)),
        "symbol": book.listings[listing].instrument.symbol,
    }


def income_row(book: AccountBook, row: IncomeRow) -> Row:
    """Return an element of GET income."""
    return {
        "symbol": "" if row.listing is None else book.listings[row.listing].instrument.symbol,
        "incomeType": row.kind,
        "income": money(row.amount),
        "asset": "USDT",
        "info": row.kind,
        "time": row.time_ms,
        "tranId": row.transaction,
        "tradeId": "" if row.trade_id is None else str(row.trade_id),
    }


def margin_change(book: AccountBook, change: MarginChange) -> Row:
    """Return an element of GET positionMargin/history."""
    return {
        "symbol": book.listings[change.listing].instrument.symbol,
        "type": change.kind,
        "deltaType": "USER_ADJUST",
        "amount": money(change.amount),
        "asset": "USDT",
        "time": change.time_ms,
        "positionSide": str(change.side),
    }
