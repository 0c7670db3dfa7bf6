"""Verdicts say what the numbers say."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from marketsim.results.verdict import verdict
from tests.documents import strategy_row

ROW = strategy_row(
    "always-on", orders=9, trades=3, low_bps=-5.0, high_bps=9.0, provable=0.1, touch=0.2, ambiguous=2, bars=7
)


@pytest.mark.parametrize(
    ("changes", "fill", "words"),
    [
        ({}, "provable", "cannot be told from zero: 95 % interval -5.0 to +9.0 bps a bar"),
        ({"low_bps": 1.0}, "provable", "earned: the 95 % interval of +1.0 to +9.0 bps a bar is above zero"),
        ({"high_bps": -1.0}, "provable", "lost: the 95 % interval of -5.0 to -1.0 bps a bar is below zero"),
        ({"high_bps": 0.0}, "provable", "cannot be told from zero"),
        ({"low_bps": 0.0}, "provable", "cannot be told from zero"),
        ({"provable": -0.1}, "provable", "any profit rests on 2 ambiguous bars"),
        ({"provable": 0.0}, "provable", "any profit rests on 2 ambiguous bars"),
        ({"low_bps": 1.0}, "touch", "'touch' counts fills that the bars cannot prove"),
        ({"provable": -0.1}, "expected", "any profit rests on 2 ambiguous bars"),
        ({"low_bps": 1e-14}, "provable", "cannot be told from zero"),
        ({"low_bps": -9.0, "high_bps": -1e-14}, "provable", "cannot be told from zero"),
        ({"provable": 1e-17}, "provable", "any profit rests on 2 ambiguous bars"),
        ({"trades": 0}, "provable", "placed 9 orders, and none was filled"),
        ({"trades": 0, "orders": 0, "stood_aside": 0}, "provable", "placed no order: every bar's side was short"),
        (
            {"trades": 0, "orders": 0, "stood_aside": 7},
            "provable",
            "it stood aside on 7 of 7 bars, where its in-sample t",
        ),
        ({"trades": 0, "orders": 0, "stood_aside": 3}, "provable", "it stood aside on 3 of 7 bars, where"),
        ({"trades": 0, "orders": 0, "stood_aside": 3}, "provable", "too low; every other bar's side was short"),
        ({"low_bps": None, "high_bps": None}, "provable", "7 bars are too few for an interval"),
    ],
)
def test_verdicts(changes: dict[str, Any], fill: str, words: str) -> None:
    assert words in verdict(replace(ROW, **changes), fill)
