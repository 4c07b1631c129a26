import pytest

from engine.signals.expected import expected_r


@pytest.mark.parametrize(
    ("p", "ratio", "costs", "value"),
    [(0.55, 2.0, 0.0, 0.65), (0.55, 2.0, 0.25, 0.40), (0.4, 1.5, 0.0, 0.0), (0.2, 3.0, 0.1, -0.3), (1.0, 2.0, 0, 2.0)],
)
def test_expected_value_in_r(p, ratio, costs, value):
    assert expected_r(p, ratio, costs) == pytest.approx(value)
