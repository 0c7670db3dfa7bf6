"""A short campaign of every kind; `scripts/fuzz` runs long ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.faults import fuzz


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_a_short_campaign_finds_nothing(kind: str) -> None:
    if kind == "kills" and not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    trials, path = fuzz.campaign(kind, seconds=0.5, seed=1)
    assert trials and path is None


def test_a_fault_that_changes_a_result_is_kept_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def third(rng: np.random.Generator, place: Path) -> bytes | None:
        trials.append(rng.integers(100))
        return b"bad" if len(trials) == 3 else None

    trials: list[int] = []
    monkeypatch.setitem(fuzz.KINDS, "third", third)
    monkeypatch.setattr(fuzz, "FOUND", tmp_path / "found")
    assert fuzz.main(["third", "--seconds", "60", "--seed", "7"]) == 1
    assert (tmp_path / "found" / "third-7-2").read_bytes() == b"bad"
    assert "third: 2 trials with seed 7: FAILED" in capsys.readouterr().out
    again = [np.random.default_rng([7, i]).integers(100) for i in range(3)]
    assert trials == again
