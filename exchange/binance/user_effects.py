"""What the private stream's session waits for, tells and wants done."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

from exchange.account_events import Resync


class UserLimits(msgspec.Struct, frozen=True):
    """Times of the private stream in desk seconds."""

    renew_s: float = 1800.0
    """The venue forgets a key after 3600 s."""
    retry_s: float = 30.0
    """Pause after a renewal that failed for another reason than a lost key."""
    probe_s: float = 45.0
    """Silence after which the stream is probed."""
    proof_s: float = 60.0
    """Silence without proof after which the stream counts as dead (reliability I4)."""
    probe_retry_s: float = 5.0
    rotate_s: float = 23 * 3600.0
    """Age at which a socket is replaced; the venue ends it at 24 h."""
    overlap_s: float = 3.0
    """How long both sockets are read; longer than an event can be under way."""
    backoff_s: float = 0.5
    backoff_cap_s: float = 20.0
    settled_s: float = 30.0
    """A socket that lived this long resets the back-off."""
    doubt_s: float = 5.0
    """Least time between two resynchronisations for events that could not be read; each costs a reading."""


class UserPhase(Enum):
    """Where the stream stands."""

    IDLE = "idle"
    KEYING = "asking for a listen key"
    DIALLING = "dialling"
    OPEN = "open"
    WAITING = "waiting"


class UserOpened(msgspec.Struct, frozen=True):
    """The private stream is connected; the consumer reads the account again."""

    gap_s: float | None


class UserLost(msgspec.Struct, frozen=True):
    """The private stream ended or could not be opened."""

    reason: str
    retry_in_s: float


class UserRotated(msgspec.Struct, frozen=True):
    """A new socket took the place of an old one without a gap."""


class UserDoubted(msgspec.Struct, frozen=True):
    """The key could not be renewed, or the stream not be proved alive; it is tried again."""

    reason: str


class UserRefused(msgspec.Struct, frozen=True):
    """An event could not be believed; the account is read again. `count` is the total."""

    reason: str
    count: int


UserStreamEvent = UserOpened | UserLost | UserRotated | UserDoubted | UserRefused


class AskKey(NamedTuple):
    """POST the listen key; answer with `key_given` or `key_failed`."""


class Renew(NamedTuple):
    """PUT the listen key; answer with `renewed` or `renew_failed`."""


class DialUser(NamedTuple):
    """Open a socket; answer with `opened` or `lost`."""

    socket: int
    path: str


class PingUser(NamedTuple):
    """Send a ping; answer with `ponged`, or with `lost` when no pong came."""

    socket: int


class LeaveUser(NamedTuple):
    """Close a socket; nothing is answered."""

    socket: int


class Switch(NamedTuple):
    """Deliver this socket's frames from now on, first those kept while it stood aside."""

    socket: int


class TellUser(NamedTuple):
    """Report an event."""

    event: UserStreamEvent


class Announce(NamedTuple):
    """Put this into the stream of items."""

    resync: Resync


UserEffect = AskKey | Renew | DialUser | PingUser | LeaveUser | Switch | TellUser | Announce
