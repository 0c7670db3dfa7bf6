"""Journals that somebody touched, all of which must be named. Run: scripts/bench tampering [--journals N]

Journals of a few short entries are generated. Each is then changed in every way: a byte at every place, every entry
removed, every two entries exchanged, an entry copied or forged into every place, and every entry back-dated with all
hashes after it made anew. `verify` must name what was done and the first entry that it was done to. The last entry's
removal is told by the head that was written down.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations

import msgspec

from marketsim.journal.chain import BEFORE_FIRST, Defect, hash_of, line_of, missing_head, read_chain, torn_line

FIRST_DAY = 14_610  # days from the epoch

Named = tuple[str, int, Defect | None]  # what was done, to which entry, and what was found
Entry = dict[str, object]


def day(number: int, hour: int = 0) -> str:
    """A stamp some days after the first."""
    import numpy as np

    return str(np.datetime64(FIRST_DAY + number, "D").astype("datetime64[s]") + np.timedelta64(hour, "h"))


def entries(rng: random.Random) -> list[Entry]:
    """What a journal says, without its chain."""
    return [
        {
            "sealed": day(i + 1, rng.randrange(1, 9)),
            "clock": "system",
            "plan": {
                "symbol": "".join(rng.choices('ABCDE\u20ac"\\', k=rng.randrange(1, 5))),
                "levels": [rng.random()],
                "bars": {"ended": day(i + 1)},
                "session": {"ends": day(i + 2)},
            },
        }
        for i in range(rng.randrange(2, 5))
    ]


def lines_of(given: Sequence[Entry]) -> list[bytes]:
    """The lines of a sound chain."""
    lines, previous = [], BEFORE_FIRST
    for number, entry in enumerate(given, 1):
        content = msgspec.json.encode({"number": number, "previous": previous} | entry)
        previous = hash_of(content)
        lines.append(line_of(content))
    return lines


def verified(*lines: bytes) -> Defect | None:
    """What `journal verify` finds."""
    chain = read_chain(b"".join(lines))
    return chain.defect or torn_line(chain)


def tampered(given: Sequence[Entry], rng: random.Random) -> Iterator[Named]:
    """A journal in all ways in which it is touched."""
    lines = lines_of(given)
    assert verified(*lines) is None
    yield from _bytes(lines, rng)
    for i in range(len(lines) - 1):
        yield "removed", i + 1, verified(*lines[:i], *lines[i + 1 :])
    head = read_chain(b"".join(lines)).head
    yield "removed", len(lines), missing_head(read_chain(b"".join(lines[:-1])), str(head))
    for i, j in combinations(range(len(lines)), 2):
        order = [*lines]
        order[i], order[j] = order[j], order[i]
        yield "reordered", i + 1, verified(*order)
    for i in range(len(lines)):
        forged = lines_of([*given[:i], given[i] | {"sealed": day(i + 1, 9)}])[-1]
        yield "inserted", i + 1, verified(*lines[:i], forged, *lines[i:])
        for j in range(i + 1):
            yield "inserted", i + 2, verified(*lines[: i + 1], lines[j], *lines[i + 1 :])
    for i in range(len(lines)):
        for sealed in (day(i, 23), day(i + 2), *([day(i)] if i else [])):
            yield "back-dated", i + 1, verified(*lines_of([*given[:i], given[i] | {"sealed": sealed}, *given[i + 1 :]]))


def _bytes(lines: Sequence[bytes], rng: random.Random) -> Iterator[Named]:
    """Another byte at every place; the last newline's change leaves a line that is not whole."""
    sound, ends = b"".join(lines), list(accumulate(map(len, lines)))
    for at, byte in enumerate(sound):
        entry = next(i for i, end in enumerate(ends, 1) if at < end)
        changed = bytes([(byte + rng.randrange(1, 256)) % 256])
        yield "changed" if at < len(sound) - 1 else "torn", entry, verified(sound[:at], changed, sound[at + 1 :])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--journals", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng, begun = random.Random(given.seed), time.perf_counter()
    done, missed = Counter[str](), list[Named]()
    for _ in range(given.journals):
        for what, entry, found in tampered(entries(rng), rng):
            done[what] += 1
            if found is None or (found.what, found.entry) != (what, entry):
                missed.append((what, entry, found))
    told = ", ".join(f"{count:,} {what}" for what, count in done.items())
    print(f"{given.journals:,} journals: {told}; not named: {len(missed)} ({time.perf_counter() - begun:.0f} s)")
    for place in missed[:5]:
        print(place)
    print("FAIL" if missed else "PASS")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
