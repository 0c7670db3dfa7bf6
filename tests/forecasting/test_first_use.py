"""The audit of a model from outside at its first use: what it costs, what it catches, what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from marketsim.errors import AuditError, Failure, Success, UsageError, value_of
from marketsim.forecasting.audit_records import AuditRecord, AuditRecords
from marketsim.forecasting.blend import Blend
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.forecasting.files.forecast_files import forecasts_in_frame
from marketsim.forecasting.first_use import MOST, MOST_CONTEXTS, FirstUse
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import LEVELS, Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.forecast_file import ForecastFile
from marketsim.models.har import Har
from marketsim.models.own import adopt
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from tests.candles import random_bars
from tests.forecasting.test_audit_records import EVIDENCE
from tests.given import tidy

ORIGINS = np.arange(160, 291)  # 131, as many as 70 simulations on 60 bars have
BARS = random_bars(291)


class Honest:
    """Counts the forecasts that it is asked for."""

    trained_until = None

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {"kind": type(self).__name__}
        self.asked: list[int] = []

    def forecast(self, series: Any, origins: Any) -> Any:
        self.asked.append(len(origins))
        return RollingQuantile().forecast(series, origins)


class Peeking(Honest):
    def forecast(self, series: Any, origins: Any) -> Any:
        following = np.minimum(origins + 1, len(series) - 1)
        return super().forecast(series, origins) + 1e-6 * np.log(series.ohlcv[following, 3, None, None])


class Mingling(Honest):
    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-6 * len(origins)


class Unseeded(Honest):
    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-4 * np.random.default_rng().random((len(origins), 1, 1))


class Needing(Honest):
    """Fails where nothing follows the origin, but not in a run, of which the newest forecast is another's."""

    def forecast(self, series: Any, origins: Any) -> Any:
        if origins[0] + 1 == len(series):
            raise IndexError("no next bar")
        return super().forecast(series, origins)


class Rounding(Honest):
    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-13 * len(origins)


class Reading(Honest):
    """Is handed contexts."""

    context, minimum_bars = 20, 5

    def forecast(self, contexts: Any, times: Any) -> Any:
        self.asked.append(len(contexts))
        moves = contexts[:, -1, :4] / contexts[:, -1:, 3] - 1
        return moves[..., None] + 1e-3 * np.array(LEVELS)


class Remembering(Reading):
    """Finds the bar that it is to forecast among the contexts that end later, which it was handed before."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[Any, Any] = {}

    def forecast(self, contexts: Any, times: Any) -> Any:
        moves = super().forecast(contexts, times)
        for context, stamps in zip(contexts, times, strict=True):
            self.seen.update(zip(stamps[:-1], context[:, :4], strict=True))
        for i, stamps in enumerate(times):
            if stamps[-1] in self.seen:
                moves[i] = (self.seen[stamps[-1]] / contexts[i, -1, 3] - 1)[:, None]
        return moves


def made(
    model: Any, records: AuditRecords | None = None, allow: bool = False, cache: Any = None, origins: Any = ORIGINS
) -> Forecasts:
    """The forecasts of one walk, audited as a run audits them."""
    first_use = FirstUse(records, allow, Har(), Clock())
    forecaster = Forecaster(adopt(model) if isinstance(model, Honest) else model, cache, Clock(), first_use=first_use)
    (outcome,) = forecaster.forecasts([ForecastRequest(BARS, origins)])
    return value_of(outcome)


@pytest.mark.parametrize("kind", [Honest, Rounding, Reading])
def test_an_honest_model_passes_at_most_a_twentieth_more_forecasts(kind: type[Honest], tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    model = kind()
    assert made(model, records).look_ahead is None
    most = MOST_CONTEXTS if kind is Reading else MOST
    assert sum(model.asked) == len(ORIGINS) + most
    assert most <= 0.05 * len(ORIGINS)
    record = records.get(fingerprint(adopt(model)))
    assert record == AuditRecord(
        fingerprint(adopt(model)), kind.__name__, symbol="TEST", origins=most, doubts={"TEST": None}
    )
    model.asked.clear()
    made(model, records)
    assert sum(model.asked) == len(ORIGINS)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Peeking, "model 'Peeking' looks ahead (TEST, origin 20"),
        (Mingling, "model 'Mingling' forecasts otherwise when other origins are forecast beside one, later ones among"),
        (Unseeded, "model 'Unseeded' forecasts the same bars otherwise when it is asked again"),
        (Remembering, "model 'Remembering'"),
        (Needing, "model 'Needing' fails where the run did not (TEST, origin 20"),
    ],
)
def test_a_dishonest_one_is_caught_and_known_from_then_on(kind: type[Honest], words: str, tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    for again in (False, True):
        model = kind()
        with pytest.raises(AuditError) as caught:
            made(model, records)
        assert words in str(caught.value)
        assert "--allow-lookahead" in str(caught.value)
        assert caught.value.exit_code == 5
        assert bool(model.asked) is not again  # the second time it forecasts nothing
    found = made(kind(), records, allow=True)
    assert found.look_ahead is not None and found.look_ahead.count(words) == 1


def test_a_model_is_audited_that_was_cached_before_there_were_audits(tmp_path: Path) -> None:
    with SqliteCache(tmp_path) as cache:
        Forecaster(adopt(Peeking()), cache, Clock()).forecasts([ForecastRequest(BARS, ORIGINS)])
        with pytest.raises(AuditError):
            made(Peeking(), None, cache=cache)


def test_members_of_an_ensemble_are_audited_and_marketsims_own_models_are_not() -> None:
    with pytest.raises(AuditError):
        made(Blend((Har(), adopt(Peeking()))))
    found = made(Blend((Har(), adopt(Peeking()))), allow=True)
    assert found.look_ahead is not None and "'Peeking'" in found.look_ahead
    assert made(Har()).look_ahead is None


def test_an_ensemble_that_an_audit_caught_is_known_from_then_on(tmp_path: Path) -> None:
    ensemble = Blend((Har(), adopt(Honest())))
    records = AuditRecords(tmp_path, "readwrite")
    assert made(ensemble, records).look_ahead is None
    records.put(AuditRecord(fingerprint(ensemble), "blend", symbol="TEST", origins=9, evidence=EVIDENCE))
    with pytest.raises(AuditError, match="model 'blend' looks ahead"):
        made(ensemble, records)
    assert made(ensemble, records, allow=True).look_ahead is not None


def test_what_fails_in_the_run_fails_there() -> None:
    class Broken(Honest):
        def forecast(self, series: Any, origins: Any) -> Any:
            raise ValueError("no")

    first_use = FirstUse(None, False, Har(), Clock())
    forecaster = Forecaster(adopt(Broken()), None, Clock(), first_use=first_use)
    (outcome,) = forecaster.forecasts([ForecastRequest(BARS, ORIGINS)])
    assert isinstance(outcome, Failure)
    assert "raised ValueError: no" in str(outcome.error)


def test_too_few_origins_are_not_audited_and_nothing_is_kept(tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    forecaster = Forecaster(adopt(Peeking()), None, Clock(), first_use=FirstUse(records, False, Har(), Clock()))
    (outcome,) = forecaster.forecasts([ForecastRequest(BARS, ORIGINS[-1:])])  # nothing follows it
    assert isinstance(outcome, Success)
    assert not list(tmp_path.iterdir())


def test_a_stated_tolerance_is_rounding_and_no_more() -> None:
    model: Any = Mingling()
    model.tolerance = 1e-4
    with pytest.raises(AuditError):  # by 131 times 1e-6
        made(model)
    model.tolerance = 0.5
    with pytest.raises(UsageError, match=r"Mingling.tolerance is 0.5: it must be a move from 0 to 0.0001"):
        adopt(model)


class Knowing(Honest):
    """Keeps the future where no audit can change it."""

    def forecast(self, series: Any, origins: Any) -> Any:
        honest = super().forecast(series, origins)
        following = BARS.ohlcv[np.minimum(origins + 1, len(BARS) - 1), :4] / BARS.ohlcv[origins, 3, None] - 1
        return 0.5 * (honest + following[..., None])


def test_what_no_audit_can_catch_is_hard_to_believe_and_said_each_time(tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    for _ in range(2):
        found = made(Knowing(), records)
        assert found.look_ahead is None
        assert found.implausible is not None
        assert "the forecasts of 'Knowing' are implausible (TEST: on 129 bars their loss is 0." in found.implausible
        assert found.implausible in found.notes
    assert made(Honest(), records).implausible is None


def test_what_was_forecast_of_too_few_bars_is_looked_at_when_there_are_more(tmp_path: Path) -> None:
    records = AuditRecords(tmp_path, "readwrite")
    assert made(Knowing(), records, origins=ORIGINS[-20:]).implausible is None
    assert made(Knowing(), records).implausible is not None


def test_every_symbol_of_a_file_is_looked_at_on_all_that_the_file_has(tmp_path: Path) -> None:
    """A few simulations, or another symbol before, leave nothing unseen."""
    records = AuditRecords(tmp_path, "readwrite")
    honest, knowing = (
        replace(random_bars(291, seed), symbol=symbol) for seed, symbol in ((3, "HONEST"), (4, "KNOWING"))
    )
    knows = tidy(knowing, count=100)
    for channel, name in enumerate(("open", "high", "low", "close")):
        truth = knowing.ohlcv[np.minimum(np.arange(192, 292), 290), channel] / knowing.close[191:] - 1
        for level in range(10, 100, 10):
            knows[f"{name}_q{level}"] = 0.5 * (knows[f"{name}_q{level}"] + truth)
    table = pd.concat([tidy(honest, count=100), knows])
    file = ForecastFile(forecasts_in_frame(table, None), "error")
    for bars in (honest, knowing, knowing, honest):
        first_use = FirstUse(records, False, Har(), Clock())
        forecaster = Forecaster(file, None, Clock(), first_use=first_use)
        (outcome,) = forecaster.forecasts([ForecastRequest(bars, ORIGINS[-5:])])
        words = value_of(outcome).implausible
        if bars is honest:
            assert words is None
        else:
            assert words is not None and "implausible (KNOWING: on 98 bars" in words
    (record,) = records.all()
    assert record.symbol is None and record.doubts.keys() == {"HONEST", "KNOWING"}
