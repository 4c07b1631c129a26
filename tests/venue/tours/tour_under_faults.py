"""perpdesk's own client trades at a simulated exchange that fails, over real sockets, and proves its book at the end.

By hand: `perpdesk exchange --port 18080 --faults tests/venue/faults/mixed.toml`, then
`python tests/venue/tours/tour_under_faults.py http://127.0.0.1:18080`. It takes two to four minutes.
"""

import asyncio
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from careful_trader import CarefulTrader

from engine.adapters.clock import SystemClock
from engine.adapters.entropy import RandomEntropy
from exchange.binance.http import HttpRest
from exchange.binance.signing import Credentials
from exchange.binance.socket import WebSocketDialer
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET


def reported(root):
    with urllib.request.urlopen(root + "/sim/faults") as answer:
        return {row["id"]: row["struck"] for row in msgspec.json.decode(answer.read())}


async def tour(root, *, rounds=20, say=print):
    """Trade, then return (what the trader was told, fills, faults that struck)."""
    clock, entropy = SystemClock(), RandomEntropy(seed=1)
    async with HttpRest(root) as rest:
        dialer = WebSocketDialer(root.replace("http:", "ws:"))
        keys = Credentials(DEMO_KEY, DEMO_SECRET)
        async with CarefulTrader(rest, dialer, clock, entropy, keys, "BTCUSDT", Decimal("0.010")) as trader:
            await trader.script(rounds, Decimal("0.1"))
            position, orders, conditional, fills = await trader.proof()
    struck = await asyncio.to_thread(reported, root)
    say(f"told: {dict(trader.told)}")
    say(f"faults that struck: {struck}")
    say(f"book = exchange: position {position}, {len(orders)} open, {len(conditional)} conditional, {len(fills)} fills")
    say("no order is double")
    return trader.told, fills, struck


if __name__ == "__main__":
    asyncio.run(tour(sys.argv[1]))
