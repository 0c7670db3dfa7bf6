"""Contract tests are run for every plug-in of the registry, for one from outside, and for those that are named."""

from __future__ import annotations

import pytest

from marketsim import registry

TABLES = {"optimizer": registry.OPTIMIZERS, "source": registry.SOURCES, "executor": registry.EXECUTORS}
OUTSIDE = {
    "optimizer": "tests.contracts.outside:RandomSearch",
    "source": "tests.contracts.outside:FolderSource",
    "executor": "tests.contracts.outside:InThisProcess",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for what, table in TABLES.items():
        if f"{what}_name" in metafunc.fixturenames:
            named = metafunc.config.getoption(f"--plugin-{what}")
            metafunc.parametrize(f"{what}_name", [*table, OUTSIDE[what], *named])
