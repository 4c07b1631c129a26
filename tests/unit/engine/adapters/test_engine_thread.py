import asyncio
import subprocess
import sys
import threading

import pytest

import engine.runtime
from engine.adapters.engine_thread import EngineThread
from engine.runtime import StartError


def silent(_text):
    pass


class FakeEngine:
    """Stands in for the engine: runs until it is asked to stop, or fails as told."""

    fault = None
    may_be_built = None
    made = ()

    def __init__(self, loaded, options, port):
        if self.may_be_built is not None:
            self.may_be_built.wait(30)
        self.given = (loaded, options, port)
        self.asked = []
        self.progress = None
        self.loop = None
        self.end = asyncio.Event()
        FakeEngine.made = (*FakeEngine.made, self)

    def stop(self, reason):
        self.asked.append(reason)
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.end.set)

    async def run(self):
        if self.fault is not None:
            raise self.fault
        self.loop = asyncio.get_running_loop()
        if not self.asked:
            await self.end.wait()
        return 0


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(engine.runtime, "Engine", FakeEngine)
    for name, value in (("fault", None), ("may_be_built", None), ("made", ())):
        monkeypatch.setattr(FakeEngine, name, value)
    return FakeEngine


def test_the_engine_gets_what_the_thread_was_given_and_runs_until_it_is_stopped(fake):
    thread = EngineThread("loaded", "options", "port", silent)
    thread.start()
    assert thread.stop("the operator left") == 0
    (made,) = fake.made
    assert made.given == ("loaded", "options", "port")
    assert made.progress is silent
    assert made.asked == ["the operator left"]
    assert thread.failure is None
    assert thread.crash is None


def test_a_stop_asked_for_before_the_engine_exists_reaches_it(fake):
    fake.may_be_built = threading.Event()
    thread = EngineThread("loaded", "options", "port", silent)
    thread.start()
    asking = threading.Thread(target=thread.stop, args=("an early end",))
    asking.start()
    asking.join(0.05)  # it waits for the end
    assert fake.made == ()
    fake.may_be_built.set()
    asking.join(30)
    assert not thread.alive
    assert fake.made[0].asked == ["an early end"]


def test_an_impossible_start_is_kept_as_a_failure_with_its_code(fake):
    fake.fault = StartError("the data folder cannot be written", 10)
    thread = EngineThread("loaded", "options", "port", silent)
    thread.start()
    assert thread.wait(30)
    assert thread.failure is fake.fault
    assert thread.crash is None
    assert thread.stop("over") == 10


def test_a_crash_is_kept_for_main_to_tell(fake):
    fake.fault = ZeroDivisionError("by design")
    thread = EngineThread("loaded", "options", "port", silent)
    thread.start()
    assert thread.wait(30)
    assert thread.crash is fake.fault
    assert thread.failure is None
    assert thread.stop("over") == 70


def test_the_screen_stands_before_kernels_and_clients_are_imported():
    script = "import sys, tui.workstation\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert not {"numpy", "numba", "aiohttp", "websockets", "sqlite3", "engine.runtime"} & set(done.stdout.split())
