"""The contract the desk was built for, as data, and what of it a venue's answers still fulfil. Pure.

What is missing or of another kind keeps entries off; what is new is accepted and named. Source: the venue's contract of
November 2026 (filters of section 3.2, brackets of 3.3, limits of 7, the algo service of 4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from exchange.bad_input import readable
from exchange.binance.json_strict import decode
from exchange.capability import Finding, Weight
from exchange.errors import DecodeError

FILTERS: dict[str, frozenset[str]] = {
    "PRICE_FILTER": frozenset({"minPrice", "maxPrice", "tickSize"}),
    "LOT_SIZE": frozenset({"minQty", "maxQty", "stepSize"}),
    "MARKET_LOT_SIZE": frozenset({"minQty", "maxQty", "stepSize"}),
    "MAX_NUM_ORDERS": frozenset({"limit"}),
    "MIN_NOTIONAL": frozenset({"notional"}),
    "PERCENT_PRICE": frozenset({"multiplierUp", "multiplierDown", "multiplierDecimal"}),
}
OPTIONAL_FILTERS = frozenset({"POSITION_RISK_CONTROL"})
REMOVED_FILTERS = frozenset({"MAX_NUM_ALGO_ORDERS"})
"""Gone since conditional orders live in the algo service; a venue that has them is older than that."""
SYMBOL_FIELDS = frozenset(
    {
        "symbol", "pair", "contractType", "status", "baseAsset", "quoteAsset", "marginAsset", "pricePrecision",
        "quantityPrecision", "onboardDate", "liquidationFee", "marketTakeBound", "triggerProtect", "filters",
        "orderTypes", "timeInForce",
    }
)  # fmt: skip
ORDER_TYPES = frozenset({"LIMIT", "MARKET"})
TIMES_IN_FORCE = frozenset({"GTC", "IOC", "FOK", "GTX"})
STATUSES = frozenset(
    {
        "PENDING_TRADING", "TRADING", "PRE_SETTLE", "SETTLING", "PRE_DELIVERING", "DELIVERING", "DELIVERED", "CLOSE",
        "TRADING_HALT", "TRADING_CANCEL_ONLY",
    }
)  # fmt: skip
RATE_LIMITS: dict[tuple[str, str, int], int] = {
    ("REQUEST_WEIGHT", "MINUTE", 1): 2400,
    ("ORDERS", "MINUTE", 1): 1200,
    ("ORDERS", "SECOND", 10): 300,
}
BRACKET_FIELDS = frozenset({"bracket", "initialLeverage", "notionalCap", "notionalFloor", "maintMarginRatio", "cum"})
ALGO_FIELDS = frozenset({"algoId", "clientAlgoId", "orderType", "symbol", "side", "algoStatus", "triggerPrice"})
_SHOWN = 5

_INFO: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_ROWS: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, Any]])


def _some(names: frozenset[str] | set[str]) -> str:
    ordered = sorted(readable(str(name).encode(errors="backslashreplace"), 40) for name in names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more


class _Findings:
    """Collects findings; the same thing about many symbols is one finding with their number."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str, Weight], list[str]] = {}

    def add(
        self, name: str, expected: str, seen: str, consequence: str, symbol: str = "", weight: Weight = Weight.BLOCKS
    ) -> None:
        self._found.setdefault((name, expected, seen, consequence, weight), []).append(symbol)

    def all(self) -> list[Finding]:
        findings = []
        for (name, expected, seen, consequence, weight), symbols in self._found.items():
            named = [symbol for symbol in symbols if symbol]
            where = f" ({_some(set(named))})" if named else ""
            findings.append(Finding(name, expected, seen + where, consequence, weight))
        return findings


_NO_RULES = "orders cannot be sized by this symbol's rules"


def exchange_info(body: bytes, where: str) -> list[Finding]:
    """Compare exchangeInfo: limits, the fields and filters of the USDT perpetuals that trade."""
    try:
        info = decode(_INFO, body, where)
    except DecodeError as error:
        return [Finding("exchangeInfo", "a JSON object", error.reason, "no trading rules can be read")]
    found = _Findings()
    limits, symbols = info.get("rateLimits"), info.get("symbols")
    _limits(limits if isinstance(limits, list) else [], found)
    rows = [row for row in symbols if isinstance(row, dict)] if isinstance(symbols, list) else []
    ours = [row for row in rows if _is_ours(row)]
    if not ours:
        found.add("symbols", "USDT perpetuals that trade", f"none among {len(rows)} symbols", "nothing can be traded")
    for row in ours:
        _symbol(row, found)
    unknown = {str(row.get("status", "")) for row in rows} - STATUSES
    if unknown:
        text = "such symbols are not traded"
        found.add("symbol status", "the known ones", _some(unknown), text, weight=Weight.WARNS)
    return found.all()


def _is_ours(row: dict[str, Any]) -> bool:
    return row.get("quoteAsset") == "USDT" and row.get("contractType") == "PERPETUAL" and row.get("status") == "TRADING"


def _limits(rows: list[Any], found: _Findings) -> None:
    seen = {
        (row.get("rateLimitType"), row.get("interval"), row.get("intervalNum")): row.get("limit")
        for row in rows
        if isinstance(row, dict)
    }
    for (kind, interval, number), limit in RATE_LIMITS.items():
        name = f"rate limit {kind} per {number} {interval}"
        value = seen.get((kind, interval, number))
        if not isinstance(value, int) or isinstance(value, bool):
            found.add(name, str(limit), "none", "the desk's own budget may be too large")
        elif value < limit:
            found.add(name, str(limit), str(value), "the desk's own budget may be too large")
        elif value > limit:
            found.add(name, str(limit), str(value), "the desk stays within the old one", weight=Weight.WARNS)


def _symbol(row: dict[str, Any], found: _Findings) -> None:
    symbol = str(row.get("symbol", ""))[:32]
    missing = SYMBOL_FIELDS - row.keys()
    if missing:
        found.add("fields of a symbol", _some(missing), "missing", _NO_RULES, symbol)
    listed = row.get("filters")
    filters = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    by_type = {str(one.get("filterType")): one for one in filters}
    for kind, fields in FILTERS.items():
        if kind not in by_type:
            found.add(f"filter {kind}", _some(fields), "no such filter", _NO_RULES, symbol)
        elif lacking := fields - by_type[kind].keys():
            found.add(f"filter {kind}", _some(lacking), "missing", _NO_RULES, symbol)
    if back := by_type.keys() & REMOVED_FILTERS:
        text = "the venue is older than the desk: conditional orders may not be where they are looked for"
        found.add("removed filter", "absent since December 2025", _some(set(back)), text, symbol)
    if new := by_type.keys() - FILTERS.keys() - OPTIONAL_FILTERS - REMOVED_FILTERS:
        text = "orders may be refused for a rule the desk does not know"
        found.add("filters", "the known ones", _some(set(new)), text, symbol, Weight.WARNS)
    for name, wanted in (("orderTypes", ORDER_TYPES), ("timeInForce", TIMES_IN_FORCE)):
        offered = row.get(name)
        lacking = wanted - set(map(str, offered)) if isinstance(offered, list) else wanted
        if lacking:
            found.add(name, _some(wanted), f"without {_some(lacking)}", "orders of this kind are refused", symbol)


def brackets(body: bytes, where: str) -> list[Finding]:
    """Compare the fields of leverageBracket: numbers, from 0 upwards."""
    rows = _rows(body, where)
    if isinstance(rows, Finding):
        return [rows]
    found = _Findings()
    if not rows:
        found.add("leverage brackets", "a row per symbol", "none", "leverage and liquidation prices are unknown")
    for row in rows:
        symbol, steps = str(row.get("symbol", ""))[:32], row.get("brackets")
        if not isinstance(steps, list) or not steps:
            found.add("leverage brackets", "brackets", "none", "its leverage cap is unknown", symbol)
            continue
        for step in steps:
            fields = step if isinstance(step, dict) else {}
            numbers = {name for name in BRACKET_FIELDS & fields.keys() if isinstance(fields[name], int | float)}
            if lacking := BRACKET_FIELDS - numbers:
                found.add(
                    "leverage brackets", "numbers", f"no number for {_some(lacking)}", "its cap is unknown", symbol
                )
    return found.all()


def algo_orders(body: bytes, where: str) -> list[Finding]:
    """Compare the list of open conditional orders."""
    rows = _rows(body, where)
    if isinstance(rows, Finding):
        return [rows]
    missing = {name for row in rows for name in ALGO_FIELDS - row.keys()}
    if missing:
        text = "protective orders cannot be recognised"
        return [Finding("fields of a conditional order", _some(ALGO_FIELDS), f"without {_some(missing)}", text)]
    return []


def _rows(body: bytes, where: str) -> list[dict[str, Any]] | Finding:
    if body.lstrip()[:1] == b"{":
        body = b"[" + body + b"]"
    try:
        return decode(_ROWS, body, where)
    except DecodeError as error:
        return Finding(where, "a JSON array of objects", error.reason, "the answer cannot be used")


Compare = Callable[[bytes, str], list[Finding]]
