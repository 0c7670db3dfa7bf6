"""How trades ended, told from rows as they are written."""

from __future__ import annotations

import csv
from io import StringIO
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.results.document import simulation_rows, symbol_document
from marketsim.results.encoding import to_csv
from marketsim.results.html.exits import exits
from marketsim.settings.settings import Settings
from tests.backtesting.test_pipeline import run_held
from tests.candles import random_bars

WALK = Settings.of(sims=12, window=10, min_t=0.0, fill="provable", strategy="always-on", cache="off")


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_the_ends_earn_what_was_booked(seed):
    result = run_held(random_bars(60, seed), WALK)
    document = symbol_document(result)
    rows = list(csv.DictReader(StringIO(to_csv(simulation_rows(result)))))[::-1]
    fee, slippage = document.costs.fee_bps / 1e4, document.costs.slippage_bps / 1e4
    for before, row in pairwise(rows):
        close = float(before["close"])
        long, short = exits(row, close, document.costs)
        if "in doubt" in (long, short):
            continue
        upper, lower, open_, out = (float(row[key]) for key in ("upper", "lower", "open", "close"))
        profit = 0.0
        if long != "not filled":
            end = upper if long == "take-profit" else out * (1 - slippage)
            profit += end * (1 - fee) - min(lower, open_) * (1 + fee)
        if short != "not filled":
            end = lower if short == "take-profit" else out * (1 + slippage)
            profit += max(upper, open_) * (1 - fee) - end * (1 + fee)
        assert profit / close == pytest.approx(float(row["expected"]), abs=1e-9)
        assert (long != "not filled") + (short != "not filled") == int(row["trades"])
        assert np.isfinite(profit)
