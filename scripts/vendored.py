"""Fetches the libraries of the report from the npm registry again: scripts/vendored

They are kept in the package, for a page has nowhere to load them from. `digests.txt` says which bytes they have; a test
compares.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

PLACE = Path(__file__).parents[1] / "marketsim" / "results" / "html" / "vendor"
PACKAGES = {
    "lightweight-charts@5.2.1": {
        "dist/lightweight-charts.standalone.production.js": "lightweight-charts.js",
        "LICENSE": "lightweight-charts.LICENSE.txt",
    },
    "uplot@1.6.32": {
        "dist/uPlot.iife.min.js": "uplot.js",
        "dist/uPlot.min.css": "uplot.css",
        "LICENSE": "uplot.LICENSE.txt",
    },
}


def main() -> None:
    for package, files in PACKAGES.items():
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run(
                ["npm", "pack", "--silent", package], cwd=place, check=True, capture_output=True, text=True
            )
            with tarfile.open(Path(place) / done.stdout.strip()) as archive:
                for inside, name in files.items():
                    member = archive.extractfile(f"package/{inside}")
                    assert member is not None
                    (PLACE / name).write_bytes(member.read())
    names = sorted(name for files in PACKAGES.values() for name in files.values())
    lines = (f"{hashlib.sha256((PLACE / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (PLACE / "digests.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
