"""marketsim: backtest next-bar forecasts with exact fits, honest fills and walk-forward simulations."""

__version__ = "0.1.0"
