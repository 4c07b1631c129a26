"""What a one-shot command says when its venue does not give what it asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.venue import UnusableKeyError
from exchange.errors import UnsentError, VenueError
from tui.exit_codes import ExitCode
from tui.talk import say

if TYPE_CHECKING:
    from engine.adapters.simulator_child import SimulatorError
    from exchange.errors import ExchangeError


def venue_fault(error: ExchangeError | SimulatorError) -> int:
    """Tell the operator, with what to do, and return the exit code: 10 an address, 11 a key, 17 the venue."""
    if isinstance(error, VenueError):
        say(str(error))
        return ExitCode.CREDENTIALS if isinstance(error, UnusableKeyError) else ExitCode.CONFIG
    remedy = "; `perpdesk doctor` with the same --exchange tells more" if isinstance(error, UnsentError) else ""
    say(f"{error}{remedy}")
    return ExitCode.VENUE
