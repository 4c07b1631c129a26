"""The six ports of a desk with a gate in each: the same in the run that is recorded and in the one that repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from engine.inputs import outcomes
from engine.inputs.records import CLOCK, TOKEN, UNIFORM, WALL
from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from engine.inputs.gate import Gate
    from engine.inputs.outcomes import Scrubber
    from engine.ports import Disk, Infer
    from exchange.ports import Clock, Entropy, Rest, RestAnswer, Stream, StreamDialer

T = TypeVar("T")


class TappedClock:
    """The Clock port."""

    def __init__(self, inner: Clock, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def now_ms(self) -> int:
        """Return the wall clock in UTC milliseconds."""
        return self._gate.read(WALL, self._inner.now_ms)

    def monotonic(self) -> float:
        """Return desk seconds."""
        return self._gate.read(CLOCK, self._inner.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait for that many desk seconds."""
        await self._gate.wait("sleep", lambda: self._inner.sleep(seconds), outcomes.nothing, outcomes.give_nothing)


class TappedEntropy:
    """The Entropy port."""

    def __init__(self, inner: Entropy, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._gate.read(UNIFORM, self._inner.uniform)

    def token(self, length: int) -> str:
        """Return `length` characters."""
        return self._gate.read(TOKEN, lambda: self._inner.token(length))


class TappedRest:
    """The Rest port. Of a request only method and path are seen: neither query nor headers."""

    def __init__(self, inner: Rest, gate: Gate, scrub: Scrubber) -> None:
        self._inner = inner
        self._gate = gate
        self._scrub = scrub

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Send and wait for the answer. Raises NotSentError or LostError."""
        return await self._gate.wait(
            f"{method} {path}",
            lambda: self._inner.send(method, path, query, headers, deadline),
            lambda answer: self._scrub.reply(path, answer),
            outcomes.give_answer,
        )


class TappedDialer:
    """The dialer."""

    def __init__(self, inner: StreamDialer, gate: Gate, scrub: Scrubber) -> None:
        self._inner = inner
        self._gate = gate
        self._scrub = scrub
        self._opened = 0

    async def connect(self, path: str, deadline: float) -> TappedStream:
        """Open a stream. Raises NotSentError or StreamClosedError."""
        self._opened += 1
        name = f"{self._opened} at {self._scrub.text(path)}"
        found: list[Stream] = []

        async def dial() -> None:
            found.append(await self._inner.connect(path, deadline))

        await self._gate.wait(f"connect {name}", dial, outcomes.nothing, outcomes.give_nothing)
        return TappedStream(found[0] if found else None, self._gate, self._scrub, f"stream {name}")


class TappedStream:
    """An open stream; without one where a recording is played."""

    def __init__(self, inner: Stream | None, gate: Gate, scrub: Scrubber, name: str) -> None:
        self._inner = inner
        self._gate = gate
        self._scrub = scrub
        self._name = name

    @property
    def _stream(self) -> Stream:
        assert self._inner is not None
        return self._inner

    async def receive(self) -> bytes:
        """Return the next message. Raises StreamClosedError."""
        return await self._gate.wait(
            f"receive {self._name}",
            lambda: self._stream.receive(),
            lambda one: outcomes.keep_messages([self._scrub.data(one)]),
            lambda result: outcomes.give_messages(result)[0],
        )

    async def receive_many(self) -> Sequence[bytes]:
        """Return all messages that have arrived. Raises StreamClosedError."""
        return await self._gate.wait(
            f"receive {self._name}",
            lambda: self._stream.receive_many(),
            lambda many: outcomes.keep_messages([self._scrub.data(one) for one in many]),
            outcomes.give_messages,
        )

    async def send(self, text: bytes) -> None:
        """Send a message. Raises StreamClosedError."""
        await self._plain(f"send {self._name}", lambda: self._stream.send(text))

    async def ping(self, deadline: float) -> None:
        """Wait for a pong. Raises StreamClosedError."""
        await self._plain(f"ping {self._name}", lambda: self._stream.ping(deadline))

    async def close(self) -> None:
        """Close."""
        await self._plain(f"close {self._name}", lambda: self._stream.close())

    async def _plain(self, label: str, work: Callable[[], object]) -> None:
        await self._gate.wait(label, work, outcomes.nothing, outcomes.give_nothing)  # type: ignore[arg-type]


class TappedDisk:
    """The Disk port: what was read, and what the system refused."""

    def __init__(self, inner: Disk, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def append(self, name: str, data: bytes) -> None:
        """Append."""
        self._do("append", lambda: self._inner.append(name, data))

    def sync(self, name: str) -> None:
        """Make durable."""
        self._do("sync", lambda: self._inner.sync(name))

    def read(self, name: str) -> bytes:
        """Return the whole file."""
        return self._value(f"read {name}", lambda: self._inner.read(name), b"")

    def truncate(self, name: str, size: int) -> None:
        """Cut the file."""
        self._do("truncate", lambda: self._inner.truncate(name, size))

    def replace(self, name: str, data: bytes) -> None:
        """Write anew."""
        self._do("replace", lambda: self._inner.replace(name, data))

    def rename(self, name: str, target: str) -> None:
        """Rename."""
        self._do("rename", lambda: self._inner.rename(name, target))

    def remove(self, name: str) -> None:
        """Remove."""
        self._do("remove", lambda: self._inner.remove(name))

    def holds(self, name: str) -> bool:
        """Say whether a file exists."""
        return self._value(f"holds {name}", lambda: self._inner.holds(name), False)

    def names(self, prefix: str) -> Sequence[str]:
        """Return the names that start with `prefix`."""
        return self._value(f"names {prefix}", lambda: list(self._inner.names(prefix)), [])

    def map(self, name: str, size: int) -> memoryview:
        """Return writable bytes."""
        found: list[memoryview] = []
        self._do("map", lambda: found.append(self._inner.map(name, size)))
        return found[0] if found else memoryview(bytearray(size))

    def _do(self, what: str, work: Callable[[], None]) -> None:
        self._value(what, work, None)

    def _value(self, what: str, work: Callable[[], T], empty: T) -> T:
        def attempt() -> tuple[T, str]:
            try:
                return work(), ""
            except DiskError as error:
                return empty, str(error)

        value, fault = self._gate.read(f"disk {what}", attempt)
        if fault:
            raise DiskError(fault)
        return value


class TappedInfer:
    """The Infer port."""

    def __init__(self, inner: Infer, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def ready(self, model: str) -> str | None:
        """Return why the model may not answer."""
        return self._gate.read(f"ready {model}", lambda: self._inner.ready(model))

    async def predict(
        self, model: str, rows: npt.NDArray[np.float32], deadline: float
    ) -> npt.NDArray[np.float32] | None:
        """Return one output row per input row."""
        return await self._gate.wait(
            f"predict {model}",
            lambda: self._inner.predict(model, rows, deadline),
            outcomes.keep_rows,
            outcomes.give_rows,
        )
