"""Scores of forecasts: the figures agree with the forecasts, all models share the bars, and chance is called chance."""

import numpy as np
import pytest

from marketsim.comparison.forecast_scores import score
from marketsim.comparison.schema import FailedModel
from marketsim.data import open_source
from marketsim.errors import UsageError
from marketsim.forecasting.forecasts import LEVELS, actual_moves
from marketsim.forecasting.scores import covered, pinball
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from marketsim.models.own import adopt
from marketsim.results.schema import FailedSymbol
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(cache="off")


@pytest.fixture(scope="module")
def document():
    found, notes = score(["ETHUSD", "NOPE"], ["har", "last-bar"], SETTINGS, 200)
    assert notes == []
    return found


def test_figures_are_those_of_the_models_own_forecasts(document):
    bars = open_source("sample").load("ETHUSD")
    origins = np.arange(len(bars) - 201, len(bars) - 1)
    moves, actual = Har().forecast(Series.of(bars), origins), actual_moves(bars, origins)
    symbol = document.symbols[0]
    assert (symbol.bars.count, symbol.bars.last) == (200, "2020-12-08")
    har = symbol.models[0]
    for c, channel in enumerate(("open", "high", "low", "close")):
        found = getattr(har, channel)
        assert found.pinball_bps == pytest.approx(1e4 * pinball(moves[:, c], actual[:, c], LEVELS).mean())
        assert found.coverage == covered(moves[:, c], actual[:, c]).mean()
        assert found.coverage_low < found.coverage < found.coverage_high
        assert sum(found.pit) == pytest.approx(1)
        assert sum(found.pit[1:-1]) == pytest.approx(found.coverage, abs=0.02)
        assert found.pinball_bps == pytest.approx(found.calibration_bps - found.resolution_bps + found.uncertainty_bps)
        assert found.pinball_bps < found.crps_bps < 2.2 * found.pinball_bps


def test_every_model_is_measured_against_the_baselines_that_it_is_not(document):
    har, last = document.symbols[0].models
    assert [each.against for each in har.together] == ["rolling-quantile", "last-bar"]
    assert [each.against for each in last.high.skills] == ["har", "rolling-quantile"]
    assert last.high.skills[0].skill == pytest.approx(1 - last.high.pinball_bps / har.high.pinball_bps)
    assert (har.high.skills[1].verdict, last.high.skills[0].verdict) == ("better", "worse")
    assert har.together[1].skill > 0.1


class Noisy:
    """`har` with a grain of noise: neither better nor worse."""

    trained_until = None

    def forecast(self, series, origins):
        moves = Har().forecast(series, origins)
        noise = np.stack([np.random.default_rng(origin).normal(0, 2e-3, (4, 1)) for origin in origins.tolist()])
        return np.clip(moves + noise, -0.9, 9)


def test_a_difference_that_is_chance_is_called_so():
    found, _ = score(["NVDA"], ["noisy", "har"], SETTINGS, 250, own={"noisy": adopt(Noisy())})
    noisy = found.symbols[0].models[0]
    assert noisy.close.skills[0].against == "har"
    assert noisy.close.skills[0].verdict == "chance"
    assert noisy.close.skills[0].p > 0.05
    same, _ = score(["NVDA"], ["blend:har"], SETTINGS, 250)
    assert same.symbols[0].models[0].together[0].verdict == "same"


def test_auto_picks_on_the_bars_before():
    found, notes = score(["NVDA"], ["auto"], SETTINGS, 100)
    assert notes == ["NVDA: auto picked 'har' of har, last-bar, rolling-quantile"]
    assert found.symbols[0].models[0].picked == "har"


def test_what_cannot_be_had_is_a_row(document):
    assert isinstance(document.symbols[1], FailedSymbol)

    class Broken:
        trained_until = None

        def forecast(self, series, origins):
            raise UsageError("no forecast today")

    found, _ = score(["NVDA"], ["broken", "har"], SETTINGS, 60, own={"broken": adopt(Broken())})
    broken, har = found.symbols[0].models
    assert isinstance(broken, FailedModel)
    assert "no forecast today" in broken.error
    assert har.high.pinball_bps > 0


@pytest.mark.parametrize(
    ("count", "words"),
    [(5000, "1209 bars; scores of 5000 need 5003"), (3, "scores need 10 bars or more, not 3")],
)
def test_bars_that_do_not_suffice_say_how_many_would(count, words):
    found, _ = score(["ETHUSD"], ["har"], SETTINGS, count)
    assert words in found.symbols[0].error


def test_without_a_number_half_of_few_bars_are_left_to_learn_from():
    found, _ = score(["TSLA", "ETHUSD"], ["har"], SETTINGS)
    assert [symbol.bars.count for symbol in found.symbols] == [125, 250]
