from math import exp

import msgspec
import numpy as np
import pytest
from signal_views import candidate, facts
from strategy_market import reading

from engine.signals.features import HIGH, LOW, SIGNED, feature_rows
from engine.strategy.candidate import Direction, StrategyName
from ml.schema import FEATURES, INDEX, MARKET_FEATURES

MARKET = np.linspace(-0.9, 0.9, len(MARKET_FEATURES))


def row(proposal=None, market=MARKET, fact=None, at=None):
    item = (proposal or candidate(), market, fact or facts(), at or reading(0, "A", 100.0))
    return feature_rows([item])[0]


def value(features, name):
    return features[INDEX[name]]


def test_a_row_has_every_column_in_float32():
    rows = feature_rows([])
    assert rows.shape == (0, len(FEATURES))
    assert row().dtype == np.float32


def test_reading_and_candidate_stand_under_their_names():
    at = reading(0, "A", 101.0, funding_rate=0.0005, spread_bps=5.0, volume_rank=50)
    seen = row(candidate(StrategyName.HYBRID, confidence=0.7, ratio=2.5, risk=0.015), at=at)
    expected = {
        "funding": 0.5,
        "spread": 0.5,
        "volume_rank": 0.25,
        "direction": 1.0,
        "is_ict": 0.0,
        "is_hybrid": 1.0,
        "confidence": 0.7,
        "reward_risk": 2.5,
        "stop_distance": 1.5,
        "entry_distance": np.log(1.01) / 0.01,
    }
    for name, wanted in expected.items():
        assert value(seen, name) == pytest.approx(wanted, rel=1e-5), name


def test_the_mirrored_row_flips_the_signed_and_keeps_the_unsigned_columns():
    at = reading(0, "A", 101.0, funding_rate=0.0003)
    there = msgspec.structs.replace(at, price=1 / 101.0, funding_rate=-0.0003)
    long = candidate(confidence=0.7)
    short = msgspec.structs.replace(
        long,
        direction=Direction.SHORT,
        entry=1 / long.entry,
        stop=1 / long.stop,
        targets=(1 / long.targets[0],),
    )
    market_signed = np.array([feature.signed for feature in MARKET_FEATURES])
    one = row(long, np.abs(MARKET), at=at)
    other = row(short, np.where(market_signed, -np.abs(MARKET), np.abs(MARKET)), at=there)
    np.testing.assert_allclose(np.where(SIGNED, -other, other), one, rtol=1e-5, atol=1e-6)
    assert (one != other).sum() >= SIGNED.sum() - 1


def test_a_price_scale_changes_nothing():
    def scaled(k):
        at = reading(0, "A", 101.0 * k)
        proposal = candidate()
        return row(
            msgspec.structs.replace(
                proposal, entry=proposal.entry * k, stop=proposal.stop * k, targets=(proposal.targets[0] * k,)
            ),
            at=at,
        )

    np.testing.assert_allclose(scaled(exp(7)), scaled(1.0), rtol=1e-5)


def test_values_are_clipped_to_the_range_of_the_schema_and_nan_stays_unknown():
    seen = row(market=np.full(len(MARKET_FEATURES), 1e9), at=reading(0, "A", 100.0, spread_bps=1e6))
    assert (seen <= HIGH.astype(np.float32)).all()
    assert (seen >= LOW.astype(np.float32)).all()
    unknown = row(market=np.full(len(MARKET_FEATURES), np.nan))
    assert np.isnan(unknown[: len(MARKET_FEATURES)]).all()
