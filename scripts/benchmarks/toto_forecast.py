"""Toto 1.0 at its real size with random weights, against the vendor's forecaster. Run: scripts/bench toto_forecast

The vendor draws 128 samples an origin, each by a pass of its own over a copy of the context; it is timed on one origin.
Times are those of the process, so that other work on the machine counts for neither.
(This file cannot be called toto.py: Python would take it for the vendor's package.)
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from marketsim.data import open_source
from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.options import Options
from marketsim.models.scaling import to_moves, to_percent
from marketsim.models.toto import Toto

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the libraries below it
    from toto.data.util.dataset import MaskedTimeseries
    from toto.inference.forecaster import TotoForecaster
    from toto.model.toto import Toto as Vendor

NEEDED = 120  # times as fast an origin
ORIGINS, CONTEXT, SAMPLES, SAMPLES_AT_ONCE = 76, 512, 128, 32
SINGLY = 12  # origins that are timed one at a time too
BASE = {  # the configuration of Toto-Open-Base-1.0: 151 million parameters
    "patch_size": 64,
    "stride": 64,
    "embed_dim": 768,
    "num_layers": 12,
    "num_heads": 12,
    "mlp_hidden_dim": 3072,
    "dropout": 0.1,
    "spacewise_every_n_layers": 12,
    "spacewise_first": False,
    "scaler_cls": "<class 'model.scaler.CausalPatchStdMeanScaler'>",
    "output_distribution_classes": ["<class 'model.distribution.MixtureOfStudentTsOutput'>"],
    "output_distribution_kwargs": {"k_components": 24},
    "use_memory_efficient_attention": False,
    "stabilize_with_global": True,
    "scale_factor_exponent": 10.0,
}

Array = NDArray[np.float64]


def build(folder: Path) -> None:
    torch.manual_seed(0)
    save_file(Vendor(**BASE).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(BASE))


def draw(vendor: TotoForecaster, context: Array) -> Array:
    """The vendor's samples `[4, SAMPLES]` of the moves after `context` `[L, 5]`, of the same series."""
    series = torch.from_numpy(to_percent(context[None], "prices"))
    inputs = MaskedTimeseries(
        series=series,
        padding_mask=torch.ones_like(series, dtype=torch.bool),
        id_mask=torch.zeros_like(series),
        timestamp_seconds=torch.zeros_like(series, dtype=torch.int64),
        time_interval_seconds=torch.full(series.shape[:2], 86_400),
    )
    forecast = vendor.forecast(inputs, 1, num_samples=SAMPLES, samples_per_batch=SAMPLES_AT_ONCE)
    return to_moves(forecast.samples[0, :, 0].double().numpy())


def seconds(model: Toto, contexts: Array, times: NDArray[np.datetime64], at_once: int) -> float:
    """Seconds an origin, with so many contexts a call."""
    start = time.process_time()
    for first in range(0, len(contexts), at_once):
        model.forecast(contexts[first : first + at_once], times[first : first + at_once])
    return (time.process_time() - start) / len(contexts)


def main() -> int:
    torch.set_num_threads(1)
    bars = open_source("sample").load("ETHUSD")
    origins = range(len(bars) - ORIGINS, len(bars))
    contexts = np.stack([bars.ohlcv[t + 1 - CONTEXT : t + 1] for t in origins])
    times = np.stack([bars.time[t + 1 - CONTEXT : t + 1] for t in origins])
    times = np.concatenate([times, times[:, -1:] + np.timedelta64(1, "D")], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        model = Toto("base", Options(weights=folder, context=CONTEXT, device="cpu"))
        vendor = TotoForecaster(Vendor.load_from_checkpoint(folder).model)
        quantiles = model.forecast(contexts[:1], times[:1])[0]  # loads the network
        start = time.process_time()
        samples = draw(vendor, contexts[0])
        vendors = time.process_time() - start
        batched = seconds(model, contexts, times, model.batch)
        single = seconds(model, contexts[:SINGLY], times[:SINGLY], 1)
    ratio = vendors / batched
    print(f"Toto 1.0, 151M parameters, random weights; 4 channels, context {CONTEXT}, one CPU thread")
    print(f"the vendor's forecaster, {SAMPLES} samples: {vendors:6.2f} s an origin (timed on one)")
    print(f"here, batches of {model.batch:>2} of {ORIGINS} origins: {batched:6.3f} s an origin")
    print(f"here, one origin at a time:       {single:6.3f} s an origin, {single / batched:.2f} of that")
    share = (samples[..., None] <= quantiles[:, None]).mean(1)
    print(f"of the vendor's samples below the quantiles {LEVELS[0]} .. {LEVELS[-1]}:", share.mean(0).round(2))
    levels = np.array(LEVELS)
    error = (np.abs(share - levels) / np.sqrt(levels * (1 - levels) / SAMPLES)).max()
    print(f"{'PASS' if error < 5 else 'FAIL'}  the largest difference is {error:.1f} of its standard error, at most 5")
    print(f"{'PASS' if ratio >= NEEDED else 'FAIL'}  {ratio:.0f}x as fast an origin, {NEEDED}x needed")
    return int(ratio < NEEDED or error >= 5)


if __name__ == "__main__":
    sys.exit(main())
