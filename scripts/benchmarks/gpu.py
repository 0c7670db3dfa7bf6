"""All that a GPU should show, in six minutes at most, as one table for docs/speed.md. Run: scripts/bench gpu [--small]

The exact fit of 140, 14,000 and 1,000,000 windows beside the compiled one on a core; Kronos and Toto at their real
sizes with random weights, at 76 and 760 origins. Of each: seconds, operations that the GPU is sent, how often it is
waited for, copies, and which share that is of what the same GPU reaches in a large matrix product (compute) and in a
copy (memory). What would not end in time is left out, and said. `--small` runs all of it in small on the CPU, which
shows that it works and nothing else; without a GPU and without `--small` there is nothing to measure.
"""

from __future__ import annotations

import importlib
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from marketsim import registry
from marketsim.cli.observed_run import traffic
from marketsim.data import open_source
from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import Costs, Levels, Outcomes
from marketsim.execution.window_terms import WindowTerms
from marketsim.forecasting.keys import contexts_of
from marketsim.forecasting.protocols import ContextModel
from marketsim.models.options import Options
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.compiled import compiled_code
from marketsim.optimizers.exact.on_device import ExactOn
from marketsim.reference import BOUNDS
from marketsim.settings.choices import EXPECTED, TOUCH

SECONDS = 345.0  # for all of it
LONGEST = 60.0  # for a row
ON_HOST = 14_000  # problems that the compiled fit is timed on at most; more take as much longer


class Size(Struct, frozen=True):
    """How large everything is."""

    device: str
    windows: tuple[int, ...]
    bars: int  # of a window
    origins: tuple[int, ...]
    context: int
    samples: int
    side: int  # of the matrices that show what the device can do
    copied: int  # bytes of the copy that does
    networks: dict[str, str]  # and what builds them
    dtypes: tuple[str, ...]


NETWORKS = {"kronos:small": "kronos:build", "kronos:base": "gpu:kronos_base", "toto:base": "toto_forecast:build"}
TINY = {"kronos:small": "gpu:tiny_kronos", "toto:base": "gpu:tiny_toto"}
FULL = Size("cuda", (140, 14_000, 1_000_000), 60, (76, 760), 256, 128, 8192, 1 << 30, NETWORKS, ("float32", "bfloat16"))
SMALL = Size("cpu", (4, 40, 400), 7, (3, 9), 64, 8, 256, 1 << 20, TINY, ("float32",))


class Reached(Struct, frozen=True):
    """What one kind of work took."""

    seconds: float
    operations: int
    moved: dict[str, int]  # copies and waits
    flops: int


class Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Operations on tensors, views included."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.operations += 1
        return func(*args, **(kwargs or {}))


def kronos_base(folder: Path) -> None:
    importlib.import_module("kronos").build(folder, n_layers=12, d_model=832, n_heads=16, ff_dim=2048)


def tiny_kronos(folder: Path) -> None:
    importlib.import_module("kronos").build(folder, n_layers=1, d_model=32, n_heads=2, ff_dim=64)


def tiny_toto(folder: Path) -> None:
    import toto_forecast

    tiny = {"embed_dim": 32, "num_layers": 2, "num_heads": 2, "mlp_hidden_dim": 64, "spacewise_every_n_layers": 2}
    toto_forecast.BASE |= tiny
    toto_forecast.build(folder)


def finished() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(work: Callable[[], object], most: float = 3.0) -> float:
    """The quickest of up to three runs after a first one, the device's own work included; of one where it is long."""
    taken: list[float] = []
    while len(taken) < 4 and (not taken or sum(taken) < most):
        finished()
        start = time.perf_counter()
        work()
        finished()
        taken.append(time.perf_counter() - start)
    return min(taken[1:] or taken)


def reached(work: Callable[[], object]) -> Reached:
    taken = seconds(work)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])]
    with profile(activities=activities) as seen, FlopCounterMode(display=False) as flops, Counted() as counted:
        work()
    moved = traffic({event.key: event.count for event in seen.key_averages()})
    return Reached(taken, counted.operations, moved, flops.get_total_flops())


def limits(dtype: torch.dtype, size: Size) -> tuple[float, float]:
    """What this device reaches: operations a second in a matrix product, bytes a second in a copy."""
    a, b = (torch.randn(size.side, size.side, device=size.device).to(dtype) for _ in range(2))
    source, target = (torch.empty(size.copied, dtype=torch.uint8, device=size.device) for _ in range(2))
    return 2 * size.side**3 / seconds(lambda: a @ b), 2 * size.copied / seconds(lambda: target.copy_(source))


def windows(count: int, bars: int, fill: str) -> WindowTerms:
    """So many windows of both legs on bars of a random walk, half of them closed at the close as walks have them."""
    rng = np.random.default_rng(1)
    path = np.cumsum(0.005 * rng.standard_normal((count // 2 + bars - 1, 8)), axis=1)
    did = Outcomes(path[:, 0], path.max(1), path.min(1), path[:, -1])
    ones = np.ones(len(path))
    above, below = 0.01 * rng.random((2, len(path)))
    levels = Levels(above, -below, 2e-4 * ones, 0.5 * ones)
    terms = profit_terms(levels, did, Costs(0.0015, 0.0005), fill, True)
    rows = np.arange(count // 2)[:, None] + np.arange(bars)
    at_close = type(terms).concatenate([terms, terms.at_close()])
    return WindowTerms(at_close, np.concatenate([rows, rows + len(path)]))


def fits(size: Size) -> Iterator[tuple[str, Callable[[], str]]]:
    """A row for every fill and number of windows, to be made."""
    device = ExactOn(torch.device(size.device))
    for fill in (TOUCH, EXPECTED):
        for count in size.windows:
            yield f"fit {fill}, {count:,} windows of {size.bars}", partial(fit_row, device, count, fill, size)


def fit_row(device: ExactOn, count: int, fill: str, size: Size) -> str:
    on_host = windows(min(count, ON_HOST), size.bars, fill)
    terms = on_host if count <= ON_HOST else windows(count, size.bars, fill)
    expected = Exact().maximum(on_host, BOUNDS)
    host = seconds(partial(Exact().maximum, on_host, BOUNDS)) * count / len(on_host)
    found = reached(partial(device.maximum, terms, BOUNDS))
    compute, _ = limits(torch.float64, size)
    apart = np.abs(device.maximum(on_host, BOUNDS).profit - expected.profit).max()
    if apart > 1e-12:
        raise AssertionError(f"profits of {fill} differ by {apart:.0e}")
    shares = f"{found.flops / found.seconds / compute:.0%} | -"
    return f"{host:.3f} s | {found.seconds:.3f} s | {host / found.seconds:.1f}x | {counts(found)} | {shares}"


def counts(found: Reached) -> str:
    moved = found.moved
    return f"{found.operations:,} | {moved['synchronizations']:,} | {moved['to_device']:,} + {moved['to_host']:,}"


def forecasts(size: Size) -> Iterator[tuple[str, Callable[[], str]]]:
    """A row for every network, precision and number of origins, to be made."""
    for name in size.networks:
        for dtype in size.dtypes:
            for origins in size.origins:
                yield f"{name}, {dtype}, {origins} origins", partial(forecast_row, name, dtype, origins, size)


def forecast_row(name: str, dtype: str, origins: int, size: Size) -> str:
    kind, _, variant = name.partition(":")
    module, function = size.networks[name].split(":")
    with tempfile.TemporaryDirectory() as folder:
        getattr(sys.modules[__name__] if module == "gpu" else importlib.import_module(module), function)(Path(folder))
        samples = size.samples if kind == "kronos" else None
        options = Options(weights=folder, device=size.device, dtype=dtype, context=size.context, samples=samples)
        model: ContextModel = registry.load(registry.MODELS, "model", kind)(variant, options)
        bars = open_source("sample").load("ETHUSD")
        given = contexts_of(model, bars, np.arange(len(bars) - origins, len(bars)))
        contexts, times = (np.stack(arrays) for arrays in zip(*map(given.at, range(origins)), strict=True))

        def forecast() -> None:
            """In the batches that the model asks for, as a run does."""
            for first in range(0, len(contexts), model.batch):
                rows = slice(first, first + model.batch)
                model.forecast(contexts[rows], times[rows])

        found = reached(forecast)
        weights = sum(path.stat().st_size for path in Path(folder).rglob("*.safetensors"))
    compute, memory = limits(getattr(torch, dtype), size)
    passes = -(-origins // model.batch)
    shares = f"{found.flops / found.seconds / compute:.0%} | {passes * weights / found.seconds / memory:.1%}"
    return f"- | {found.seconds:.3f} s | {origins / found.seconds:,.0f} a second | {counts(found)} | {shares}"


def out_of_time(number: int, frame: object) -> None:
    raise TimeoutError("no time was left")


def main(arguments: list[str]) -> int:
    size = SMALL if "--small" in arguments else FULL
    if size.device == "cuda" and not torch.cuda.is_available():
        print("there is no GPU here: nothing was measured (--small runs it on the CPU)")
        return 0
    card = torch.cuda.get_device_name() if size.device == "cuda" else f"no card: {platform.machine()}"
    code = "compiled" if compiled_code() else "arrays, nothing is compiled here"
    print(f"On {card}, torch {torch.__version__}; one core of its host beside it ({code}).\n")
    print("| what | one core | GPU | ratio, or rate | operations | waits | copies to + from | of compute | of memory |")
    print("|" + " --- |" * 9)
    started, left_out = time.perf_counter(), []
    signal.signal(signal.SIGALRM, out_of_time)
    for name, row in (*fits(size), *forecasts(size)):
        left = SECONDS - (time.perf_counter() - started)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, min(left, LONGEST)))
        try:
            print(f"| {name} | {row()} |", flush=True)
        except (ImportError, MemoryError, TimeoutError, torch.OutOfMemoryError) as error:
            left_out.append(f"{name} ({error})")
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(f"\n{time.perf_counter() - started:.0f} s in all")
    for name in left_out:
        print(f"left out: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
