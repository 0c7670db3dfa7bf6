"""Models side by side: figures agree with a run of each, and a model that cannot be had is a row."""

import numpy as np
import pytest

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.comparison import models as ladder
from marketsim.errors import value_of
from marketsim.profiling import Clock
from marketsim.results.document import simulation_rows, symbol_document
from marketsim.results.metrics import bootstrap_interval
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=30, window=20, strategy="always-on", cache="off")


@pytest.fixture(scope="module")
def document():
    found, notes = ladder.compare(["ETHUSD", "NOPE"], ["har", "last-bar"], SETTINGS)
    assert notes == []
    return found


def test_profit_is_that_of_the_backtest_and_alpha_is_paired(document):
    for row in document["symbols"][0]["models"]:
        settings = Settings.of(sims=30, window=20, strategy="always-on", model=row["model"], cache="off")
        (run,) = pipeline.run(["ETHUSD"], settings, Clock())
        result = value_of(run.outcome)
        (mine,) = row["strategies"]
        profit = 1e4 * result.strategies[0].profits["expected"]
        assert mine["mean_bps"] == pytest.approx(profit.mean())
        best = max(result.baselines, key=lambda track: track.profits["expected"].mean())
        assert mine["baseline"] == best.name
        beyond = profit - 1e4 * best.profits["expected"]
        assert mine["alpha_bps"] == pytest.approx(beyond.mean())
        assert mine["alpha_interval_bps"] == pytest.approx(bootstrap_interval(beyond[::-1], 42))
        assert (
            mine["alpha_bps"]
            <= mine["mean_bps"] - 1e4 * max(0.0, *(t.profits["expected"].mean() for t in result.baselines)) + 1e-9
        )


def test_forecasts_are_judged_on_every_bar_of_the_walk(document):
    symbol = document["symbols"][0]
    assert (symbol["judged"], symbol["evaluated"]) == (50, 30)
    har, last = symbol["models"]
    assert har["pinball_bps"]["high"] < last["pinball_bps"]["high"]
    assert last["close_direction"] is None
    assert all(0.5 < share <= 1 for share in har["coverage"].values())
    assert har["seconds_a_forecast"] > 0
    assert har["exposure"] == {"clean": 30, "contaminated": 0, "unknown": 0}


def test_an_unknown_symbol_is_a_row_of_every_model(document):
    rows = document["symbols"][1]["models"]
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert all("NOPE" in row["error"] for row in rows)


class Trained:
    """Knows the range of past bars only, was trained on all of them, and takes options."""

    name, version, training = "trained", "1", "trained on everything"
    trained_until = "2020-11-30"
    minimum_bars = 2
    context, batch = 8, 64

    def __init__(self, variant, options):
        self.parameters = {"variant": variant, "samples": options.samples or 1}

    def forecast(self, contexts, times):
        width = np.array([0.1, 1, 1, 1])[:, None] * np.linspace(-0.02, 0.02, 9)
        return np.repeat(width[None], len(contexts), 0) + np.array([0, 0.02, -0.02, 0])[:, None]


def test_options_reach_the_models_that_have_use_for_them(monkeypatch):
    monkeypatch.setitem(registry.MODELS, "trained", f"{__name__}:Trained")
    monkeypatch.setitem(registry.VARIANTS, "trained", ("small",))
    settings = Settings.of(sims=30, window=20, samples=5, strategy="always-on", cache="off")
    found, _ = ladder.compare(["ETHUSD"], ["har", "trained", "blend:har,trained"], settings)
    har, trained, blend = found["symbols"][0]["models"]
    assert (har["status"], trained["status"], blend["status"]) == ("ok", "ok", "ok")
    assert trained["exposure"] == {"clean": 8, "contaminated": 22, "unknown": 0}
    assert blend["exposure"] == trained["exposure"]


def test_a_backtest_says_that_its_bars_were_seen(monkeypatch):
    monkeypatch.setitem(registry.MODELS, "trained", f"{__name__}:Trained")
    monkeypatch.setitem(registry.VARIANTS, "trained", ("small",))
    settings = Settings.of(sims=30, window=20, model="trained", cache="off")
    (run,) = pipeline.run(["ETHUSD"], settings, Clock())
    result = value_of(run.outcome)
    assert "22 of 30 evaluated bars lie in the model's training data" in symbol_document(result).verdict
    tags = [row.exposure for row in simulation_rows(result) if row.strategy == "always-on"]
    assert tags == ["clean"] * 8 + ["contaminated"] * 22


def test_a_model_that_cannot_be_had_is_a_row(monkeypatch):
    from marketsim.errors import MissingExtra

    class Absent:
        def __init__(self, variant, options):
            raise MissingExtra("the model", "absent")

    monkeypatch.setitem(registry.MODELS, "absent", f"{__name__}:Absent")
    monkeypatch.setitem(registry.VARIANTS, "absent", ("small",))
    monkeypatch.setattr(f"{__name__}.Absent", Absent, raising=False)
    found, _ = ladder.compare(["ETHUSD"], ["absent", "har"], SETTINGS)
    absent, har = found["symbols"][0]["models"]
    assert (absent["status"], har["status"]) == ("failed", "ok")
    assert "marketsim[absent]" in absent["error"]
