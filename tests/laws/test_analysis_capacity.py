"""The tables are finite; nothing that still counts may fall out of them on a recorded market."""

import numpy as np
import pytest
from recorded_series import interval_of, read_series, window

from engine.analysis.bars import bars_of
from engine.analysis.changes import BORN, OF_BLOCK, OF_GAP, OF_POOL, changes_since, make_log
from engine.analysis.layout import BLOCK_MITIGATED, BLOCKS, GAP_FILLED, GAPS, POOL_OPEN, POOL_WEEK, POOLS
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables

HELD = 500  # bars the desk looks at
BLOCK_LIFE_MS = 72 * 3_600_000
WEEK_MS = 7 * 86_400_000
PIECE = 480

SERIES = [
    "um/5m/1000PEPEUSDT-5m__catman77",
    "um/5m/BTCUSDT-5m__catman77",
    "um/15m/BTCUSDT-15m__maxakak1998",
    "um/1h/BTCUSDT-1h__Roshan7869",
]


def living(changes, of, over):
    """Return {number: birth} of the objects of a kind that have not come to one of the states that end them."""
    mine = changes[changes["of"] == of]
    ended = set(mine["number"][mine["what"] >= over].tolist())
    return {int(c["number"]): c for c in mine[mine["what"] == BORN] if int(c["number"]) not in ended}


def missing(tables, changes, interval):
    """Return what lives by the log, still counts, and is not in the tables."""
    series = tables.series[0]
    last = int(series["n"]) - 1
    ring = {OF_GAP: int(series["gaps"]) - GAPS, OF_BLOCK: int(series["blocks"]) - BLOCKS}
    lost = []
    for of, over, life in (
        (OF_GAP, GAP_FILLED, HELD),
        (OF_BLOCK, BLOCK_MITIGATED, BLOCK_LIFE_MS // interval),
    ):
        lost += [
            c for number, c in living(changes, of, over).items() if number < ring[of] and last - c["known"] <= life
        ]
    pools = set(tables.pools[0]["number"][tables.pools[0]["state"] == POOL_OPEN].tolist())
    for number, pool in living(changes, OF_POOL, POOL_OPEN + 1).items():
        life = max(HELD, WEEK_MS // interval - 1) if pool["kind"] == POOL_WEEK else HELD
        if last - pool["known"] <= life and number not in pools:
            lost.append(pool)
    return lost


@pytest.mark.data
@pytest.mark.parametrize("name", SERIES)
def test_what_still_counts_is_never_pushed_out_of_the_tables(name):
    interval = interval_of(name)
    (candles,) = read_series(name)
    bars = bars_of(window(candles, 0, 12_000))
    tables, log = make_tables(1), make_log()
    reset(tables, 0, interval)
    seen, pieces = 0, []
    for first in range(0, len(bars), PIECE):
        run(tables, 0, bars[first : first + PIECE], log)
        changes, dropped = changes_since(log, seen)
        assert dropped == 0
        seen += len(changes)
        pieces.append(changes)
        assert missing(tables, np.concatenate(pieces[-6:]), interval) == []
    assert int(tables.series[0]["pools"]) > 5 * POOLS
