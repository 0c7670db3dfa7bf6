from types import SimpleNamespace

import numpy as np
import pytest

from marketsim.forecasting.contamination import exposures, warning

BARS = np.array(["2024-05-30", "2024-05-31T20:00", "2024-06-01"], "datetime64[s]")


@pytest.mark.parametrize(
    ("trained_until", "expected"),
    [
        (None, ["clean"] * 3),
        ("unknown", ["unknown"] * 3),
        ("2024-05-31", ["contaminated", "contaminated", "clean"]),
        ("2024-06-01", ["contaminated"] * 3),
        ("2024-01-01", ["clean"] * 3),
    ],
)
def test_bars_up_to_the_end_of_the_training_are_contaminated(trained_until, expected):
    assert exposures(SimpleNamespace(trained_until=trained_until), BARS) == expected


def test_the_warning_names_the_worst():
    assert warning({"clean": 3, "contaminated": 0, "unknown": 0}) is None
    assert "2 of 5 evaluated bars" in (warning({"clean": 3, "contaminated": 2, "unknown": 0}) or "")
    assert "nobody says" in (warning({"clean": 0, "contaminated": 0, "unknown": 5}) or "")
