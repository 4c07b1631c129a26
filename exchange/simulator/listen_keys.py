"""Listen keys: one per API key, valid for an hour, extended by POST and PUT."""

from __future__ import annotations

import hashlib

from exchange.simulator.answers import refuse

VALID_MS = 3_600_000


class ListenKeys:
    """The keys of user data streams. Keys are a function of the seed, the API key and a counter."""

    def __init__(self, seed: int) -> None:
        """Start without keys."""
        self._seed = seed
        self._issued = 0
        self._key_of: dict[str, str] = {}
        self._until: dict[str, int] = {}

    def issue(self, api_key: str, now_ms: int) -> str:
        """Return the API key's listen key, the same while it lives, and extend it."""
        key = self._key_of.get(api_key)
        if key is None:
            self._issued += 1
            text = f"{self._seed}:{self._issued}:{api_key}"
            key = hashlib.sha256(text.encode()).hexdigest()
            self._key_of[api_key] = key
        self._until[key] = now_ms + VALID_MS
        return key

    def extend(self, api_key: str, now_ms: int) -> str:
        """Extend the API key's listen key. Raises RefusalError -1125 where there is none."""
        key = self._key_of.get(api_key)
        if key is None:
            raise refuse(-1125, "This listenKey does not exist.")
        self._until[key] = now_ms + VALID_MS
        return key

    def drop(self, api_key: str) -> None:
        """Forget the API key's listen key, if any."""
        key = self._key_of.pop(api_key, None)
        if key is not None:
            del self._until[key]

    def expire(self, now_ms: int) -> list[str]:
        """Drop and return the keys whose hour is over."""
        gone = [key for key, until in self._until.items() if until <= now_ms]
        for key in gone:
            del self._until[key]
        if gone:
            self._key_of = {api: key for api, key in self._key_of.items() if key not in gone}
        return gone
