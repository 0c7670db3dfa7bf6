import numpy as np
import pytest
from scipy import integrate, special, stats

from marketsim.forecasting.forecasts import LEVELS

pytest.importorskip("torch", reason="torch is not installed")

import torch

from marketsim.models.student_mixture import StudentMixture


def mixture(seed: int, *shape: int, apart: float = 1.0, dtype: torch.dtype = torch.float64) -> StudentMixture:
    """Random mixtures `shape`, the last of which is the number of components, `apart` scales from each other."""
    rng = np.random.default_rng(seed)
    parameters = (
        rng.dirichlet(np.ones(shape[-1]), shape[:-1]),
        2 + np.exp(rng.normal(0, 3, shape)),
        rng.normal(0, apart, shape),
        np.exp(rng.normal(0, 1, shape)),
    )
    return StudentMixture(*(torch.tensor(each, dtype=dtype) for each in parameters))


def exact_cdf(of: StudentMixture, x: np.ndarray) -> np.ndarray:
    weights, df, loc, scale = (each.double().numpy()[..., None, :] for each in of)
    return (weights * special.stdtr(df, (x[..., None] - loc) / scale)).sum(-1)


@pytest.mark.parametrize("df", [2.0, 2.001, 2.5, 3.0, 7.3, 40.0, 1e3, 1e5])
def test_distribution_function(df):
    x = np.concatenate([np.linspace(-12, 12, 301), [-1e6, 1e6]])
    one = StudentMixture(*(torch.tensor([each], dtype=torch.float64) for each in (1.0, df, 0.5, 2.0)))
    error = np.abs(one.cdf(torch.tensor(x)).numpy() - stats.t.cdf(x, df, 0.5, 2.0))
    assert error.max() < 2e-7
    assert error[np.abs(x) < 12].max() < 1e-9


@pytest.mark.parametrize("apart", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_quantiles_invert_it(apart, dtype):
    many = mixture(1, 5, 4, 24, apart=apart, dtype=dtype)
    quantiles = many.quantiles(LEVELS).numpy()
    assert quantiles.shape == (5, 4, len(LEVELS))
    assert (np.diff(quantiles) > 0).all()
    np.testing.assert_allclose(exact_cdf(many, quantiles), np.broadcast_to(LEVELS, quantiles.shape), atol=1e-6)


def test_quantiles_of_one_component_have_closed_forms():
    one = mixture(2, 50, 1)
    expected = stats.t.ppf(LEVELS, one.df, one.loc, one.scale)
    np.testing.assert_allclose(one.quantiles(LEVELS), expected, atol=1e-7 * one.scale.max())


@pytest.mark.parametrize("trim", [0.02, 0.2, 0.45])
@pytest.mark.parametrize(("apart", "narrow"), [(0.0, 1.0), (1.0, 1.0), (100.0, 1.0), (10.0, 1e-9)])
def test_trimmed_mean_is_the_mean_of_the_quantile_function(trim, apart, narrow):
    many = mixture(3, 2, 24, apart=apart)
    many = many._replace(scale=many.scale * narrow)
    steps = 300
    p = trim + (1 - 2 * trim) * (np.arange(steps) + 0.5) / steps
    brute = many.quantiles(tuple(p)).mean(-1)
    span = many.quantiles((trim, 1 - trim)).diff(dim=-1)[..., 0]
    assert ((many.trimmed_mean(trim) - brute).abs() < 1e-3 * span).all()


def test_trimmed_mean_agrees_with_an_integral_over_the_density():
    many = mixture(4, 5)
    low, high = many.quantiles((0.2, 0.8)).tolist()

    def integrand(x):
        return x * (many.weights.numpy() * stats.t.pdf(x, many.df, many.loc, many.scale)).sum()

    expected = integrate.quad(integrand, low, high, points=many.loc[(many.loc > low) & (many.loc < high)].tolist())
    assert float(many.trimmed_mean(0.2)) == pytest.approx(expected[0] / 0.6, abs=1e-8)


def test_trimmed_mean_of_one_component_is_its_centre_and_of_little_the_median():
    one = mixture(5, 50, 1)
    for trim in (1e-3, 0.2, 0.4999):
        np.testing.assert_allclose(one.trimmed_mean(trim), one.loc[:, 0], atol=1e-7 * float(one.scale.max()))
    many = mixture(6, 10, 24)
    np.testing.assert_allclose(many.trimmed_mean(0.4999), many.quantiles((0.5,))[..., 0], atol=1e-3)
