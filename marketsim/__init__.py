"""marketsim: walk-forward backtests of next-bar forecasts, with exact fits and calibrated fills.

What `__all__` names is public and documented in docs/python.md; everything else may change without notice.
`marketsim.reference` keeps the reference system's function names.
"""

__version__ = "0.1.0"

__all__ = [
    "LEVELS",
    "AuditError",
    "AuditResult",
    "BacktestResult",
    "BacktestResults",
    "Bars",
    "DataError",
    "ForecastResult",
    "ForecastScores",
    "MarketsimError",
    "MissingExtra",
    "ModelComparison",
    "UsageError",
    "audit",
    "backtest",
    "backtest_many",
    "compare_models",
    "forecast",
    "load_bars",
    "models",
    "read_bars",
    "score_forecasts",
]

_ERRORS = ("AuditError", "DataError", "MarketsimError", "MissingExtra", "UsageError")

TYPE_CHECKING = False  # typing's own takes a third of this import's time
if TYPE_CHECKING:
    from marketsim import models as models
    from marketsim.api import (
        LEVELS,
        AuditResult,
        BacktestResult,
        BacktestResults,
        Bars,
        ForecastResult,
        ForecastScores,
        ModelComparison,
        audit,
        backtest,
        backtest_many,
        compare_models,
        forecast,
        load_bars,
        read_bars,
        score_forecasts,
    )
    from marketsim.errors import AuditError, DataError, MarketsimError, MissingExtra, UsageError


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562), so that `import marketsim` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'marketsim' has no attribute '{name}'")
    import importlib

    if name == "models":  # the package, which can be called
        return importlib.import_module("marketsim.models")
    return getattr(importlib.import_module("marketsim.errors" if name in _ERRORS else "marketsim.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
