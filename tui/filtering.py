"""The filter line: `btc`, `!usdc`, `sig:long conf>.7`. All terms must hold; a `!` turns a term round.

A term is a word looked for anywhere in the row, `field:word` (the field's text begins with the word), or
`field>number` with `>`, `>=`, `<`, `<=`, `=`. Numbers take k, M, B. NaN satisfies no comparison. Letter case does not
matter.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from typing import Final

FieldValue = str | float
Predicate = Callable[[Mapping[str, FieldValue]], bool]

_TERM = re.compile(r"^(?P<field>[A-Za-z0-9_%]+)(?P<relation>>=|<=|:|>|<|=)(?P<value>.*)$")
_NUMBER = re.compile(r"^(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<unit>[kmb%x]?)$", re.IGNORECASE)
_UNITS: Final = {"": 1.0, "%": 1.0, "x": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_RELATIONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}


class FilterError(ValueError):
    """The filter cannot be understood; the text says which term and what would be right."""


def parse(text: str, fields: Mapping[str, type]) -> Predicate:
    """Return the predicate of a filter over rows with these fields (name to `str` or `float`). Raises FilterError."""
    terms = [_term(term, fields) for term in text.split()]
    return lambda row: all(term(row) for term in terms)


def _term(term: str, fields: Mapping[str, type]) -> Predicate:
    negated = term.startswith("!")
    body = term[1:] if negated else term
    if not body:
        raise FilterError("'!' stands alone: write the word to leave out right behind it, as in !usdc")
    match = _TERM.match(body)
    test = _word(body) if match is None else _field(match["field"].lower(), match["relation"], match["value"], fields)
    return (lambda row: not test(row)) if negated else test


def _word(word: str) -> Predicate:
    wanted = word.casefold()
    return lambda row: any(isinstance(value, str) and wanted in value.casefold() for value in row.values())


def _field(name: str, relation: str, value: str, fields: Mapping[str, type]) -> Predicate:
    if name not in fields:
        near = difflib.get_close_matches(name, fields, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + " ".join(sorted(fields))
        raise FilterError(f"no field {name!r} in this table; {hint}")
    if not value:
        raise FilterError(f"{name}{relation} needs a value behind it")
    if fields[name] is str:
        if relation not in {":", "="}:
            raise FilterError(f"{name} is text: write {name}:{value}")
        wanted = value.casefold()
        return lambda row: str(row[name]).casefold().startswith(wanted)
    if relation == ":":
        relation = "="
    number = _NUMBER.match(value)
    if number is None:
        raise FilterError(f"{value!r} is no number: write {name}{relation}.7 or {name}{relation}5M")
    limit = float(number["number"]) * _UNITS[number["unit"].lower()]
    compare = _RELATIONS[relation]
    return lambda row: compare(float(row[name]), limit)
