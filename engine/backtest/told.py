"""What the venue told of its contracts, where its answers stand beside the candles.

`exchangeInfo.json` and `leverageBracket.json` (or the same with `.gz`) hold the bodies of GET /fapi/v1/exchangeInfo and
GET /fapi/v1/leverageBracket.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.backtest.faults import HistoryError
from exchange.binance import rules_wire
from exchange.errors import DecodeError
from exchange.instrument import Bracket, Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

INFO, BRACKETS = "exchangeInfo.json", "leverageBracket.json"


class Told(NamedTuple):
    """Rules and brackets by symbol."""

    instruments: Mapping[str, Instrument] = MappingProxyType({})
    brackets: Mapping[str, tuple[Bracket, ...]] = MappingProxyType({})


def read_told(folders: Sequence[Path]) -> tuple[Told, list[str]]:
    """Return what the first of these folders holds, and notes. Raises HistoryError where a file is no such answer."""
    refused: list[DecodeError] = []
    info, brackets = _body(folders, INFO), _body(folders, BRACKETS)
    instruments: tuple[Instrument, ...] = ()
    table: dict[str, tuple[Bracket, ...]] = {}
    try:
        if info is not None:
            instruments = rules_wire.instruments(info, INFO, refused.append)
        if brackets is not None:
            table = rules_wire.leverage_brackets(brackets, BRACKETS, refused.append)
    except DecodeError as error:
        raise HistoryError(f"--rules: {error}; put the venue's whole answer there or take the file away") from error
    usable = {
        one.symbol: msgspec.structs.replace(one, status="TRADING") for one in instruments if one.is_usdt_perpetual
    }
    notes = [f"{len(refused)} contracts are left out, the first since {refused[0]}"] if refused else []
    return Told(usable, table), notes


def _body(folders: Sequence[Path], name: str) -> bytes | None:
    """Return the first file of that name, unpacked; None where there is none. Raises HistoryError."""
    for folder in folders:
        for path in (folder / name, folder / f"{name}.gz"):
            try:
                raw = path.read_bytes()
                return gzip.decompress(raw) if path.suffix == ".gz" else raw
            except FileNotFoundError:
                continue
            except (OSError, EOFError, zlib.error) as error:
                raise HistoryError(f"{path} cannot be read: {error}; repair it or take it away") from error
    return None
