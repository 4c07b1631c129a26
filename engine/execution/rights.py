"""What the rights of the API key mean for live orders (reliability section 6, rule 4; fault F57). Pure.

The key's rights decide entries and arming only: protection and exits never ask here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from engine.snapshot import RightsView

if TYPE_CHECKING:
    from exchange.account import KeyRights

CONSENT: Final = "NO-IP-LIST"
"""The word an operator types to arm with a key that works from every address."""
SOON_MS: Final = 14 * 86_400_000
NO_WALLET: Final = RightsView("not told by this venue, which has no wallet service")
"""The demo environment: its keys move no money, so there is nothing to refuse."""


def judge_rights(rights: KeyRights, now_ms: int, *, transfers_allowed: bool) -> RightsView:
    """Return what stands against live orders with this key, what needs a typed consent, and what is to be known."""
    refused, warnings = [], []
    if rights.withdraws:
        refused.append("the API key may withdraw: take that right away from it at the venue, or use another key")
    if not rights.futures or not rights.reads:
        lacking = "trade futures" if rights.reads else "read the account"
        refused.append(f"the API key may not {lacking}: the desk only looks until the key has that right")
    if rights.transfers and not transfers_allowed:
        refused.append(
            "the API key may move money to other wallets: take that right away from it at the venue, "
            "or set trading.key_may_transfer = true"
        )
    elif rights.transfers:
        warnings.append("the API key may move money to other wallets (trading.key_may_transfer allows it)")
    if not rights.ip_restricted:
        warnings.append(
            "the API key works from every address and the venue lets its trading right expire"
            f"{_on(rights.expires_ms)}: give it a list of addresses"
        )
    if rights.expires_ms and rights.expires_ms - now_ms < SOON_MS:
        warnings.append(f"the trading right of the API key ends{_on(rights.expires_ms)}: renew it at the venue")
    return RightsView(
        _told(rights), tuple(refused), "" if rights.ip_restricted else CONSENT, tuple(warnings), known=True
    )


def unread(cause: str) -> RightsView:
    """Return what follows while the rights are not known: no entries."""
    return RightsView("not known", (f"the rights of the API key are not known ({cause}): they are asked for again",))


def _told(rights: KeyRights) -> str:
    able = {
        "reads": rights.reads,
        "trades futures": rights.futures,
        "withdraws": rights.withdraws,
        "transfers": rights.transfers,
    }
    words = [word for word, has in able.items() if has]
    return ", ".join([*words, "listed addresses only" if rights.ip_restricted else "from every address"])


def _on(expires_ms: int) -> str:
    if not expires_ms:
        return ""
    return f" on {datetime.fromtimestamp(expires_ms / 1000, UTC):%Y-%m-%d}"
