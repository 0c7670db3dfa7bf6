"""Settings: command line > MARKETSIM_* environment > --config TOML > default. Standard library only.

A setting is a field of `Settings` or of one of its groups, with its kind, which reads TOML values, and words from
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from marketsim.errors import UsageError
from marketsim.registry import nearest
from marketsim.settings.database_url import without_password
from marketsim.settings.groups import (
    BarsSettings,
    CacheSettings,
    CostSettings,
    Group,
    NetworkSettings,
    TradingRules,
    WalkSettings,
    WorkSettings,
)
from marketsim.settings.validators import KINDS

ENVIRONMENT_PREFIX = "MARKETSIM_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice of a run, by group; `configs/default.toml` says what each one means.

    A key names a setting whatever its group: `Settings.of(sims=20, fill="touch")`.
    """

    walk: WalkSettings = field(default_factory=WalkSettings)
    model: str = "har"  # or NAME:VARIANT
    network: NetworkSettings = field(default_factory=NetworkSettings)
    optimizer: str = "exact"
    rules: TradingRules = field(default_factory=TradingRules)
    costs: CostSettings = field(default_factory=CostSettings)
    bars: BarsSettings = field(default_factory=BarsSettings)
    seed: int = 42
    cache: str = "readwrite"
    cache_place: CacheSettings = field(default_factory=CacheSettings)
    work: WorkSettings = field(default_factory=WorkSettings)

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """The defaults, but for the `values` of some keys."""
        return cls().replace(**values)

    def replace(self, **values: Any) -> Settings:
        """The same but for the `values` of some keys; TypeError for a key that is none."""
        if unknown := values.keys() - set(KEYS):
            raise TypeError(f"no setting is called {', '.join(sorted(unknown))}")
        parts: dict[str, Any] = {}
        for name, part in self._parts():
            if isinstance(part, Group):
                parts[name] = replace(part, **{key: values[key] for key in keys_of(type(part)) if key in values})
            else:
                parts[name] = values.get(name, part)
        return Settings(**parts)

    def values(self) -> dict[str, Any]:
        """Every setting by its key."""
        flat: dict[str, Any] = {}
        for name, part in self._parts():
            flat |= asdict(part) if isinstance(part, Group) else {name: part}
        return flat

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Groups, and settings that stand alone, by name."""
        return ((each.name, getattr(self, each.name)) for each in fields(self))


def keys_of(group: type[Group]) -> tuple[str, ...]:
    """The keys of the settings in a group."""
    return tuple(each.name for each in fields(group))


KEYS = tuple(Settings().values())
# They change when results come, not which.
MEANS = ("cache", *keys_of(CacheSettings), *keys_of(WorkSettings))
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
    found = {key: (value, "default") for key, value in Settings().values().items()}
    if config_file is not None:
        found |= {key: (value, config_file) for key, value in _file(config_file)}
    found |= {key: (value, name) for key, value, name in _environment(environ)}
    for key, value in command_line.items():
        option = "--" + key.replace("_", "-")
        found[key] = (value if isinstance(value, bool) else _words(key, value, option), option)
    settings = Settings.of(**{key: value for key, (value, _) in found.items()})
    return settings, {key: place for key, (_, place) in found.items()}


def shown(settings: Settings) -> dict[str, Any]:
    """The settings by key, fit to be printed: without a password."""
    url = settings.cache_place.cache_url
    return settings.values() | {"cache_url": url and without_password(url)}


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
