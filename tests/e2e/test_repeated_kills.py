"""A desk that is killed again and again, at any instant: its journal loses nothing and tells nothing twice."""

import random
import re
import signal
import time
from collections import Counter

import proof_figures
import pytest
from desk_process import QUICK, cycles_until, headless, journal_bytes, run, wait_for_growth

from engine.adapters.disk import DirectoryDisk
from engine.journal.log import replay, verify
from engine.journal.record import PositionRecord, SessionRecord, SignalRecord
from engine.positions.lifecycle import EventName, Stage, fold_all

pytestmark = pytest.mark.xdist_group("processes")
CONTINUES = re.compile(r"the virtual book continues: (\d+) positions open, (\d+) closed before")


def stored(folder):
    return [(entry.seq, entry.record) for entry in replay(DirectoryDisk(folder))]


def unchanged(known, now):
    """Tell whether what was stored still stands in front; as text, since a record may hold NaN."""
    return [repr(one) for one in now[: len(known)]] == [repr(one) for one in known]


def life_and_kill(folder, chance, longest_s):
    """Start a desk and kill it at a random instant: one time in three while it starts, else while it works."""
    size = journal_bytes(folder)
    with headless(folder, settings=QUICK) as desk:
        if chance.random() > 1 / 3:
            wait_for_growth(folder, desk, size + 500)
        time.sleep(chance.uniform(0.0, longest_s))
        assert desk.poll() is None, desk.stderr.read()
        desk.send_signal(signal.SIGKILL)
        desk.communicate()


def kill_again_and_again(folder, seed, kills, longest_s):
    """Kill that many lives and let the last one end in order; return how many records each kill left behind."""
    chance = random.Random(seed)
    with headless(folder, settings=QUICK) as first:  # the first life has something to lose
        wait_for_growth(folder, first, 10_000)
        time.sleep(chance.uniform(0.0, 1.0))
        first.send_signal(signal.SIGKILL)
        first.communicate()
    known = stored(folder)
    left = [len(known)]
    for number in range(1, kills):
        life_and_kill(folder, chance, longest_s)
        now = stored(folder)
        assert unchanged(known, now), f"seed {seed}, kill {number + 1}: what was stored has changed"
        known = now
        left.append(len(known))
    before = fold_all(record.event for _, record in known if isinstance(record, PositionRecord))
    with headless(folder, settings=QUICK) as last:
        cycles_until(last, lambda cycle: cycle["number"] >= 2 and cycle["ready"] == 40)
        last.send_signal(signal.SIGTERM)
        _, err = last.communicate(timeout=60)
    assert last.returncode == 0, err
    open_before = sum(state.stage is Stage.OPEN for state in before.values())
    told = CONTINUES.search(err)
    assert told, err
    assert (int(told[1]), int(told[2])) == (open_before, len(before) - open_before)
    now = stored(folder)
    assert unchanged(known, now)
    assert len(now) > len(known)
    return left


def assert_nothing_twice_and_nothing_lost(folder):
    assert not verify(DirectoryDisk(folder)).faults
    numbered = stored(folder)
    assert [seq for seq, _ in numbered] == list(range(1, len(numbered) + 1))
    records = [record for _, record in numbered]
    signals = Counter((one.ref, one.state) for one in records if isinstance(one, SignalRecord))
    assert set(signals.values()) == {1}
    events = [one for one in records if isinstance(one, PositionRecord)]
    created = [one for one in events if one.event.event is EventName.CREATED]
    assert set(Counter(one.ref for one in created).values()) == {1}
    assert set(Counter(one.cause for one in created).values()) == {1}
    closed = Counter(one.ref for one in events if one.event.event is EventName.CLOSED)
    assert set(closed.values()) <= {1}
    fold_all(one.event for one in events)  # raises where a story has a hole or a second ending
    sessions = [one for one in records if isinstance(one, SessionRecord)]
    assert sum(one.event == "stop" for one in sessions) == 1
    return signals


def test_a_desk_killed_three_times_continues_its_book_and_writes_nothing_twice(tmp_path):
    kill_again_and_again(tmp_path, seed=1, kills=3, longest_s=2.0)
    signals = assert_nothing_twice_and_nothing_lost(tmp_path)
    shown = run("journal", "show", "--kind", "signal", "--json", "--limit", "5000", "--data-dir", str(tmp_path))
    proof_figures.leave("repeated-kills", real_kills=3)
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) == sum(signals.values())


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [11, 12])
def test_a_desk_killed_twenty_five_times_continues_its_book_and_writes_nothing_twice(tmp_path, seed):
    left = kill_again_and_again(tmp_path, seed, kills=25, longest_s=4.0)
    assert left[-1] > 2 * left[0]
    assert_nothing_twice_and_nothing_lost(tmp_path)
