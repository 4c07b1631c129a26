"""How the Infer port is asked: INT8 before float, in batches or row by row, to the same answers."""

import asyncio

import numpy as np
import pytest

from config.flags import FlagBoard
from engine.modules import Modules
from engine.served import BATCH, QUANTISE, Served


class Model:
    """A row-wise model in some files; it notes each question as (file, rows)."""

    def __init__(self, *files, broken=(), clock=None):
        self.files, self.broken, self.clock = files, broken, clock
        self.asked = []

    def ready(self, model):
        return None if model in self.files else f"no trained {model}"

    async def predict(self, model, rows, deadline):
        assert deadline > 0
        self.asked.append((model, len(rows)))
        if self.clock is not None:
            self.clock[0] += 0.04
        return None if model in self.broken else np.sin(rows).sum(axis=1, keepdims=True)


def served(model, *, batch=32, clock=None, **flags):
    board = FlagBoard.defaults(0)
    for name, value in flags.items():
        board.set(name, value, 0, "test")
    modules = Modules()
    return Served(model, board, modules, batch, lambda: clock[0] if clock else 0.0), modules


ROWS = np.random.default_rng(4).normal(size=(70, 9)).astype(np.float32)


def ask(one, rows=ROWS, deadline=0.1):
    return asyncio.run(one.predict("head", rows, deadline))


def test_batches_and_single_rows_give_the_same_bits():
    batched, single = Model("head"), Model("head")
    one = ask(served(batched)[0])
    other = ask(served(single, ENABLE_BATCH_PREDICTION=False)[0])
    assert one.tobytes() == other.tobytes()
    assert [rows for _, rows in batched.asked] == [32, 32, 6]
    assert [rows for _, rows in single.asked] == [1] * 70


def test_the_quantised_file_is_asked_where_it_is_ready_and_the_flag_is_on():
    both = Model("head", "head.int8")
    ask(served(both)[0], ROWS[:3])
    ask(served(both, ENABLE_QUANTIZATION=False)[0], ROWS[:3])
    assert both.asked == [("head.int8", 3), ("head", 3)]


def test_a_quantised_file_that_fails_leaves_the_answer_to_the_float_one_and_is_counted():
    model = Model("head", "head.int8", broken=("head.int8",))
    one, modules = served(model)
    assert ask(one, ROWS[:3]) is not None
    assert model.asked == [("head.int8", 3), ("head", 3)]
    assert modules[QUANTISE].errors == 1
    assert modules[QUANTISE].rung == "head: float"


def test_without_any_file_the_reason_of_the_plain_one_is_the_rung():
    one, modules = served(Model())
    assert one.ready("head") == "no trained head"
    assert modules[QUANTISE].rung == "statistical fallback: no trained head"


def test_a_question_that_takes_longer_than_its_deadline_is_no_answer():
    clock = [0.0]
    model = Model("head", clock=clock)
    one, modules = served(model, batch=8, clock=clock)
    assert ask(one) is None
    assert len(model.asked) == 3  # the fourth batch would begin after 0.12 s
    assert modules[BATCH].errors == 1


@pytest.mark.parametrize("files", [("head",), ("head", "head.int8"), ()])
def test_ready_says_whether_any_rung_may_answer(files):
    assert (served(Model(*files))[0].ready("head") is None) == bool(files)
