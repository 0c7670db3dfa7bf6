"""The example model that `marketsim models new` writes."""

CLASS = "MyModel"
TEMPLATE = '''\
"""A model of my own: tomorrow's bar is drawn from the last bars. See docs/own-models.md for the contract."""

import numpy as np

LEVELS = np.arange(1, 10) / 10  # quantiles from 10 % to 90 %


class MyModel:
    name = "my-model"
    trained_until = None  # fits on past bars only; or the date of the newest bar in its weights, "2024-05-31"
    minimum_bars = 21  # up to and including the origin

    def __init__(self, span: int = 250) -> None:  # --model-option span=100
        self.span = span

    def forecast(self, series, origins):
        """Quantiles [N, 4, 9] of the moves of open, high, low and close of the bar after each origin."""
        forecasts = np.empty((len(origins), 4, len(LEVELS)))
        for i, origin in enumerate(origins):
            known = series.until(origin)  # symbol, times [T] (UTC), ohlcv [T, 5]: all that may be used
            prices, closes = known.ohlcv[:, :4], known.ohlcv[:, 3]
            moves = prices[1:] / closes[:-1, None] - 1  # fractions of the close before
            forecasts[i] = np.quantile(moves[-self.span :], LEVELS, axis=0).T
        return forecasts
'''
