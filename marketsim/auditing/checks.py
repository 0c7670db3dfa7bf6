"""The checks of an audit: what each changes, and what must stay the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.auditing.audited import Audited
from marketsim.auditing.calls import shuffled
from marketsim.auditing.chain import walk_until
from marketsim.auditing.difference import Comparison, Difference, compare
from marketsim.auditing.kept_forecasts import KeptForecasts
from marketsim.auditing.key_inputs import unseen_inputs
from marketsim.auditing.trace import Trace
from marketsim.data.bars import Bars
from marketsim.forecasting import futures
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.requests import ForecastRequest

ODD_BATCH = 7  # origins in a call, where as many as pay is usual
SCALES = (1e-6, 1e6)
SCALE_TOLERANCE = 1e-5  # moves: what a network makes of prices in another unit
SCALE_PROFIT = 1e-9  # of a bar


class Check(Struct, frozen=True):
    """One thing that was changed, and the worst that came of it."""

    name: str
    runs: int
    tolerance: float  # moves; 0: to the bit
    found: Comparison

    @property
    def passed(self) -> bool:
        """Whether nothing moved but by rounding."""
        return self.found.first is None


def alone(audited: Audited) -> Check:
    """Every forecast made only from the bars up to its origin."""
    return _same_bars("each origin alone", audited, audited.alone)


def other_futures(audited: Audited, cuts: Sequence[int]) -> Iterator[Check]:
    """The chain on bars that are cut, scrambled or rescaled after an origin; nothing up to there may move."""
    changes = {
        "future cut": (futures.cut, audited.tolerance),
        "future scrambled": (lambda bars, origin: futures.scrambled(bars, origin, audited.seed), 0.0),
        "future rescaled": (futures.rescaled, 0.0),
    }
    for name, (change, tolerance) in changes.items():
        found = [_with_future(audited, change(audited.bars, cut), cut, tolerance) for cut in cuts]
        yield Check(name, len(cuts), tolerance, worst(found))


def _with_future(audited: Audited, bars: Bars, origin: int, tolerance: float) -> Comparison:
    """The chain on bars of another future; fits and trades are compared where not a bit of the forecasts moved.

    A model that is handed contexts alone, and a file, are not asked for what comes later: they cannot look there.
    """
    chain = audited.chain
    shorter = audited.reads_contexts or audited.is_given or len(bars) == origin + 1
    walk = walk_until(audited.walk, bars, origin) if shorter else audited.walk
    forecasts = chain.forecasts(bars, walk, cache=audited.kept)
    trace = chain.trace(bars, forecasts)
    found = compare(audited.base, trace, origin, tolerance)
    if found.first is None and found.exact:
        return compare(audited.base, trace.plus(chain.result(bars, walk, forecasts)), origin, 0.0)
    return found


def other_calls(audited: Audited, beside: Bars) -> Iterator[Check]:
    """The model called in another order, in other batches, and after another symbol."""
    chain, bars, walk = audited.chain, audited.bars, audited.walk
    batches = replace(chain, settings=chain.settings.replace(batch=ODD_BATCH))
    newest = _newest(beside, len(walk.origins))
    companion = ForecastRequest(beside, newest, newest[:-1])
    yield _same_bars("other order", audited, chain.forecasts(bars, walk, calls=shuffled))
    yield _same_bars("other batches", audited, batches.forecasts(bars, walk))
    yield _same_bars(f"after {beside.symbol}", audited, chain.forecasts(bars, walk, beside=companion))


def run_again(audited: Audited) -> Check:
    """The whole chain once more, on forecasts that are read from where they were kept."""
    chain, bars, walk = audited.chain, audited.bars, audited.walk
    kept = KeptForecasts.of_all(chain.tools.model)
    chain.forecasts(bars, walk, cache=kept)
    forecasts = chain.forecasts(bars, walk, cache=kept)
    again = chain.trace(bars, forecasts)
    found = compare(audited.base, again, audited.last, audited.tolerance)
    if found.first is None and found.exact:
        found = compare(audited.base, again.plus(chain.result(bars, walk, forecasts)), audited.last, 0.0)
    return Check("run from the cache", 2, audited.tolerance, found)


def _same_bars(name: str, audited: Audited, forecasts: Forecasts) -> Check:
    """A check on the same bars: equal forecasts imply equal fits and trades, so only forecasts are compared."""
    trace = audited.chain.trace(audited.bars, forecasts)
    return Check(name, 1, audited.tolerance, compare(audited.base, trace, audited.last, audited.tolerance))


def other_units(audited: Audited) -> Iterator[Check]:
    """Prices in units of a millionth, and of a million."""
    chain, walk = audited.chain, audited.walk
    tolerance = max(audited.tolerance, SCALE_TOLERANCE if audited.reads_contexts else 0.0)
    for scale in SCALES:
        ohlcv = audited.bars.ohlcv.copy()
        ohlcv[:, :4] *= scale
        scaled = replace(audited.bars, ohlcv=ohlcv)
        trace = chain.trace(scaled, chain.forecasts(scaled, walk))
        found = compare(audited.base.forecasts, trace.forecasts, audited.last, tolerance)
        if found.first is None:
            same = Trace(()).plus(chain.result(scaled, walk, audited.forecasts))
            found = replace(found, first=_other_fit(audited, same))
        yield Check(f"prices x {scale:g}", 1, tolerance, found)


def _other_fit(audited: Audited, scaled: Trace) -> Difference | None:
    """Where the same forecasts of the same moves fit otherwise, because prices have another unit."""
    by_name = {channel.name: channel for channel in scaled.channels if channel.name.endswith("in sample")}
    for mine in audited.base.channels:
        if mine.name in by_name:
            values = by_name[mine.name].values
            apart = np.abs(mine.values - values)
            if (apart > SCALE_PROFIT * audited.walk.windows.shape[1]).any():
                row = int(apart.argmax())
                before, after = float(mine.values[row]), float(values[row])
                return Difference(mine.name, "fit", int(mine.origins[row]), before, after)
    return None


def key_inputs(audited: Audited) -> Check:
    """Whether a change of any model input changes the forecast's cache key."""
    unseen = unseen_inputs(audited.chain, audited.bars, audited.walk)
    first = None
    if unseen:
        model, what = unseen[0]
        first = Difference(f"cache key of {model}", "cache key", audited.last, "the same", f"with another {what}")
    return Check("cache key", 1, 0.0, Comparison(len(audited.walk.origins), 0.0, first))


def worst(found: Sequence[Comparison]) -> Comparison:
    """The comparisons as one: the earliest difference."""
    firsts = [result.first for result in found if result.first is not None]
    return Comparison(
        origins=sum(result.origins for result in found),
        largest=max((result.largest for result in found), default=0.0),
        first=min(firsts, key=lambda difference: difference.origin, default=None),
    )


def _newest(bars: Bars, count: int) -> NDArray[np.int64]:
    """The newest origins, so many of them or half of all."""
    return np.arange(len(bars) - min(count, len(bars) // 2), len(bars))
