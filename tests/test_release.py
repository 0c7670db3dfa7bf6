"""The distributions hold what is committed: the source all of it, the wheel the package and its configurations."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.release_check import missing_from_source, missing_from_wheel, tracked_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: what is committed is not known")
    pytest.importorskip("build")
    pytest.importorskip("setuptools")
    copy = tmp_path_factory.mktemp("release") / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(copy)], check=True)
    asked = [sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check", "--outdir", "dist", "."]
    quick = {"CC": "false"}  # what can be compiled is optional
    there = os.environ | quick | {"GITHUB_SERVER_URL": "https://example.org", "GITHUB_REPOSITORY": "traders/marketsim"}
    built = subprocess.run(asked, cwd=copy, env=there, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return copy / "dist"


def test_the_source_distribution_lacks_nothing(distributions: Path) -> None:
    (archive,) = distributions.glob("*.tar.gz")
    assert missing_from_source(archive, tracked_files()) == []
    assert missing_from_source(archive, ["marketsim/no_such_file.py"]) == ["marketsim/no_such_file.py"]


def test_the_wheel_has_the_package_its_data_and_the_configurations(distributions: Path) -> None:
    (archive,) = distributions.glob("*.whl")
    assert missing_from_wheel(archive, tracked_files()) == []
    absent = ["configs/no_such.toml", "marketsim/data/samples/NO.csv"]
    assert missing_from_wheel(archive, [*absent, "tests/no_such.py"]) == absent


def test_a_wheel_without_compiled_code_is_one_for_every_platform(distributions: Path) -> None:
    (archive,) = distributions.glob("*.whl")
    assert archive.name.endswith("-py3-none-any.whl")
    with ZipFile(archive) as wheel:
        (facts,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/WHEEL"))
    assert "Root-Is-Purelib: true\nTag: py3-none-any\n" in facts


def test_a_wheel_with_any_compiled_code_is_one_for_its_platform(tmp_path: Path) -> None:
    """The compiler here fails for all but the last of the modules, for which it makes empty files."""
    pytest.importorskip("setuptools")
    for path in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "marketsim/__init__.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    compiler = tmp_path / "cc"
    compiler.write_text("""#!/bin/sh
case "$*" in *lattices*) while [ "$1" != -o ]; do shift; done; : > "$2" ;; *) exit 1 ;; esac
""")
    compiler.chmod(0o755)
    asked = [sys.executable, "setup.py", "-q", "bdist_wheel"]
    built = subprocess.run(
        asked, cwd=tmp_path, env=os.environ | {"CC": str(compiler)}, capture_output=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (archive,) = (tmp_path / "dist").glob("*.whl")
    assert "-cp311-abi3-" in archive.name
    with ZipFile(archive) as wheel:
        assert [name for name in wheel.namelist() if "_lattices." in name and name.endswith((".so", ".pyd"))]


def test_a_release_names_the_repository_that_it_was_built_in(distributions: Path) -> None:
    (archive,) = distributions.glob("*.whl")
    with ZipFile(archive) as wheel:
        (facts,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    home = "https://example.org/traders/marketsim"
    assert f"Project-URL: Source, {home}\n" in facts
    assert f"Project-URL: Changelog, {home}/blob/HEAD/docs/CHANGELOG.md\n" in facts


def test_the_tests_without_torch_have_every_other_dependency_and_the_tools_of_all_tests() -> None:
    made = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, light = made["project"], set(made["dependency-groups"]["without-torch"])
    assert {each for each in project["dependencies"] if not each.startswith("torch")} <= light
    tools = {each for each in project["optional-dependencies"]["dev"] if each.startswith("pytest")}
    assert tools and tools <= light
    known = {each for names in project["optional-dependencies"].values() for each in names} | set(
        project["dependencies"]
    )
    assert light <= known, "every bound is that of the project"
