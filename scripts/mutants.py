"""Changes of the core's rules, one operation each, which the tests have to notice: scripts/check --mutants.

All of them, those whose names fit a pattern such as 'marketsim.results.metrics*', or some of these drawn at random.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name

FILES = [Path(name) for name in config().only_mutate]
MUTMUT = Path(sys.executable).with_name("mutmut")


def changes(patterns: list[str]) -> list[str]:
    """The names of the changes that fit a pattern, of all without one."""
    every = [
        get_mutant_name(file, name)
        for file in FILES
        for name in mutate_file_contents(str(file), file.read_text()).mutant_names
    ]
    return [name for name in every if any(fnmatch(name, pattern) for pattern in patterns or "*")]


def outcomes() -> dict[str, str]:
    """What became of every change that was tried, in a word."""
    found: dict[str, str] = {}
    for file in FILES:
        data = SourceFileMutationData(path=file)
        data.load()
        found |= {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items() if code is not None}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/check --mutants", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--draw", type=int, metavar="COUNT", help="so many of the changes, at random")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = changes(given.patterns)
    if given.draw is not None:
        names = sorted(random.Random(given.seed).sample(names, min(given.draw, len(names))))
    if not names:
        parser.error(f"no change fits {' or '.join(given.patterns)}")
    subprocess.run([MUTMUT, "run", *names], check=True)
    found = outcomes()
    left = {name: found.get(name, "not tried") for name in names if found.get(name) not in ("killed", "timeout")}
    for name, word in left.items():
        print(f"{name}: {word}", flush=True)
        subprocess.run([MUTMUT, "show", name], check=True)
    noticed = len(names) - len(left)
    print(f"{noticed:,} of {len(names):,} changes were noticed ({noticed / len(names):.1%})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
