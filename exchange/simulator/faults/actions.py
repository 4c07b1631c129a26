"""What can be made to happen at the simulated venue beside what a client may ask, as typed requests.

`POST /sim/control` takes `{"action": NAME, ...}`; a fault plan says the same in `do`.
"""

from __future__ import annotations

import difflib
from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from exchange.instrument import Bracket
from exchange.simulator.trading.account_settings import MONEY_PLACES
from exchange.simulator.trading.model import PositionSide
from exchange.simulator.trading.order_request import decimals

MOST_SECONDS = 1e9
MOST_MONEY = Decimal(10**12)
RouteName = Literal["any", "public", "market", "private", "unrouted"]


class ActionError(ValueError):
    """An action that cannot be carried out; the text names the key, the value and the remedy."""


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="action"):
    pass


class SetFaults(_Action, frozen=True, tag="faults", kw_only=True):
    """Replace the fault plan; an empty one heals everything."""

    plan: dict[str, Any]


class Ban(_Action, frozen=True, tag="ban", kw_only=True):
    """Ban the address: 418 until the seconds are over."""

    seconds: float = 120.0


class StepClock(_Action, frozen=True, tag="step_clock", kw_only=True):
    """Let the venue's clock jump by milliseconds, as GET time and the check of signed requests see it."""

    ms: int


class Disconnect(_Action, frozen=True, tag="disconnect", kw_only=True):
    """Cut the open sockets of a route."""

    route: RouteName = "any"
    how: Literal["abrupt", "close"] = "abrupt"
    code: int = 1001


class ExpireListenKeys(_Action, frozen=True, tag="expire_listen_keys", kw_only=True):
    """End every listen key as if its hour were over."""


class Elsewhere(_Action, frozen=True, tag="elsewhere", kw_only=True):
    """Somebody else uses the account: a signed endpoint is called without key, weight and order count."""

    method: Literal["POST", "PUT", "DELETE"]
    path: str
    params: dict[str, str] = {}


class Transfer(_Action, frozen=True, tag="transfer", kw_only=True):
    """USDT come into the account, or leave it where the amount is negative."""

    amount: Decimal


class Liquidate(_Action, frozen=True, tag="liquidate", kw_only=True):
    """The venue takes a position over, whatever its margin."""

    symbol: str
    side: PositionSide = PositionSide.BOTH


class Deleverage(_Action, frozen=True, tag="deleverage", kw_only=True):
    """Part of a position is closed against a bankrupt counterparty's."""

    symbol: str
    quantity: Decimal
    side: PositionSide = PositionSide.BOTH


class SpecialFunding(_Action, frozen=True, tag="special_funding", kw_only=True):
    """A funding is settled outside the regular intervals."""

    symbol: str
    rate: Decimal


class PositionModeLock(_Action, frozen=True, tag="position_mode_lock", kw_only=True):
    """Changes of the position mode are refused with -4531, as while COIN-M is not in step, or accepted again."""

    locked: bool = True


class AlgoService(_Action, frozen=True, tag="algo_service", kw_only=True):
    """What conditional orders meet at their trigger from now on; without options the service is healed."""

    stuck: bool = False
    """They stay TRIGGERING and get no child."""
    reject: str | None = None
    """They are REJECTED with this text as their reason."""


class Restrict(_Action, frozen=True, tag="restrict", kw_only=True):
    """New orders of a symbol, or of the whole account, are refused with a code; without a code they pass again."""

    code: int | None = None
    symbol: str | None = None


class SymbolState(_Action, frozen=True, tag="symbol", kw_only=True):
    """A contract is listed, halted, resumed, settled or removed; `announce` settles it after `seconds`."""

    symbol: str
    state: Literal["list", "pending", "halt", "cancel_only", "resume", "announce", "settle", "close", "delist"]
    seconds: float = 3600.0


class SymbolRules(_Action, frozen=True, tag="symbol_rules", kw_only=True):
    """Trading rules of a contract change, named as the fields of `Instrument`: `tick`, `lot`, `min_notional`..."""

    symbol: str
    rules: dict[str, Any]


class SymbolBrackets(_Action, frozen=True, tag="symbol_brackets", kw_only=True):
    """The leverage brackets of a contract change."""

    symbol: str
    brackets: tuple[Bracket, ...]


class SetKeyRights(_Action, frozen=True, tag="key_rights", kw_only=True):
    """The rights of the account's keys are these from now on, as GET account/apiRestrictions tells them."""

    ip_restricted: bool = True
    futures: bool = True
    withdrawals: bool = False
    internal_transfer: bool = False
    universal_transfer: bool = False
    expires_ms: int | None = None
    served: bool = True
    """False: the call is 403."""


class FundingInterval(_Action, frozen=True, tag="funding_interval", kw_only=True):
    """Funding of a contract is settled every so many hours from now on."""

    symbol: str
    hours: Literal[1, 4, 8]


VenueAction = (
    SetFaults | Ban | StepClock | Disconnect | ExpireListenKeys | Elsewhere | Transfer | Liquidate | Deleverage
    | SpecialFunding | PositionModeLock | AlgoService | Restrict | SymbolState | SymbolRules | SymbolBrackets
    | FundingInterval | SetKeyRights
)  # fmt: skip
ACTIONS = {str(kind.__struct_config__.tag): kind for kind in get_args(VenueAction)}


def read_action(raw: object) -> VenueAction:
    """Check a request. Raises ActionError."""
    if not isinstance(raw, dict):
        raise ActionError('a control request is an object such as {"action": "ban", "seconds": 120}')
    name = raw.get("action")
    kind = ACTIONS.get(str(name))
    if kind is None:
        near = difflib.get_close_matches(str(name), ACTIONS, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"actions are {', '.join(sorted(ACTIONS))}"
        raise ActionError(f"action is {name!r}, which is none; {hint}")
    try:
        action: VenueAction = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise ActionError(f"action {name}: {error}") from error
    _check_numbers(action)
    return action


def _check_numbers(action: VenueAction) -> None:
    """Raise ActionError on a number that no account, clock or position can take; one that is none compares false."""
    if isinstance(action, Ban | SymbolState) and not 0.0 <= action.seconds < MOST_SECONDS:
        name = action.__struct_config__.tag
        raise ActionError(f"action {name}: seconds is {action.seconds}: use seconds from 0")
    if isinstance(action, Transfer) and not _is_money(action.amount):
        raise ActionError(f"action transfer: amount is {action.amount}: use a number with at most eight decimals")
    if isinstance(action, SpecialFunding) and not (action.rate.is_finite() and abs(action.rate) <= 1):
        raise ActionError(f"action special_funding: rate is {action.rate}: use a share such as 0.0001")
    if isinstance(action, Deleverage) and not (action.quantity.is_finite() and action.quantity > 0):
        raise ActionError(f"action deleverage: quantity is {action.quantity}: use a quantity above 0")


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) < MOST_MONEY and decimals(amount) <= MONEY_PLACES
