"""How the desk starts its own simulator: where its market begins, and where it continues."""

import pytest

from config.settings import SimulatorSettings
from engine.venue import RESUME_GAP_MS, child_options, instant


def test_an_empty_journal_begins_the_market_at_the_configured_start():
    settings = SimulatorSettings()
    options = child_options(settings, 0)
    assert options.start == options.origin == instant(settings.start_ms)


def test_a_journal_continues_the_market_of_the_same_origin_after_its_newest_record():
    settings = SimulatorSettings()
    last = settings.start_ms + 90_061_007
    options = child_options(settings, last)
    assert options.start == instant(last + RESUME_GAP_MS)
    assert options.origin == instant(settings.start_ms)


def test_a_journal_older_than_the_market_does_not_take_it_back():
    settings = SimulatorSettings()
    assert child_options(settings, settings.start_ms - 86_400_000).start == instant(settings.start_ms)


@pytest.mark.parametrize("market", ["replay:candles", "session:recorded"])
def test_a_recorded_market_has_no_origin_and_continues_after_the_newest_record(market):
    settings = SimulatorSettings(market=market)
    assert (child_options(settings, 0).start, child_options(settings, 0).origin) == (None, None)
    assert child_options(settings, 5_000).start == instant(5_000 + RESUME_GAP_MS)
