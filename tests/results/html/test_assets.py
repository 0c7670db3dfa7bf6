"""What a page holds besides its content."""

from __future__ import annotations

import hashlib
import re

from marketsim.results.html.assets import FOLDER, MODULES, assets


def test_libraries_are_the_bytes_of_their_packages():
    lines = (FOLDER / "vendor" / "digests.txt").read_text().splitlines()
    digests = dict(reversed(line.split("  ")) for line in lines)
    there = {path.name for path in (FOLDER / "vendor").iterdir()} - {"digests.txt", "NOTICE.txt"}
    assert digests.keys() == there
    for name, digest in digests.items():
        assert hashlib.sha256((FOLDER / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_nothing_ends_a_script_or_a_style_before_its_end():
    found = assets()
    for script in (*found.libraries, found.program):
        assert "</script" not in script.lower()
        assert "<!--" not in script
        assert "\r" not in script
    assert "</style" not in found.style.lower()


def test_every_module_is_in_the_page_after_those_that_it_imports():
    assert {path.stem for path in (FOLDER / "js").glob("*.js")} == set(MODULES)
    for i, name in enumerate(MODULES):
        text = (FOLDER / "js" / f"{name}.js").read_text()
        imported = re.findall(r'from "\./(\w+)\.js";', text)
        assert set(imported) <= set(MODULES[:i])
        for names, other in re.findall(r'import \{ ([^}]*) \} from "\./(\w+)\.js";', text):
            there = (FOLDER / "js" / f"{other}.js").read_text()
            for each in names.split(", "):
                assert re.search(rf"^export (?:async )?(?:function|const|class) {each}\b", there, re.M), each
    assert not re.search(r"^(import|export) ", assets().program, re.M)


def test_templates_show_nothing_unescaped_but_the_page_s_own_code():
    unescaped = [
        (path.name, found)
        for path in FOLDER.glob("*.html")
        for found in re.findall(r"\{\{([^}]*)\|\s*safe", path.read_text())
    ]
    assert {name for name, _ in unescaped} == {"base.html", "page.html"}
    assert {found.strip() for _, found in unescaped} == {"assets.style", "library", "assets.program"}
    handlers = re.compile(r"\son\w+\s*=|style\s*=|javascript:", re.I)
    assert not [path.name for path in FOLDER.glob("*.html") if handlers.search(path.read_text())]
