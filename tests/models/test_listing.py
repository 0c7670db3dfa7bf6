from __future__ import annotations

import subprocess
import sys

from marketsim import registry
from marketsim.models import fracast, listing
from tests.cli.test_startup import HEAVY


def test_every_model_is_listed_with_what_is_known_of_it():
    rows = {row.name: row for row in listing.list_models()}
    assert list(rows) == [*registry.MODELS, *registry.ENSEMBLES]
    assert (rows["har"].extra, rows["har"].trained_until, rows["har"].installed) == (None, None, True)
    assert (rows["kronos"].extra, rows["kronos"].trained_until) == ("kronos", "2024-05-31")
    assert rows["toto"].trained_until == "unknown"
    assert rows["chronos"].variants[0] == "bolt-small"


def test_a_package_that_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(fracast.importlib.util, "find_spec", lambda name: None)
    assert not any(row.installed for row in listing.list_models() if row.extra)


def test_models_is_a_function_and_a_package():
    import marketsim.models.har

    assert list(marketsim.models().index) == list(listing.frame().index)
    assert marketsim.models.har.Har.name == "har"
    said = marketsim.models.__call__.__doc__
    assert "Returns\n" in said and ">>> marketsim.models()" in said


def test_listing_imports_no_network():
    program = "import sys; from marketsim.models.listing import list_models; list_models(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(HEAVY) - {"numpy"} & set(done.stdout.split())
