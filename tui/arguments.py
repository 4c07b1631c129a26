"""Global options: where they may stand, and what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

VALUED: Final = (
    "--config",
    "--data-dir",
    "--exchange",
    "--mode",
    "--for",
    "--sim-market",
    "--sim-symbols",
    "--sim-seed",
    "--sim-speed",
    "--theme",
    "--record-inputs",
)
SWITCHES: Final = ("--json", "--headless", "--ascii", "--read-only", "--verbose")
_VERBOSE: Final = re.compile(r"-v+")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options every command understands, as given; None where they were not."""

    config: str | None = None
    data_dir: str | None = None
    exchange: str | None = None
    mode: str | None = None
    json: bool = False
    verbose: int = 0
    headless: bool = False
    duration: float | None = None
    sim_market: str | None = None
    sim_symbols: int | None = None
    sim_seed: int | None = None
    sim_speed: float | None = None
    ascii: bool = False
    read_only: bool = False
    theme: str | None = None
    record_inputs: str | None = None

    def command_line(self) -> dict[str, tuple[object, str]]:
        """Return the settings given here: dotted path to value and option."""
        given: dict[str, tuple[object, str]] = {
            "data_dir": (self.data_dir, "--data-dir"),
            "exchange.venue": (self.exchange, "--exchange"),
            "strategy.mode": (self.mode, "--mode"),
            "simulator.market": (self.sim_market, "--sim-market"),
            "simulator.symbols": (self.sim_symbols, "--sim-symbols"),
            "simulator.seed": (self.sim_seed, "--sim-seed"),
            "simulator.speed": (self.sim_speed, "--sim-speed"),
            "screen.theme": (self.theme, "--theme"),
            "screen.ascii": (self.ascii or None, "--ascii"),
        }
        return {path: (value, option) for path, (value, option) in given.items() if value is not None}


def hoist(arguments: list[str]) -> list[str]:
    """Return the arguments with the global options in front, so that they may stand behind the command too.

    What follows `--` is left alone.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < end:
        word = arguments[position]
        name, equals, _ = word.partition("=")
        if name in VALUED and not equals and position + 1 < end:
            front += [word, arguments[position + 1]]
            position += 1
        elif name in VALUED or word in SWITCHES or _VERBOSE.fullmatch(word):
            front.append(word)
        else:
            rest.append(word)
        position += 1
    return front + rest + arguments[end:]


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `120s`, `10m`, `1h30m` or `90` (seconds). Raises ValueError."""
    word = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", word):
        total = float(word)
    elif word and not _DURATION.sub("", word):
        total = sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION.findall(word))
    else:
        raise ValueError(f"{text!r} is no duration; write for example 120s, 10m or 1h30m")
    if total <= 0:
        raise ValueError(f"a duration must be longer than nothing, got {text!r}")
    return total
