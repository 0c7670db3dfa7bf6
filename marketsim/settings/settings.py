"""The settings of a run, by group and by key. Standard library only."""

from __future__ import annotations

from collections.abc import ItemsView
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from marketsim.settings.database_url import without_password
from marketsim.settings.groups import (
    BarsSettings,
    CacheSettings,
    CostSettings,
    GivenSettings,
    Group,
    JournalSettings,
    NetworkSettings,
    TradingRules,
    WalkSettings,
    WorkSettings,
)
from marketsim.settings.validators import VALIDATORS


class Settings(Struct, frozen=True):
    """Every choice of a run, by group; `configs/default.toml` says what each one means.

    A key names a setting whatever its group: `Settings.of(sims=20, fill="touch")`.
    """

    walk: WalkSettings = WalkSettings()
    model: str = "har"  # or NAME:VARIANT
    assume_clean: bool = False  # the user vouches that a model of unknown training has not seen the evaluated bars
    network: NetworkSettings = NetworkSettings()
    given: GivenSettings = GivenSettings()
    optimizer: str = "exact"
    rules: TradingRules = TradingRules()
    costs: CostSettings = CostSettings()
    bars: BarsSettings = BarsSettings()
    allow_lookahead: bool = False  # show the backtest of a model that was caught looking ahead
    seed: int = 42
    cache: str = "readwrite"
    cache_place: CacheSettings = CacheSettings()
    journal_place: JournalSettings = JournalSettings()
    work: WorkSettings = WorkSettings()

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """The defaults, except the `values` of some keys."""
        return cls().replace(**values)

    def replace(self, **values: Any) -> Settings:
        """The same except the `values` of some keys; TypeError for an unknown key."""
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

    def _parts(self) -> ItemsView[str, Any]:
        """Groups, and settings that stand alone, by name."""
        return asdict(self).items()


def keys_of(group: type[Group]) -> tuple[str, ...]:
    """The keys of the settings in a group."""
    return group.__struct_fields__


KEYS = tuple(Settings().values())
# They change when results come, not which.
MEANS = ("batch", "cache", *keys_of(CacheSettings), *keys_of(JournalSettings), *keys_of(WorkSettings))
CHOICES = {key: validator.names for key, validator in VALIDATORS.items() if validator.names}


def shown(settings: Settings) -> dict[str, Any]:
    """The settings by key, fit to be printed: without a password."""
    url = settings.cache_place.cache_url
    return settings.values() | {"cache_url": url and without_password(url)}
