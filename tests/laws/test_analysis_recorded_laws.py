"""The laws of specification section 3 on every recorded series: a window of each; all of each in `make test-long`."""

from zlib import crc32

import pytest
from analysis_laws import incremental_law, mirror_law, prefix_law, scale_law
from recorded_series import interval_of, read_series, recorded_names, window

from engine.analysis.bars import bars_of

WINDOW = 600
FACTOR = 1234.5

pytestmark = pytest.mark.data


def laws(candles, interval, cuts):
    bars = bars_of(candles)
    prefix_law(bars, interval, cuts)
    mirror_law(bars, interval)
    scale_law(candles, interval, FACTOR)
    incremental_law(bars, interval)


@pytest.mark.parametrize("name", recorded_names())
def test_the_laws_hold_on_a_window_of_every_recorded_series(name):
    chance = crc32(name.encode())  # another place in every file, the same in every run
    for candles in read_series(name, symbols=2):
        count = min(WINDOW, len(candles))
        first = chance % (len(candles) - count + 1)
        laws(window(candles, first, count), interval_of(name), [1 + chance % (count - 1)])


@pytest.mark.long
@pytest.mark.parametrize("name", recorded_names())
def test_the_laws_hold_on_the_whole_of_every_recorded_series(name):
    for candles in read_series(name):
        cuts = [max(1, len(candles) * share // 100) for share in (3, 29, 61, 97)]
        laws(candles, interval_of(name), cuts)
