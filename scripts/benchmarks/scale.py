"""Many symbols of synthetic bars x 70 simulations, empty caches. Run: scripts/bench scale [SYMBOLS of the long run]

Two workers against two commands, and one of a Dask cluster against this process; symbols together against one
at a time; the reference's way, a process a symbol and a loop inside; and whether cost and memory stay flat
over a long run that keeps its files. What a symbol cost at an earlier commit is not known here.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rival import SETTINGS, loop

from marketsim.backtesting import parallel
from marketsim.backtesting.dispatcher import CHUNK
from marketsim.data import open_source
from marketsim.errors import Success
from marketsim.profiling import Clock, peak_bytes
from marketsim.results.run_directory import RunDirectory
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings

BARS = 400
RIVALS, FEW, MANY, LONG = 20, 200, 400, 2000  # symbols: of the rivals, Dask, two workers, and the long run
RIVAL, FLAT, MEMORY = 50, 1.15, 64 << 20  # what is asked for; the last: bytes added by a long run
OVERHEAD, FASTER = 1.05, 1.25  # processor time of two workers, of two commands; how often as fast as one process
DASK = 1.15  # processor time of a worker of a cluster, of one process, at most
TURN = 50  # symbols that a worker and this process do in turns
fresh = itertools.count()


def write_bars(directory: Path, count: int) -> list[str]:
    """`count` files of random walks, eight steps a bar."""
    rng = np.random.default_rng(1)
    days = np.datetime64("2020-01-01") + np.arange(BARS)
    names = [f"S{i:05d}" for i in range(count)]
    directory.mkdir(parents=True)
    for name in names:
        path = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(BARS * 8))).reshape(BARS, 8)
        rows = zip(days, path[:, 0], path.max(1), path.min(1), path[:, -1], strict=True)
        lines = [f"{day},{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for day, a, b, c, d in rows]
        (directory / f"{name}.csv").write_text("date,open,high,low,close\n" + "\n".join(lines) + "\n")
    return names


def settings(place: Path, strategy: str = "all") -> Settings:
    """The default model, and a cache that is empty."""
    cache = place / f"cache-{next(fresh)}"
    return Settings.of(data=str(place / "bars"), cache_dir=str(cache), strategy=strategy)


def seconds(names: list[str], chosen: Settings, together: bool = True) -> float:
    """Wall time of all symbols, in one run or in a run each."""
    start = time.perf_counter()
    for group in [names] if together else [[name] for name in names]:
        assert all(isinstance(done.outcome, Success) for done in parallel.stream(group, chosen, Clock()))
    return time.perf_counter() - start


def workers(names: list[str], place: Path) -> bool:
    """A command with two workers against two commands with half of the symbols each, and against one without workers.

    Processor time is that of all at once on one core, at whose pace they all run: in turns, the pace of a shared
    machine differs by a fifth. The command without workers is a rival in wall time only: processes that share a chip
    slow each other.
    """
    both = [*names, "--workers", "2"]
    with one_core():
        mine, *theirs = processor_seconds(place, both, names[::2], names[1::2])
    overhead = mine / sum(theirs)
    times = []
    for group in (names, both):
        start = time.perf_counter()
        processor_seconds(place, group)
        times.append(time.perf_counter() - start)
    faster = times[0] / times[1]
    print(
        f"{len(names)} symbols, two workers: {overhead:.3f} of the processor time of two commands with half of them "
        f"each, all at once on one core; on two cores {faster:.2f} times as fast as one process ({times[0]:.1f} s)"
    )
    return overhead <= OVERHEAD and faster >= FASTER


@contextmanager
def one_core() -> Iterator[None]:
    """What is started inside stays on one core, where the system can keep it there."""
    if sys.platform != "linux":
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def processor_seconds(place: Path, *groups: list[str]) -> list[float]:
    """Of commands at once, one for each group of symbols and options, their workers included."""
    options = ["--data", str(place / "bars"), "--cache", "off", "--json"]
    commands = [[sys.executable, "-m", "marketsim", "backtest", *group, *options] for group in groups]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    used = []
    for process in running:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert not process.returncode
        used.append(usage.ru_utime + usage.ru_stime)
    return used


def dask(names: list[str], place: Path) -> bool:
    """Processor time of a worker of a cluster against that of this process, in turns, some symbols at a time.

    One worker, because two that are busy slow each other where their cores share a chip; without Dask's profiler, as
    docs/many-symbols.md starts it; in a folder of its own, for every turn looks into all files.
    """
    if find_spec("distributed") is None:
        print("distributed is not here: no row of Dask's workers (extra cluster)")
        return True
    from dask import config
    from distributed import Client, LocalCluster

    with (
        config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        here = Settings.of(data=str(place / "bars"), cache="off")
        there = here.replace(executor="dask", scheduler=cluster.scheduler_address)

        def used(part: list[str], remote: bool) -> float:
            before = process_times()[remote]
            seconds(part, there if remote else here)
            return process_times()[remote] - before

        def process_times() -> tuple[float, float]:
            return time.process_time(), sum(client.run(time.process_time).values())

        parts = 2 * [names[at : at + TURN] for at in range(0, len(names), TURN)]  # twice: single turns are uneven
        for remote in (False, True):
            used(parts[0], remote)  # what is slow once only
        ratios = []
        for turn, part in enumerate(parts):
            first = turn % 2 == 0
            seconds_of = {remote: used(part, remote) for remote in (first, not first)}
            ratios.append(seconds_of[True] / seconds_of[False])
    ratio = statistics.median(ratios)
    print(
        f"{len(names)} symbols, {TURN} at a time, a worker of Dask: {ratio:.3f} of the processor time of one process, "
        f"the median of {min(ratios):.2f} to {max(ratios):.2f}"
    )
    return ratio <= DASK


def batches(names: list[str], place: Path) -> None:
    alone, together = (seconds(names, settings(place), together) for together in (False, True))
    print(f"{len(names)} symbols, one process: together {alone / together:.2f} times as fast as one run a symbol")


def rivals(names: list[str], place: Path) -> bool:
    """A process for each symbol, its loop timed on two simulations of three symbols, against one run in one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import marketsim.backtesting.pipeline, scipy.optimize"], check=True)
    process = time.perf_counter() - start
    source = open_source("files", str(place / "bars"))
    loops = [loop(source.load(name), SETTINGS.walk.simulations // 2)[0] for name in names[:3]]
    theirs = len(names) * (process + statistics.mean(loops))
    mine = seconds(names, settings(place, strategy=SETTINGS.rules.strategy))
    print(
        f"{len(names)} symbols, a process and a loop each: {theirs:.0f} s, {theirs / mine:.0f} times as long as one run"
    )
    return theirs / mine >= RIVAL


def pace() -> float:
    """Seconds of a fixed piece of work: a shared machine changes its pace by half within minutes."""
    start = time.process_time()
    np.cumsum(np.sort(np.random.default_rng(0).standard_normal(1 << 18)))
    return time.process_time() - start


def flat(names: list[str], place: Path) -> bool:
    """Processor time of the last tenth against the first, and the peak at the end against that after a tenth."""
    chosen, clock, tenth = settings(place), Clock(), len(names) // 10
    seconds: list[float] = []
    costs: list[float] = []  # a symbol's mean over a job, in units of the machine's pace at the time
    with RunDirectory(str(place / "out"), chosen) as directory:
        before = time.process_time()
        for i, done in enumerate(parallel.stream(names, chosen, clock, directory), 1):
            directory.add(done)
            seconds.append(done.seconds)
            if i % CHUNK == 0:
                costs.append((time.process_time() - before) / CHUNK / pace())
                before = time.process_time()
            if i == tenth:
                early = peak_bytes()
        before = time.process_time()
        directory.finish(timing_document(clock))
        finishing = time.process_time() - before
    jobs = max(1, tenth // CHUNK)
    first, last = statistics.median(costs[:jobs]), statistics.median(costs[-jobs:])
    more, fits = peak_bytes() - early, clock.seconds["optimize"] / sum(seconds)
    print(
        f"{len(names):,} symbols: {1e3 * statistics.median(seconds):.0f} ms a symbol, at the end {last / first:.2f} of "
        f"the processor time that it took at the start; {fits:.0%} of the time is fits"
    )
    print(
        f"  {early >> 20} MiB after a tenth, {more >> 20} MiB more at the end; "
        f"{finishing:.1f} s for what all come to together, and the files"
    )
    return last / first <= FLAT and more <= MEMORY


def main() -> int:
    long = int(sys.argv[1]) if len(sys.argv) > 1 else LONG
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        names, few = write_bars(place / "bars", max(long, RIVALS)), write_bars(place / "few" / "bars", FEW)
        seconds(names[:4], settings(place))  # what is slow once only
        batches(names[:RIVALS], place)
        held = [
            rivals(names[:RIVALS], place),
            workers(names[:MANY], place),
            dask(few, place / "few"),
            flat(names[:long], place),
        ]
    print("PASS" if all(held) else "FAIL: a ratio is not what was asked for")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
