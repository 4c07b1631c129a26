"""User data streams: the account's events on every socket that carries a live listen key, in the order published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.encode import encode_json

if TYPE_CHECKING:
    from exchange.simulator.listen_keys import ListenKeys
    from exchange.simulator.subscriptions import Subscriptions
    from exchange.simulator.trading.model import Row

EXPIRED = "listenKeyExpired"


class UserStreams:
    """Implements Publisher. A key that has expired or was deleted leaves its sockets open and silent."""

    def __init__(
        self, listen_keys: ListenKeys, subscriptions: Subscriptions, *, filter_hides_expiry: bool = False
    ) -> None:
        """Deliver to the subscribers of the live keys; `filter_hides_expiry` see OpenQuestions."""
        self._keys = listen_keys
        self._subscriptions = subscriptions
        self._filter_hides_expiry = filter_hides_expiry

    def publish(self, event: Row) -> None:
        """Send one event of the account to every live key's subscribers whose `events` filter lets it through."""
        keys = self._keys.live
        if not keys:
            return
        payload = encode_json(event)
        for key in keys:
            self._subscriptions.notify(key, payload, event["e"])

    def expire(self, now_ms: int) -> None:
        """End the keys whose hour is over and say so on their sockets."""
        self._tell(self._keys.expire(now_ms), now_ms)

    def expire_all(self, now_ms: int) -> None:
        """End every key now, as the venue sometimes does before the hour."""
        self._tell(self._keys.expire_all(), now_ms)

    def _tell(self, keys: list[str], now_ms: int) -> None:
        for key in keys:
            payload = encode_json({"e": EXPIRED, "E": now_ms, "listenKey": key})
            self._subscriptions.notify(key, payload, EXPIRED if self._filter_hides_expiry else "")
