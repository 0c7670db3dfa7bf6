"""One command in a process of its own, observed: `python -m marketsim.cli.observed_run FILE WAY DETAIL WORD...`.

`jobs.py` starts it. The command is the very one that users run; what the observer saw is written to FILE.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from marketsim.profiling import Recorder, Tracer, observe

GRID = 20  # candidates along each multiplier

Facts = dict[str, Any]


def main() -> None:
    """Run `marketsim WORD...` in a way that WAYS names; its output and its exit code are the command's own."""
    file, way, detail, *words = sys.argv[1:]
    clock = Tracer() if way == "trace" else Recorder()
    facts: Facts = {}
    sys.argv = ["marketsim", *words]
    with clock.stage("start-up"), observe(clock), WAYS[way](detail, facts):
        code = _command()

    import json

    observed = {name: getattr(clock, name) for name in ("seconds", "calls", "bytes", "counts", "spans", "base")}
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(observed | facts, stream)
    sys.exit(code)


def _command() -> Any:
    from marketsim.cli import main as command

    try:
        command()
    except SystemExit as ended:
        return ended.code
    return 0


@contextmanager
def _replaced(plugin: Any, method: str, other: Any) -> Iterator[None]:
    kept = getattr(plugin, method)
    setattr(plugin, method, other)
    try:
        yield
    finally:
        setattr(plugin, method, kept)


@contextmanager
def _one_by_one(detail: str, facts: Facts) -> Iterator[None]:
    """Ask models for one origin a call."""
    from marketsim.forecasting.model_forecaster import ModelForecaster

    together = ModelForecaster.made

    def made(self: ModelForecaster, missing: Sequence[Any]) -> Iterator[Any]:
        for each in missing:
            yield from together(self, [each])

    with _replaced(ModelForecaster, "made", made):
        yield


@contextmanager
def _grid(size: str, facts: Facts) -> Iterator[None]:
    """Search a grid, `size` candidates a call, in place of the exact fit: profit, and no optimiser around it."""
    import numpy as np

    from marketsim.execution.profit_terms import evaluate
    from marketsim.optimizers.exact import Exact
    from marketsim.optimizers.exact.maximum import Optimum

    def fit(self: Exact, terms: Any, bounds: Any, seed: int) -> Optimum:
        h, l = (each.reshape(1, -1) for each in np.meshgrid(*(np.linspace(low, high, GRID) for low, high in bounds)))
        parts = [slice(first, first + int(size)) for first in range(0, h.size, int(size))]
        problems = [terms.at(np.array([b])) for b in range(len(terms))]
        profits = np.array([[evaluate(each, h[:, part], l[:, part])[0] for part in parts] for each in problems])
        profits = profits.reshape(len(problems), -1)
        best = profits.argmax(1)
        return Optimum(h[0, best], l[0, best], profits.max(1))

    with _replaced(Exact, "fit", fit):
        yield


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
    """Copies and synchronisations among torch.profiler's event names and their counts."""
    kinds = {"to_device": "Memcpy HtoD", "to_host": "Memcpy DtoH", "synchronisations": "Synchronize"}
    return {kind: sum(n for name, n in counts.items() if word in name) for kind, word in kinds.items()}


WAYS: dict[str, Callable[[str, Facts], AbstractContextManager[None]]] = {
    "plain": lambda detail, facts: nullcontext(),
    "trace": lambda detail, facts: nullcontext(),
    "one-by-one": _one_by_one,
    "grid": _grid,
    "flamegraph": _flamegraph,
    "gpu": _gpu,
}

if __name__ == "__main__":
    main()
