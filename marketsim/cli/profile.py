"""`marketsim profile`: time and memory of a backtest by stage, and the cost of alternatives."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from marketsim.cli import options, output
from marketsim.cli.completion import symbols
from marketsim.cli.output_files import check_file, write_file
from marketsim.errors import MissingExtra
from marketsim.registry import OPTIMIZERS
from marketsim.settings.choices import ALWAYS_ON, EVERY_STRATEGY
from marketsim.settings.resolution import Words

if TYPE_CHECKING:
    from marketsim.cli.profile_summary import Machine, ProfileDocument
    from marketsim.cli.profiled_runs import Observed
    from marketsim.cli.progress import Progress
    from marketsim.settings.settings import Settings

SCIPY = ("direct", "differential-evolution", "dual-annealing", "shgo", "basin-hopping", "brute")
SEARCHED = 5  # simulations at most in a run for the costs of a search: what an evaluation costs does not depend on them


@options.takes(*options.all_but(options.CACHE, options.CACHE_PLACE, options.WORK))
def profile(
    command: typer.Context,
    symbol: Annotated[
        str,
        typer.Argument(metavar="[SYMBOL]", help="Such as NVDA. [ETHUSD]", show_default=False, autocompletion=symbols),
    ] = "ETHUSD",
    config: options.Config = None,
    repeat: Annotated[
        int,
        typer.Option(
            "--repeat",
            metavar="N",
            min=1,
            help="Runs of each kind; the tables show medians. [3]",
            show_default=False,
        ),
    ] = 3,
    trace: Annotated[
        str | None,
        typer.Option("--trace", metavar="FILE.json", help="Write a trace of both runs, for ui.perfetto.dev."),
    ] = None,
    flamegraph: Annotated[
        str | None, typer.Option("--flamegraph", metavar="FILE.html", help="Write a flame graph (extra 'profile').")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.json and FILE.html.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Measure where the time and memory of a backtest go.

    Runs it with an empty and with a filled forecast cache, each time in a new process, then with one thing changed.
    """
    settings = options.settings_of(command)
    for option, file in (("--trace", trace), ("--flamegraph", flamegraph)):
        if file is not None:
            check_file(option, file, overwrite=overwrite)
    if flamegraph is not None:
        from importlib.util import find_spec

        if find_spec("pyinstrument") is None:
            raise MissingExtra("--flamegraph", "profile")

    from marketsim.cli import profile_summary, profile_tables

    words = options.given(command) | ({"config": config} if config else {})
    gpu = _gpu_here()
    with _runs(symbol, words, 1 + (5 + len(_searches(settings))) * repeat + gpu + (flamegraph is not None)) as runs:
        found, last = _measured(runs, settings, repeat, trace is not None, gpu)
        if flamegraph is not None:
            runs.observe("flamegraph", "flamegraph", "flamegraph", str(Path(flamegraph).absolute()))
    if trace is not None:
        from json import dumps

        write_file(trace, dumps(profile_summary.trace({name: last[name] for name in ("cold", "warm")})) + "\n")
    if json:
        output.document(found)
        return
    profile_tables.show(found, gpu)
    if trace is not None:
        output.lines(f"Trace of the last cold and warm run: {trace} (open it at ui.perfetto.dev)")
    if flamegraph is not None:
        output.lines(f"Flame graph of a cold run: {flamegraph}")


class _Runs(Struct):
    """Runs of one backtest, each with something changed."""

    symbol: str
    words: Mapping[str, Words]  # of the options that the user gave
    directory: Path  # of their caches
    progress: "Progress"
    count: int  # of all that there will be
    done: int = 0

    def observe(self, what: str, cache: str | None, way: str = "plain", detail: str = "", **changes: str) -> "Observed":
        """Run it with the cache of that name, or without one, and with the `changes` of some settings."""
        from marketsim.cli import profiled_runs

        self.progress("runs", self.done, self.count)
        self.progress(what, 0, 1)
        self.done += 1
        place = {"cache": "readwrite", "cache_dir": str(self.directory / (cache or "")), "cache_url": ""}
        words = {**self.words, **(place if cache else {"cache": "off"}), **changes}
        command = ["backtest", *_spelt(words), "--", self.symbol]
        return profiled_runs.observe(command, self.directory, way, detail)


@contextmanager
def _runs(symbol: str, words: Mapping[str, Words], count: int) -> "Iterator[_Runs]":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="marketsim-") as place, output.progress() as progress:
        yield _Runs(symbol, words, Path(place), progress, count)


def _measured(
    runs: _Runs, settings: "Settings", repeat: int, spans: bool, gpu: bool
) -> "tuple[ProfileDocument, dict[str, Observed]]":
    """The document of the profile, and the last run of each kind."""
    from marketsim.cli import profile_summary
    from marketsim.cli.profile_summary import ProfileDocument, search_cost, summary

    machine = _machine()
    way = "trace" if spans else "plain"
    runs.observe("a first run, not counted", "first")
    other = "direct" if settings.optimizer == "exact" else "exact"
    rounds = [
        {
            "cold": runs.observe("cold", str(i), way),
            "warm": runs.observe("warm", str(i), way),
            "without the cache": runs.observe("without the cache", None),
            "and one forecast per call": runs.observe("one forecast per call", None, batch="1"),
            f"{other} in place of {settings.optimizer}": runs.observe(f"fits by {other}", str(i), optimizer=other),
        }
        for i in range(repeat)
    ]
    found = {name: summary([run[name] for run in rounds]) for name in rounds[0]}
    few = str(min(SEARCHED, settings.walk.simulations))
    strategy = settings.rules.strategy if settings.rules.strategy != EVERY_STRATEGY else ALWAYS_ON
    searches = [
        {
            name: runs.observe(f"fits by {name}", "0", optimizer=name, sims=few, strategy=strategy)
            for name in _searches(settings)
        }
        for _ in range(repeat)
    ]
    costs = [search_cost(name, [found[name] for found in searches]) for name in searches[0]]
    if settings.optimizer == "exact":
        costs.append(search_cost("exact", [run["warm"] for run in rounds]))
    cold, warm = (found.pop(name) for name in ("cold", "warm"))
    return ProfileDocument(
        symbol=runs.symbol,
        machine=machine,
        repeat=repeat,
        runs={"cold": cold, "warm": warm},
        what_if=[profile_summary.what_if(name, runs_of, warm) for name, runs_of in found.items()],
        bottleneck=costs,
        gpu=runs.observe("on the GPU", "gpu", "gpu").gpu if gpu else None,
    ), rounds[-1]


def _searches(settings: "Settings") -> list[str]:
    """The optimizers whose search is measured."""
    own = () if settings.optimizer in (*SCIPY, "exact") else (settings.optimizer,)
    return [*(name for name in SCIPY if name in OPTIMIZERS), *own]


def _spelt(words: Mapping[str, Words]) -> list[str]:
    """Settings as the options of a command line."""
    spelt = []
    for key, value in words.items():
        option = f"--{key.replace('_', '-')}"
        for word in value if isinstance(value, list) else [value]:
            spelt += [option] if word is True else [option, str(word)]
    return spelt


def _machine() -> "Machine":
    import os
    import platform

    from marketsim.cli.profile_summary import Machine

    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return Machine(platform.python_version(), os.cpu_count(), load)


def _gpu_here() -> bool:
    """Whether there is an NVIDIA GPU, without importing torch."""
    import shutil

    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None
