"""The figures of a strategy or baseline over all evaluated bars."""

from __future__ import annotations

import numpy as np
from msgspec.structs import asdict, replace

from marketsim.execution.track_record import FittedTrackRecord, TrackRecord
from marketsim.results.mean_profit import MeanProfit
from marketsim.results.metrics import max_drawdown, sharpe, sortino
from marketsim.results.result import Result
from marketsim.results.risk_intervals import sharpe_interval, sortino_interval
from marketsim.results.schema import StrategyRow
from marketsim.results.significance import mean_interval
from marketsim.results.walk_profits import deciding_fill
from marketsim.settings.choices import BASIS_POINTS


def strategy_row(track: FittedTrackRecord, result: Result) -> StrategyRow:
    """The row of a strategy."""
    window, aside = result.walk.windows.shape[1], track.fit.stood_aside[:-1]
    in_sample = np.where(aside, 0.0, track.fit.in_sample[:-1]).mean() / window
    row = baseline_row(track, result)
    in_sample_bps = float(BASIS_POINTS * in_sample)
    return replace(row, kind="strategy", in_sample_bps=in_sample_bps, stood_aside=int(aside.sum()))


def baseline_row(track: TrackRecord, result: Result) -> StrategyRow:
    """The row of a baseline, which fits nothing and never stands aside."""
    fill, seed = result.rules.fill, result.seed
    returns = track.profits[deciding_fill(fill)][::-1]
    orders, trades, ambiguous = int(track.orders.sum()), int(track.trades.sum()), track.ambiguous
    profit = MeanProfit.of(returns.mean(), mean_interval(returns, seed), len(returns))
    periods = result.bars.periods_per_year
    ratios = sharpe(returns, periods), sortino(returns, periods)
    of_sharpe = sharpe_interval(returns, ratios[0], periods, seed)
    of_sortino = sortino_interval(returns, ratios[1], periods, seed)
    return StrategyRow(
        name=track.name,
        kind="baseline",
        in_sample_bps=None,
        provable=float(track.profits["provable"].sum()),
        expected=float(track.profits["expected"].sum()),
        touch=float(track.profits["touch"].sum()),
        headline=float(track.profits[fill].sum()),
        **asdict(profit),
        bars=len(returns),
        orders=orders,
        stood_aside=None,
        trades=trades,
        fill_rate=trades / orders if orders else None,
        win_rate=float(track.wins.sum()) / trades if trades else None,
        ambiguous=int(ambiguous.sum()),
        probability=float(track.probability[ambiguous].mean()) if ambiguous.any() else None,
        sharpe=ratios[0],
        sharpe_low=None if of_sharpe is None else of_sharpe.low,
        sharpe_high=None if of_sharpe is None else of_sharpe.high,
        sortino=ratios[1],
        sortino_low=None if of_sortino is None else of_sortino.low,
        sortino_high=None if of_sortino is None else of_sortino.high,
        max_drawdown=max_drawdown(returns),
    )
