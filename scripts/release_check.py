"""Compares the distributions in a folder with what is committed: python -m scripts.release_check DIST."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def missing_from_source(archive: Path, tracked: Sequence[str]) -> list[str]:
    """The tracked files that a source distribution lacks."""
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    return sorted(set(tracked) - held)


def missing_from_wheel(archive: Path, tracked: Sequence[str]) -> list[str]:
    """The tracked files of the package and of configs/ that a wheel lacks; C sources are compiled into it."""
    with zipfile.ZipFile(archive) as opened:
        held = opened.namelist()
    package = {name for name in tracked if name.startswith("marketsim/") and not name.endswith((".c", ".h"))}
    configs = {name for name in tracked if name.startswith("configs/")}
    data = {name.partition(".data/data/share/marketsim/")[2] for name in held if ".data/data/" in name}
    return sorted((package - set(held)) | (configs - data))


def tracked_files() -> list[str]:
    """What is committed."""
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def main() -> None:
    (folder,) = map(Path, sys.argv[1:])
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    tracked = tracked_files()
    for archive, missing in (
        (source, missing_from_source(source, tracked)),
        (wheel, missing_from_wheel(wheel, tracked)),
    ):
        if missing:
            sys.exit(f"{archive.name} lacks {len(missing)} files, such as {missing[0]}")
        print(f"{archive.name}: whole")


if __name__ == "__main__":
    main()
