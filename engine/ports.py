"""The six ports of the desk. Nothing else in the engine touches the world.

Clock, Rest, Stream and Entropy come from `exchange.ports`; Disk and Infer belong to the desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from exchange.ports import Clock, Entropy, Rest, StreamDialer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt


class DiskError(Exception):
    """A storage operation failed; the text names path, operation and the system's reason."""


class Disk(Protocol):
    """Named byte files in one data directory. Names are relative and use `/`. Every method raises DiskError."""

    def append(self, name: str, data: bytes) -> None:
        """Append to the file, creating it with mode 0600."""

    def sync(self, name: str) -> None:
        """Return only when all appended bytes survive a power cut."""

    def read(self, name: str) -> bytes:
        """Return the whole file; empty when it does not exist."""

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size` bytes (a torn tail)."""

    def replace(self, name: str, data: bytes) -> None:
        """Write a new file durably beside the old one, then rename over it."""

    def rename(self, name: str, target: str) -> None:
        """Rename within the data directory."""

    def remove(self, name: str) -> None:
        """Remove the file if it exists."""

    def holds(self, name: str) -> bool:
        """Say whether a file of this name exists, an empty one too."""

    def names(self, prefix: str) -> Sequence[str]:
        """Return the sorted names that start with `prefix`."""

    def map(self, name: str, size: int) -> memoryview:
        """Return `size` writable bytes of a file made anew; an older mapping of the name keeps its own bytes."""


class Infer(Protocol):
    """Batched inference of one named model."""

    def ready(self, model: str) -> str | None:
        """Return None when the model may answer, else the reason why it may not."""

    async def predict(
        self, model: str, rows: npt.NDArray[np.float32], deadline: float
    ) -> npt.NDArray[np.float32] | None:
        """Return one output row per input row, or None when late, failed or not finite."""


class NoModels:
    """The Infer port of a desk without a trained model: never ready, says why."""

    def ready(self, model: str) -> str | None:
        """Return the reason; there is always one."""
        return f"no trained {model}"

    async def predict(self, model: str, rows: npt.NDArray[np.float32], deadline: float) -> None:
        """Return None: there is no model to ask."""
        del model, rows, deadline


class Ports(msgspec.Struct, frozen=True):
    """Everything the desk may use to reach the world."""

    clock: Clock
    rest: Rest
    dialer: StreamDialer
    disk: Disk
    entropy: Entropy
    infer: Infer
