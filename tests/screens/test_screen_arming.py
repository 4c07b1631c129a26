"""Arming on the screen: what the API key may do is shown first, and a careless key asks for its own word."""

from desk_driver import WIDE
from fake_port import snapshot

from engine.commands import SetTrading
from engine.execution.rights import CONSENT
from engine.snapshot import ArmingView, HandView, RightsView

WARNING = "the API key works from every address"
CAREFUL = RightsView("reads, trades futures, listed addresses only", known=True)
CARELESS = RightsView("reads, trades futures, from every address", consent=CONSENT, warnings=(WARNING,), known=True)
DANGEROUS = RightsView("reads, withdraws", refused=("the API key may withdraw: take that right away",), known=True)


def live_with(rights):
    missing = rights.refused or ("the desk is not armed",)
    hand = HandView(
        level="RUN", step="READY", ready=True, entries_off="", coverage=(), orders=(), naked=0, naked_now_s=0.0,
        naked_max_s=0.0, unknown=0, unknown_oldest_s=0.0, reconciled_ms=0, differences=0, stream_alive=True,
        stream_heard_ms=0, ledger=None,
        arming=ArmingView(armed=False, missing=missing, by="", expires_ms=0, rights=rights),
    )  # fmt: skip
    return snapshot(trading="LIVE", hand=hand)


async def test_a_careful_key_is_shown_and_armed_with_the_word_alone(running, port):
    port.latest = live_with(CAREFUL)
    async with running(WIDE) as desk:
        await desk.press("T")
        assert "listed addresses only" in desk.box()
        assert "WARNING" not in desk.box()
        await desk.type("LIVE")
        await desk.press("enter")
        assert port.sent == [SetTrading(live=True)]


async def test_a_careless_key_is_warned_of_and_asks_for_a_word_of_its_own(running, port):
    port.latest = live_with(CARELESS)
    async with running(WIDE) as desk:
        assert WARNING in desk.text("breaker")
        await desk.press("T")
        assert f"WARNING: {WARNING}" in desk.box()
        await desk.type("LIVE")
        await desk.press("enter")
        assert port.sent == [], "the short word alone does not arm it"
        await desk.type(f" {CONSENT}")
        await desk.press("enter")
        assert port.sent == [SetTrading(live=True, consent=CONSENT)]


async def test_a_dangerous_key_is_named_in_the_panel_and_where_arming_is_asked_for(running, port):
    port.latest = live_with(DANGEROUS)
    async with running(WIDE) as desk:
        assert "withdraws" in desk.text("breaker")
        await desk.press("T")
        assert "may withdraw" in desk.box()
