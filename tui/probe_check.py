"""Whether the configured exchange still is what the desk was built for, as lines of `perpdesk doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.probe import CapabilityProbe
from exchange.binance.weights import WeightLedger
from exchange.capability import Weight
from tui.check import Check

if TYPE_CHECKING:
    from exchange.ports import Clock, Entropy, Rest, StreamDialer

_STATES: Final = {Weight.BLOCKS: "fail", Weight.WARNS: "ok", Weight.UNSURE: "warn"}
_REMEDIES: Final = {
    Weight.BLOCKS: "update perpdesk; until then live entries stay off",
    Weight.WARNS: "",
    Weight.UNSURE: "ask again; the desk asks every few minutes",
}


async def check_contract(rest: Rest, dialer: StreamDialer, clock: Clock, entropy: Entropy) -> list[Check]:
    """Probe the exchange without a key: rules, algo service, market routes; one line each for what is not as expected.

    Also tells what the exchange sent meanwhile that could not be believed. Never raises for what a venue does.
    """
    client = BinanceClient(rest, clock, WeightLedger(), OpenGate(), entropy)
    found = await CapabilityProbe(client, dialer, clock, has_key=False).run()
    lines = [Check("contract", _STATES[one.weight], one.text, _REMEDIES[one.weight]) for one in found.findings]
    if not lines:
        lines = [Check("contract", "ok", f"as expected: {', '.join(found.checks)}")]
    lines += [
        Check("input", "warn", f"{row.text}; it began: {row.sample}", "nothing to do: what is refused is not used")
        for row in client.quarantine.rows()
    ]
    return lines
