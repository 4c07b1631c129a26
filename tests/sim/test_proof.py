"""The proof of live orders: seeds of faults, every crash point, planted bugs. Figures stand at the end of the session.

PROOF_SEEDS scales the long set (`make test-long`); a push runs 2,000 seeds. A failure prints the seed, and
`run_seed(SEED, rate=0.12)` of tests/support/proof_scenario.py runs it again.
"""

import os
import subprocess
import sys
from pathlib import Path

import proof_figures
import pytest
from proof_planted import PLANTED
from proof_scenario import SCRIPTS, run_seed
from proof_shrink import shrunk

CHUNKS, SEEDS = 20, 100
LONG_SEEDS = int(os.environ.get("PROOF_SEEDS", "20000"))
PLANTED_FIRST, PLANTED_SEEDS, PLANTED_RATE = 20_000, 250, 0.15
SUPPORT = Path(__file__).parents[1] / "support"


def run_chunk(name, first, count, rate=0.12):
    hits, naked, kills, bad = {}, [], 0, []
    for seed in range(first, first + count):
        found = run_seed(seed, rate=rate)
        for row, times in found.hits.items():
            hits[row] = hits.get(row, 0) + times
        naked += [round(one, 2) for one in found.naked]
        kills += found.kills
        if found.found:
            bad.append(seed)
    proof_figures.leave(name, seeds=count, violations=len(bad), hits=hits, naked=naked, kills=kills)
    return bad


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_seed_of_faults_breaks_an_invariant(chunk):
    bad = run_chunk(f"seeds-{chunk}", chunk * SEEDS, SEEDS)
    assert not bad, [shrunk(seed) for seed in bad[:2]]


@pytest.mark.long
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("chunk", range(40))
def test_no_seed_of_the_long_set_breaks_an_invariant(chunk):
    count = LONG_SEEDS // 40
    bad = run_chunk(f"long-{chunk}", 1_000_000 + chunk * count, count)
    assert not bad, [shrunk(seed) for seed in bad[:2]]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("power_cut", [False, True], ids=["killed", "power cut"])
def test_a_process_that_ends_at_any_effect_boundary_loses_and_doubles_nothing(script, power_cut):
    plain = run_seed(7, script=script, faults=False)
    assert not plain.found, plain.found
    assert plain.boundaries > 40
    for point in range(1, plain.boundaries + 1):
        found = run_seed(7, script=script, faults=False, crashes=[point], power_cut=power_cut)
        assert found.kills == 1, point
        assert not found.found, (point, found.found)
    proof_figures.leave(f"crash-{script}-{power_cut}", points={script: plain.boundaries})


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_process_that_ends_again_while_it_recovers_loses_and_doubles_nothing(script):
    points = run_seed(7, script=script, faults=False).boundaries
    for point in range(1, points + 1, 2):
        for again in (1, 3, 6, 10):
            found = run_seed(7, script=script, faults=False, crashes=[point, again], power_cut=bool(again % 2))
            assert not found.found, (point, again, found.found)


GROUPS = 7


@pytest.mark.parametrize("group", range(GROUPS))
def test_planted_bugs_are_found(group):
    caught = {name: _is_found(bug) for name, bug in list(PLANTED.items())[group::GROUPS]}
    proof_figures.leave(f"planted-{group}", planted=caught)
    assert all(caught.values()), [name for name, found in caught.items() if not found]


def _is_found(bug):
    for seed in range(PLANTED_FIRST, PLANTED_FIRST + PLANTED_SEEDS):
        with bug():
            found = run_seed(seed, rate=PLANTED_RATE)
        if found.found:
            return True
    return False


def test_the_seeds_of_the_planted_bugs_are_clean_without_them():
    for seed in range(PLANTED_FIRST, PLANTED_FIRST + PLANTED_SEEDS):
        found = run_seed(seed, rate=PLANTED_RATE)
        assert not found.found, (seed, found.found)


def test_there_are_at_least_thirty_planted_bugs():
    assert len(PLANTED) >= 30


def traces(seeds, hash_seed):
    code = f"from proof_scenario import run_seed\nfor seed in range({seeds}): print(run_seed(seed).trace)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SUPPORT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment, timeout=280)
    return done.stdout.split()


@pytest.mark.parametrize("first", [0])
def test_the_same_seed_leaves_the_same_journal_under_another_hash_seed(first):
    del first
    one, other = traces(40, "1"), traces(40, "77")
    assert len(one) == 40
    assert one == other


def test_every_row_of_the_catalogue_strikes_somewhere():
    for row, path in proof_figures.ELSEWHERE.items():
        assert (SUPPORT.parents[1] / path).is_file(), (row, path)
