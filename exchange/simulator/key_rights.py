"""What the account's API keys may do, as the wallet service tells it; a control action changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.simulator.answers import RefusalError
from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue

KEY_AGE_MS = 86_400_000


class KeyRights(msgspec.Struct, frozen=True, kw_only=True):
    """Rights of every key of the account. The defaults are those of a key made with care."""

    ip_restricted: bool = True
    futures: bool = True
    withdrawals: bool = False
    internal_transfer: bool = False
    universal_transfer: bool = False
    expires_ms: int | None = None
    """When the trading right ends, UTC milliseconds; the answer leaves it out where it does not."""
    served: bool = True
    """Whether the call is answered at all; else it is 403, as in the venue's demo environment."""


def tell_key_rights(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET account/apiRestrictions."""
    rights = venue.key_rights
    if not rights.served:
        raise RefusalError(403, 0, "Forbidden")
    told = {
        "ipRestrict": rights.ip_restricted,
        "createTime": venue.start_ms - KEY_AGE_MS,
        "enableReading": True,
        "enableWithdrawals": rights.withdrawals,
        "enableInternalTransfer": rights.internal_transfer,
        "enableMargin": False,
        "enableFutures": rights.futures,
        "permitsUniversalTransfer": rights.universal_transfer,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }
    if rights.expires_ms is not None:
        told["tradingAuthorityExpirationTime"] = rights.expires_ms
    return encode_json(told)
