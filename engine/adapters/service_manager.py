"""The way to a service manager that speaks sd_notify: datagrams to the socket it names; nothing where it names none."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PERIOD_S = 1.0
"""Between two notices, unless the watchdog asks for more."""


class ServiceManager:
    """Tells the manager; a manager that is gone or slow never holds the engine up."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read NOTIFY_SOCKET, and WATCHDOG_USEC where it is meant for this process."""
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._told = ""
        self._socket: socket.socket | None = None
        if address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        micros = environ.get("WATCHDOG_USEC", "")
        is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        deadline = int(micros) / 1e6 if is_ours and micros.isdigit() else 0.0
        self.period_s = min(PERIOD_S, deadline / 3) if deadline else PERIOD_S

    @property
    def listens(self) -> bool:
        """Say whether there is a manager."""
        return self._socket is not None

    def tell(self, assignments: tuple[str, ...]) -> None:
        """Send the assignments; those that only repeat what was told last are left out, except the watchdog's."""
        whole = "\n".join(assignments)
        wanted = assignments if whole != self._told else tuple(one for one in assignments if one == "WATCHDOG=1")
        if self._socket is None or not wanted:
            return
        with suppress(OSError):
            self._socket.sendto("\n".join(wanted).encode(), self._address)
            self._told = whole

    def close(self) -> None:
        """Close the way."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
