"""Watches whether the venue still is what the desk was built for: probed at the start and daily (reliability F21).

A changed venue is told by name and keeps live entries off; virtual ones go on, they reach no venue. What the venue
sends that cannot be believed is told, too, at most once a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.events import EventKind, Severity
from engine.snapshot import BadInputRow, CapabilityView
from exchange.binance.probe import CapabilityProbe
from exchange.capability import Weight

if TYPE_CHECKING:
    from engine.desk import Desk
    from exchange.capability import Capability

PROBE_S: Final = 86_400.0
AGAIN_S: Final = 300.0
"""Pause before another probe when a check could not be made."""
TELL_EVERY_S: Final = 60.0
_SAMPLE_TOLD: Final = 120
_ROWS_SHOWN: Final = 8
_SEVERITY: Final = {
    Weight.BLOCKS: Severity.ALERT,
    Weight.WARNS: Severity.NOTICE,
    Weight.UNSURE: Severity.WARNING,
}


class VenueWatch:
    """The probe of one desk with what it found last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._probe = CapabilityProbe(
            desk.client, desk.ports.dialer, desk.clock, has_key=desk.has_key, patience=desk.identity.patience
        )
        self.capability: Capability | None = None
        self._told_bad = 0
        self._told_at = float("-inf")

    @property
    def entries_off(self) -> str:
        """Return why live entries are off, empty where the venue is as expected."""
        if self.capability is None:
            return "the exchange has not been probed yet"
        return self.capability.entries_off

    async def run(self) -> None:
        """Probe, and again daily; soon where a check could not be made."""
        while True:
            found = await self._probe.run()
            self.take(found)
            await self._desk.clock.sleep(AGAIN_S if found.unsure else PROBE_S)

    def take(self, found: Capability) -> None:
        """Take the outcome of a probe: tell what is new in it, record what it means for entries."""
        before, self.capability = self.capability, found
        chronicle = self._desk.chronicle
        known = {finding.text for finding in before.findings} if before is not None else set()
        for finding in found.findings:
            if finding.text not in known:
                chronicle.say(EventKind.RISK, f"exchange probe: {finding.text}", _SEVERITY[finding.weight])
        old = before.entries_off if before is not None else ""
        if found.entries_off != old:
            chronicle.change("venue", "live entries", old or "allowed", found.entries_off or "allowed", "the desk")
            if found.entries_off:
                text = f"{found.entries_off}: live entries are off until that has changed, virtual ones go on"
                chronicle.say(EventKind.RISK, text, Severity.ALERT)
            else:
                chronicle.say(EventKind.RISK, "the exchange is as expected again", Severity.NOTICE)
        elif before is None and not found.findings:
            chronicle.say(EventKind.RISK, f"the exchange is as expected: {', '.join(found.checks)}")

    def tell_bad_input(self) -> None:
        """Tell that something could not be believed, at most once a minute, with the last sample."""
        quarantine = self._desk.quarantine
        new, now = quarantine.total - self._told_bad, self._desk.clock.monotonic()
        if not new or quarantine.last is None or now - self._told_at < TELL_EVERY_S:
            return
        self._told_bad, self._told_at = quarantine.total, now
        row = quarantine.last
        what = "an answer or frame was refused" if new == 1 else f"{new} answers or frames were refused"
        text = f"{what}, the last from {row.text}; it began: {row.sample[:_SAMPLE_TOLD]}"
        self._desk.chronicle.say(EventKind.FEED, text, Severity.WARNING)

    def view(self) -> CapabilityView:
        """Return what the screens show."""
        found = self.capability
        if found is None:
            return CapabilityView("not probed yet", 0, self.entries_off, ())
        state = "CHANGED" if found.blocking else "unsure" if found.unsure else "as expected"
        lines = tuple((finding.weight.value, finding.text) for finding in found.findings)
        return CapabilityView(state, found.checked_ms, found.entries_off, lines)

    def bad_input(self) -> tuple[BadInputRow, ...]:
        """Return the sources of refused input, the most frequent first."""
        rows = self._desk.quarantine.rows()[:_ROWS_SHOWN]
        return tuple(BadInputRow(row.source, row.count, row.text, row.sample, row.time) for row in rows)
