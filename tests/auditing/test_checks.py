"""What each check of the audit notices, on models and chains with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.auditing import checks
from marketsim.auditing.audited import Audited
from marketsim.auditing.calls import called, one_by_one, shuffled
from marketsim.auditing.chain import Chain, first_cut, walk_until
from marketsim.auditing.symbol_audit import SymbolAudit, audit_symbol
from marketsim.backtesting import pipeline, simulation
from marketsim.data.walk_forward import make_walk
from marketsim.forecasting import futures, keys
from marketsim.forecasting.blend import Blend
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.protocols import Model
from marketsim.models.har import Har
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.candles import random_bars

SETTINGS = Settings.of(sims=12, window=8, fill="touch", cache="off")
CUTS = 2


class Reading:
    """A model that is handed contexts, and reads all there is in them."""

    name, version, trained_until, training = "reading", "1", None, "none"
    minimum_bars, context, batch, parameters = 5, 20, 8, {}

    def forecast(self, contexts: Any, times: Any) -> Any:
        moves = contexts[:, -1, :4] / contexts[:, -1:, 3] - 1
        seen = np.nansum(contexts[..., 4], 1) + times[:, -1].astype(int) % 7
        return moves[..., None] + 1e-3 * np.array(LEVELS) + 1e-6 * np.sin(seen)[:, None, None]


class Random(RollingQuantile):
    """Draws without a seed that it starts from anew."""

    name = "random"

    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)

    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-4 * self.rng.standard_normal((len(origins), 1, 1))


class Mingling(RollingQuantile):
    """Looks at how many origins are forecast together."""

    name = "mingling"

    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-5 * len(origins)


class InOrder(RollingQuantile):
    """Takes it that origins rise."""

    name = "in order"

    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-5 * (np.diff(origins) < 0).any()


class Remembering(RollingQuantile):
    """Knows which symbols it has forecast."""

    name = "remembering"

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def forecast(self, series: Any, origins: Any) -> Any:
        self.seen.add(series.symbol)
        return super().forecast(series, origins) + 1e-5 * len(self.seen)


class InDollars(RollingQuantile):
    """Knows what a price of 100 means."""

    name = "dollars"

    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) * np.where(series.ohlcv[origins, 3] > 50, 1.0, 2.0)[:, None, None]


class Rounding(RollingQuantile):
    """Sums in another order each time, so to speak."""

    name = "rounding"

    def forecast(self, series: Any, origins: Any) -> Any:
        return super().forecast(series, origins) + 1e-12 * len(origins)


def chain_of(model: Any) -> Chain:
    return Chain(pipeline.open_tools(SETTINGS, Clock(), model=model), SETTINGS)


def audited(model: Any) -> SymbolAudit:
    bars = random_bars(80)
    walk = pipeline.walk_over(bars, SETTINGS.walk, model)
    beside = replace(random_bars(80, seed=5), symbol="OTHER")
    return audit_symbol(chain_of(model), bars, walk, beside, CUTS, 3)


def subject_of(model: Any) -> Audited:
    bars = random_bars(80)
    return Audited.of(chain_of(model), bars, pipeline.walk_over(bars, SETTINGS.walk, model), 3)


def caught(model: Any) -> set[str]:
    return {check.name for check in audited(model).checks if not check.passed}


@pytest.mark.parametrize("model", [Har(), RollingQuantile(), Reading(), Blend((RollingQuantile(), Reading()))])
def test_honest_models_pass(model: Any) -> None:
    assert caught(model) == set()


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Random, {"each origin alone", "run from the cache"}),
        (Mingling, {"each origin alone", "other batches", "future cut"}),
        (InOrder, {"other order"}),
        (Remembering, {"after OTHER"}),
        (InDollars, {"prices x 1e-06"}),
        (Rounding, set()),
    ],
)
def test_each_fault_is_seen_where_it_lies(model: Callable[[], Any], expected: set[str]) -> None:
    found = caught(model())
    assert expected <= found
    if model in (InOrder, InDollars, Rounding):
        assert found == expected


def test_a_stated_tolerance_counts() -> None:
    model: Any = Rounding()
    model.tolerance = 0.0
    assert "each origin alone" in caught(model)
    model.tolerance = 1e-4
    assert caught(model) == set()


@pytest.mark.parametrize("model", [Har, Reading])
@pytest.mark.parametrize("blind", ["volume", "calendar"])
def test_a_key_without_the_calendar_or_the_volume_is_caught(
    model: Callable[[], Any], blind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two changes to the keys that a suite once did not notice."""
    context_keys, series_keys = keys.context_keys, keys.series_keys

    def without(ohlcv: Any) -> Any:
        return np.concatenate([ohlcv[:, :4], np.zeros((len(ohlcv), 1))], 1) if blind == "volume" else ohlcv

    def of_contexts(contexts: Any) -> list[bytes]:
        following = contexts.following
        if blind == "calendar":
            following = np.repeat(contexts.times[contexts.origins][:, None], following.shape[1], 1)
        return context_keys(replace(contexts, ohlcv=without(contexts.ohlcv), following=following))

    monkeypatch.setattr(keys, "context_keys", of_contexts)
    monkeypatch.setattr(
        keys, "series_keys", lambda series, origins: series_keys(replace(series, ohlcv=without(series.ohlcv)), origins)
    )
    check = checks.key_inputs(subject_of(model()))
    if model is Har and blind == "calendar":
        assert check.passed  # it is handed no stamp of the next bar
    else:
        assert check.found.first is not None
        assert blind in str(check.found.first.after)


def test_a_fit_that_sees_its_own_bar_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain after the forecasts is audited too: here every window holds the bar that is evaluated."""
    windows_of = simulation.windows_of

    def seeing(legs: Any, market: Any, rules: Any, close_at_eod: bool) -> Any:
        windows = windows_of(legs, market, rules, close_at_eod)
        return replace(windows, rows=np.minimum(windows.rows + 1, len(market.walk.origins) - 2))

    monkeypatch.setattr(simulation, "windows_of", seeing)
    found = {check.name: check.found.first for check in audited(Har()).checks if not check.passed}
    assert {"future cut", "future scrambled", "future rescaled"} == set(found)
    first = found["future scrambled"]
    assert first is not None and first.stage == "fit"


def test_futures_leave_the_past_and_what_a_bar_is_alone() -> None:
    bars = random_bars(60)
    for changed in (futures.scrambled(bars, 30, 1), futures.rescaled(bars, 30), futures.cut(bars, 30)):
        np.testing.assert_array_equal(changed.ohlcv[:31], bars.ohlcv[:31])
        np.testing.assert_array_equal(changed.time, bars.time[: len(changed)])
        open_, high, low, close, _ = changed.ohlcv.T
        assert (low <= np.minimum(open_, close)).all() and (high >= np.maximum(open_, close)).all()
    assert len(futures.cut(bars, 30)) == 31
    assert (futures.scrambled(bars, 30, 1).ohlcv[31:, :4] != bars.ohlcv[31:, :4]).all()


def test_an_earlier_walk_is_the_older_part_of_the_same() -> None:
    walk = make_walk(60, 10, 5, 3, "X")
    for origin in range(first_cut(walk), 60):
        earlier = walk_until(walk, random_bars(60), origin)
        np.testing.assert_array_equal(earlier.origins, walk.origins[walk.origins <= origin])
        np.testing.assert_array_equal(earlier.origins[earlier.windows[-1]], np.arange(origin - 5, origin))
        np.testing.assert_array_equal(earlier.judged, walk.judged)


@pytest.mark.parametrize("model", [RollingQuantile(), Reading()])
@pytest.mark.parametrize("calls", [one_by_one, shuffled])
def test_other_calls_give_the_same_rows_in_the_same_places(model: Any, calls: Any) -> None:
    bars = random_bars(80)
    chain = chain_of(model)
    walk = pipeline.walk_over(bars, SETTINGS.walk, model)
    expected = chain.forecasts(bars, walk).moves
    np.testing.assert_array_equal(chain.forecasts(bars, walk, calls=calls).moves, expected)
    sizes: list[int] = []
    other: Model = called(model, lambda count: [sizes.append(count) or np.arange(count)])
    assert (other.name, other.minimum_bars) == (model.name, model.minimum_bars)


def test_every_cut_leaves_a_simulation_and_a_future() -> None:
    subject = subject_of(Har())
    for count in (1, 4, 1000):
        cuts = subject.cuts(count)
        assert len(set(cuts)) == min(count, 11)
        assert first_cut(subject.walk) <= min(cuts) and max(cuts) < subject.last
    assert checks.alone(subject).passed


def test_finer_bars_get_the_same_future() -> None:
    bars = random_bars(60)
    hours = replace(random_bars(180, seed=2), time=(bars.time[:, None] + np.arange(3) * np.timedelta64(1, "h")).ravel())
    both = replace(bars, finer=(hours,))
    assert len(futures.cut(both, 30).finer[0]) == 93
    for changed in (futures.scrambled(both, 30, 1), futures.rescaled(both, 30)):
        (finer,) = changed.finer
        np.testing.assert_array_equal(finer.ohlcv[:93], hours.ohlcv[:93])
        assert (finer.ohlcv[93:, :4] != hours.ohlcv[93:, :4]).all()
