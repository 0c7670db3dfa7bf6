"""Models of one's own that are named by their file or module."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.keys import fingerprint
from marketsim.models import open_model
from marketsim.models.listing import list_models
from marketsim.models.own_spec import open_own_model
from marketsim.registry import names_code
from marketsim.settings.groups import NetworkSettings
from marketsim.settings.settings import Settings
from marketsim.settings.validators import VALIDATORS

SOURCE = """
    import numpy as np

    class Mine:
        trained_until = None
        def __init__(self, spread: float = 0.02):
            self.spread = spread
        def forecast(self, series, origins):
            moves = np.linspace(-self.spread, self.spread, 9) + np.array([0, 0.01, -0.01, 0])[:, None]
            return np.repeat(moves[None], len(origins), 0)
"""


def write(path: Path, source: str = SOURCE) -> str:
    path.write_text(textwrap.dedent(source))
    return f"{path}:Mine"


def test_a_file_is_a_model_and_an_edited_one_is_another(tmp_path):
    spec = write(tmp_path / "mine.py")
    model = open_own_model(spec, [])
    assert (model.name, model.parameters["package numpy"]) == ("Mine", np.__version__)
    assert fingerprint(open_own_model(spec, [])) == fingerprint(model)
    prints = {fingerprint(model)}
    for edited in (SOURCE.replace("0.01", "0.02"), SOURCE + "    # a comment\n"):
        prints.add(fingerprint(open_own_model(write(tmp_path / "mine.py", edited), [])))
    assert len(prints) == 3
    write(tmp_path / "mine.py")
    assert fingerprint(open_own_model(spec, [])) == fingerprint(model)


def test_what_it_imports_of_ones_own_counts_too(tmp_path):
    (tmp_path / "spreads_of_mine.py").write_text("SPREAD = 0.02\n")
    source = SOURCE.replace("import numpy as np", "import numpy as np\n    from spreads_of_mine import SPREAD")
    spec = write(tmp_path / "mine.py", source)
    before = fingerprint(open_own_model(spec, []))
    assert fingerprint(open_own_model(spec, [])) == before
    (tmp_path / "spreads_of_mine.py").write_text("SPREAD = 0.03\n")
    with pytest.raises(MarketsimError, match=r"spreads_of_mine.py was edited after this process had loaded it"):
        open_own_model(spec, [])
    del sys.modules["spreads_of_mine"]
    write(tmp_path / "mine.py", source + "    # loaded anew\n")
    assert fingerprint(open_own_model(spec, [])) != before


def test_what_a_function_imports_when_it_runs_counts_too(tmp_path):
    helper = tmp_path / "kept_late" / "constants.py"
    helper.parent.mkdir()
    (helper.parent / "__init__.py").write_text("")
    helper.write_text("SPREAD = 0.01\n")
    late = "def later(self):\n            from kept_late import constants\n            return constants.SPREAD\n"
    source = SOURCE.replace("def forecast", f"{late}        def forecast")
    spec = write(tmp_path / "mine.py", source)
    before = fingerprint(open_own_model(spec, ()))
    assert fingerprint(open_own_model(spec, ())) == before
    helper.write_text("SPREAD = 0.02\n")
    after = open_own_model(spec, ())
    assert fingerprint(after) != before
    assert "kept_late" not in sys.modules
    assert after.model.later() == 0.02
    assert fingerprint(open_own_model(spec, ())) == fingerprint(after)
    helper.write_text("SPREAD = 0.03\n")
    with pytest.raises(MarketsimError, match=r"constants.py was edited after this process had loaded it"):
        open_own_model(spec, ())


def test_another_module_of_a_name_is_no_part_of_the_model(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper_of_mine.py").write_text(f"WHERE = '{folder}'\n")
    source = SOURCE.replace("import numpy as np", "import numpy as np\n    import helper_of_mine")
    open_own_model(write(tmp_path / "one" / "mine.py", source), [])
    with pytest.raises(UsageError, match=r"two/helper_of_mine.py was not imported: another 'helper_of_mine' had"):
        open_own_model(write(tmp_path / "two" / "mine.py", source), [])


def test_options_make_the_model_and_tell_it_apart(tmp_path):
    spec = write(tmp_path / "mine.py")
    narrow = open_own_model(spec, ["spread=0.01"])
    assert narrow.model.spread == 0.01
    assert narrow.parameters["option spread"] == 0.01
    assert fingerprint(narrow) != fingerprint(open_own_model(spec, []))
    assert open_own_model(spec, ["spread=high"]).model.spread == "high"
    with pytest.raises(UsageError, match=r"--model-option: Mine has other options: .*'spraed'; there are: spread"):
        open_own_model(spec, ["spraed=1"])


def test_an_option_that_names_a_file_counts_with_what_is_in_it(tmp_path):
    spec, weights = write(tmp_path / "mine.py"), tmp_path / "weights.bin"
    prints = set()
    for content in ("a", "b"):
        weights.write_text(content)
        prints.add(fingerprint(open_own_model(spec, [f"spread={weights}"])))
    (tmp_path / "folder").mkdir()
    for content in ("a", "b"):
        (tmp_path / "folder" / "weights").write_text(content)
        prints.add(fingerprint(open_own_model(spec, [f"spread={tmp_path / 'folder'}"])))
    assert len(prints) == 4


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def", r"SyntaxError: .* \(mine.py, line 1\)"),
        ("\n1 / 0", r"ZeroDivisionError: division by zero \(mine.py, line 2\)"),
        ("import no_such_package", r"ModuleNotFoundError: No module named 'no_such_package' \(mine.py, line 1\)"),
        (
            "import marketsim\n\nclass Mina:\n    def forecast(self): ...",
            "no 'Mine' in it; there is Mina; did you mean 'Mina'?",
        ),
        ("x = 1", "no 'Mine' in it; nothing there has a method `forecast`"),
        ("class Mine: ...", "Mine is not a model: it needs a method"),
        ("class Mine:\n    def __init__(self):\n        raise OSError('no disk')", "OSError: no disk"),
    ],
)
def test_a_file_that_is_no_model_is_one_line(tmp_path, source, words):
    with pytest.raises(UsageError, match=words) as caught:
        open_own_model(write(tmp_path / "mine.py", source), [])
    assert "\n" not in str(caught.value)


def test_a_module_is_found_where_python_looks(tmp_path, monkeypatch):
    package = tmp_path / "package_of_mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    write(package / "models.py", "from . import values\n" + textwrap.dedent(SOURCE))
    (package / "values.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    model = open_own_model("package_of_mine.models:Mine", [])
    assert model.name == "Mine"
    for module in [name for name in sys.modules if name.startswith("package_of_mine")]:
        del sys.modules[module]
    (package / "values.py").write_text("VALUE = 2\n")
    os.utime(package / "values.py", (0, 0))
    assert fingerprint(open_own_model("package_of_mine.models:Mine", [])) != fingerprint(model)
    with pytest.raises(UsageError, match="there is no module 'no_such_package'; a module is looked for"):
        open_own_model("no_such_package.models:Mine", [])


def test_an_installed_package_registers_a_name(tmp_path, monkeypatch):
    write(tmp_path / "plugin_of_mine.py")
    point = importlib.metadata.EntryPoint("mine-by-name", "plugin_of_mine:Mine", "marketsim.models")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] if group == point.group else [])
    monkeypatch.syspath_prepend(tmp_path)
    assert VALIDATORS["model"].check("mine-by-name") == "mine-by-name"
    assert open_model("mine-by-name", NetworkSettings(), 42).name == "Mine"
    (listed,) = (model for model in list_models() if model.name == "mine-by-name")
    assert listed.training == "registered by an installed package: plugin_of_mine:Mine"
    with pytest.raises(ValueError, match="must be one of"):
        VALIDATORS["model"].check("yours-by-name")


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("a/b.py:Mine", True),
        ("package.module:Mine", True),
        ("module:Mine", True),
        ("chronos:bolt-small", False),
        ("toto2:2.5b", False),
        ("har", False),
        ("a/b.py", False),
        ("a/b.py:", False),
        ("blend:har,a/b.py:Mine", False),
        ("a-b:Mine", False),
    ],
)
def test_names_of_code_are_told_from_names_of_models(spec, code):
    assert names_code(spec) is code


def test_choices_that_no_model_has_a_use_for_are_refused(tmp_path):
    spec = write(tmp_path / "mine.py")
    for model, choice, words in (
        ("har", {"model_option": ("spread=1",)}, "--model-option: model 'har' does not use it"),
        ("blend:har,last-bar", {"model_option": ("spread=1",)}, "--model-option: model 'har' does not use it"),
        (spec, {"samples": 3}, "--samples: model '.*' does not use it"),
    ):
        settings = Settings.of(**choice)
        with pytest.raises(UsageError, match=words):
            open_model(model, settings.network, settings.seed)
    blend = open_model(f"blend:har,{spec}", NetworkSettings(model_option=("spread=0.5",)), 42)
    assert [member.name for member in blend.members] == ["har", "Mine"]
    assert blend.members[1].model.spread == 0.5
