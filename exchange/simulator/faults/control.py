"""The doing of control actions at one venue."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, get_type_hints
from urllib.parse import urlencode

import msgspec

from exchange.instrument import Instrument
from exchange.simulator.answers import RefusalError, json_answer, refusal_answer, refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.faults.actions import (
    ActionError,
    AlgoService,
    Ban,
    Deleverage,
    Disconnect,
    Elsewhere,
    ExpireListenKeys,
    FundingInterval,
    Liquidate,
    PositionModeLock,
    Restrict,
    SetFaults,
    SetKeyRights,
    SpecialFunding,
    StepClock,
    SymbolBrackets,
    SymbolRules,
    SymbolState,
    Transfer,
    VenueAction,
    read_action,
)
from exchange.simulator.faults.plan import PlanError, make_plan
from exchange.simulator.key_rights import KeyRights
from exchange.simulator.params import Params
from exchange.simulator.rest import ROUTES
from exchange.simulator.symbol_life import LifeError
from exchange.simulator.trading.restrictions import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.ports import RestAnswer
    from exchange.simulator.core import Exchange
    from exchange.simulator.faults.requests import Request

ABNORMAL = 1006
TOKEN_HEADER = "x-sim-token"  # noqa: S105 - the name of a header


class Control:
    """Carries actions out on an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        """Act on an exchange."""
        self._exchange = exchange
        self._doings: dict[type[VenueAction], Callable[[Any], None]] = {
            SetFaults: self._set_faults,
            Ban: self._ban,
            StepClock: self._step_clock,
            Disconnect: self._disconnect,
            ExpireListenKeys: self._expire_listen_keys,
            Elsewhere: self._elsewhere,
            Transfer: self._transfer,
            Liquidate: self._liquidate,
            Deleverage: self._deleverage,
            SpecialFunding: self._special_funding,
            PositionModeLock: self._lock_position_mode,
            AlgoService: self._algo_service,
            Restrict: self._restrict,
            SymbolState: self._set_state,
            SymbolRules: self._change_rules,
            SymbolBrackets: self._change_brackets,
            FundingInterval: self._change_funding,
            SetKeyRights: self._set_key_rights,
        }

    def act(self, request: object) -> None:
        """Check a request and carry it out. Raises ActionError, PlanError or RefusalError."""
        action = read_action(request)
        try:
            self._doings[type(action)](action)
        except LifeError as error:
            raise ActionError(f"action {action.__struct_config__.tag}: {error}") from error

    def _set_faults(self, action: SetFaults) -> None:
        self._exchange.set_faults(make_plan(action.plan))

    def _ban(self, action: Ban) -> None:
        exchange = self._exchange
        exchange.venue.weights.ban_until(exchange.now_ms + int(action.seconds * 1000))

    def _step_clock(self, action: StepClock) -> None:
        self._exchange.venue.clock_error_ms += action.ms

    def _disconnect(self, action: Disconnect) -> None:
        code, reason = (ABNORMAL, "connection lost") if action.how == "abrupt" else (action.code, "going away")
        for session in self._exchange.sessions:
            if action.route in {"any", session.route.value or "unrouted"}:
                session.end(code, reason)

    def _expire_listen_keys(self, _action: ExpireListenKeys) -> None:
        self._exchange.venue.user_streams.expire_all(self._exchange.now_ms)

    def _elsewhere(self, action: Elsewhere) -> None:
        exchange = self._exchange
        endpoint = ROUTES.get((action.method, action.path))
        if endpoint is None:
            raise ActionError(f"action elsewhere: {action.method} {action.path} is no endpoint of the venue")
        endpoint.answer(exchange.venue, Params(urlencode(action.params).encode(), b""), exchange.now_ms)

    def _transfer(self, action: Transfer) -> None:
        account, now_ms = self._exchange.venue.house.account, self._exchange.now_ms
        if action.amount < 0:
            account.withdraw(-action.amount, now_ms)
        else:
            account.deposit(action.amount, now_ms)

    def _liquidate(self, action: Liquidate) -> None:
        account = self._exchange.venue.house.account
        position = account.position(self._listing(action.symbol), action.side)
        if not position.quantity:
            raise ActionError(f"action liquidate: {action.symbol} {action.side} has no position")
        account.liquidation.take_over(position, self._exchange.now_ms)

    def _deleverage(self, action: Deleverage) -> None:
        account, listing = self._exchange.venue.house.account, self._listing(action.symbol)
        step = account.listings[listing].instrument.lot.step
        size = abs(account.position(listing, action.side).quantity)
        if not size:
            raise ActionError(f"action deleverage: {action.symbol} {action.side} has no position")
        quantity = min(action.quantity, size)
        if quantity < size and quantity % step:
            raise ActionError(f"action deleverage: quantity is {quantity}: use a multiple of {step}")
        account.auto_deleverage(listing, action.side, quantity, self._exchange.now_ms)

    def _special_funding(self, action: SpecialFunding) -> None:
        exchange = self._exchange
        exchange.venue.special_funding(self._listing(action.symbol), action.rate, exchange.now_ms)

    def _lock_position_mode(self, action: PositionModeLock) -> None:
        self._exchange.venue.house.account.mode_out_of_step = action.locked

    def _algo_service(self, action: AlgoService) -> None:
        desk = self._exchange.venue.house.algo
        desk.stuck, desk.reject_reason = action.stuck, action.reject

    def _restrict(self, action: Restrict) -> None:
        restrictions = self._exchange.venue.house.orders.restrictions
        listing = None if action.symbol is None else self._listing(action.symbol)
        if action.code is None:
            restrictions.lift(listing)
        elif action.code in RULES:
            restrictions.impose(action.code, listing)
        else:
            codes = ", ".join(str(code) for code in RULES)
            raise ActionError(f"action restrict: code is {action.code}, which restricts nothing; codes are {codes}")
        self._exchange.venue.life.refresh()

    def _set_state(self, action: SymbolState) -> None:
        life, symbol, now_ms = self._exchange.venue.life, action.symbol, self._exchange.now_ms
        if action.state == "announce":
            life.announce_delivery(symbol, now_ms + int(action.seconds * 1000), now_ms)
        elif action.state in {"list", "pending"}:
            life.list_symbol(symbol, now_ms, pending=action.state == "pending")
        else:
            change: Callable[[str, int], None] = getattr(life, action.state)
            change(symbol, now_ms)

    def _change_rules(self, action: SymbolRules) -> None:
        kinds = get_type_hints(Instrument)
        rules = {name: _converted(name, value, kinds.get(name, object)) for name, value in action.rules.items()}
        self._exchange.venue.life.change_rules(action.symbol, **rules)

    def _change_brackets(self, action: SymbolBrackets) -> None:
        self._exchange.venue.life.change_brackets(action.symbol, action.brackets, self._exchange.now_ms)

    def _change_funding(self, action: FundingInterval) -> None:
        self._exchange.venue.life.change_funding(action.symbol, action.hours)

    def _set_key_rights(self, action: SetKeyRights) -> None:
        self._exchange.venue.key_rights = msgspec.convert(msgspec.structs.asdict(action), KeyRights)

    def _listing(self, symbol: str) -> int:
        index = self._exchange.venue.tape.index.get(symbol)
        if index is None:
            raise ActionError(f"symbol {symbol!r} is not listed at this venue")
        return index


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ActionError(f"rule {name}: {error}") from error


def answer_control(exchange: Exchange, request: Request) -> RestAnswer | None:
    """Answer a request of the control endpoint, None for any other. Every refusal says what to do."""
    if (request.method, request.path) == ("GET", "/sim/faults"):
        return json_answer(encode_json(exchange.fault_report()), {})
    token = exchange.options.control_token
    if (request.method, request.path) != ("POST", "/sim/control") or token is None:
        return None
    if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
        text = f"the header {TOKEN_HEADER} does not hold this run's control token; the ready line names it"
        return refusal_answer(RefusalError(401, 0, text), {})
    try:
        exchange.control.act(msgspec.json.decode(request.body))
    except (ActionError, PlanError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return refusal_answer(refuse(0, str(error)), {})
    except RefusalError as refusal:
        return refusal_answer(refusal, {})
    return json_answer(b"{}", {})
