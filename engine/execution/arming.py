"""Arming: live orders need three facts that agree, and a record of who said so, for what, until when. Pure.

The facts are the switch (`trading.enabled`), the place (`trading.environment = live`) and an arming record of this
account and this configuration that has not expired, and a key whose rights are known and no danger. Whatever is missing
keeps entries off and nothing else: protection and exits never ask here.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.snapshot import ArmingView

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.snapshot import RightsView

NAME = "arming.json"
MOST_HOURS = 24.0 * 30
_BOUND = ("exchange", "trading", "orders", "strategy", "risk", "signals")
"""Tables of the configuration an arming stands for."""
_WORDS = {
    "account": "the account is another one than was armed",
    "config": "risk, trading, strategy or exchange settings differ from those that were armed",
    "models": "other models are served than when it was armed",
}


class ArmingRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator armed. Hashes are SHA-256 in hex, times UTC milliseconds."""

    account: str
    config: str
    models: dict[str, str]
    limits: dict[str, float]
    """The limits as they stood, for the reader of the record."""
    by: str
    armed_ms: int
    expires_ms: int
    consent: str = ""
    """What the operator consented to besides, as `RightsView.consent` asked for it."""


class Facts(NamedTuple):
    """What stands now."""

    enabled: bool
    environment: str
    account: str
    config: str
    models: dict[str, str]


class ArmingError(Exception):
    """An arming record that cannot be read or made; the text says what to do."""


def account_hash(key: str) -> str:
    """Return how a record names an account without its key."""
    return hashlib.sha256(f"perpdesk account {key}".encode()).hexdigest()


def config_hash(settings: Settings) -> str:
    """Return the hash of everything in the configuration that decides which orders are sent."""
    tables = settings.model_dump(mode="json", include=set(_BOUND))
    return hashlib.sha256(msgspec.json.encode(tables, order="deterministic")).hexdigest()


def facts_of(settings: Settings, account: str, models: dict[str, str]) -> Facts:
    """Return the facts of a running desk."""
    trading = settings.trading
    return Facts(trading.enabled, trading.environment, account, config_hash(settings), models)


def make_record(
    facts: Facts, limits: dict[str, float], by: str, hours: float, now_ms: int, rights: RightsView, consent: str = ""
) -> ArmingRecord:
    """Return the record of an arming now with a key of these rights. Raises ArmingError."""
    if not 0 < hours <= MOST_HOURS:
        raise ArmingError(f"an arming lasts above 0 and at most {MOST_HOURS:g} hours, not {hours:g}")
    if not facts.enabled or facts.environment != "live":
        raise ArmingError("; ".join(judge(facts, None, now_ms, rights).missing[:2]))
    if rights.refused:
        raise ArmingError("; ".join(rights.refused))
    if rights.consent not in ("", consent):
        words = f"arm {hours:g} {rights.consent}"
        raise ArmingError(f"{'; '.join(rights.warnings)}; to arm all the same give the word: {words}")
    expires = now_ms + round(hours * 3_600_000)
    return ArmingRecord(facts.account, facts.config, facts.models, limits, by, now_ms, expires, rights.consent)


def encode(record: ArmingRecord) -> bytes:
    """Return the bytes of a record."""
    return msgspec.json.format(msgspec.json.encode(record)) + b"\n"


def decode(data: bytes) -> ArmingRecord | None:
    """Return the record, None where there is none. Raises ArmingError for one that cannot be believed."""
    if not data.strip():
        return None
    try:
        return msgspec.json.decode(data, type=ArmingRecord)
    except msgspec.MsgspecError as error:
        raise ArmingError(f"the arming record cannot be read ({error}): arm again") from None


def judge(facts: Facts, record: ArmingRecord | None, now_ms: int, rights: RightsView) -> ArmingView:
    """Return whether decisions may become orders, and each fact that stands against it with what to do."""
    missing = list(rights.refused)
    if not facts.enabled:
        missing.append("trading.enabled is false: set TRADING_ENABLED=true and start again")
    if facts.environment != "live":
        missing.append("trading.environment is paper: set it to live and start again")
    if record is None:
        missing.append("the desk is not armed: arm it (key T, or perpdesk command arm)")
        return ArmingView(armed=False, missing=tuple(missing), by="", expires_ms=0, rights=rights)
    now = {"account": facts.account, "config": facts.config, "models": facts.models}
    missing += [f"{words}: arm again" for name, words in _WORDS.items() if getattr(record, name) != now[name]]
    if rights.consent not in ("", record.consent):
        missing.append(
            f"the API key works from every address, which was not consented to: arm again with {rights.consent}"
        )
    if now_ms >= record.expires_ms:
        ended = datetime.fromtimestamp(record.expires_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        missing.append(f"the arming ended at {ended}: arm again")
    if now_ms < record.armed_ms - 60_000:
        missing.append("the arming lies in the future: check this machine's clock and arm again")
    return ArmingView(
        armed=not missing, missing=tuple(missing), by=record.by, expires_ms=record.expires_ms, rights=rights
    )
