"""Replacing several files at once, safely even if the process is killed.

A single name can be given to another file in one step, several names cannot. So each name is first made a link into
`.published`, which is itself a link, to the directory of the old files; pointing that to the directory of the new ones
is the one step. Then the files take the places of their links. What was cut short is settled later: before that step
the old files are put back in their places, after it the new ones are put there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

SWITCH = ".published"


class Publication(Struct, frozen=True):
    """The files of `staged`, which are to be those of `directory`. OSError where the disk does not take them."""

    directory: Path
    staged: Path  # below the directory: new files, whole
    aside: Path  # below the directory: empty; holds the old files meanwhile
    leading: str  # the file that tells which others belong to it

    def publish(self, new: Sequence[str], old: Sequence[str]) -> None:
        """Put the `new` files in place, and remove the `old` ones that are not among them.

        Where the file system has no symbolic links, the leading file comes first and the others follow.
        """
        for name in old:
            if (self.directory / name).exists():
                _link_or_copy(self.directory / name, self.aside / name)
        try:
            if any(self.aside.iterdir()):
                self._link(SWITCH, self.aside.relative_to(self.directory))
            for name in {*new, *old}:
                self._link(name, Path(SWITCH, name))
            self._link(SWITCH, self.staged.relative_to(self.directory))
        except OSError:
            self.settle(new)
            (self.staged / self.leading).replace(self.directory / self.leading)
        self.settle(new)
        for name in {*old} - {*new}:
            (self.directory / name).unlink(missing_ok=True)

    def settle(self, new: Sequence[str]) -> None:
        """End what was begun and cut short with files of the `new` names, if anything was."""
        for path in self.directory.iterdir():
            if path.is_symlink() and os.readlink(path) == f"{SWITCH}/{path.name}":
                if path.exists():
                    (self.directory / SWITCH / path.name).replace(path)
                else:
                    path.unlink()
        (self.directory / SWITCH).unlink(missing_ok=True)
        if self.staged.is_dir() and not (self.staged / self.leading).exists():
            for name in new:
                if (self.staged / name).exists():
                    (self.staged / name).replace(self.directory / name)

    def _link(self, name: str, target: Path) -> None:
        """Make `name` a link to `target`, whatever it was."""
        link = self.aside / f"{name}.link"
        link.symlink_to(target)
        link.replace(self.directory / name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # the file system has no hard links
        shutil.copy2(source, target)
