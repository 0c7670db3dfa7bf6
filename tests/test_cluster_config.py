"""The compose file that starts a cluster: its syntax, and that it starts what the documentation speaks of."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from marketsim.settings.database_url import without_password

yaml = pytest.importorskip("yaml", reason="the extra 'cluster' is not installed")

COMPOSE = Path(__file__).parents[1] / "configs" / "cluster" / "compose.yaml"


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))


def test_it_starts_a_database_a_scheduler_and_two_workers(compose) -> None:
    assert set(compose) == {"name", "x-marketsim", "services", "volumes"}
    services = compose["services"]
    assert set(services) == {"database", "scheduler", "worker"}
    assert services["worker"]["deploy"]["replicas"] == 2
    assert set(services["worker"]["depends_on"]) < set(services)
    volume, _, _ = services["database"]["volumes"][0].partition(":")
    assert volume in compose["volumes"]
    for service in services.values():
        assert ("image" in service) != ("build" in service)
        assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in service.get("ports", ()))


def test_what_it_builds_is_there(compose) -> None:
    build = compose["services"]["worker"]["build"]
    root = (COMPOSE.parent / build["context"]).resolve()
    lines = build["dockerfile_inline"].splitlines()
    assert [line.split()[0] for line in lines] == ["FROM", "COPY", "RUN"]
    assert (root / "pyproject.toml").exists() and (root / "constraints.txt").exists()
    extras = re.search(r"\[([a-z,]+)\]", lines[2])
    assert extras is not None
    assert all(
        re.search(rf"^{extra} = \[", (root / "pyproject.toml").read_text(), re.M) for extra in extras[1].split(",")
    )


def test_the_password_is_asked_for_and_fits_the_database(compose) -> None:
    services = compose["services"]
    url = services["worker"]["environment"]["MARKETSIM_CACHE_URL"]
    database = services["database"]["environment"]
    filled = re.sub(r"\$\{PASSWORD:\?[^}]*\}", "chosen", url)
    assert (
        without_password(filled) == f"postgresql://{database['POSTGRES_USER']}:***@database/{database['POSTGRES_DB']}"
    )
    assert database["POSTGRES_PASSWORD"] == "${PASSWORD:?set PASSWORD}"


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_dask_knows_the_commands(compose, name: str) -> None:
    pytest.importorskip("distributed")
    program, *words = compose["services"][name]["command"]
    assert program == "dask"
    ended = subprocess.run(
        [sys.executable, "-m", "dask", *words, "--help"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0
    assert all(word in ended.stdout for word in words if word.startswith("--"))
