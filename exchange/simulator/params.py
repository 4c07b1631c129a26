"""Request parameters as the venue reads them: from the raw query and the raw form body, the query winning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from exchange.simulator.answers import illegal, invalid, missing, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

INTEGER = re.compile(r"[0-9]{1,20}")


class Params:
    """Decoded parameters of one request. Unknown ones are ignored, as most endpoints of the venue do."""

    def __init__(self, query: bytes, body: bytes) -> None:
        """Decode both parts; a name in both keeps the value of the query, a repeated name its first value."""
        values: dict[str, str] = {}
        for raw in (query, body):
            for name, value in parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True):
                values.setdefault(name, value)
        self._values = values

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Params:
        """Return parameters that came decoded: an element of a batch, or the params of a WS-API request."""
        params = cls(b"", b"")
        params._values = dict(values)
        return params

    def text(self, name: str) -> str | None:
        """Return a value, or None where it is absent or empty."""
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        """Return a value. Raises RefusalError -1102 where it is absent or empty."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None where absent. Raises RefusalError -1100 on other characters."""
        value = self.text(name)
        if value is None:
            return None
        if INTEGER.fullmatch(value) is None:
            raise illegal(name, "^[0-9]{1,20}$")
        return int(value)

    def required_integer(self, name: str) -> int:
        """Return a whole number. Raises RefusalError -1102 where it is absent, -1100 on other characters."""
        value = self.integer(name)
        if value is None:
            raise missing(name)
        return value

    def span(self) -> tuple[int | None, int | None]:
        """Return `startTime` and `endTime`. Raises RefusalError -1023 where they are the wrong way round."""
        start, end = self.integer("startTime"), self.integer("endTime")
        if start is not None and end is not None and start > end:
            raise refuse(-1023, "Start time is greater than end time.")
        return start, end

    def bounded(self, name: str, default: int, maximum: int) -> int:
        """Return a number in 1..maximum. Raises RefusalError -1130 outside of it."""
        value = self.integer(name)
        if value is None:
            return default
        if not 1 <= value <= maximum:
            raise invalid(name)
        return value

    def loose(self, name: str, default: int) -> int:
        """Return a number for weighing the request; what is no number weighs as the default."""
        value = self.text(name)
        return int(value) if value is not None and INTEGER.fullmatch(value) else default
