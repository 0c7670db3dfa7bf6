"""The data of a symbol's pictures as arrays, from the same rows and charts as its report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, json
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import LEVELS
from marketsim.results.charts import Charts, FittedWindow, ForecastQuality
from marketsim.results.html.packing import unpack
from marketsim.results.html.rows import AT_CLOSE, IN_DOUBT, NOT_FILLED, rows_of
from marketsim.results.schema import SymbolDocument

CLOSE = 2  # among high, low and close, whose quantiles charts hold
SURFACE_AXES = (2, 1, 0)  # along which surfaces are differences, undone from the last

Floats = NDArray[np.float64]


class Leg(Struct, frozen=True):
    """The trades of one side."""

    side: str  # long or short
    bars: NDArray[np.int64]  # [K] that were entered
    entries: Floats  # [K] prices
    exits: Floats  # [K] prices; of those in doubt that of the take-profit
    in_doubt: NDArray[np.bool_]  # [K] whether it was filled


class StrategyPictures(Struct, frozen=True):
    """A strategy on S bars, oldest first; profits are summed, fractions of the stake."""

    name: str
    headline: Floats  # [S]
    worst: Floats  # [S]
    best: Floats  # [S]
    unfitted: Floats  # [S]
    upper: Floats  # [S] price units
    lower: Floats  # [S]
    in_doubt: NDArray[np.bool_]  # [S] whether a take-profit is
    legs: tuple[Leg, ...]
    fits: Sequence[FittedWindow]  # the plan's last
    surface: Floats  # [places, places] of `l` and `h`, basis points a bar, of the plan's window


class SymbolPictures(Struct, frozen=True):
    """A symbol on S bars, oldest first."""

    symbol: str
    model: str
    fill: str
    times: Sequence[str]  # [S]
    bars: Floats  # [S, 4] open, high, low, close
    levels: Sequence[float]  # [Q] of the quantiles
    quantiles: Floats  # [S, Q] forecast of the close, price units
    holding: Floats  # [S] summed profit
    forecast: ForecastQuality
    bounds: tuple[float, float]
    window: int  # bars
    strategies: tuple[StrategyPictures, ...]

    @classmethod
    def of(cls, document: SymbolDocument, simulations: str, equity: str, charts_text: str) -> SymbolPictures:
        """The pictures of a symbol, from its rows as CSV and its charts as JSON."""
        charts, rows = json.decode(charts_text, type=Charts), rows_of(document, simulations, equity)
        grid, arrays = unpack(charts.arrays)
        names: list[str] = rows.facts["names"]
        part, tick, endings = rows.facts["part"], rows.facts["tick"], rows.arrays["endings"]
        sums = np.cumsum(rows.arrays["headline"], axis=1)
        prices, levels = tick * rows.arrays["bars"], tick * rows.arrays["levels"]
        moves = arrays["quantiles"][:-1, CLOSE] * (float(arrays["most"][0]) / grid["whole"])
        strategies = []
        for i, fitted in enumerate(charts.objective):
            at = names.index(fitted.strategy)
            unfitted = "unfitted" if "unfitted" in names else f"{fitted.strategy} unfitted"
            upper, lower = levels[:, i]
            strategies.append(
                StrategyPictures(
                    name=fitted.strategy,
                    headline=part * sums[at],
                    worst=part * (sums[at] - rows.arrays["below"][at]),
                    best=part * (sums[at] + rows.arrays["above"][at]),
                    unfitted=part * sums[names.index(unfitted)],
                    upper=upper,
                    lower=lower,
                    in_doubt=(endings[i] == IN_DOUBT).any(1),
                    legs=(
                        _leg("long", prices, np.minimum(prices[:, 0], lower), upper, endings[i, :, 0]),
                        _leg("short", prices, np.maximum(prices[:, 0], upper), lower, endings[i, :, 1]),
                    ),
                    fits=fitted.windows,
                    surface=grid["step"] * _restored(arrays[f"surface {i}"])[-1],
                )
            )
        return cls(
            symbol=document.symbol,
            model=document.model.name,
            fill=document.fill,
            times=rows.facts["times"],
            bars=prices,
            levels=LEVELS[:: 1 if moves.shape[1] == len(LEVELS) else 2],
            quantiles=arrays["closes"][:-1, None] * (1 + moves),
            holding=part * sums[-1],
            forecast=charts.forecast,
            bounds=charts.bounds,
            window=charts.window,
            strategies=tuple(strategies),
        )


def _leg(side: str, prices: Floats, entries: Floats, target: Floats, endings: NDArray[np.uint8]) -> Leg:
    """The trades of a side whose take-profits are at the `target`."""
    (bars,) = np.nonzero(endings != NOT_FILLED)
    exits = np.where(endings == AT_CLOSE, prices[:, 3], target)
    return Leg(side, bars, entries[bars], exits[bars], endings[bars] == IN_DOUBT)


def _restored(differences: NDArray[np.int16]) -> Floats:
    """Surfaces `[windows, l, h]`, which come as differences modulo 2 ** 16."""
    sums = differences
    for axis in SURFACE_AXES:
        sums = np.cumsum(sums, axis=axis, dtype=np.int16)
    return sums.astype(np.float64)
