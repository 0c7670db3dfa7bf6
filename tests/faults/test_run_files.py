"""Bytes of the small files of a run are damaged, one at a time: the same result, or one line that says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.backtesting import pipeline
from marketsim.backtesting.worker import finish
from marketsim.errors import DataError
from marketsim.profiling import Clock
from marketsim.results import saved_runs
from marketsim.results.result import FinishedSymbol
from marketsim.results.run_directory import RunDirectory
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=1, window=3, model="last-bar", strategy="always-on", cache="off")
FLIPS, CUTS = 300, 40  # the most of a file


@pytest.fixture(scope="module")
def finished() -> FinishedSymbol:
    (run,) = pipeline.run(["ETHUSD"], SETTINGS, Clock())
    return finish(run, "model", rows=True)


def damaged(content: bytes) -> list[bytes]:
    """The content with a bit of one of its bytes flipped, cut short, and with a byte too many."""
    random = np.random.default_rng(len(content))
    places = random.choice(len(content), min(len(content), FLIPS), replace=False).tolist()
    bits = random.integers(8, size=len(places)).tolist()
    flipped = [
        content[:i] + bytes([content[i] ^ 1 << bit]) + content[i + 1 :] for i, bit in zip(places, bits, strict=True)
    ]
    short = [content[:i] for i in range(0, len(content), 1 + len(content) // CUTS)]
    return [*flipped, *short, content[:-1], content + b" ", content + b"\0"]


def test_no_damage_to_a_kept_part_changes_what_is_taken_from_it(finished: FinishedSymbol, tmp_path: Path) -> None:
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.keep(finished)
        assert directory.find("ETHUSD") == finished
        part = tmp_path / ".unfinished" / "ETHUSD.part"
        for content in damaged(part.read_bytes()):
            part.write_bytes(content)
            assert directory.find("ETHUSD") is None
            note = directory.notes.pop()
            assert note.startswith("ETHUSD: its saved result is damaged") and "\n" not in note


@pytest.mark.parametrize("name", ["run.json", "results.json", "simulations.csv"])
def test_no_damage_to_a_file_of_a_run_changes_what_is_read_from_it(
    name: str, finished: FinishedSymbol, tmp_path: Path
) -> None:
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.add(finished)
        directory.finish(timing_document(Clock()))
    sound = saved_runs.read(tmp_path)
    assert list(saved_runs.differences(sound, sound)) == []
    for content in damaged((tmp_path / name).read_bytes()):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            list(saved_runs.differences(sound, saved_runs.read(tmp_path)))
        assert str(caught.value).startswith(f"{tmp_path / name}: ") and "\n" not in str(caught.value)
