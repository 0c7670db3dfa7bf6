"""Whole backtests in new processes, observed and timed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from marketsim.cli import observed_run
from marketsim.errors import DataError, MarketsimError, UsageError

MODULE = observed_run.__name__


class GpuTraffic(Struct, frozen=True):
    """Transfers between the host and a GPU, in numbers of calls."""

    name: str
    to_device: int
    to_host: int
    synchronizations: int


class Observed(Struct, frozen=True):
    """One process, from its start to its end as its parent saw it; a stage holds what its parts do."""

    wall: float  # seconds
    seconds: Mapping[str, float]  # by stage; the stages without parts add up to `wall`
    calls: Mapping[str, int]
    bytes: Mapping[str, int]  # by which the stage raised the peak; they add up to the peak
    counts: Mapping[str, int]
    spans: Sequence[tuple[str, float, float]]  # where kept: stage, start since the process's, length, in seconds
    counting: float = 0.0  # seconds that it costs to observe one call of a stage
    gpu: GpuTraffic | None = None  # where it was counted


def observe(words: Sequence[str], directory: Path, way: str = observed_run.PLAIN, detail: str = "") -> Observed:
    """Run `marketsim WORD...` and watch it; `way` and its `detail` are those of `observed_run.WAYS`.

    Its output is dropped. What it says when it fails is raised as the error that it was.
    """
    file = directory / "observed.json"
    program = [sys.executable, "-m", MODULE, str(file), way, detail, *words]
    start = time.perf_counter()
    done = subprocess.run(
        program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="backslashreplace", check=False
    )
    wall = time.perf_counter() - start
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"a run ended with exit code {done.returncode}"])[-1]
        error = {2: UsageError, 3: DataError}.get(done.returncode, MarketsimError)
        raise error(said.removeprefix("marketsim: "))
    seen = json.loads(file.read_text(encoding="utf-8"))
    outside = ("start-up", "start-up/interpreter")  # what was before the first stage and after the last one
    around = wall - sum(spent for name, spent in seen["seconds"].items() if "/" not in name)
    seconds, calls, grown = (dict.fromkeys(outside, 0) | seen[key] for key in ("seconds", "calls", "bytes"))
    for name in outside:
        seconds[name] += around
        calls[name] = 1
        grown[name] += seen["base"]
    spans = [(name, around + begin, length) for name, begin, length in seen["spans"]]
    spans.append(("start-up/interpreter", 0.0, around))
    gpu = GpuTraffic(**seen["gpu"]) if seen.get("gpu") else None
    return Observed(wall, seconds, calls, grown, seen["counts"], spans, seen["counting"], gpu)
