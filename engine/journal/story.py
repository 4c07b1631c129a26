"""The chain behind an id, told in lines a person reads: every step, score, limit, cap and event with its numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.journal.record import Kind
from engine.signals.gate_log import MOVED, GateRow, Noted, Reader
from engine.signals.gates import DATA, GATES, told
from engine.snapshot import LeverageRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.journal.view import Row


def tell(rows: Iterable[Row]) -> list[str]:
    """Return the records of a chain as lines, oldest first; a record's own lines are indented under its first one."""
    lines: list[str] = []
    for row in rows:
        body = msgspec.json.decode(row.body)
        head = f"{_moment(row.time)}  {row.kind} {row.ref or '-'}  {row.symbol} {row.strategy}".rstrip()
        if row.kind == Kind.SIGNAL:
            lines += _signal(head, body)
        elif row.kind == Kind.DECISION:
            lines += _decision(head, body["decision"])
        else:
            lines.append(f"{head}  {row.name}  {row.line}")
    return lines


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _number(value: Any, form: str = ".2f") -> str:
    """Return a stored number; JSON has no word for one that is unknown or infinite."""
    return "-" if value is None else format(value, form)


def _signal(head: str, body: dict[str, Any]) -> list[str]:
    one = body["candidate"]
    acting = f", {body['mode']} acts" if body.get("mode") else ""
    lines = [f"{head}  {one['direction']} {one['pattern']}: {body['state'].upper()} in cycle {body['cycle']}{acting}"]
    if body["reason"]:
        lines.append(f"    {body['reason']}")
    if body.get("gate"):
        lines.append(f"    gate        {told(body['gate'], body['distance'] or 0.0)}")
    targets = " / ".join(_number(target, "g") for target in one["targets"])
    kind = "limit" if one.get("limit") else "market"
    ends = f"; the set-up ends at {_moment(one['expires'])[11:]}" if one.get("expires") else ""
    lines.append(f"    levels      {kind} {one['entry']:g}, stop {one['stop']:g}, target {targets}{ends}")
    source = f" ({body['win_source']})" if body.get("win_source") else ""
    worth = f"expects {_number(body.get('expected_r'), '+.2f')} R after costs of {_number(body.get('costs_r'))} R"
    rank = f", rank {body['rank']}" if body["rank"] else ""
    lines.append(f"    worth       P(win) {_number(body.get('win_probability'), '.3f')}{source}, {worth}{rank}")
    lines += [_step(place, step) for place, step in enumerate(one["provenance"], 1)]
    scores = ", ".join(f"{name} {_number(value)}" for name, value in one["sub_scores"].items())
    lines.append(f"    confidence  {_number(one['confidence'])}" + (f" of {scores}" if scores else ""))
    if body["dimensions"]:
        lines.append(f"    quality     {_number(body.get('quality'))}, weighted mean of:")
        lines += _dimensions(body)
    return lines


def _step(place: int, step: dict[str, Any]) -> str:
    known = f" known {_moment(step['known'])[11:16]}" if step["known"] else ""
    where = f"  ({step['frame']}{known})" if step["frame"] else ""
    return f"    {place:>2} {step['step']:12} {step['text']}{where}"


def _dimensions(body: dict[str, Any]) -> list[str]:
    limits, misses = body.get("limits") or [], dict(body.get("misses") or [])
    lines = []
    for place, (name, value, passed) in enumerate(body["dimensions"]):
        text = f"  {limits[place]}" if place < len(limits) else ""
        miss = misses.get(name)
        gate = GATES.get(name)
        by = f", missed by {miss:.4g} {gate.unit}" if miss is not None and gate is not None else ""
        lines.append(f"       {name:13} {_number(value)} {'pass' if passed else 'FAIL'}{text}{by}")
    return lines


def _decision(head: str, row: dict[str, Any]) -> list[str]:
    formula = (
        f"raw {_number(row['raw'])} = {_number(row['base'], 'g')} x "
        f"(1 + 11 x ({_number(row['win_rate'], '.3f')} - 0.55) / 0.15) x ({_number(row['confidence'])} / 0.5), "
        f"won {row['wins']} of {row['trades']}"
    )
    caps = ", ".join(
        f"{name} {'none' if value is None else format(value, 'g')}{' (binding)' if name == row['binding'] else ''}"
        for name, value in row["caps"]
    )
    size = (
        f"margin {_number(row['margin'])}, notional {_number(row['notional'])}, "
        f"quantity {_number(row['quantity'], 'g')}, {_number(row['risk_percent'])} % of equity at risk"
    )
    shown = {name: value for name, value in row.items() if name not in _DECISION}
    more = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in shown.items())
    decided = "the formula decided" if row["binding"] == "formula" else f"{row['binding']} decided"
    result = f"{_number(row['leverage'], 'g')}, at the exchange {row['exchange_leverage']}: {row['outcome']}"
    return [
        f"{head}  {row['direction']} leverage {result}",
        f"    formula     {formula}",
        f"    caps        {caps}; {decided}",
        f"    size        {size}",
        *([f"    inputs      {more}"] if more else []),
    ]


_DECISION = frozenset(LeverageRow.__struct_fields__[: LeverageRow.__struct_fields__.index("outcome") + 1])
"""What the lines above tell of a decision; what else it holds is listed by name."""


def _value(value: Any) -> str:
    if isinstance(value, float):
        return format(value, "g")
    if isinstance(value, list):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    return "-" if value is None else str(value)


class Stopped(NamedTuple):
    """What stood for a symbol at a cycle."""

    symbol: str
    time: int
    cycle: int
    noted: tuple[Noted, ...]


def stopped(symbol: str, cycles: Iterable[Row]) -> Stopped | None:
    """Return what stopped a symbol, given cycle records newest first; None where none of them knows the symbol."""
    chain: list[tuple[Row, dict[str, Any]]] = []
    for row in cycles:
        body = msgspec.json.decode(row.body)
        chain.append((row, body))
        if body.get("whole"):
            break
    if not chain:
        return None
    reader = Reader()
    for row, body in reversed(chain):
        rows = msgspec.convert(body.get("gates") or [], list[GateRow])
        reader.take(row.time, body["cycle"]["number"], bool(body.get("whole")), rows)
    noted = tuple(reader.of(symbol).values())
    newest, body = chain[0]
    return Stopped(symbol, newest.time, body["cycle"]["number"], noted) if noted else None


def tell_stopped(found: Stopped) -> list[str]:
    """Return the answer for a symbol as lines."""
    noted = f"distances as noted in the cycles named; none has moved by more than {MOVED:.0%} since"
    lines = [f"{_moment(found.time)}  {found.symbol} in cycle {found.cycle} ({noted})"]
    for row, time, cycle in found.noted:
        since = f"since {_moment(time)[11:19]} (cycle {cycle})"
        if row.gate == DATA and not row.strategy:
            lines.append(f"    not ready: {row.ref}; no strategy was asked, {since}")
        elif row.ref and not row.gate:
            lines.append(f"    {row.strategy:14} accepted as signal {row.ref}, {since}")
        elif row.ref:
            gate = told(row.gate, row.distance)
            lines.append(f"    {row.strategy:14} proposed {row.ref}, stopped by {gate}, {since}")
        else:
            lines.append(f"    {row.strategy:14} {told(row.gate, row.distance)}, {since}")
    return lines


def stopped_document(found: Stopped) -> dict[str, object]:
    """Return the answer for a symbol as plain values."""
    return {
        "symbol": found.symbol,
        "time": found.time,
        "cycle": found.cycle,
        "strategies": [
            {
                "strategy": row.strategy,
                "gate": row.gate,
                "distance": row.distance,
                "unit": GATES[row.gate].unit if row.gate in GATES else "",
                "asks": GATES[row.gate].asks if row.gate in GATES else "",
                "signal_id": "" if row.gate == DATA else row.ref,
                "reason": row.ref if row.gate == DATA else "",
                "noted": time,
                "noted_cycle": cycle,
            }
            for row, time, cycle in found.noted
        ],
    }
