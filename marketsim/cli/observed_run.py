"""One observed command in a new process: `python -m marketsim.cli.observed_run FILE WAY DETAIL WORD...`.

`profiled_runs.py` starts it. The command is the very one that users run; what the observer saw is written to FILE.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from marketsim.profiling import Recorder, Tracer, observe

PLAIN, TRACE, FLAMEGRAPH, GPU = "plain", "trace", "flamegraph", "gpu"  # ways to observe a run

COUNTED = 1_000  # stages that tell what one costs

Facts = dict[str, Any]  # what a way adds to the file


def main() -> None:
    """Run `marketsim WORD...` in one of the WAYS; its output and its exit code are the command's own."""
    file, way, detail, *words = sys.argv[1:]
    clock = Tracer() if way == TRACE else Recorder()
    facts: Facts = {}
    sys.argv = ["marketsim", *words]
    with clock.stage("start-up"), observe(clock), WAYS[way](detail, facts):
        code = _command()

    import json

    facts["counting"] = _seconds_to_count(type(clock)())
    observed = {name: getattr(clock, name) for name in ("seconds", "calls", "bytes", "counts", "spans", "base")}
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(observed | facts, stream)
    sys.exit(code)


def _seconds_to_count(clock: Recorder) -> float:
    """What it costs to enter and to leave a stage and to count something, in seconds: the least of several tries."""
    tries = []
    with clock.stage("optimize"), clock.part("search"):
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(COUNTED):
                with clock.part("evaluate", 1):
                    pass
            tries.append((time.perf_counter() - start) / COUNTED)
    return min(tries)


def _command() -> Any:
    from marketsim.cli import main as command

    try:
        command()
    except SystemExit as ended:
        return ended.code
    return 0


@contextmanager
def _flamegraph(file: str, facts: Facts) -> Iterator[None]:
    """Sample the stack every half millisecond and draw it to `file`."""
    from pyinstrument import Profiler

    profiler = Profiler(interval=0.0005, async_mode="disabled")
    with profiler:
        yield
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(profiler.output_html())


@contextmanager
def _gpu(detail: str, facts: Facts) -> Iterator[None]:
    """Count what goes between host and device; `gpu` is None where torch sees no device."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    facts["gpu"] = None
    if not torch.cuda.is_available():
        yield
        return
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        yield
    facts["gpu"] = {"name": torch.cuda.get_device_name()} | traffic({e.key: e.count for e in seen.key_averages()})


def traffic(counts: Mapping[str, int]) -> dict[str, int]:
    """Copies and synchronizations among torch.profiler's event names and their counts."""
    words = {"to_device": "Memcpy HtoD", "to_host": "Memcpy DtoH", "synchronizations": "Synchronize"}
    return {what: sum(n for name, n in counts.items() if word in name) for what, word in words.items()}


WAYS: dict[str, Callable[[str, Facts], AbstractContextManager[None]]] = {
    PLAIN: lambda detail, facts: nullcontext(),
    TRACE: lambda detail, facts: nullcontext(),
    FLAMEGRAPH: _flamegraph,
    GPU: _gpu,
}

if __name__ == "__main__":
    main()
