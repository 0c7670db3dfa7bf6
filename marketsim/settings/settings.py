"""The settings of a run, by group and by key. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

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
from marketsim.settings.validators import VALIDATORS


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
MEANS = ("batch", "cache", *keys_of(CacheSettings), *keys_of(WorkSettings))
CHOICES = {key: validator.names for key, validator in VALIDATORS.items() if validator.names}


def shown(settings: Settings) -> dict[str, Any]:
    """The settings by key, fit to be printed: without a password."""
    url = settings.cache_place.cache_url
    return settings.values() | {"cache_url": url and without_password(url)}
