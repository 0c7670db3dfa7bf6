"""The versions of the packages behind a plan: those of every result, and those of its model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version

from marketsim import registry

WITHOUT_TORCH = ("econometrics", "regression")  # extras of models that are no networks
REQUIREMENT = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")


def with_model_packages(model: str, libraries: Mapping[str, str]) -> dict[str, str]:
    """The `libraries` of a run, and the packages of the extras that the models named in `model` need.

    Examples
    --------
    >>> with_model_packages("blend:har,last-bar", {"numpy": "2.1.0"})
    {'numpy': '2.1.0'}
    """
    found = dict(libraries)
    for extra in dict.fromkeys(_extras(model)):
        for package in (*_packages(extra), *(() if extra in WITHOUT_TORCH else ("torch",))):
            with suppress(PackageNotFoundError):  # its forecasts were cached, or made elsewhere
                found[package] = version(package)
    return found


def _extras(model: str) -> Iterator[str]:
    for name in re.split("[:,]", model):
        if (extra := registry.MODEL_EXTRAS.get(name)) is not None:
            yield extra


def _packages(extra: str) -> Iterator[str]:
    """What marketsim's own metadata say of an extra."""
    with suppress(PackageNotFoundError):
        for line in requires("marketsim") or ():
            if (match := REQUIREMENT.match(line)) is not None and match[2] == extra:
                yield match[1]
