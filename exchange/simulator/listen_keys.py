"""Listen keys: one per account, valid for an hour, extended by POST and PUT, ended for everybody by DELETE."""

from __future__ import annotations

import hashlib

from exchange.simulator.answers import refuse

VALID_MS = 3_600_000


class ListenKeys:
    """The keys of user data streams. Keys are a function of the seed, their owner and a counter."""

    def __init__(self, seed: int, *, per_api_key: bool = False) -> None:
        """Start without keys; `per_api_key` gives each API key a listen key of its own (see OpenQuestions)."""
        self._seed = seed
        self._per_api_key = per_api_key
        self._issued = 0
        self._key_of: dict[str, str] = {}
        self._until: dict[str, int] = {}

    @property
    def live(self) -> list[str]:
        """Return the keys whose streams deliver, oldest first."""
        return list(self._until)

    def issue(self, api_key: str, now_ms: int) -> str:
        """Return the account's listen key, the same while it lives, and extend it."""
        owner = self._owner(api_key)
        key = self._key_of.get(owner)
        if key is None:
            self._issued += 1
            text = f"{self._seed}:{self._issued}:{owner}"
            key = hashlib.sha256(text.encode()).hexdigest()
            self._key_of[owner] = key
        self._until[key] = now_ms + VALID_MS
        return key

    def extend(self, api_key: str, now_ms: int) -> str:
        """Extend the account's listen key. Raises RefusalError -1125 where there is none."""
        key = self._key_of.get(self._owner(api_key))
        if key is None:
            raise refuse(-1125, "This listenKey does not exist.")
        self._until[key] = now_ms + VALID_MS
        return key

    def drop(self, api_key: str) -> None:
        """Forget the account's listen key, if any: whoever else listens with it hears nothing more."""
        key = self._key_of.pop(self._owner(api_key), None)
        if key is not None:
            del self._until[key]

    def expire(self, now_ms: int) -> list[str]:
        """Drop and return the keys whose hour is over."""
        gone = [key for key, until in self._until.items() if until <= now_ms]
        self._forget(gone)
        return gone

    def expire_all(self) -> list[str]:
        """Drop and return every key before its time."""
        gone = self.live
        self._forget(gone)
        return gone

    def _forget(self, gone: list[str]) -> None:
        for key in gone:
            del self._until[key]
        if gone:
            self._key_of = {owner: key for owner, key in self._key_of.items() if key not in gone}

    def _owner(self, api_key: str) -> str:
        return api_key if self._per_api_key else ""
