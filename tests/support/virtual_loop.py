"""The event loop of the deterministic tests.

Time is virtual: it starts at 0 and jumps exactly to the next timer whenever nothing is ready, so a day of waiting costs
what the callbacks cost. Loop time near 0 keeps float64 fine enough for timers. A fence refuses sockets, threads and
executors; a loop with nothing ready and nothing scheduled is a deadlock and raises. The loop leans on internals of
asyncio (`_ready`, `_scheduled`, `_run_once`, the self pipe): `check_internals` asserts them at import, so a Python
version that changed them fails here by name instead of oddly elsewhere.
"""

import asyncio
import contextlib
import random
import selectors
import socket
import threading


def check_internals():
    loop = asyncio.SelectorEventLoop()
    try:
        for name in ("_ready", "_scheduled", "_run_once", "_clock_resolution"):
            if not hasattr(loop, name):
                raise AssertionError(f"asyncio's event loop no longer has {name}: the virtual loop must be adapted")
    finally:
        loop.close()


class DeadlockError(AssertionError):
    pass


class StepLimitError(AssertionError):
    pass


class _StandingSelector(selectors.BaseSelector):
    """Never blocks: where a real selector would wait, it moves the loop's time."""

    def __init__(self):
        self.loop = None

    def register(self, fileobj, events, data=None):
        raise AssertionError("the virtual loop watches no file descriptors")

    def unregister(self, fileobj):
        raise AssertionError("the virtual loop watches no file descriptors")

    def select(self, timeout=None):
        if timeout is None:
            raise DeadlockError(f"nothing ready and nothing scheduled at loop time {self.loop.time():.3f} s")
        if timeout > 0:
            self.loop.jump()
        return []

    def get_map(self):
        return {}

    def close(self):
        pass


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, *, shuffle_seed=None, step_limit=200_000_000):
        self._now = 0.0
        self._steps = 0
        self._step_limit = step_limit
        self._shuffle = None if shuffle_seed is None else random.Random(shuffle_seed)
        selector = _StandingSelector()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-9

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def time(self):
        return self._now

    def jump(self):
        """Move to the earliest live timer."""
        self._now = max(self._now, self._scheduled[0]._when)

    def _run_once(self):
        self._steps += 1
        if self._steps > self._step_limit:
            raise StepLimitError(f"no end after {self._step_limit} loop steps")
        if self._shuffle is not None and len(self._ready) > 1:
            ready = list(self._ready)
            self._shuffle.shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        super()._run_once()

    def run_in_executor(self, executor, func, *args):
        raise AssertionError("no executor in a deterministic run")


@contextlib.contextmanager
def fence():
    """Refuse sockets and threads while the block runs."""

    def refuse(what):
        def refused(*_args, **_kwargs):
            raise AssertionError(f"a deterministic run opened a {what}")

        return refused

    kept = socket.socket.__init__, threading.Thread.start
    socket.socket.__init__, threading.Thread.start = refuse("socket"), refuse("thread")
    try:
        yield
    finally:
        socket.socket.__init__, threading.Thread.start = kept


def run_virtual(main, *, shuffle_seed=None):
    """Run a coroutine to its end on a fresh virtual loop behind the fence."""
    loop = VirtualLoop(shuffle_seed=shuffle_seed)
    asyncio.set_event_loop(loop)
    try:
        with fence():
            return loop.run_until_complete(main)
    finally:
        with contextlib.suppress(RuntimeError):
            pending = asyncio.all_tasks(loop)
            for task in pending:
                task.cancel()
            if pending:
                loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()


class VirtualClock:
    """The Clock port on the virtual loop: wall time = epoch + loop time + injected error."""

    speed = 1.0

    def __init__(self, epoch_ms):
        self.epoch_ms = epoch_ms
        self.error_ms = 0

    def now_ms(self):
        return self.epoch_ms + int(asyncio.get_running_loop().time() * 1000 + 1e-6) + self.error_ms

    def monotonic(self):
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await asyncio.sleep(max(0.0, seconds))


check_internals()
