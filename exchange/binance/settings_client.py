"""Changes what an account is set to. Made only where live orders are allowed.

"Nothing to change" is a success: the methods say whether the venue had something to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance import endpoints, order_wire, settings_wire
from exchange.errors import DecodeError, RefusedError
from exchange.priority import Priority
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.account import LeverageSet
    from exchange.binance.calls import Calls
    from exchange.binance.endpoints import Endpoint
    from exchange.binance.position_mode import PositionMode
    from exchange.binance.signing import Params

_ADD, _REDUCE = 1, 2


class SettingsClient:
    """Position mode, margin and leverage of one account. Every method raises `exchange.errors.ExchangeError`.

    `Reaction.CLEAN_UP_FIRST` names open orders or positions that block a change.
    """

    def __init__(self, calls: Calls, mode: PositionMode) -> None:
        """Take the way to the venue and the account's position mode."""
        self._calls = calls
        self._mode = mode

    async def set_position_mode(self, *, hedge: bool, priority: Priority = Priority.NORMAL) -> bool:
        """Set hedge or one-way mode (of UM and CM together); return whether it was another one before."""
        # Until the venue has answered, orders must not rely on either mode.
        self._mode.forget()
        changed = await self._set(endpoints.SET_POSITION_MODE, (("dualSidePosition", hedge),), priority)
        self._mode.hedge = hedge
        return changed

    async def set_multi_assets(self, *, enabled: bool, priority: Priority = Priority.NORMAL) -> bool:
        """Let one asset or several back the margin; return whether that changed."""
        return await self._set(endpoints.SET_MULTI_ASSETS, (("multiAssetsMargin", enabled),), priority)

    async def set_fee_burn(self, *, enabled: bool, priority: Priority = Priority.NORMAL) -> bool:
        """Pay fees in BNB or not; return whether that changed."""
        return await self._set(endpoints.SET_FEE_BURN, (("feeBurn", enabled),), priority)

    async def set_isolated(self, symbol: str, *, isolated: bool, priority: Priority = Priority.HIGH) -> bool:
        """Set isolated or cross margin; return whether that changed."""
        params = (("symbol", symbol), ("marginType", "ISOLATED" if isolated else "CROSSED"))
        return await self._set(endpoints.SET_MARGIN_TYPE, params, priority)

    async def set_leverage(self, symbol: str, leverage: int, *, priority: Priority = Priority.HIGH) -> LeverageSet:
        """Set the leverage of a symbol and return what the venue confirmed, which is what was asked for.

        `Reaction.LOWER_LEVERAGE` asks for a clamp to the first bracket, `Reaction.KEEP_LEVERAGE` to size with the one
        the venue has.
        """

        def decode(body: bytes, where: str) -> LeverageSet:
            confirmed = settings_wire.leverage_set(body, where)
            if (confirmed.symbol, confirmed.leverage) != (symbol, leverage):
                raise DecodeError(where, "leverage", f"the venue confirmed {confirmed.leverage}, not {leverage}")
            return confirmed

        params = (("symbol", symbol), ("leverage", leverage))
        return await self._calls.call(endpoints.SET_LEVERAGE, params, decode, priority)

    async def adjust_margin(
        self,
        symbol: str,
        side: str,
        amount: Decimal,
        *,
        add: bool,
        priority: Priority = Priority.HIGH,
    ) -> None:
        """Add margin to an isolated position or take some away. `side` is BOTH in one-way mode, else LONG or SHORT."""
        params = (
            ("symbol", symbol),
            ("positionSide", side),
            ("amount", amount),
            ("type", _ADD if add else _REDUCE),
        )
        await self._calls.call(endpoints.POSITION_MARGIN, params, order_wire.success, priority)

    async def _set(self, endpoint: Endpoint, params: Params, priority: Priority) -> bool:
        try:
            await self._calls.call(endpoint, params, order_wire.success, priority)
        except RefusedError as refused:
            if refused.reaction is not Reaction.NOTHING_TO_CHANGE:
                raise
            return False
        return True
