"""Where a backtest's funding, trading rules and brackets came from: records beside the candles, or assumptions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.backtest.faults import HistoryError
from engine.backtest.funding import find_funding, folders_of, read_funding
from engine.backtest.told import BRACKETS, INFO, read_told
from tui.talk import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.backtest.history import History
    from engine.backtest.listed import Contract

NO_FUNDING: Final = "none"
"""What `--funding` says when recorded payments are to be left aside."""


def with_records(history: History, candles: Path, funding_folder: str, rules_folder: str) -> History:
    """Return the history with recorded payments and the venue's answers: of these folders, else beside the candles.

    Raises HistoryError.
    """
    place = None if funding_folder == NO_FUNDING else Path(funding_folder) if funding_folder else find_funding(candles)
    funding, notes = read_funding(place) if place is not None else ({}, [])
    told, more = read_told([Path(rules_folder)] if rules_folder else folders_of(candles))
    if rules_folder and not told.instruments and not told.brackets:
        raise HistoryError(f"--rules {rules_folder}: neither {INFO} nor {BRACKETS} is there; name their folder")
    return history._replace(funding=funding, told=told, notes=(*history.notes, *notes, *more))


def origins_of(history: History, contracts: Mapping[str, Contract]) -> dict[str, dict[str, list[str]]]:
    """Return which symbols' funding, rules and brackets were recorded, and which had to be assumed."""
    names = [one.symbol for one in history.series]
    sources = {
        "funding": {name for name in names if name in history.funding},
        "rules": {name for name in names if contracts[name].told_rules},
        "brackets": {name for name in names if contracts[name].told_brackets},
    }
    return {
        what: {"recorded": sorted(known), "assumed": [name for name in names if name not in known]}
        for what, known in sources.items()
    }


def say_origins(history: History, origins: dict[str, dict[str, list[str]]]) -> None:
    """Tell what of the costs and rules was recorded, in a line each."""
    instead = {
        "funding": "0.01 % every 8 hours",
        "rules": "inferred from the first bars",
        "brackets": "chosen by turnover",
    }
    for what, found in origins.items():
        known, rest = found["recorded"], found["assumed"]
        if not known:
            say(f"{what}: {instead[what]} for all {len(rest)} symbols; nothing recorded stands beside the candles")
        else:
            say(f"{what}: recorded for {_some(known)}" + (f"; {instead[what]} for {_some(rest)}" if rest else ""))
    partly = []
    for one in history.series:
        if one.symbol in history.funding:
            share = history.funding[one.symbol].share(int(one.open_time[0]), int(one.open_time[-1]))
            if share < 1.0:
                partly.append(f"{one.symbol} {100 * share:.0f} %")
    if partly:
        say(f"of the time only: {', '.join(partly)}; the rest pays {instead['funding']}")


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{len(names)} symbols ({shown} ...)"
