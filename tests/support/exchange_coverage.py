"""Writes docs/exchange-coverage.md from the code: what of the venue's contract client, simulator and tests cover.

Run it with `python tests/support/exchange_coverage.py`; a test fails while the page is out of date or an item is
missing without a reason.
"""

import ast
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from contract_items import CODES, ENDPOINTS, EVENTS, FILTERS, METHODS, REASONS, STREAMS

from exchange.binance import endpoints, pinned
from exchange.binance.reactions import REACTIONS
from exchange.binance.stream_rows import kind_of_stream
from exchange.binance.user_rows import USER_KINDS
from exchange.simulator.rest import KEY_ROUTES, ROUTES
from exchange.simulator.stream_names import parse_topic
from exchange.simulator.ws_methods import EVERY_METHOD

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "exchange-coverage.md"
SIDES = ("client", "simulator", "test")
NO_EVIDENCE = {"contract_items.py", "exchange_coverage.py", "test_exchange_coverage.py"}


class Row(NamedTuple):
    """One item and whether each side has it."""

    section: str
    item: str
    client: bool
    simulator: bool
    test: bool

    def missing(self):
        return [side for side in SIDES if not getattr(self, side)]


@cache
def sources(*folders):
    """Return the text of all Python files below the folders, by path."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path: path.read_text(encoding="utf-8") for path in files if path.name not in NO_EVIDENCE}


@cache
def tests():
    return "\n".join(sources("tests").values())


@cache
def client_methods():
    """Return for each endpoint constant the public methods of the client that use it."""
    found = {}
    for text in sources("exchange/binance").values():
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            for name in ast.walk(node):
                if (
                    isinstance(name, ast.Attribute)
                    and isinstance(name.value, ast.Name)
                    and name.value.id == "endpoints"
                ):
                    found.setdefault(name.attr, set()).add(node.name)
    return found


def endpoint_rows():
    constants = {
        (value.method, value.path): name
        for name, value in vars(endpoints).items()
        if isinstance(value, endpoints.Endpoint)
    }
    listed = [line.split() for line in ENDPOINTS.strip().split("\n")]
    shared = Counter(path for _, _, path in listed)
    for section, method, path in listed:
        methods = client_methods().get(constants.get((method, path), ""), set())
        before = rf"\b{method}\b[^\n]{{0,80}}" if shared[path] > 1 else ""
        segment = re.sub(r"^/(fapi/v\d|futures/data|api/v3|sapi/v1)/", "", path)
        asked = rf"(?i){before}[\"/]{re.escape(segment)}(?![\w/])"
        called = any(re.search(rf"\.{name}\(", tests()) for name in methods)
        served = (method, path) in ROUTES or (method, path) in KEY_ROUTES
        yield Row(section, f"{method} {path}", bool(methods), served, called or bool(re.search(asked, tests())))


def stream_rows():
    for form, name in STREAMS.items():
        channel = name.partition("@")[2] if not name.startswith("!") else name
        read = kind_of_stream(name) is not None
        served = parse_topic(name, {"btcusdt": 0}) is not None
        yield Row("8.2", form, read, served, re.search(rf"{re.escape(channel.split('_')[0])}", tests()) is not None)


@cache
def written_events():
    """Return every text the simulator's trading side writes, of which its event names are some."""
    texts = sources("exchange/simulator").values()
    return {
        node.value
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def event_rows():
    for event in EVENTS:
        yield Row("9", event, event in USER_KINDS, event in written_events(), event in tests())


def filter_rows():
    read = set(pinned.FILTERS) | pinned.OPTIONAL_FILTERS
    for name in FILTERS:
        yield Row("3.2", name, name in read, name in written_events(), name in tests())


def method_rows():
    client = "\n".join(sources("exchange/binance").values())
    for method in METHODS:
        yield Row(
            "9.1",
            method,
            "ws-fapi" in client and f'"{method}"' in client,
            method in EVERY_METHOD,
            f'"{method}"' in tests(),
        )


@cache
def refused_codes():
    """Return the negative numbers that the simulator's source holds: its refusals name them."""
    found = set()
    for text in sources("exchange/simulator").values():
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.UnaryOp)
                and isinstance(node.op, ast.USub)
                and isinstance(node.operand, ast.Constant)
            ):
                found.add(-node.operand.value)
    return found


def code_rows():
    for code in CODES:
        yield Row(
            "6.2", str(code), code in REACTIONS, code in refused_codes(), re.search(rf"{code}\b", tests()) is not None
        )


GROUPS = {
    "Endpoints": endpoint_rows,
    "Streams": stream_rows,
    "Events of the user stream": event_rows,
    "Filters": filter_rows,
    "Methods of the WS-API": method_rows,
    "Error codes": code_rows,
}


def reason(item, side):
    return REASONS.get((item, side), "")


def unexplained():
    """Return (item, side) that are missing without a reason."""
    return [
        (row.item, side)
        for rows in GROUPS.values()
        for row in rows()
        for side in row.missing()
        if not reason(row.item, side)
    ]


def stale():
    """Return reasons for what is there, or for what the contract does not list."""
    missing = {(row.item, side) for rows in GROUPS.values() for row in rows() for side in row.missing()}
    return sorted(set(REASONS) - missing)


def page():
    """Return the page."""
    lines = [
        "# What of the exchange's contract is covered",
        "",
        "Generated by `tests/support/exchange_coverage.py` from the code; do not edit. Client: the desk's own client",
        "can use it. Simulator: the built-in exchange serves, sends or refuses it. Test: a test names or calls it.",
        "An error code counts for the client when it has a named reaction.",
    ]
    for title, rows in GROUPS.items():
        every = list(rows())
        counts = ", ".join(f"{side} {sum(getattr(row, side) for row in every)}" for side in SIDES)
        lines += ["", f"## {title}", "", f"{len(every)} in the contract: {counts}.", ""]
        lines += ["| section | item | client | simulator | test | why not |", "|---|---|---|---|---|---|"]
        for row in every:
            marks = " | ".join("yes" if getattr(row, side) else "no" for side in SIDES)
            why = "; ".join(f"{side}: {reason(row.item, side)}" for side in row.missing())
            lines.append(f"| {row.section} | `{row.item}` | {marks} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    for item, side in unexplained():
        print(f"{side} lacks {item} without a reason", file=sys.stderr)  # noqa: T201 - a script talks
