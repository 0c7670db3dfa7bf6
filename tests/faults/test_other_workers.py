"""A worker with other bars, code, weights or paths than the run's: what it computes never gets into the results."""

from __future__ import annotations

import contextlib
import contextvars
import shutil
from collections.abc import Callable, Collection
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from marketsim import registry
from marketsim.backtesting.executors import worker_name
from marketsim.backtesting.executors.local import Local
from marketsim.backtesting.worker import Job, JobDone, current_process, work
from marketsim.errors import Failure, MarketsimError, Success, value_of
from marketsim.results.result import FinishedSymbol
from tests.many_symbols import cheap, documents, names, run, write_universe


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("universe") / "bars"
    write_universe(directory, 12)
    return directory


def test_another_version_of_a_worker_is_told(data: Path) -> None:
    with pytest.raises(MarketsimError, match=r"not 0\.0: install the same"):
        work(Job("run", cheap(data), ("S000",), rows=False, basis=False, code=None, fingerprints=None, version="0.0"))


class Elsewhere(Local):
    """Workers elsewhere, each with its own way to do a job; the first that may do it is asked, or they take turns."""

    separate = remote = True
    workers: ClassVar[dict[str, Callable[[Job], JobDone]]] = {}
    asked: ClassVar[list[str]] = []
    in_turn = False

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        future = self.submit_to_others((), fn, *arguments)
        assert future is not None
        return future

    def submit_to_others(self, workers: Collection[str], fn: Callable[..., Any], /, *arguments: Any) -> Any:
        names = [name for name in self.workers if name not in workers]
        if not names:
            return None
        name = names[len(self.asked) % len(names) if self.in_turn else 0]
        self.asked.append(name)
        current_process.close()  # each has its own
        context = contextvars.copy_context()
        context.run(worker_name.set, name)
        return super().submit(context.run, self.workers[name], *arguments)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[Job], JobDone]]:
    """The workers by name."""
    monkeypatch.setitem(registry.EXECUTORS, "local", "tests.faults.test_other_workers:Elsewhere")
    monkeypatch.setattr(Elsewhere, "workers", {})
    monkeypatch.setattr(Elsewhere, "asked", [])
    return Elsewhere.workers


def with_data(directory: Path) -> Callable[[Job], JobDone]:
    return lambda job: work(replace(job, settings=job.settings.replace(data=str(directory))))


def with_other_code(job: Job) -> JobDone:
    return work(replace(job, code="0" * 64))


@pytest.fixture
def other_data(data: Path, tmp_path: Path) -> Path:
    """The same bars, but for one price of a symbol, and without the file of another."""
    other = tmp_path / "bars"
    shutil.copytree(data, other)
    path = other / "S002.csv"
    lines = path.read_text().splitlines()
    date, *prices, volume = lines[20].split(",")
    lines[20] = ",".join((date, *(str(1.1 * float(price)) for price in prices), volume))
    path.write_text("\n".join(lines) + "\n")
    (other / "S003.csv").unlink()
    return other


def test_what_a_worker_has_other_bars_of_goes_elsewhere(
    data: Path, other_data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], tmp_path: Path
) -> None:
    elsewhere |= {"odd": with_data(other_data), "even": with_data(data)}
    runs = run(names(data)[:6], cheap(data))
    assert {"odd", "even"} <= set(Elsewhere.asked)
    notes = {each.symbol: note for each in runs for note in each.notes if "another worker" in note}
    assert notes == {symbol: f"{symbol}: its bars on odd differ: another worker runs it" for symbol in ("S002", "S003")}
    found = documents(runs)
    elsewhere.clear()
    elsewhere["even"] = with_data(data)
    assert documents(run(names(data)[:6], cheap(data))) == found


def test_what_every_worker_has_other_bars_of_fails_and_the_rest_goes_on(
    data: Path, other_data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]
) -> None:
    elsewhere |= {"odd": with_data(other_data), "odder": with_data(other_data)}
    runs = run(names(data)[:6], cheap(data))
    failures = {each.symbol: str(each.outcome.error) for each in runs if isinstance(each.outcome, Failure)}
    assert failures.keys() == {"S002", "S003"}, failures
    assert all(f"{symbol}: its bars on odd" in why and "no worker has them" in why for symbol, why in failures.items())


def test_what_is_not_there_is_not_sent(data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]) -> None:
    elsewhere["even"] = with_data(data)
    (failed,) = run(["NOPE"], cheap(data))
    assert isinstance(failed.outcome, Failure) and "no bars of NOPE" in str(failed.outcome.error)
    assert not Elsewhere.asked


def test_a_worker_with_other_code_is_not_used(data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]) -> None:
    elsewhere |= {"old": with_other_code, "even": work}
    runs = run(names(data), cheap(data))
    assert all(isinstance(each.outcome, Success) for each in runs)
    assert Elsewhere.asked.count("old") <= 3  # as many jobs as there is room for
    elsewhere.pop("even")
    with pytest.raises(MarketsimError, match=r"code of marketsim .* on old differs.*no worker is left"):
        run(names(data), cheap(data))


def test_a_worker_whose_weights_are_others_is_not_used(
    data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Elsewhere, "in_turn", True)

    def other_weights(job: Job) -> JobDone:
        done = work(job)
        symbols = [
            replace(each, outcome=Success(replace(value_of(each.outcome), model="other")))
            for each in done.symbols
            if isinstance(each, FinishedSymbol)
        ]
        return replace(done, symbols=symbols)

    elsewhere |= {"even": work, "odd": other_weights}
    runs = run(names(data), cheap(data))
    models = {value_of(each.outcome).model for each in runs}
    assert len(models) == 1 and "other" not in models


def test_paths_mean_the_same_in_another_working_directory(
    data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def from_root(job: Job) -> JobDone:
        with contextlib.chdir("/"):
            return work(job)

    elsewhere["even"] = from_root
    monkeypatch.chdir(data.parent)
    runs = run(["S000", "MINE=bars/S001.csv"], cheap(Path("bars"), cache="readwrite", cache_dir="forecasts"))
    found = [value_of(each.outcome).document for each in runs]
    assert [(each.symbol, each.bars.source) for each in found] == [("S000", "bars/S000.csv"), ("MINE", "bars/S001.csv")]
    assert (data.parent / "forecasts").is_dir()
