"""Rows as the whole numbers of pictures."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from marketsim.results.document import equity_rows, simulation_rows, symbol_document
from marketsim.results.encoding import to_csv
from marketsim.results.html.rows import PART, rows_of
from tests.backtesting.test_pipeline import run_held
from tests.candles import random_bars
from tests.results.html.test_exits import WALK


@pytest.mark.parametrize("factor", [1.0, 1e4])
def test_pictures_are_exact_to_a_part_however_much_was_earned(factor):
    result = run_held(random_bars(60, 3), WALK.replace(fill="expected"))
    document = symbol_document(result)
    equity = to_csv(equity_rows(result))
    sums = [
        [row["symbol"], row["name"], row["time"]]
        + [factor * float(row[fill]) for fill in ("provable", "expected", "touch")]
        for row in csv.DictReader(StringIO(equity))
    ]
    text = "\n".join([equity.splitlines()[0], *(",".join(map(str, row)) for row in sums)])
    rows = rows_of(document, to_csv(simulation_rows(result)), text)
    part = rows.facts["part"]
    assert part == PART if factor == 1.0 else part > PART
    for i, name in enumerate(rows.facts["names"]):
        mine = np.array([row[3:] for row in sums if row[1] == name])
        headline = np.cumsum(rows.arrays["headline"][i])
        found = np.stack([headline - rows.arrays["below"][i], headline, headline + rows.arrays["above"][i]], axis=1)
        np.testing.assert_allclose(part * found, mine, rtol=0, atol=part)
    bars = [[row.open, row.high, row.low, row.close] for row in simulation_rows(result) if row.strategy == "always-on"]
    np.testing.assert_allclose(rows.arrays["bars"] * document.bars.tick, bars[::-1], rtol=0, atol=document.bars.tick)
