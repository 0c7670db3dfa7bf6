"""A sealed plan says which packages its model rests on."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from marketsim.journal import libraries
from marketsim.journal.libraries import with_model_packages

NUMPY = {"numpy": "2.1.0"}


def test_models_of_marketsim_alone_need_nothing_more() -> None:
    for model in ("har", "auto", "auto:har,last-bar", "mine.py:Mine"):
        assert with_model_packages(model, NUMPY) == NUMPY


@pytest.fixture(autouse=True)
def metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installed marketsim says of itself, of packages that are there for sure."""
    said = ["numpy>=2.0", "filelock>=3; extra == 'fracast'", "msgspec>=0.19; extra == 'econometrics'"]
    monkeypatch.setattr(libraries, "requires", lambda name: said)


def test_the_packages_of_every_member_s_extra_are_told() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    found = with_model_packages("blend:har,fracast", NUMPY)
    assert found == {**NUMPY, "filelock": version("filelock"), "torch": version("torch")}


def test_econometric_models_do_without_torch() -> None:
    assert with_model_packages("garch", NUMPY) == {**NUMPY, "msgspec": version("msgspec")}


def test_a_package_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "requires", lambda name: ["no-such-package>=1; extra == 'econometrics'"])
    assert with_model_packages("garch", NUMPY) == NUMPY
