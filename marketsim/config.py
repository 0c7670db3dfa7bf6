"""Settings: command line > MARKETSIM_* environment > --config TOML > default. Standard library only.

A setting is a field of `Settings` with its `_Kind`, which reads TOML values, and words from elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from marketsim.address import without_password
from marketsim.errors import UsageError
from marketsim.registry import ENSEMBLES, EXECUTORS, MODELS, OPTIMIZERS, SOURCES, VARIANTS, nearest

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


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a setting is read: `text` makes a TOML value of words, `check` the setting of a TOML value."""

    check: Callable[[Any], Any]  # raises ValueError with what would be right
    text: Callable[[str], Any] = str
    names: tuple[str, ...] = ()  # what there is to choose from
    secret: bool = False  # never quoted


def _integer(low: int, high: int = 2**63 - 1) -> _Kind:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"must be {low} or more" if value < low else f"must be {high} or less")
        return value

    return _Kind(check, int)


def _or_auto(kind: _Kind) -> _Kind:
    """A setting that may be left to the model."""
    return _Kind(
        lambda value: None if value == "auto" else kind.check(value),
        lambda text: text if text == "auto" else kind.text(text),
    )


def _between(low: float, high: float) -> _Kind:
    def check(value: Any) -> float:
        if not low < (number := _real(value)) <= high:
            raise ValueError(f"must be above {low:g}" + (f" and at most {high:g}" if math.isfinite(high) else ""))
        return number

    return _Kind(check, float)


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("must be a number")
    return float(value)


def _basis_points(value: Any) -> float:
    if not 0 <= (number := _real(value)) < 10_000:
        raise ValueError("must be basis points from 0 to below 10000")
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false (1 or 0 in a variable)")
    return value


def _flag_text(text: str) -> Any:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)


def _model(value: Any) -> str:
    name, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name in ENSEMBLES:
        members = rest.split(",") if colon else []
        for member in members:
            if member.partition(":")[0] in ENSEMBLES:
                raise ValueError(f"'{name}' cannot be made of '{member}'")
            _model(member)
        if len(set(members)) < len(members):
            raise ValueError(f"'{name}' must be made of different models")
        return str(value)
    if name not in MODELS:
        raise ValueError(f"must be one of {', '.join(MODEL_NAMES)}{nearest(str(value), MODEL_NAMES)}")
    known = VARIANTS.get(name, ())
    if colon and rest not in known:
        what = f"one of {', '.join(known)}" if known else "none"
        raise ValueError(f"the variant of '{name}' must be {what}{nearest(rest, known)}")
    return str(value)


def _choice(*names: str) -> _Kind:
    def check(value: Any) -> str:
        if value not in names:
            near = nearest(value, names) if isinstance(value, str) else ""
            raise ValueError(f"must be one of {', '.join(names)}{near}")
        return str(value)

    return _Kind(check, names=names)


def _optional(value: Any) -> str | None:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value or None


def _url(value: Any) -> str | None:
    text = _optional(value)
    if text is not None:
        without_password(text)
    return text


def _date(value: Any) -> str | None:
    from datetime import date

    try:
        return str(date.fromisoformat(str(value))) if value != "" else None
    except ValueError:
        raise ValueError("must be an ISO date such as 2020-12-08") from None


def _bounds(value: Any) -> tuple[float, float]:
    try:
        low, high = map(_real, value) if isinstance(value, list) else (-abs(_real(value)), _real(value))
    except ValueError:
        raise ValueError("must be one number such as 0.03, or LOW,HIGH such as -0.03,0.03") from None
    if not low < high:
        raise ValueError(f"the low bound {low:g} must be below the high bound {high:g}")
    if low < -1 or high > 10:
        raise ValueError("must lie within -1 and 10 (fractions of the close)")
    return low, high


def _bounds_text(text: str) -> Any:
    numbers = [float(part) for part in text.split(",")]
    return numbers if len(numbers) > 1 else numbers[0]


MODEL_NAMES = (
    *(each for name in MODELS for each in (name, *(f"{name}:{variant}" for variant in VARIANTS.get(name, ())))),
    *ENSEMBLES,
)
_KINDS = {
    "sims": _integer(1),
    "fast": _Kind(_flag, _flag_text),
    "window": _integer(1),
    "model": _Kind(_model, names=MODEL_NAMES),
    "weights": _Kind(_optional),
    "revision": _Kind(_optional),
    "samples": _or_auto(_integer(1)),
    "temperature": _or_auto(_between(0, math.inf)),
    "top_p": _or_auto(_between(0, 1)),
    "top_k": _or_auto(_integer(1)),
    "clip": _or_auto(_between(0, math.inf)),
    "context": _or_auto(_integer(1)),
    "representation": _choice("auto", "moves", "prices"),
    "device": _choice("auto", "cpu", "cuda", "mps"),
    "dtype": _choice("float32", "bfloat16"),
    "compile": _Kind(_flag, _flag_text),
    "optimizer": _choice(*OPTIMIZERS),
    "strategy": _choice("entry-exit", "always-on", "all"),
    "fill": _choice("expected", "provable", "touch"),
    "close_at_eod": _choice("auto", "always", "never"),
    "bounds": _Kind(_bounds, _bounds_text),
    "fee_bps": _or_auto(_Kind(_basis_points, float)),
    "slippage_bps": _Kind(_basis_points, float),
    "asset": _choice("auto", "crypto", "stock"),
    "source": _choice(*SOURCES),
    "data": _Kind(_optional),
    "start": _Kind(_date),
    "end": _Kind(_date),
    "on_bad_bars": _choice("error", "drop"),
    "seed": _integer(0, 2**32 - 1),
    "cache": _choice("readwrite", "readonly", "refresh", "off"),
    "cache_dir": _Kind(_optional),
    "cache_url": _Kind(_url, secret=True),
    "workers": _integer(1),
    "executor": _choice("auto", *EXECUTORS),
    "scheduler": _Kind(_optional),
}
KEYS = tuple(each.name for each in fields(Settings))
# They change when results come, not which.
MEANS = ("cache", "cache_dir", "cache_url", "workers", "executor", "scheduler")
CHOICES = {key: kind.names for key, kind in _KINDS.items() if kind.names}

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
        if key not in _KINDS:
            raise UsageError(f"{path}: unknown key '{key}'{nearest(key, KEYS)}; `marketsim config` lists the keys")
        yield key, _check(key, value, f"{path}: {key}")


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """Every `MARKETSIM_*` variable as (key, value, name), aliases first: a setting's own variable wins."""
    names = [name for name in environ if name.startswith(ENVIRONMENT_PREFIX)]
    for name in sorted(names, key=lambda name: (name.removeprefix(ENVIRONMENT_PREFIX) not in _ALIASES, name)):
        suffix, text = name.removeprefix(ENVIRONMENT_PREFIX), environ[name]
        if suffix not in _ALIASES and (suffix != suffix.upper() or suffix.lower() not in _KINDS):
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
        return _check(key, _KINDS[key].text(text), place)
    except ValueError:
        return _check(key, text, place)  # says what would be right


def _check(key: str, value: Any, place: str) -> Any:
    try:
        return _KINDS[key].check(value)
    except ValueError as error:
        got = "" if _KINDS[key].secret else f"got {value!r}, "
        raise UsageError(f"{place}: {got}{error}") from None
