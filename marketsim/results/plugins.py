"""The external plug-ins of a run: their names, and digests of their code."""

from __future__ import annotations

from collections.abc import Mapping

from marketsim import registry
from marketsim.results.code import code_digest
from marketsim.results.rows import Row, Setting
from marketsim.results.sealed import digest
from marketsim.settings.settings import Settings

TABLES = {"optimizer": registry.OPTIMIZERS, "source": registry.SOURCES}  # of the plug-ins that a result rests on


class PluginFacts(Row, frozen=True):
    """A plug-in from outside."""

    place: str  # module:attribute
    digest: str | None  # of its source and of the files that it imports; None where there is no source
    packages: dict[str, str]  # that it imports, and their versions


def plugins_of(settings: Mapping[str, Setting]) -> dict[str, PluginFacts]:
    """The external plug-ins that the settings name, by setting."""
    found: dict[str, PluginFacts] = {}
    for setting, table in TABLES.items():
        name = settings.get(setting)
        if isinstance(name, str) and name not in table and (place := registry.outside(setting, name)) is not None:
            from marketsim.models.source_digest import digest_class  # a run without such plug-ins does not need it

            source = digest_class(registry.load(table, setting, name))
            digest_of, packages = (None, {}) if source is None else (source.digest, dict(source.packages))
            found[setting] = PluginFacts(place=place, digest=digest_of, packages=packages)
    return found


def code_of(settings: Settings) -> str:
    """The digest of all code that a run with these settings rests on: the package's own, and its plug-ins'."""
    outside = plugins_of(settings.values())
    if not outside:
        return code_digest()
    return digest(
        " ".join([code_digest(), *(f"{plugin.place} {plugin.digest}" for plugin in outside.values())]).encode()
    )
