"""The taps behave as the ports they stand in."""

import asyncio

import numpy as np
from toy_desk import play, record

from engine.adapters.memory_disk import MemoryDisk
from engine.inputs.port_taps import TappedDisk, TappedInfer
from engine.ports import DiskError


class Refusing(MemoryDisk):
    def append(self, name, data):
        raise DiskError(f"cannot append to {name}: no space")


def test_a_disk_gives_again_what_it_held_and_what_it_refused():
    async def work(toy):
        disk = TappedDisk(toy.disk, toy.gate)
        toy.decide([disk.holds("STOP"), disk.read("STOP"), list(disk.names(""))])
        try:
            disk.append("x", b"1")
        except DiskError as error:
            toy.decide(error)
        disk.replace("a", b"1")
        disk.sync("a")
        disk.truncate("a", 0)
        disk.rename("a", "b")
        disk.remove("b")
        view = disk.map("store", 8)
        view[0] = 7
        toy.decide([len(view), view[0]])

    async def recorded(toy):
        toy.disk = Refusing()
        toy.disk.files["STOP"] = bytearray(b"PAUSE")
        await work(toy)

    async def repeated(toy):
        toy.disk = None
        await work(toy)

    recorded.__qualname__ = repeated.__qualname__ = "work"
    player = play(record(recorded), repeated)
    here, there = ([one.decision[1] for one in side] for side in (player.here, player.there))
    assert here == there
    assert here[:3] == ["[True, b'PAUSE', ['STOP']]", "cannot append to x: no space", "[8, 7]"]
    assert player.strayed is None


def test_a_model_answers_again():
    class Model:
        def ready(self, model):
            return None if model == "head" else f"no trained {model}"

        async def predict(self, model, rows, deadline):
            del deadline
            await asyncio.sleep(0)
            return None if model == "late" else rows * 2

    async def work(toy):
        infer = TappedInfer(Model(), toy.gate)
        toy.decide([infer.ready("head"), infer.ready("predictor")])
        toy.decide(await infer.predict("late", np.ones((1, 2), np.float32), 1.0))
        toy.decide((await infer.predict("head", np.ones((1, 2), np.float32), 1.0)).tolist())

    player = play(record(work), work)
    assert [one.decision for one in player.here] == [one.decision for one in player.there]
    assert player.here[2].decision[1] == "[[2.0, 2.0]]"


def test_a_stream_gives_single_messages_and_pongs_too():
    async def work(toy):
        stream = await toy.dialer.connect("/ws", 1.0)
        toy.decide(await stream.receive())
        await stream.ping(1.0)
        toy.decide(await stream.receive_many())

    player = play(record(work), work)
    assert [one.decision[1] for one in player.here] == ["b'1'", "[b'2']", "enough"]
    assert player.parted is None
