from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.sessions import (
    ASIA,
    HOUR_MS,
    LONDON,
    LONDON_CLOSE,
    NEW_YORK,
    NO_SESSION,
    TRANSITIONS,
    is_weekend,
    new_york_offset,
    next_funding,
    session_of,
)


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("instant", "session"),
    [
        ("2024-01-15 00:59", NO_SESSION),
        ("2024-01-15 01:00", ASIA),
        ("2024-01-15 04:59", ASIA),
        ("2024-01-15 05:00", NO_SESSION),
        ("2024-01-15 07:00", LONDON),
        ("2024-01-15 12:00", NEW_YORK),
        ("2024-01-15 15:00", LONDON_CLOSE),
        ("2024-01-15 17:00", NO_SESSION),
        ("2024-07-15 00:00", ASIA),
        ("2024-07-15 06:00", LONDON),
        ("2024-07-15 11:00", NEW_YORK),
        ("2024-07-15 14:00", LONDON_CLOSE),
        ("2024-03-10 06:59", NO_SESSION),
        ("2024-03-10 07:00", LONDON),
        ("2024-03-10 09:00", NO_SESSION),
        ("2024-11-03 07:00", LONDON),
    ],
)
def test_sessions_follow_new_yorks_clock(instant, session):
    assert session_of(utc(instant)) == session


@given(st.datetimes(datetime(2007, 6, 1), datetime(2090, 1, 1)))  # noqa: DTZ001  hypothesis wants naive bounds
def test_new_yorks_offset_agrees_with_the_time_zone_database_until_its_rule_ends(instant):
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        zone = zoneinfo.ZoneInfo("America/New_York")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone database")
    time = int(instant.replace(tzinfo=UTC).timestamp() * 1000)
    offset, until = new_york_offset.py_func(time)
    assert offset == instant.replace(tzinfo=UTC).astimezone(zone).utcoffset().total_seconds() * 1000
    assert until > time
    assert until in TRANSITIONS


def test_the_weekend_is_saturday_and_sunday_in_utc():
    assert not is_weekend(utc("2024-03-08 23:59"))
    assert is_weekend(utc("2024-03-09 00:00"))
    assert is_weekend(utc("2024-03-10 23:59"))
    assert not is_weekend(utc("2024-03-11 00:00"))


def test_funding_comes_every_eight_hours_strictly_ahead():
    assert next_funding(utc("2024-03-09 07:59")) == utc("2024-03-09 08:00")
    assert next_funding(utc("2024-03-09 08:00")) == utc("2024-03-09 08:00") + 8 * HOUR_MS
