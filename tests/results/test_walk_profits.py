"""What is held of every symbol of a long run."""

from __future__ import annotations

import tracemalloc

import msgspec
import numpy as np

from marketsim.results.walk_profits import DecidingProfits, WalkProfits

BARS, SYMBOLS = 70, 200


def test_symbols_of_the_same_bars_hold_little_but_their_own_numbers() -> None:
    times = np.datetime_as_string(np.datetime64("2024-01-01") + np.arange(BARS)).tolist()
    profits = dict.fromkeys(("entry-exit", "always-on"), np.linspace(0, 1, BARS).tolist())
    sent = msgspec.json.encode(WalkProfits(times=times, clean=[True] * BARS, headline=profits, deciding=profits))
    tracemalloc.start()
    held = [DecidingProfits.of(msgspec.json.decode(sent, type=WalkProfits)) for _ in range(SYMBOLS)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(list(symbol.times) == times and symbol.clean.all() for symbol in held)
    assert size / SYMBOLS < 1.6 * 8 * len(profits) * BARS


def test_other_flags_or_other_bars_are_not_shared() -> None:
    walks = [
        WalkProfits(times=times, clean=clean, headline={"a": [1.0, 2.0]}, deciding={"a": [1.0, 2.0]})
        for times in (["d1", "d2"], ["d1", "d3"])
        for clean in ([True, True], [False, True])
    ]
    for walk in walks:
        held = DecidingProfits.of(walk)
        assert (list(held.times), held.clean.tolist()) == (walk.times, walk.clean)
        assert list(held.clean_bars("a").times) == [
            time for time, kept in zip(walk.times, walk.clean, strict=True) if kept
        ]
