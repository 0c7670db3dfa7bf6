"""The files of a run: whole or not at all, and the same text however it was put together."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from marketsim.backtesting import pipeline
from marketsim.errors import UsageError
from marketsim.profiling import Clock
from marketsim.results import document as report
from marketsim.results.document import finish
from marketsim.results.result import Finished, SymbolRun
from marketsim.results.run_directory import FILES, DocumentWriter, Folder
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=4, window=5, cache="off")


@pytest.fixture(scope="module")
def runs() -> list[SymbolRun]:
    return pipeline.run(["NOPE", "NVDA", "ETHUSD"], SETTINGS, Clock())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_document_written_piece_by_piece_is_the_document(runs: list[SymbolRun], count: int) -> None:
    file = StringIO()
    writer = DocumentWriter(file, SETTINGS)
    for run in runs[:count]:
        writer.add(report.symbol_document(run))
    writer.end()
    assert file.getvalue() == report.to_json(report.document(runs[:count], SETTINGS))


def test_files_are_written_whole_and_times_are_kept_apart(runs: list[SymbolRun], tmp_path: Path) -> None:
    with Folder(str(tmp_path / "new" / "place"), SETTINGS) as folder:
        for run in runs:
            finished = finish(run, "", rows=True)
            folder.keep(finished)
            folder.add(finished)
        assert [path.name for path in folder.path.iterdir()] == [".unfinished"] and folder.kept == 2
        folder.close(report.timing(Clock()))
    assert sorted(path.name for path in folder.path.iterdir()) == sorted([*FILES, "timing.json"])
    document = report.to_json(report.document(runs, SETTINGS))
    assert (folder.path / "results.json").read_text() == document and "seconds" not in document
    for name, rows, count in (("simulations", report.simulations, 2 * 4), ("equity", report.equity, 6 * 4)):
        with open(folder.path / f"{name}.csv", encoding="utf-8", newline="") as file:
            written = list(csv.DictReader(file))
        assert len(written) == 2 * count
        assert list(written[0]) == list(next(rows(runs[1].result)))  # type: ignore[arg-type]
        assert [row["symbol"] for row in written] == ["NVDA"] * count + ["ETHUSD"] * count


def test_a_part_comes_back_as_it_went(runs: list[SymbolRun], tmp_path: Path) -> None:
    finished = finish(runs[2], "model", rows=True)
    with Folder(str(tmp_path), SETTINGS) as folder:
        folder.keep(finished)
        assert folder.find("eth/usd") == finished
        assert folder.find("NVDA") is None and folder.find("../ETHUSD") is None


def test_a_run_of_failures_leaves_empty_tables(tmp_path: Path) -> None:
    with Folder(str(tmp_path), SETTINGS) as folder:
        folder.add(Finished("NOPE", {"symbol": "NOPE", "status": "failed"}))
        folder.close({})
    assert (tmp_path / "simulations.csv").read_text() == ""


@pytest.mark.parametrize(("place", "words"), [("file", "cannot write there"), ("", "needs the name of a directory")])
def test_a_directory_that_cannot_be_written_is_one_line(place: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=f"--output.* {words}"):
        Folder(str(tmp_path / "file") if place else "", SETTINGS)
