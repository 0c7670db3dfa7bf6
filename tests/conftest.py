"""Every test gets its own cache, and none of the settings of the environment that runs the tests."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings

from marketsim import registry
from tests.postgres import Server, binaries, server

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("mutants", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("ci" if os.environ.get("CI") else "default")
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a script starts in the background
numbers = count()


def pytest_addoption(parser: pytest.Parser) -> None:
    for what in registry.GROUPS:
        parser.addoption(
            f"--plugin-{what}",
            action="append",
            default=[],
            metavar="MODULE:CLASS",
            help=f"Hold this {what} to tests/contracts.",
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is slow, so that no worker is left with it while the others have nothing to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are imported, nor afterwards among what they left: there is none."""
    gc.disable()
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.fixture(autouse=True)
def own_environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("MARKETSIM_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    if "tmp_path" in request.fixturenames:
        own = request.getfixturevalue("tmp_path")
    else:
        own = tmp_path_factory.getbasetemp() / f"of-a-test-{next(numbers)}"  # there when something is written to it
    monkeypatch.setenv("MARKETSIM_CACHE_DIR", str(own / "cache"))


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="the extra 'cluster' is not installed")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: no initdb on the PATH or in /usr/lib/postgresql/*/bin")
    with server(programs) as running:
        yield running


@pytest.fixture
def postgres(_server: Server) -> Server:
    """A running PostgreSQL server without a cache in it."""
    _server.start()
    _server.execute("DROP SCHEMA IF EXISTS marketsim_2 CASCADE")
    return _server


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers do their work in this process: where they are not the point, no test waits for two starts of Python."""
    monkeypatch.setitem(registry.EXECUTORS, "processes", registry.EXECUTORS["local"])
