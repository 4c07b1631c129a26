"""Feature flags of specification section 9: what each switches, what it is now, since when and by whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from config.errors import ConfigError
from config.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.load import Loaded


class FlagSpec(NamedTuple):
    """What is fixed about a flag."""

    name: str
    letter: str
    """Its letter in the flag strip of the screen."""
    default: bool
    takes: str
    """`now` or `after restart`."""
    effect: str
    """One sentence: what it switches."""

    @property
    def path(self) -> str:
        """Return its key in the configuration file."""
        return f"flags.{self.name.lower()}"


SPECS: Final = (
    FlagSpec("ENABLE_QUANTIZATION", "Q", True, "now", "Serves INT8 networks where they pass the parity check."),
    FlagSpec("ENABLE_INCREMENTAL_CACHE", "C", True, "now", "Advances indicators bar by bar, not by recomputing."),
    FlagSpec("ENABLE_BATCH_PREDICTION", "B", True, "now", "Predicts up to 32 symbols at once instead of one by one."),
    FlagSpec("ENABLE_MEMORY_MAPPED_STORAGE", "M", True, "now", "Keeps virtual positions in a memory-mapped store."),
    FlagSpec(
        "ENABLE_SMART_MONITORING",
        "S",
        True,
        "now",
        "Looks at virtual positions every 0.1-5 s by risk, else every 10 s.",
    ),
    FlagSpec("ENABLE_MARKET_REGIME_PREDICTION", "R", False, "now", "Weighs candidates by the predicted market regime."),
    FlagSpec("ENABLE_DYNAMIC_FEATURES", "D", False, "now", "Chooses the features of the score by market regime."),
    FlagSpec("ENABLE_LIQUIDITY_HUNTING", "L", False, "now", "Places limit entries at resting liquidity."),
)


@dataclass(frozen=True, slots=True)
class FlagState:
    """One flag at one instant."""

    spec: FlagSpec
    value: bool
    since_ms: int
    """UTC milliseconds of the last change, or of the start."""
    by: str
    """Who set it: an origin of the configuration, or an operator."""


class FlagChange(NamedTuple):
    """What a switch did."""

    name: str
    old: bool
    new: bool
    takes: str


class FlagBoard:
    """The flags of one running desk. It belongs to the engine's loop; readers get immutable states."""

    def __init__(self, states: Mapping[str, FlagState]) -> None:
        """Start with one state per flag."""
        self._states = dict(states)

    @classmethod
    def from_loaded(cls, loaded: Loaded, now_ms: int) -> FlagBoard:
        """Return the board a configuration starts with."""
        values = loaded.settings.flags.model_dump()
        return cls(
            {
                spec.name: FlagState(spec, values[spec.name.lower()], now_ms, str(loaded.origins[spec.path]))
                for spec in SPECS
            }
        )

    @classmethod
    def defaults(cls, now_ms: int) -> FlagBoard:
        """Return a board with every flag at its default."""
        return cls({spec.name: FlagState(spec, spec.default, now_ms, "default") for spec in SPECS})

    def on(self, name: str) -> bool:
        """Return whether a flag is on. Raises ConfigError for an unknown name."""
        return self._state(name).value

    def set(self, name: str, value: bool, now_ms: int, by: str) -> FlagChange:
        """Switch a flag and return what changed. Setting the present value keeps `since` and `by`.

        Raises ConfigError for an unknown name, naming the nearest known one.
        """
        state = self._state(name)
        if state.value != value:
            self._states[state.spec.name] = replace(state, value=value, since_ms=now_ms, by=by)
        return FlagChange(state.spec.name, state.value, value, state.spec.takes)

    def states(self) -> tuple[FlagState, ...]:
        """Return all flags in the order of the specification."""
        return tuple(self._states.values())

    def strip(self) -> str:
        """Return the letters of the flags, `-` for each that is off."""
        return "".join(state.spec.letter if state.value else "-" for state in self._states.values())

    def values(self) -> Mapping[str, bool]:
        """Return name and value of every flag."""
        return MappingProxyType({name: state.value for name, state in self._states.items()})

    def _state(self, name: str) -> FlagState:
        state = self._states.get(name.upper())
        if state is None:
            raise ConfigError(f"unknown flag {name}; the nearest known flag is {nearest(name, self._states)}")
        return state
