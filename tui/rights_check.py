"""What the configured API key may do at the configured exchange, as lines of `perpdesk doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.adapters.entropy import RandomEntropy
from engine.execution.rights import judge_rights
from exchange.binance.account_client import AccountClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.errors import ExchangeError
from tui.check import Check

if TYPE_CHECKING:
    from exchange.binance.routes import Venue
    from exchange.binance.signing import Credentials
    from exchange.ports import Clock, Rest


async def check_rights(
    venue: Venue, rest: Rest, clock: Clock, credentials: Credentials, *, transfers_allowed: bool
) -> list[Check]:
    """Read the key's rights and say what they mean for live orders. Never raises for what a venue does."""
    if not venue.wallet_url:
        return [Check("key rights", "ok", f"{venue.name} does not tell them; its keys move no money")]
    client = BinanceClient(rest, clock, WeightLedger(), OpenGate(), RandomEntropy(), credentials)
    try:
        await client.sync_clock(1)
        rights = await AccountClient(client.calls).key_rights()
    except ExchangeError as error:
        remedy = "without them a desk sends no entries; check the key and its list of addresses at the venue"
        return [Check("key rights", "fail", f"cannot be read: {error}", remedy)]
    view = judge_rights(rights, clock.now_ms(), transfers_allowed=transfers_allowed)
    lines = [Check("key rights", "fail", text) for text in view.refused]
    lines += [Check("key rights", "warn", text) for text in view.warnings]
    return lines or [Check("key rights", "ok", view.text)]
