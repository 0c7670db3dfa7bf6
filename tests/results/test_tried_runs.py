"""Saved runs are counted together: the more was tried, the wider the intervals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marketsim.results import saved_runs
from marketsim.results.tried_runs import common_fill, count_tries
from tests.cli.conftest import cli as cli
from tests.cli.conftest import shown_words as shown_words

WORDS = (
    "backtest",
    "ETHUSD",
    "BTCUSD",
    "NVDA",
    "--sims",
    "40",
    "--window",
    "20",
    "--strategy",
    "always-on",
    "--min-t",
    "0",
)


@pytest.fixture
def runs(cli, tmp_path: Path) -> list[saved_runs.SavedRun]:
    for i, fee in enumerate(("0", "5", "10")):
        assert cli(*WORDS, "--fee-bps", fee, "--output", str(tmp_path / f"run-{i}")).code == 0
    return [saved_runs.read(tmp_path / f"run-{i}") for i in range(3)]


def test_intervals_widen_with_what_was_tried(runs, cli):
    (alone,), _ = count_tries(runs[:1], "expected", 1)
    together, best = count_tries(runs, "expected", 1)
    assert best is not None
    assert (best.tried, len(together)) == (3, 3)
    assert best.best == f"{runs[0].directory} always-on"
    assert together[0].mean_bps == pytest.approx(alone.mean_bps)
    assert together[0].high_bps - together[0].low_bps >= alone.high_bps - alone.low_bps
    assert alone.mean_bps > together[2].mean_bps
    (pooled,) = runs[0].document.pooled
    assert (alone.mean_bps, alone.bars, alone.dates) == (pytest.approx(pooled.mean_bps), pooled.bars, pooled.dates)
    assert pooled.bars > pooled.dates  # two of the three symbols share theirs
    assert alone.high_bps - alone.low_bps == pytest.approx(pooled.high_bps - pooled.low_bps, rel=0.25)
    assert together[0].smallest_edge_bps > alone.smallest_edge_bps
    assert together[0].bars_for_10_bps > alone.bars_for_10_bps
    text = " ".join(cli("runs", "list", str(runs[0].directory.parent)).out.split())
    assert "expected fills; intervals hold for all that was tried" in text
    assert "is the best of 3 tried" in text


def test_runs_are_compared_by_one_fill_policy(cli, tmp_path: Path):
    few = ("backtest", "NVDA", "--sims", "30", "--window", "10", "--strategy", "always-on", "--min-t", "0")
    few = (*few, "--close-at-eod", "never")
    for fill in ("provable", "touch", "expected"):
        assert cli(*few, "--fill", fill, "--output", str(tmp_path / fill)).code == 0
    provable, touch, expected = (saved_runs.read(tmp_path / fill) for fill in ("provable", "touch", "expected"))
    fills = [common_fill(runs) for runs in ((provable,), (touch,), (touch, expected), (provable, expected))]
    assert fills == ["provable", "expected", "expected", "expected"]
    document = json.loads(cli("runs", "list", str(tmp_path), "--json").out)
    assert document["fill"] == "expected"
    rows = {Path(row["directory"]).name: row["mean_bps"] for row in document["tried"]}
    for name, run in (("provable", provable), ("touch", touch), ("expected", expected)):
        (row,) = [row for row in run.results["NVDA"].rows if row.kind == "strategy"]
        assert rows[name] == pytest.approx(1e4 * row.expected / row.bars)
        assert row.provable < row.expected < row.touch


def test_nothing_tried_is_nothing():
    assert count_tries([], "expected", 1) == ([], None)
