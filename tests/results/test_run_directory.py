"""The files of a backtest: the same text however it was put together, and parts that come back as they went."""

from __future__ import annotations

import csv
import json
import tracemalloc
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from marketsim.backtesting import pipeline
from marketsim.backtesting.worker import finish
from marketsim.digests import BLOCK
from marketsim.errors import DataError, Failure, UsageError, value_of
from marketsim.profiling import Clock
from marketsim.results.document import backtest_document, equity_rows, simulation_rows
from marketsim.results.encoding import DocumentWriter, to_json
from marketsim.results.manifest import FileFacts, RunFiles, of_files
from marketsim.results.result import FinishedSymbol, SymbolRun
from marketsim.results.run_directory import FILES, TIMING, RunDirectory
from marketsim.results.sealed import digest
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=4, window=5, cache="off")


@pytest.fixture(scope="module")
def runs() -> list[SymbolRun]:
    return pipeline.run(["NOPE", "NVDA", "ETHUSD"], SETTINGS, Clock())


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_document_written_piece_by_piece_is_the_document(runs: list[SymbolRun], count: int) -> None:
    file = StringIO()
    whole = backtest_document(runs[:count], SETTINGS)
    writer = DocumentWriter(file, replace(whole, symbols=[]))
    for symbol in whole.symbols:
        writer.add(symbol)
    writer.end()
    assert file.getvalue() == to_json(whole)


def test_files_are_written_whole_and_times_are_kept_apart(runs: list[SymbolRun], tmp_path: Path) -> None:
    with RunDirectory(str(tmp_path / "new" / "place"), SETTINGS) as directory:
        for run in runs:
            finished = finish(run, "", rows=True)
            directory.keep(finished)
            directory.add(finished)
        assert [path.name for path in directory.path.iterdir()] == [".unfinished"] and directory.kept == 2
        directory.finish(timing_document(Clock()))
    assert sorted(path.name for path in directory.path.iterdir()) == sorted([*FILES, TIMING, "run.json"])
    assert not directory.notes
    text = to_json(backtest_document(runs, SETTINGS))
    files = RunFiles.of(directory.path)
    assert files.read("results.json").decode() == text and "seconds" not in text
    result = value_of(runs[1].outcome)
    for name, row, count in (
        ("simulations", next(simulation_rows(result)), 2 * 4),
        ("equity", next(equity_rows(result)), 6 * 4),
    ):
        written = list(csv.DictReader(StringIO(files.read(f"{name}.csv").decode())))
        assert len(written) == 2 * count
        assert tuple(written[0]) == row.__struct_fields__
        assert [row["symbol"] for row in written] == ["NVDA"] * count + ["ETHUSD"] * count


def test_the_digest_of_a_file_is_taken_without_holding_the_file(tmp_path: Path) -> None:
    content = bytes(range(251)) * (8 * BLOCK // 251)
    (tmp_path / "results.json").write_bytes(content)
    tracemalloc.start()
    made = of_files(tmp_path, ["results.json"], "backtest")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.files["results.json"] == FileFacts(bytes=len(content), blake2b=digest(content))
    assert peak < 4 * BLOCK


def test_a_part_comes_back_as_it_went(runs: list[SymbolRun], tmp_path: Path) -> None:
    finished = finish(runs[2], "model", rows=True)
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.keep(finished)
        assert directory.find("ETHUSD") == finished
        assert directory.find("NVDA") is None and directory.find("../ETHUSD") is None


def test_a_part_of_another_symbol_or_another_run_is_not_taken(runs: list[SymbolRun], tmp_path: Path) -> None:
    finished = finish(runs[2], "model", rows=True)
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.keep(finished)
        part = (directory.workspace / "ETHUSD.part").read_bytes()
        (directory.workspace / "NVDA.part").write_bytes(part)
        assert directory.find("NVDA") is None and "NVDA: its saved result" in directory.notes[0]
    with RunDirectory(str(tmp_path), SETTINGS.replace(sims=3), overwrite=True) as other:
        (other.workspace / "ETHUSD.part").write_bytes(part)
        assert other.find("ETHUSD") is None


def test_a_part_that_contradicts_itself_is_not_taken_though_its_digest_is_right(
    runs: list[SymbolRun], tmp_path: Path
) -> None:
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.keep(finish(runs[2], "model", rows=True))
        part = directory.workspace / "ETHUSD.part"
        sound = json.loads(part.read_bytes())["content"]
        for forge, why in (
            (lambda kept: kept["document"]["rows"].clear(), "its rows and its plan are not of the same strategies"),
            (lambda kept: kept["profits"]["times"].pop(), "its profits are not of the same bars and strategies"),
            (lambda kept: [kept["profits"][key].clear() for key in ("headline", "deciding")], "other strategies"),
        ):
            forged = json.loads(json.dumps(sound))
            forge(forged)
            content = msgspec.json.encode(forged)
            sealed = {"blake2b": digest(content), "content": msgspec.Raw(content)}
            part.write_bytes(msgspec.json.format(msgspec.json.encode(sealed)) + b"\n")
            assert directory.find("ETHUSD") is None
            assert why in directory.notes.pop()


def test_a_run_of_failures_leaves_empty_tables(tmp_path: Path) -> None:
    with RunDirectory(str(tmp_path), SETTINGS) as directory:
        directory.add(FinishedSymbol("NOPE", Failure(DataError("no bars of NOPE"))))
        directory.finish(timing_document(Clock()))
    assert (tmp_path / "simulations.csv").read_text() == ""


@pytest.mark.parametrize(("place", "words"), [("file", "and is not a folder"), ("", "needs the name of a directory")])
def test_a_directory_that_cannot_be_written_is_one_line(place: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match=f"--output.* {words}"),
        RunDirectory(str(tmp_path / "file") if place else "", SETTINGS),
    ):
        pass
