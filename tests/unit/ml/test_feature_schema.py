import subprocess
import sys

import pytest

from ml import schema


def test_names_are_unique_and_the_index_follows_the_order():
    names = [feature.name for feature in schema.FEATURES]
    assert len(set(names)) == len(names)
    assert [schema.INDEX[name] for name in names] == list(range(len(names)))
    assert schema.FEATURES[: len(schema.MARKET_FEATURES)] == schema.MARKET_FEATURES


def test_every_feature_is_defined_with_a_range_and_signed_ones_have_a_symmetric_one():
    for feature in schema.FEATURES:
        assert feature.definition
        assert feature.frame in ("", *schema.FRAMES)
        assert feature.low < feature.high
        if feature.signed:
            assert feature.low == -feature.high


def test_the_hash_is_the_same_in_another_process_with_another_hash_seed():
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", "from ml.schema import SCHEMA_HASH; print(SCHEMA_HASH)"],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == schema.SCHEMA_HASH


@pytest.mark.parametrize(
    "change",
    [{"name": "other"}, {"definition": "other"}, {"frame": "1h"}, {"signed": False}, {"low": -9.0}, {"high": 9.0}],
)
def test_any_change_of_a_feature_changes_the_hash(change):
    first = schema.FEATURES[0]
    fields = {name: getattr(first, name) for name in first.__struct_fields__} | change
    assert schema.schema_hash((schema.Feature(**fields), *schema.FEATURES[1:])) != schema.SCHEMA_HASH


def test_order_changes_the_hash():
    assert schema.schema_hash(schema.FEATURES[::-1]) != schema.SCHEMA_HASH


def test_the_schema_needs_nothing_of_ours():
    code = "import sys, ml.schema; print([m for m in sys.modules if m.split('.')[0] in ('engine', 'exchange', 'tui')])"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
