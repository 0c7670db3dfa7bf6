"""Settings: command line > MARKETSIM_* environment > --config TOML > default. Standard library only.

A setting is a field of `Settings` with its kind, which reads TOML values, and words from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from marketsim.errors import UsageError
from marketsim.registry import nearest
from marketsim.settings.database_url import without_password
from marketsim.settings.validators import KINDS

ENVIRONMENT_PREFIX = "MARKETSIM_"
FAST_SIMULATIONS = 35


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice of a run; `configs/default.toml` says what each one means."""

    sims: int = 70
    fast: bool = False
    window: int = 60
    model: str = "har"  # or NAME:VARIANT
    weights: str | None = None  # a folder or a repository; None: the model's own
    revision: str | None = None
    samples: int | None = None  # None, here and below: the model's own choice
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    clip: float | None = None
    trim: float | None = None  # None: the median, untrimmed
    context: int | None = None  # bars
    representation: str = "auto"
    device: str = "auto"
    dtype: str = "float32"
    compile: bool = False
    optimizer: str = "exact"
    strategy: str = "all"
    fill: str = "expected"
    close_at_eod: str = "auto"
    bounds: tuple[float, float] = (-0.03, 0.03)  # fractions of the close
    fee_bps: float | None = None  # per side; None: 15 for crypto, 5 for the rest
    slippage_bps: float = 5.0
    asset: str = "auto"
    source: str = "sample"
    data: str | None = None
    start: str | None = None  # ISO date, inclusive
    end: str | None = None  # ISO date, inclusive
    on_bad_bars: str = "error"
    seed: int = 42
    cache: str = "readwrite"
    cache_dir: str | None = None  # None: the platform's cache directory
    cache_url: str | None = field(default=None, repr=False)  # of a PostgreSQL database, in place of the directory
    workers: int = 1  # processes
    executor: str = "auto"
    scheduler: str | None = None  # its address

    @property
    def simulations(self) -> int:
        """The simulations that are run: `sims`, in fast mode at most 35."""
        return min(self.sims, FAST_SIMULATIONS) if self.fast else self.sims


KEYS = tuple(each.name for each in fields(Settings))
# They change when results come, not which.
MEANS = ("cache", "cache_dir", "cache_url", "workers", "executor", "scheduler")
CHOICES = {key: kind.names for key, kind in KINDS.items() if kind.names}

# The reference system's switches; a setting's own variable wins over them.
_ALIASES: dict[str, tuple[str, Callable[[bool], Any]]] = {
    "FAST_SIMULATE": ("fast", bool),
    "USE_DIRECT_OPTIMIZER": ("optimizer", lambda direct: "direct" if direct else "differential-evolution"),
}


def resolve(
    command_line: Mapping[str, str | bool], config_file: str | None, environ: Mapping[str, str]
) -> tuple[Settings, dict[str, str]]:
    """The settings, and for each key the place that set it (an option, a variable, a file, or "default").

    `command_line` holds the words of the options that were given, by key. UsageError names the place of a
    value that is wrong, and the nearest known name for a key or a variable that is unknown.
    """
    found = {key: (value, "default") for key, value in _defaults()}
    if config_file is not None:
        found |= {key: (value, config_file) for key, value in _file(config_file)}
    found |= {key: (value, name) for key, value, name in _environment(environ)}
    for key, value in command_line.items():
        option = "--" + key.replace("_", "-")
        found[key] = (value if isinstance(value, bool) else _words(key, value, option), option)
    settings = Settings(**{key: value for key, (value, _) in found.items()})
    return settings, {key: place for key, (_, place) in found.items()}


def shown(settings: Settings) -> dict[str, Any]:
    """The settings by key, fit to be printed: without a password."""
    url = settings.cache_url
    return asdict(settings) | {"cache_url": url and without_password(url)}


def _defaults() -> Iterator[tuple[str, Any]]:
    return ((each.name, each.default) for each in fields(Settings))


def _file(path: str) -> Iterator[tuple[str, Any]]:
    import tomllib

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror or error}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise UsageError(f"--config {path}: not a TOML file: {error}") from None
    for key, value in table.items():
        if key not in KINDS:
            raise UsageError(f"{path}: unknown key '{key}'{nearest(key, KEYS)}; `marketsim config` lists the keys")
        yield key, _check(key, value, f"{path}: {key}")


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """Every `MARKETSIM_*` variable as (key, value, name), aliases first: a setting's own variable wins."""
    names = [name for name in environ if name.startswith(ENVIRONMENT_PREFIX)]
    for name in sorted(names, key=lambda name: (name.removeprefix(ENVIRONMENT_PREFIX) not in _ALIASES, name)):
        suffix, text = name.removeprefix(ENVIRONMENT_PREFIX), environ[name]
        if suffix not in _ALIASES and (suffix != suffix.upper() or suffix.lower() not in KINDS):
            known = [ENVIRONMENT_PREFIX + key.upper() for key in (*KEYS, *_ALIASES)]
            raise UsageError(f"unknown variable {name}{nearest(name, known)}")
        if not text:
            continue
        if suffix in _ALIASES:
            key, meaning = _ALIASES[suffix]
            yield key, meaning(_words("fast", text, name)), name
        else:
            yield suffix.lower(), _words(suffix.lower(), text, name), name


def _words(key: str, text: str, place: str) -> Any:
    """The value that the words of an option or a variable give to the setting `key`."""
    try:
        return _check(key, KINDS[key].text(text), place)
    except ValueError:
        return _check(key, text, place)  # says what would be right


def _check(key: str, value: Any, place: str) -> Any:
    try:
        return KINDS[key].check(value)
    except ValueError as error:
        got = "" if KINDS[key].secret else f"got {value!r}, "
        raise UsageError(f"{place}: {got}{error}") from None
