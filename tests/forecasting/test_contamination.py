from types import SimpleNamespace

import numpy as np
import pytest

from marketsim.forecasting.contamination import exposures, tally, warning

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
    assert (warning({"clean": 0, "contaminated": 0, "unknown": 5}) or "").startswith("nobody says how far")


def test_bars_are_counted_by_exposure() -> None:
    counted = {"clean": 2, "contaminated": 1, "unknown": 0}
    assert tally(["clean", "contaminated", "clean"]) == counted
