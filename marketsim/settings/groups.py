"""Groups of settings: what one part of a run needs, and what a command offers as options."""

from __future__ import annotations

from msgspec import Struct

from marketsim.settings.choices import AUTO, DROP

FAST_SIMULATIONS = 35


class Group(Struct, frozen=True):
    """What all groups are; a field's name is the key of the setting, in TOML, in variables and as an option."""


class WalkSettings(Group, frozen=True):
    """How far the walk goes back, and how many bars each simulation fits on."""

    sims: int = 70
    fast: bool = False
    window: int | None = 60  # bars; None: the longest of a few that there is room for

    @property
    def simulations(self) -> int:
        """The simulations that are run: `sims`, in fast mode at most 35."""
        return min(self.sims, FAST_SIMULATIONS) if self.fast else self.sims


class NetworkSettings(Group, frozen=True):
    """Choices for models with weights, where None leaves a choice to the model, and options of a user's own model."""

    model_option: tuple[str, ...] = ()  # KEY=VALUE each
    weights: str | None = None  # a folder, or a repository ORG/NAME in place of the model's own
    revision: str | None = None  # of the repository: branch, tag or commit
    samples: int | None = None  # paths drawn a context
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    clip: float | None = None  # of standardized inputs
    trim: float | None = None  # of each tail: the mean of the rest is the point forecast; None: the median
    context: int | None = None  # bars
    representation: str = "auto"  # its input: moves or prices; auto: its own choice
    device: str = "auto"
    dtype: str = "float32"
    compile: bool = False  # with torch.compile, where it pays
    batch: int | None = None  # origins that the model is given in one call; None: as many as pay


class GivenSettings(Group, frozen=True):
    """Forecasts that somebody else made, in the place of a model's."""

    forecasts: str | None = None  # a file, or a folder of files
    missing: str = "error"  # what becomes of forecasts that it lacks


class TradingRules(Group, frozen=True):
    """Which orders are placed, how they fill and are closed, and between which multipliers a fit may choose."""

    strategy: str = "all"
    fill: str = "expected"
    close_at_eod: str = "auto"
    bounds: tuple[float, float] = (-0.03, 0.03)  # fractions of the close
    min_t: float = 1.5  # in-sample t below which no order is placed; 0: none
    half_life: float | None = None  # bars after which a bar of the window counts half; None: all count the same


class CostSettings(Group, frozen=True):
    """What a trade costs, in basis points."""

    fee_bps: float | None = None  # per side; None: 15 for crypto, 5 for the rest
    slippage_bps: float = 5.0  # on exits at the close


class BarsSettings(Group, frozen=True):
    """Which bars, and where they come from."""

    asset: str = "auto"
    source: str = "sample"
    data: str | None = None
    start: str | None = None  # ISO date or stamp, inclusive, as `end`
    end: str | None = None
    on_bad_bars: str = "error"
    calendar: str = AUTO  # of the market's sessions
    partial: str = DROP  # what becomes of a last bar that is not complete yet
    now: str | None = None  # ISO stamp that is taken for the present; None: the system's clock
    fetch: str | None = None  # a provider that brings the store up to date first, which then is the source
    timeframe: str = "1d"  # of the store's and the sample's bars
    store: str | None = None  # its directory; None: the platform's data directory
    date_format: str | None = None  # of strptime, or s, ms, us, ns for an epoch; None: found out
    timezone: str | None = None  # of stamps that have none; None: UTC
    adjust: str = "auto"  # by the file's adjusted close or splits, or none
    fine: str | None = None  # where finer bars are: sample, store, timeframes, or a path


class CacheSettings(Group, frozen=True):
    """Where forecasts are kept."""

    cache_dir: str | None = None  # None: the platform's cache directory
    cache_url: str | None = None  # of a PostgreSQL database, in place of the directory

    def __repr__(self) -> str:
        """Without the URL, which may hold a password."""
        return f"CacheSettings(cache_dir={self.cache_dir!r})"


class JournalSettings(Group, frozen=True):
    """Where plans are sealed."""

    journal: str | None = None  # a folder; None: in the platform's data directory


class WorkSettings(Group, frozen=True):
    """What symbols are spread over."""

    workers: int = 1  # processes
    executor: str = "auto"
    scheduler: str | None = None  # its address
    worker_timeout: float = 60.0  # seconds without a sign of life after which a cluster's worker is given up
