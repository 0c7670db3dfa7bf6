"""Kronos and Toto at their real sizes on a GPU, with random weights; then the exact fit. Run: scripts/bench gpu

Prints seconds, forecasts a second, the share of what the same GPU reaches in a large matrix product (compute) and in a
copy (memory, for weights that are read once a batch), and the copies and synchronizations of a run.
Without a GPU there is nothing to measure, and it says so.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import kronos
import numpy as np
import torch
from fit import problems
from kronos_finance._vendor.kronos_model import Kronos, KronosTokenizer
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from marketsim import registry
from marketsim.cli.observed_run import traffic
from marketsim.data import open_source
from marketsim.data.walk_forward import make_walk
from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import Costs, ProfitTerms
from marketsim.execution.strategies import always_on
from marketsim.forecasting.keys import contexts_of
from marketsim.forecasting.protocols import ContextModel
from marketsim.models.options import Options
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.on_device import ExactOn
from marketsim.reference import BOUNDS

ORIGINS = (76, 760)
CONTEXT, SAMPLES = 256, 128
WINDOW = 200
SIDE = 8192  # of the matrices that show what the GPU can do
COPIED = 1 << 30  # bytes of the copy that does
BASE = kronos.MODEL | {"n_layers": 12, "d_model": 832, "n_heads": 16, "ff_dim": 2048}
NETWORKS = {"kronos:small": "kronos:build", "kronos:base": "gpu:kronos_base", "toto:base": "toto_forecast:build"}


def kronos_base(folder: Path) -> None:
    torch.manual_seed(0)
    Kronos(**BASE, **kronos.DROPOUT, token_dropout_p=0.0, learn_te=True).save_pretrained(folder / "model")
    tokenizer = KronosTokenizer(**kronos.TOKENIZER, **kronos.DROPOUT, **kronos.LOSS)
    tokenizer.save_pretrained(folder / "tokenizer")


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The quickest of some runs, the device's own work included; the first one is not counted."""
    work()
    taken = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return min(taken)


def limits(dtype: torch.dtype) -> tuple[float, float]:
    """What this GPU reaches: operations a second in a matrix product, bytes a second in a copy."""
    a, b = (torch.randn(SIDE, SIDE, device="cuda", dtype=dtype) for _ in range(2))
    source, target = (torch.empty(COPIED, dtype=torch.uint8, device="cuda") for _ in range(2))
    return 2 * SIDE**3 / seconds(lambda: a @ b), 2 * COPIED / seconds(lambda: target.copy_(source))


def forecast(model: ContextModel, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> None:
    """As the sweep does: in the batches that the model asks for."""
    for first in range(0, len(contexts), model.batch):
        rows = slice(first, first + model.batch)
        model.forecast(contexts[rows], times[rows])


def network(name: str, dtype: str, folder: Path) -> None:
    module, function = NETWORKS[name].split(":")
    getattr(importlib.import_module(module), function)(folder)
    kind, _, variant = name.partition(":")
    samples = SAMPLES if kind == "kronos" else None
    options = Options(weights=str(folder), device="cuda", dtype=dtype, context=CONTEXT, samples=samples)
    model: ContextModel = registry.load(registry.MODELS, "model", kind)(variant, options)
    bars = open_source("sample").load("ETHUSD")
    weights = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    compute, memory = limits(getattr(torch, dtype))
    for count in ORIGINS:
        given = contexts_of(model, bars, np.arange(len(bars) - count, len(bars)))
        contexts, times = (np.stack(part) for part in zip(*map(given.at, range(count)), strict=True))
        taken = seconds(partial(forecast, model, contexts, times))
        with FlopCounterMode(display=False) as counted:
            forecast(model, contexts, times)
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
            forecast(model, contexts, times)
        moved = traffic({event.key: event.count for event in seen.key_averages()})
        passes = -(-count // model.batch)
        print(
            f"{name:13} {dtype:9} {count:>5} {model.batch:>6} {taken:>9.3f} {count / taken:>10,.0f} "
            f"{counted.get_total_flops() / taken / compute:>8.0%} {passes * weights / taken / memory:>8.1%} "
            f"{moved['to_device']:>8,} {moved['to_host']:>8,} {moved['synchronizations']:>8,}"
        )


def fits() -> None:
    """140 exact fits on windows of 200 bars, both closing policies, on the CPU and on the GPU."""
    bars = open_source("sample").load("ETHUSD")
    walk = make_walk(len(bars), 70, WINDOW, 2, "ETHUSD")
    levels, did = problems(bars, walk)
    placed = profit_terms(levels, did, Costs(0.0015, 0.0005), "expected", False)
    placed = placed.placed(always_on(levels.high_move, levels.low_move, False)).at(walk.windows[:-1])
    terms = ProfitTerms.concatenate([placed.at_close(), placed])
    gpu = ExactOn(torch.device("cuda"))
    here, there = (seconds(partial(optimizer.fit, terms, BOUNDS, 0)) for optimizer in (Exact(), gpu))
    apart = np.abs(Exact().fit(terms, BOUNDS, 0).profit - gpu.fit(terms, BOUNDS, 0).profit).max()
    print(f"\n140 exact fits at W = {WINDOW}: {here:.3f} s on the CPU, {there:.3f} s on the GPU")
    print(f"their profits differ by {apart:.0e} at most")


def main() -> int:
    if not torch.cuda.is_available():
        print("there is no GPU here: nothing was measured")
        return 0
    print(f"{torch.cuda.get_device_name()}, context {CONTEXT}, {SAMPLES} samples\n")
    widths = {"N": 5, "batch": 6, "seconds": 9, "a second": 10, "compute": 8, "memory": 8, "to GPU": 8, "to CPU": 8}
    print(f"{'model':13} {'dtype':9} " + " ".join(f"{name:>{n}}" for name, n in (widths | {"syncs": 8}).items()))
    for name in NETWORKS:
        for dtype in ("float32", "bfloat16"):
            with tempfile.TemporaryDirectory() as folder:
                network(name, dtype, Path(folder))
    fits()
    return 0


if __name__ == "__main__":
    sys.exit(main())
