"""A desk on the simulated exchange, recorded at its ports and run again over the recording."""

import json

import msgspec
import pytest
from recorded_run import RecordedWorld, recorded
from simulated_desk import START_MS
from virtual_loop import fence

from engine.commands import Arm, CloseAllVirtual, Flatten, Halt, Resume, SetFlag, SetMode
from engine.inputs.causes import Program, causes, changed
from engine.inputs.compare import compare
from engine.inputs.recording import Recording
from engine.inputs.records import Answered, Messages, decode_turn, encode
from engine.inputs.rerun import rerun, settings_of
from engine.journal.log import replay
from engine.journal.record import IntentRecord
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

CONFIDENT = {"strategy": {"min_confidence": 0.2}}


def repeat(folder, settings=None):
    """Run a recording again behind a fence: no socket and no thread is needed for it."""
    recording = Recording(folder)
    with fence():
        run = rerun(recording, settings)
    return recording, run, compare(run.there, run.here)


@pytest.fixture(scope="module")
def world():
    return recorded(4.0, **CONFIDENT)


def test_a_run_repeated_decides_the_same_byte_for_byte(world, tmp_path):
    _, run, both = repeat(world.write(tmp_path))
    assert both.same
    assert both.here_hash == both.there_hash
    assert both.here == len(run.here) > 10
    assert (run.turns, run.unused) == (len(world.turns), 0)
    assert run.parted is None
    assert run.strayed is None
    assert run.finished == 0


def test_operators_commands_are_repeated_where_they_were_given(tmp_path):
    orders = (SetMode("self_learning"), SetFlag("ENABLE_DYNAMIC_FEATURES", True), Halt(), Resume(), CloseAllVirtual())
    timed = [(0.5 * number, one) for number, one in enumerate(orders, 1)]
    _, run, both = repeat(recorded(3.0, orders=timed, **CONFIDENT).write(tmp_path))
    assert both.same
    assert run.strayed is None
    assert [words for _, words in run.commands] == [f"{type(one).__name__} by a test" for one in orders]


def test_a_live_desk_sends_its_orders_again_to_nobody(tmp_path):
    live = RecordedWorld(symbols=12, seed=5, start_ms=1_773_147_600_000, step_ms=1_000)
    recorded(0.6, world=live, live=True, orders=[(0.05, Arm(48.0)), (0.5, Flatten())])
    assert any(isinstance(entry.record, IntentRecord) for entry in replay(live.disk))
    _, run, both = repeat(live.write(tmp_path))
    assert both.same
    assert run.strayed is None
    assert any("Flatten" in words for _, words in run.commands)


def test_no_secret_is_in_a_recording(tmp_path):
    live = RecordedWorld(symbols=6)
    recorded(0.5, world=live, live=True)
    data = b"".join(live.turns) + encode(live.beginning)
    assert b'{"listenKey":"listen-key-1"}' in data
    listen_keys = list(live.recorder.scrub._known)
    assert listen_keys
    for secret in (DEMO_KEY.encode(), DEMO_SECRET.encode(), b"signature=", *listen_keys):
        assert secret not in data


def test_one_changed_bar_is_found_at_the_input_it_came_with(world, tmp_path):
    place, turns = with_another_bar(world.turns)
    recording, run, both = repeat(world.write(tmp_path, turns=turns))
    assert not both.same
    assert min(one.turn for one in both.differences) > place
    assert both.differences[0].how in {"missing", "extra", "other"}
    assert recording.tail is None
    assert run.finished == 0


def with_another_bar(turns):
    """Raise the high and the close of the bars that closed about a third of the run in; return where, and all turns."""
    for place in range(len(turns) // 3, len(turns)):
        turn = decode_turn(turns[place])
        cause = turn.cause
        if isinstance(cause, Answered) and isinstance(cause.result, Messages):
            messages = [higher(one) for one in cause.result.data]
            if messages != cause.result.data:
                changed_turn = msgspec.structs.replace(
                    turn, cause=msgspec.structs.replace(cause, result=Messages(messages))
                )
                return place + 1, [*turns[:place], encode(changed_turn), *turns[place + 1 :]]
    raise AssertionError("no bar closed")


def higher(message):
    if b'"x":true' not in message:
        return message
    frame = json.loads(message)
    bar = frame["data"]["k"]
    bar["h"] = bar["c"] = f"{float(bar['h']) * 1.03:.4f}"
    return json.dumps(frame, separators=(",", ":")).encode()


def test_one_changed_setting_is_named_with_what_it_changed(world, tmp_path):
    recorded_settings = settings_of(world.beginning)
    strict = recorded_settings.model_copy(
        update={"strategy": recorded_settings.strategy.model_copy(update={"min_confidence": 0.95})}
    )
    recording, run, both = repeat(world.write(tmp_path), strict)
    assert not both.same
    assert {"missing"} <= {one.how for one in both.differences}
    found = causes(
        recording.beginning,
        run,
        both,
        recording.tail,
        program=Program(world.beginning.version, world.beginning.code, world.beginning.built_with),
        settings=changed(recorded_settings, strict),
        guests=(),
    )
    assert "strategy.min_confidence: 0.2 -> 0.95" in found[0].text


def test_a_cut_recording_is_repeated_as_far_as_it_goes(world, tmp_path):
    recording, run, both = repeat(world.write(tmp_path, cut=1_000))
    assert both.same
    assert recording.tail.torn
    assert run.finished is None
    assert 0 < run.turns < len(world.turns)


def test_a_desk_that_continues_a_journal_is_repeated_from_that_journal(tmp_path):
    first = recorded(2.0, **CONFIDENT)
    second = RecordedWorld(symbols=6, start_ms=START_MS + 3 * 3_600_000)
    second.disk = first.disk
    before = {name: bytes(data) for name, data in first.disk.files.items()}
    recorded(2.0, world=second, **CONFIDENT)
    folder = second.write(tmp_path)
    for name, data in before.items():
        path = folder / "before" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    _, run, both = repeat(folder)
    assert both.same
    assert run.strayed is None
    assert run.here
