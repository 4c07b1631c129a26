"""The Infer port as the flags want it: which file of a model answers, and how many rows it is asked at once.

The ladder of each network is INT8, float, statistical fallback. With quantisation on, `NAME.int8` is asked where it is
ready and `NAME` where it is not or fails; off, only `NAME`. With batching on, a question goes out in batches; off, row
by row, to the same answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from config.flags import FlagBoard
    from engine.modules import Modules
    from engine.ports import Infer

QUANTISE, BATCH = "ENABLE_QUANTIZATION", "ENABLE_BATCH_PREDICTION"
INT8 = ".int8"


class Served:
    """An Infer port in front of another one. Flags are read at every question."""

    def __init__(
        self, infer: Infer, flags: FlagBoard, modules: Modules, batch: int, instant: Callable[[], float]
    ) -> None:
        """`batch` rows are asked at once while batching is on; `instant` returns seconds of a monotonic clock."""
        self._infer, self._flags, self._modules, self._batch = infer, flags, modules, batch
        self._instant = instant

    def ready(self, model: str) -> str | None:
        """Return None when a file of the model may answer, else the reason of the plain one."""
        reason = self._infer.ready(model)
        names = self._names(model)
        module = self._modules[QUANTISE]
        if names:
            module.rung = f"{model}: {'INT8' if names[0].endswith(INT8) else 'float'}"
            return None
        module.rung = f"statistical fallback: {reason}"
        self._modules[BATCH].rung = f"nothing to ask: {reason}"
        return reason

    async def predict(
        self, model: str, rows: npt.NDArray[np.float32], deadline: float
    ) -> npt.NDArray[np.float32] | None:
        """Return one output row per input row, or None when every rung failed or the `deadline` (seconds) passed."""
        began = self._instant()
        for name in self._names(model):
            with self._modules.timed(QUANTISE) as module:
                answer = await self._ask(name, rows, began, deadline)
                if answer is not None:
                    module.rung = f"{model}: {'INT8' if name.endswith(INT8) else 'float'}"
                    return answer
                module.fail(f"{name} gave no usable answer")
        return None

    def _names(self, model: str) -> list[str]:
        """Return the files that may answer, the preferred first."""
        wanted = [model + INT8, model] if self._flags.on(QUANTISE) else [model]
        return [name for name in wanted if self._infer.ready(name) is None]

    async def _ask(
        self, name: str, rows: npt.NDArray[np.float32], began: float, deadline: float
    ) -> npt.NDArray[np.float32] | None:
        size = self._batch if self._flags.on(BATCH) else 1
        answers = []
        for first in range(0, len(rows), size):
            left = deadline - (self._instant() - began)
            with self._modules.timed(BATCH) as module:
                module.rung = f"{size} rows at once" if size > 1 else "one row at a time"
                answer = await self._infer.predict(name, rows[first : first + size], left) if left > 0 else None
                if answer is None:
                    module.errors += 1
                    return None
            answers.append(answer)
        return np.concatenate(answers) if answers else None
