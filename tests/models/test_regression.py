"""`Regression`: any regressor in `har`'s place, fitted on the past alone."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import LEVELS, actual_moves
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.scores import pinball
from marketsim.forecasting.series import Series
from marketsim.models import har, regression
from marketsim.models.har import Har
from marketsim.models.own import adopt
from marketsim.models.own_spec import open_own_model
from marketsim.models.regression import Regression
from tests.candles import random_ohlcv, series_of
from tests.contracts.test_models import check_independence

sklearn_linear = pytest.importorskip("sklearn.linear_model", reason="the extra 'regression' is not installed")
lightgbm = pytest.importorskip("lightgbm", reason="the extra 'regression' is not installed")

SPEC = "marketsim.models.regression:Regression"


class LastRange:
    """Remembers what it was fitted on, and predicts the mean."""

    def __init__(self):
        self.fits = []

    def __deepcopy__(self, memo):
        other = LastRange()
        other.fits = self.fits  # shared, for the test to see
        return other

    def fit(self, X, y):
        self.fits.append((X.copy(), y.copy()))
        self.mean = y.mean()

    def predict(self, X):
        return np.full(len(X), self.mean)


@pytest.mark.parametrize(
    "estimator",
    [sklearn_linear.Ridge(), regression._made("lightgbm:LGBMRegressor", {"n_estimators": 5}), LastRange()],
    ids=["ridge", "lightgbm", "own"],
)
def test_a_forecast_depends_on_its_past_alone(estimator):
    check_independence(Regression(estimator, refit=100))


def test_each_fit_rests_on_the_pairs_before_its_bar():
    estimator, ohlcv = LastRange(), random_ohlcv(330)
    Regression(estimator, refit=50).forecast(series_of(ohlcv), np.array([329]))
    x, log_range = har._features(ohlcv)
    known = [219, 250, 300]  # har's least, then every fiftieth bar
    assert [len(y) for _, y in estimator.fits] == known
    for count, (features, target) in zip(known, estimator.fits, strict=True):
        np.testing.assert_array_equal(features, x[1:, :count].T)
        np.testing.assert_array_equal(target, log_range[1 : count + 1])


def test_ridge_that_is_fitted_on_every_bar_is_har():
    series, origins = series_of(random_ohlcv(280, seed=3)), np.arange(240, 280)
    ridge = sklearn_linear.Ridge(alpha=har.RIDGE)
    expected = Har().forecast(series, origins)
    np.testing.assert_allclose(Regression(ridge, refit=1).forecast(series, origins), expected, rtol=1e-6)


@pytest.mark.parametrize("estimator", ["sklearn.linear_model:Ridge", "lightgbm:LGBMRegressor"])
def test_it_forecasts_about_as_well_as_har_on_the_sample(estimator):
    bars = open_source("sample").load("NVDA")
    origins = np.arange(len(bars) - 301, len(bars) - 1)
    options = {"n_estimators": 30, "learning_rate": 0.05} if "lightgbm" in estimator else {}
    model = Regression(estimator, refit=100, **options)
    losses = [
        pinball(each.forecast(Series.of(bars), origins), actual_moves(bars, origins), LEVELS).mean(0)[1:]
        for each in (model, Har())
    ]
    assert (losses[0] / losses[1]).mean() < 1.03


def test_by_name_it_takes_the_options_of_its_estimator(capfd):
    model = open_own_model(SPEC, ["estimator=lightgbm:LGBMRegressor", "n_estimators=7", "refit=80"])
    chosen = model.model.estimator.get_params()
    assert (chosen["n_estimators"], chosen["n_jobs"], chosen["random_state"], model.model.refit) == (7, 1, 0, 80)
    assert open_own_model(SPEC, ["n_jobs=2", "estimator=lightgbm:LGBMRegressor"]).model.estimator.n_jobs == 2
    model.forecast(series_of(random_ohlcv(300)), np.array([299]))
    assert capfd.readouterr() == ("", "")


def test_it_is_told_apart_by_estimator_options_and_refit():
    ridge = sklearn_linear.Ridge
    models = [Regression(ridge()), Regression(ridge(alpha=2.0)), Regression(ridge(), refit=51), Regression(LastRange())]
    prints = {fingerprint(adopt(model)) for model in (*models, Regression(sklearn_linear.Lasso()))}
    assert len(prints) == 5
    assert fingerprint(adopt(Regression(ridge()))) in prints
    assert fingerprint(adopt(Regression(LastRange()))) not in prints  # nothing tells what that was made with
    assert fingerprint(open_own_model(SPEC, ["alpha=2.0"])) != fingerprint(open_own_model(SPEC, ["alpha=3.0"]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"refit": 0}, "refit must be 1 bar or more, not 0"),
        ({"estimator": object()}, "object has no methods `fit` and `predict`"),
        ({"estimator": sklearn_linear.Ridge(), "alpha": 1}, "options are for an estimator that is named"),
        ({"estimator": "sklearn.linear_model:Rigde"}, "must be MODULE:CLASS, such as lightgbm:LGBMRegressor"),
        ({"estimator": "sklearn.linear_model"}, "must be MODULE:CLASS"),
        ({"estimator": "no_such_package:Model"}, "there is no module 'no_such_package'"),
        ({"gamma": 1}, "unexpected keyword argument 'gamma'"),
    ],
)
def test_what_it_cannot_use_is_one_line(options, words):
    with pytest.raises(UsageError, match=words):
        Regression(**options)


def test_without_the_library_the_extra_is_named(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    monkeypatch.setattr(regression.importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match="regression"):
        Regression("lightgbm:LGBMRegressor")
