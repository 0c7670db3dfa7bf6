"""Models side by side: figures agree with a run of each, and a model that cannot be had is a row."""

import json

import msgspec
import numpy as np
import pytest

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.comparison.models import compare
from marketsim.comparison.schema import FailedModel
from marketsim.errors import DataError, value_of
from marketsim.profiling import Clock
from marketsim.results.document import simulation_rows, symbol_document
from marketsim.results.significance import mean_interval
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=30, window=20, strategy="always-on", min_t=1, cache="off")


@pytest.fixture(scope="module")
def document():
    found, notes = compare(["ETHUSD", "NOPE"], ["har", "last-bar"], SETTINGS)
    assert notes == []
    return found


def backtested(model, **options):
    settings = Settings.of(sims=30, window=20, strategy="always-on", min_t=1, model=model, cache="off", **options)
    (run,) = pipeline.run(["ETHUSD"], settings, Clock())
    return value_of(run.outcome)


def test_profit_is_that_of_the_backtest(document):
    for row in document.symbols[0].models:
        profit = 1e4 * backtested(row.model).strategies[0].profits["expected"]
        (mine,) = row.strategies
        assert mine.mean_bps == pytest.approx(profit.mean())
        interval = mean_interval(profit[::-1], 42)
        assert (mine.low_bps, mine.high_bps) == pytest.approx((interval.low, interval.high))


def test_every_model_is_measured_by_the_same_benchmarks(document):
    symbol = document.symbols[0]
    har = backtested("har")
    held = 1e4 * next(track for track in har.baselines if track.name == "buy-and-hold").profits["expected"]
    unfitted = 1e4 * har.baselines[0].profits["expected"]
    means = {row.name: row.mean_bps for row in symbol.benchmarks}
    assert means == pytest.approx({"buy-and-hold": held.mean(), "har unfitted": unfitted.mean()})
    for row in symbol.models:
        (mine,) = row.strategies
        profit = 1e4 * backtested(row.model).strategies[0].profits["expected"]
        for alpha, other in zip(mine.alphas, (held, unfitted), strict=True):
            assert alpha.mean_bps == pytest.approx((profit - other).mean())
            interval = mean_interval((profit - other)[::-1], 42)
            assert (alpha.low_bps, alpha.high_bps) == pytest.approx((interval.low, interval.high))
        assert [alpha.benchmark for alpha in mine.alphas] == ["buy-and-hold", "har unfitted"]


def test_har_is_the_benchmark_where_it_is_not_compared(document):
    found, notes = compare(["ETHUSD"], ["last-bar"], SETTINGS)
    assert notes == []
    assert [row.model for row in found.symbols[0].models] == ["last-bar"]
    assert rounded(found.symbols[0].benchmarks) == rounded(document.symbols[0].benchmarks)
    assert rounded(found.symbols[0].models[0].strategies) == rounded(document.symbols[0].models[1].strategies)


def rounded(rows):
    """The last digits rest on what is computed together, where there is no compiled code."""
    return json.loads(msgspec.json.encode(rows), parse_float=lambda digits: f"{float(digits):.12g}")


def test_without_har_there_is_holding_and_a_note(monkeypatch):
    class Broken:
        def __init__(self, *arguments):
            raise DataError("no har today")

    monkeypatch.setattr("marketsim.models.har.Har", Broken)
    found, notes = compare(["ETHUSD"], ["last-bar"], SETTINGS)
    assert notes == ["ETHUSD: no alpha against har: no har today"]
    assert [row.name for row in found.symbols[0].benchmarks] == ["buy-and-hold"]


def test_forecasts_are_judged_on_every_bar_of_the_walk(document):
    symbol = document.symbols[0]
    assert (symbol.bars.judged, symbol.bars.evaluated) == (50, 30)
    har, last = symbol.models
    assert har.pinball_bps.high < last.pinball_bps.high
    assert last.close_direction is None
    assert all(0.5 < getattr(har.coverage, channel) <= 1 for channel in ("open", "high", "low", "close"))
    assert har.seconds_a_forecast > 0
    assert (har.exposure.clean, har.exposure.contaminated, har.exposure.unknown) == (30, 0, 0)


def test_an_unknown_symbol_is_a_row_of_every_model(document):
    symbol = document.symbols[1]
    assert (symbol.bars, symbol.benchmarks) == (None, [])
    assert [type(row) for row in symbol.models] == [FailedModel, FailedModel]
    assert all("NOPE" in row.error for row in symbol.models)


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
    settings = Settings.of(sims=30, window=20, samples=5, strategy="always-on", min_t=1, cache="off")
    found, _ = compare(["ETHUSD"], ["har", "trained", "blend:har,trained"], settings)
    _, trained, blend = found.symbols[0].models
    assert (trained.exposure.clean, trained.exposure.contaminated, trained.exposure.unknown) == (8, 22, 0)
    assert blend.exposure == trained.exposure


def test_a_backtest_says_that_its_bars_were_seen(monkeypatch):
    monkeypatch.setitem(registry.MODELS, "trained", f"{__name__}:Trained")
    monkeypatch.setitem(registry.VARIANTS, "trained", ("small",))
    settings = Settings.of(sims=30, window=20, model="trained", cache="off")
    (run,) = pipeline.run(["ETHUSD"], settings, Clock())
    result = value_of(run.outcome)
    assert symbol_document(result).reasons[0].startswith("22 of 30 evaluated bars lie in the model's training data")
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
    found, _ = compare(["ETHUSD"], ["absent", "har"], SETTINGS)
    absent, har = found.symbols[0].models
    assert har.model == "har"
    assert "marketsim[absent]" in absent.error
