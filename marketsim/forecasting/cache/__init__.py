"""The forecast cache: rows that several processes or machines read and write at once.

A row is one forecast: the model's fingerprint, a digest of the bars that it saw, the numbers as raw little-endian
float64 with their shape and dtype, and a digest of all that. `sqlite.py` keeps the rows in a file, `postgres.py` in a
database, the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from marketsim.errors import MissingExtra
from marketsim.forecasting.cache.forecast_cache import ForecastCache
from marketsim.settings.groups import CacheSettings

__all__ = ["NO_HOME", "ForecastCache", "connect", "default_directory"]

NO_HOME = "~"  # of a user whom neither HOME nor the accounts know: nothing is kept


def connect(place: CacheSettings, mode: str) -> ForecastCache:
    """The cache of `cache_url`, else of `cache_dir`; UsageError where its URL is wrong."""
    if place.cache_url is None:
        from marketsim.forecasting.cache.sqlite import SqliteCache

        return SqliteCache(Path(place.cache_dir) if place.cache_dir else default_directory(), mode)
    try:
        from marketsim.forecasting.cache.postgres import PostgresCache
    except ImportError:
        raise MissingExtra("--cache-url", "cluster") from None
    return PostgresCache(place.cache_url, mode)


def default_directory() -> Path:
    """The platform's cache directory; below `NO_HOME` where nothing says which directory is the user's."""
    import platformdirs  # not needed where the user names a directory

    try:
        return Path(platformdirs.user_cache_dir("marketsim", appauthor=False))
    except RuntimeError:
        return Path(NO_HOME, "marketsim")
