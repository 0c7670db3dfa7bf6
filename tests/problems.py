"""Random and adversarial fitting problems, for tests and for the slow twins alike."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import ArrayLike, NDArray

from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import LOWER_CLIP, UPPER_CLIP, Costs, Leg, Levels, Outcomes, ProfitTerms
from marketsim.execution.strategies import Legs
from marketsim.optimizers.exact.tuning import TUNING
from marketsim.settings.choices import FILLS
from tests.oracle import Bar, Rules

BOUNDS = ((-0.03, 0.03), (-0.03, 0.03))
GRIDS = replace(TUNING, product=0)  # whole grids by running sums, however small they are
BLOCKS = replace(GRIDS, cells=0, all_cells=0, interpolated_cells=0)  # blocks of candidates


def make_bars(seed: int, count: int, kind: str, shortable: bool, mixed: bool) -> list[Bar]:
    """Bars of one `kind`: continuous, lattice (ties everywhere), duplicated, or knife-edge (forecasts that hit)."""
    rng = np.random.default_rng(seed)
    open_, close = 0.01 * rng.standard_normal(count), 0.03 * rng.standard_normal(count)
    if rng.random() < 0.5:
        open_[:] = 0.0  # a market that never sleeps opens at the last close
    high = np.maximum(open_, close) + np.abs(0.02 * rng.standard_normal(count))
    low = np.minimum(open_, close) - np.abs(0.02 * rng.standard_normal(count))
    high_move, low_move = 0.02 + 0.015 * rng.standard_normal((2, count)) * np.array([[1], [-1]])
    low_move = -np.abs(low_move) + 0.005
    columns = np.stack([high_move, low_move, open_, high, low, close])
    if kind == "lattice":
        columns = np.round(columns, 2)
    elif kind == "duplicated":
        columns = columns[:, rng.integers(0, max(1, count // 3), count)]
    elif kind == "knife-edge":
        columns[0], columns[1] = columns[3], columns[4]
    long = rng.random(count) < 0.5 if mixed else np.ones(count, bool)
    return [
        Bar(*map(float, column), bool(goes_long), bool(shortable and not (mixed and goes_long)))
        for column, goes_long in zip(columns.T, long, strict=True)
    ]


def bars_of_any_kind(largest: int = 8) -> st.SearchStrategy[list[Bar]]:
    return st.builds(
        make_bars,
        st.integers(0, 2**32 - 1),
        st.integers(1, largest),
        st.sampled_from(["continuous", "lattice", "duplicated", "knife-edge"]),
        st.booleans(),
        st.booleans(),
    )


def any_rules(fills: tuple[str, ...] = FILLS) -> st.SearchStrategy[Rules]:
    return st.builds(
        Rules,
        st.sampled_from([0.0, 0.0005, 0.0015]),
        st.sampled_from([0.0, 0.0005]),
        st.sampled_from(fills),
        st.booleans(),
    )


def terms_of(bars: list[Bar], rules: Rules, dtype: type = np.float64) -> ProfitTerms:
    """The package's terms `[1, M]` of the bars as one window."""
    columns = {name: np.array([getattr(bar, name) for bar in bars], dtype) for name in Bar.__dataclass_fields__}
    short = columns["short"].astype(bool)
    legs = Legs(columns["long"].astype(bool), short if short.any() else None)
    terms = profit_terms(
        Levels(*(columns[name] for name in ("high_move", "low_move", "variance", "spread"))),
        Outcomes(*(columns[name] for name in ("open", "high", "low", "close"))),
        Costs(rules.fee, rules.slippage),
        rules.fill,
        legs.short is not None,
    ).placed(legs)
    return (terms.at_close() if rules.close_at_eod else terms).at(None)


def make_levels(upper: NDArray[np.float64], lower: NDArray[np.float64]) -> Levels:
    """Levels on bars that were expected to move by 3 per cent, give or take."""
    return Levels(upper, lower, np.full(upper.shape, 9e-4), np.full(upper.shape, 0.5))


def staircase(steps: ArrayLike) -> ProfitTerms:
    """One problem `[1, 1]` inside BOUNDS that earns a tenth of `steps[i][j]`, i rising with h and j with l."""
    weight = np.array(steps, float)
    upper, lower = (np.linspace(0.02, 0.08, count + 1) for count in weight.shape)
    one = np.ones((1, 1))
    leg = Leg(
        False,
        UPPER_CLIP,
        LOWER_CLIP,
        upper_move=0.05 * one,
        lower_move=-0.05 * one,
        low=9 * one,  # nothing is earned by an entry
        open=9 * one,
        at_level=0 * one,
        per_lower=-one,
        gain=0.1 * one,
        per_upper=0 * one,
        upper_edges=(upper[1:] + 1e-9)[None, None],
        lower_edges=(lower[:-1] - 0.1 - 1e-9)[None, None],
        weight=weight[None, None],
    )
    return ProfitTerms((leg,))
