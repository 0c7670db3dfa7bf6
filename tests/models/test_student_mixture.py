import numpy as np
import pytest
import torch
from scipy import special, stats

from marketsim.forecasts import LEVELS
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
