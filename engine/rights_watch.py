"""Reads the rights of the API key at the start of live orders and hourly, beside everything else.

Positions are protected before and whether or not the rights can be read: the wallet service is another host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.events import EventKind, Severity
from engine.execution.rights import NO_WALLET, judge_rights, unread
from exchange.errors import CredentialsError, ExchangeError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.chronicle import Chronicle
    from engine.snapshot import RightsView
    from exchange.account import KeyRights
    from exchange.ports import Clock

READ_S: Final = 3_600.0
AGAIN_S: Final = 30.0
KEEP_S: Final = 6 * READ_S
"""How long a reading stands while the service does not answer."""


class RightsWatch:
    """The rights of one key as last read."""

    def __init__(
        self,
        read: Callable[[], Awaitable[KeyRights]],
        clock: Clock,
        chronicle: Chronicle,
        *,
        has_wallet: bool,
        transfers_allowed: bool,
    ) -> None:
        """Take the way to read them; `has_wallet` is False where the venue does not tell them."""
        self._read = read
        self._clock = clock
        self._chronicle = chronicle
        self._has_wallet = has_wallet
        self._transfers_allowed = transfers_allowed
        self._read_s: float | None = None
        self.view: RightsView = unread("not read yet") if has_wallet else NO_WALLET

    async def run(self) -> None:
        """Read for ever, soon again where it failed."""
        while self._has_wallet:
            await self._clock.sleep(READ_S if await self.look() else AGAIN_S)

    async def look(self) -> bool:
        """Read once and say what is new; return whether the rights could be read."""
        now = self._clock.monotonic()
        try:
            rights = await self._read()
        except ExchangeError as error:
            stands = self._read_s is not None and now - self._read_s < KEEP_S
            if not stands or isinstance(error, CredentialsError):
                self._take(unread(str(error)))
            return False
        self._read_s = now
        self._take(judge_rights(rights, self._clock.now_ms(), transfers_allowed=self._transfers_allowed))
        return True

    def _take(self, view: RightsView) -> None:
        before, self.view = self.view, view
        for texts, severity in (
            (set(view.refused) - set(before.refused), Severity.ALERT),
            (set(view.warnings) - set(before.warnings), Severity.WARNING),
        ):
            for text in sorted(texts):
                more = "; entries are off, care of positions goes on" if severity is Severity.ALERT else ""
                self._chronicle.say(EventKind.RISK, f"{text}{more}", severity)
        if view.text != before.text:
            self._chronicle.change("key", "rights of the API key", before.text, view.text, "the desk")
