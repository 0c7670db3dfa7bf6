"""The closed form of w against the image series that it stands for, against paths, and at every edge of a bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from marketsim.execution import fill_probability
from marketsim.execution.compiled import VARIABLE
from marketsim.execution.fill_probability import BEND, EXACT, FAST, take_profit_probability

Array = NDArray[np.float64]
IMAGES = np.arange(-30, 31)


def gauss(x: Array, t: Array) -> Array:
    return np.exp(-x * x / (2 * t)) / np.sqrt(2 * np.pi * t)


def hit(o: float, h: float, d: float, s: Array) -> Array:
    """A(s): the images of the first-passage density, differentiated in h."""
    x, s = o - d + 2 * IMAGES * (h - d), s[..., None]
    return (2 * IMAGES * (1 / s - (x / s) ** 2) * gauss(x, s)).sum(-1)


def stay(d: float, c: float, l: float, u: float, t: Array) -> Array:
    """B(t): the images of the transition density, differentiated in -l."""
    t = t[..., None]
    direct, mirrored = c - d + 2 * IMAGES * (u - l), c + d - 2 * l + 2 * IMAGES * (u - l)
    terms = -2 * IMAGES * direct * gauss(direct, t) + (2 + 2 * IMAGES) * mirrored * gauss(mirrored, t)
    return (terms / t).sum(-1)


def bar_density(o: float, h: float, l: float, c: float, v: Array) -> Array:
    """p(v): the images of the transition density, differentiated in -l and h."""
    v = v[..., None]
    direct, mirrored = c - o + 2 * IMAGES * (h - l), c + o - 2 * l + 2 * IMAGES * (h - l)

    def curvature(x: Array) -> Array:
        return ((x / v) ** 2 - 1 / v) * gauss(x, v)

    return (4 * IMAGES**2 * curvature(direct) - 4 * IMAGES * (1 + IMAGES) * curvature(mirrored)).sum(-1)


def bent_density(error: Array) -> Array:
    """Of `N + BEND * N^2` for a standard normal N, but for a factor; from -7 on, where N is above the fold."""
    root = np.sqrt(1 + 4 * BEND * error)
    normal = (root - 1) / (2 * BEND)
    return np.exp(-(normal**2) / 2) / root


def by_definition(bar: tuple[float, ...], variance: float, spread: float, nodes: int) -> float:
    """The convolution, term by term: images, quadrature over s = v sin^2, then over log v."""
    o, h, l, c, d, u = bar
    x = np.array([0.0]) if spread == 0 else np.linspace(-7, 7, nodes // 4) * min(spread, 0.6)
    v = variance * np.exp(x)
    roots, weights = np.polynomial.legendre.leggauss(nodes)
    angle = (roots + 1) * np.pi / 4
    s = v[:, None] * np.sin(angle) ** 2
    jacobian = v[:, None] * np.sin(2 * angle) * weights * np.pi / 4
    missed = (hit(o, h, d, s) * stay(d, c, l, u, v[:, None] - s) * jacobian).sum(-1)
    prior = np.ones(1) if spread == 0 else bent_density(x / spread)
    return float(1 - (prior * missed).sum() / (prior * bar_density(o, h, l, c, v)).sum())


def w(bar: tuple[float, ...], variance: float, spread: float, nodes: tuple[int, int] = EXACT) -> float:
    return float(take_profit_probability(*(np.array(each) for each in bar), variance, spread, nodes))


BARS = [  # open, high, low, close, lower level, upper level
    (0.6, 1.0, 0.0, 0.4, 0.3, 0.7),
    (0.3, 1.0, 0.0, 0.8, 0.1, 0.9),
    (0.9, 1.0, 0.0, 0.2, 0.5, 0.6),
    (1.0, 1.0, 0.0, 0.5, 0.4, 0.8),  # opens at the high
    (0.5, 1.0, 0.0, 0.0, 0.2, 0.8),  # closes at the low
    (1.0, 1.0, 0.0, 0.0, 0.5, 0.6),
    (0.5, 1.0, 0.0, 0.5, 0.0, 1.0),  # levels on the extremes
    (0.5, 1.0, 0.0, 0.4, 0.48, 0.6),
    (0.7, 1.0, 0.0, 0.3, 0.1, 0.32),
    (-0.01, 0.012, -0.03, -0.02, -0.022, 0.005),  # in the units of a daily bar
]


@pytest.mark.parametrize("bar", BARS, ids=str)
@pytest.mark.parametrize(
    ("variance", "spread"), [(0.1, 0.0), (0.4, 0.0), (2.0, 0.0), (0.3, 0.4), (0.4, 1.0), (0.2, np.inf)]
)
def test_closed_form_is_the_definition(bar: tuple[float, ...], variance: float, spread: float) -> None:
    variance *= (bar[1] - bar[2]) ** 2
    once, twice = (by_definition(bar, variance, spread, nodes) for nodes in (100, 200))
    assert once == pytest.approx(twice, abs=1e-7)  # so the reference itself has converged
    assert w(bar, variance, spread) == pytest.approx(twice, abs=1e-6)


def test_the_bend_is_a_skewness_of_a_fifth() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    error = nodes + BEND * (nodes**2 - 1)
    deviation, third = (weights @ error**k / weights.sum() for k in (2, 3))
    assert deviation == pytest.approx(1, abs=3e-3)
    assert third == pytest.approx(0.2, abs=1e-3)


VARIANCES_OF_A_BAR = [(1.2, 0.3, 0.6), (0.8, 1.0, 0.3), (1.7, 0.1, 1.2), (1.0, 3.0, 0.9)]


def posterior(shortest: float, variance: float, spread: float, normal: Array) -> tuple[Array, Array]:
    """Variances by the normal behind them, and how likely they are given the bar's shortest path."""
    v = variance * np.exp(spread * (normal + BEND * normal**2))
    return v, np.exp(-(normal**2) / 2 - shortest**2 / (2 * v) - np.pi**2 / 2 * v) / v


@pytest.mark.parametrize(("nodes", "accuracy"), [(EXACT[0], 1e-8), (FAST[0], 4e-4)])
@pytest.mark.parametrize("bar", VARIANCES_OF_A_BAR)
def test_nodes_stand_for_the_variance_given_the_bar(bar: tuple[float, ...], nodes: int, accuracy: float) -> None:
    shortest, variance, spread = bar
    normal = np.linspace(-10, 10, 20_001)
    v, density = posterior(shortest, variance, spread, normal)
    mean = (v * density).sum() / density.sum()
    found, log_weight = fill_probability._variances(*map(np.array, bar), nodes)
    weight = np.exp(log_weight - shortest**2 / (2 * found) - np.pi**2 / 2 * found) / found
    assert (found * weight).sum() / weight.sum() == pytest.approx(mean, rel=accuracy)


@pytest.mark.parametrize("bar", VARIANCES_OF_A_BAR)
def test_the_middle_node_is_the_most_likely_variance(bar: tuple[float, ...]) -> None:
    shortest, variance, spread = bar
    v, density = posterior(shortest, variance, spread, np.linspace(-10, 10, 2_000_001))
    found, _ = fill_probability._variances(*map(np.array, bar), FAST[0])
    assert found[FAST[0] // 2] == pytest.approx(v[density.argmax()], rel=3e-5)


def noisy_bars(count: int, steps: int, seed: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Brownian log prices of unit variance, `[count, steps]` each: path, and the extremes of each step's bridge."""
    rng = np.random.default_rng(seed)
    step = rng.standard_normal((count, steps)) / np.sqrt(steps)
    path = np.cumsum(step, 1)
    middle = path - step / 2
    up, down = np.sqrt(step**2 / 4 + rng.standard_exponential((2, count, steps)) / (2 * steps))
    highs, lows = middle + up, middle - down
    start = np.zeros((count, 1))
    high, low = np.maximum(highs.max(1, keepdims=True), 0), np.minimum(lows.min(1, keepdims=True), 0)
    return start, high, low, path[:, -1:], highs, lows


LEVELS = np.array([(-0.1, 0.1), (-0.3, 0.3), (-0.8, 0.2), (-0.2, 0.8), (-0.5, -0.2), (-1.0, 0.6)]).T


def test_fast_nodes_are_close_to_exact_on_the_bars_that_occur() -> None:
    rng = np.random.default_rng(1)
    *bar, _, _ = noisy_bars(400, 60, 1)
    variance = np.exp(0.4 * rng.standard_normal((400, 1)))
    for spread in (0.0, 0.3, 0.6, np.inf):
        fast, exact = (take_profit_probability(*bar, *LEVELS[:, None], variance, spread, n) for n in (FAST, EXACT))
        unsure = (exact > 0) & (exact < 1)
        off = np.abs(fast - exact)[unsure]
        assert unsure.sum() > 300
        assert off.max() < 1e-3
        assert off.mean() < 5e-5


def test_w_is_the_frequency_on_paths() -> None:
    open, high, low, close, highs, lows = noisy_bars(3_000, 400, 2)
    predicted = take_profit_probability(open, high, low, close, *LEVELS[:, None], 1.0, 0.0)
    later = np.maximum.accumulate(highs[:, ::-1], 1)[:, ::-1]
    for p, (lower, upper) in enumerate(LEVELS.T):
        unsure = ((low < lower) & (close < upper) & (upper < high))[:, 0]
        first = (lows[unsure] < lower).argmax(1)
        taken = np.take_along_axis(later[unsure], np.minimum(first + 1, 399)[:, None], 1)[:, 0] >= upper
        off = taken - predicted[unsure, p]
        assert abs(off.mean()) < 3.5 * off.std() / np.sqrt(len(off))


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ((0.5, 1.0, 0.0, 0.5, -0.1, 0.8), 0),  # never entered
        ((0.5, 1.0, 0.0, 0.5, 0.2, 1.1), 0),  # never reached
        ((0.5, 1.0, 0.0, 0.5, 0.5, 0.8), 1),  # entered at the open
        ((0.5, 1.0, 0.0, 0.5, 0.2, 0.5), 1),  # the close is there
        ((0.8, 1.0, 0.0, 0.2, 0.6, 0.5), 1),  # the entry is above the target
        ((0.0, 0.0, 0.0, 0.0, -0.1, 0.1), 0),
        ((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1),
        ((0.5, 1.0, 0.0, 0.5, -np.inf, 0.8), 0),  # levels at nothing, and beyond all there is
        ((0.5, 1.0, 0.0, 0.5, 0.2, np.inf), 0),
        ((0.5, 1.0, 0.0, 0.5, np.inf, 0.8), 1),
        ((1.0, 1.0, 0.0, 1.0, 0.5, 1.0), 1),  # opens and closes at its high
        ((0.0, 1.0, 0.0, 0.0, 0.0, 0.5), 1),  # and at its low
    ],
)
@pytest.mark.parametrize("compiled", ["0", "1"])
def test_where_the_bar_proves_it_w_is_0_or_1(
    compiled: str, bar: tuple[float, ...], expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, compiled)
    assert w(bar, 0.3, 0.4) == expected


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ((0.5, 1.0, 0.0, 0.0, 0.0, 0.8), 0),  # the low is the close: no time is left
        ((1.0, 1.0, 0.0, 0.5, 0.3, 1.0), 0),  # the high was the open
        ((0.5, 1.0, 0.0, 0.2, 0.5 - 1e-8, 0.8), 1),  # all of the bar is left
        ((0.5, 1.0, 0.0, 0.8 - 1e-8, 0.2, 0.8), 1),  # all but closed there
    ],
)
def test_what_the_bar_all_but_proves_is_near_it(bar: tuple[float, ...], expected: float) -> None:
    assert w(bar, 0.3, 0.4) == pytest.approx(expected, abs=1e-6)


PLACES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1e-300, 1e-12, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-12, 1.0]))


@settings(deadline=None)
@given(
    places=st.tuples(PLACES, PLACES, PLACES, PLACES),
    size=st.sampled_from([0.0, 1e-12, 1e-4, 0.04, 3.0]),
    variance=st.sampled_from([0.0, 1e-300, 1e-12, 1e-3, 1.0, 1e12]),
    spread=st.sampled_from([0.0, 1e-9, 0.2, 1.0, np.inf]),
    nodes=st.sampled_from([FAST, EXACT]),
)
def test_every_bar_has_a_probability(
    places: tuple[float, ...], size: float, variance: float, spread: float, nodes: tuple[int, int]
) -> None:
    open, close, lower, upper = (-0.01 + size * place for place in places)
    assert 0 <= w((open, -0.01 + size, -0.01, close, lower, upper), variance, spread, nodes) <= 1


@pytest.mark.parametrize(
    ("bar", "variance"),
    [((0.9892, 1.0, 0.0, 0.2228, 0.3997, 0.5827), 3.3958), ((0.7345, 1.0, 0.0, 0.1267, 0.2307, 0.9988), 0.0867)],
)
def test_few_nodes_that_err_beyond_zero_or_one_are_held_back(bar: tuple[float, ...], variance: float) -> None:
    exact, fast = (w(bar, variance, 0.0, nodes) for nodes in (EXACT, FAST))
    assert fast in (0, 1)
    assert fast == pytest.approx(exact, abs=1e-7)


def test_the_variance_has_limits_that_are_reached_smoothly() -> None:
    bar = BARS[0]
    large = [w(bar, variance, 0.0) for variance in (1.0, 10.0, 100.0, 1e3, 1e5)]
    assert large == sorted(large)
    assert large[-1] == pytest.approx(1, abs=1e-6)  # time enough for everything
    small = [w(bar, variance, 0.0) for variance in (0.1, 0.03, 0.01, 1e-5)]
    assert small == sorted(small, reverse=True)
    assert small[-1] == pytest.approx(0, abs=1e-6)  # the shortest path from the open to this close is by the high


def test_a_nearer_target_and_an_earlier_entry_are_likelier() -> None:
    grid = np.linspace(0.02, 0.98, 25)
    bar = [np.array(each) for each in (0.6, 1.0, 0.0, 0.3)]
    found = take_profit_probability(*bar, 0.6 * grid[:, None], 0.3 + 0.7 * grid, 0.3, 0.4)
    assert (np.diff(found, axis=0) >= -1e-12).all()
    assert (np.diff(found, axis=1) <= 1e-12).all()
