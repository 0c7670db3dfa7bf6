"""Kronos-small against the vendor's `predict_batch`: real sizes, random weights, one thread. Run: scripts/bench kronos

`scripts/bench kronos 5` goes five bars ahead. The vendor is timed on one origin, which takes about a minute for each
bar ahead, marketsim on 24, half of them before and half after it. Times are those of the process, so that other work
on the machine counts for neither.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from kronos_finance._vendor.kronos_model import Kronos as Model
from kronos_finance._vendor.kronos_model import KronosPredictor, KronosTokenizer
from numpy.typing import NDArray

from marketsim.data import open_source
from marketsim.models.kronos import Kronos, calendar, draws, standardize
from marketsim.models.kronos_network import Networks, open_networks
from marketsim.models.options import Options, Sampling

CONTEXT, SAMPLES = 256, 128
ORIGINS = 24
SOME = 8  # of them, for what is compared rather than timed
NEEDED = 120  # times the vendor's speed an origin
TOLERANCE = 1e-5  # of the logits, in float32
MODEL = {"s1_bits": 10, "s2_bits": 10, "n_layers": 8, "d_model": 512, "n_heads": 8, "ff_dim": 1024}
TOKENIZER = {"d_in": 6, "d_model": 256, "n_heads": 4, "ff_dim": 512, "n_enc_layers": 4, "n_dec_layers": 4}
TOKENIZER |= {"s1_bits": 10, "s2_bits": 10, "group_size": 4}
DROPOUT = dict.fromkeys(["ffn_dropout_p", "attn_dropout_p", "resid_dropout_p"], 0.0)
PLAIN = Sampling(1.0, 0, 1.0)
LOSS = {"beta": 0.05, "gamma0": 1.0, "gamma": 1.1, "zeta": 0.05}

Array = NDArray[np.float64]
Inputs = tuple[torch.Tensor, ...]


def build(folder: Path, **size: int) -> None:
    torch.manual_seed(0)
    Model(**MODEL | size, **DROPOUT, token_dropout_p=0.0, learn_te=True).save_pretrained(folder / "model")
    KronosTokenizer(**TOKENIZER, **DROPOUT, **LOSS).save_pretrained(folder / "tokenizer")


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the process, not of the wall."""
    start = time.process_time()
    work()
    return time.process_time() - start


def predictor(networks: Networks, context: Array, times: NDArray[np.datetime64]) -> Callable[[], object]:
    """The vendor's own forecast of one origin, of as many bars as `times` has more than the context."""
    vendor = KronosPredictor(networks.model, networks.tokenizer, device="cpu")
    frame = pd.DataFrame(context, columns=["open", "high", "low", "close", "volume"])
    stamps = pd.Series(times)
    given = [frame], [stamps[:CONTEXT]], [stamps[CONTEXT:]], len(times) - CONTEXT
    return lambda: vendor.predict_batch(*given, top_p=1.0, sample_count=SAMPLES, verbose=False)


def prepare(contexts: Array, times: NDArray[np.datetime64]) -> Inputs:
    """Standardized bars, calendar, uniforms and the scale of the prices, as tensors."""
    uniforms = np.stack([draws(seed, SAMPLES, times.shape[1] - CONTEXT) for seed in range(len(contexts))])
    bars, mean, deviation = standardize(contexts, 5.0)
    scale = np.stack([deviation, mean], 1)[..., :4].astype(np.float32)
    return tuple(map(torch.from_numpy, (bars, calendar(times[:, :-1]), uniforms, scale)))


def noise(networks: Networks, inputs: Inputs) -> float:
    """Largest difference that batch mates make to the quantiles, in standard deviations of the context."""
    together, _ = networks.at_once(PLAIN, *(array[:SOME] for array in inputs))
    alone = [networks.at_once(PLAIN, *(array[i : i + 1] for array in inputs))[0] for i in range(SOME)]
    return float((together - torch.cat(alone)).abs().max())


def difference(networks: Networks, inputs: Inputs) -> float:
    """Largest difference between the vendor's logits at the last position, of both stages, and marketsim's."""
    bars, stamps = inputs[0][:1], inputs[1][:1, :CONTEXT]
    coarse = torch.arange(SAMPLES)[None]
    tokens = networks.tokenizer.encode(bars, half=True)
    theirs, features = networks.model.decode_s1(*tokens, stamps)
    hidden, _ = networks.read(networks.encode(bars), stamps, SAMPLES, 0)
    last = hidden[:, -1:]
    first = (theirs[:, -1:] - networks.coarse_logits(last)).abs().max()
    fine = networks.fine_logits(last, networks.remember(hidden, SAMPLES, 0), coarse)[0]
    steps = [networks.model.decode_s2(features, coarse[:, i : i + 1])[0, -1] for i in range(SOME)]
    return float(max(first, (torch.stack(steps) - fine[:SOME]).abs().max()))


def main(ahead: int = 1) -> int:
    torch.set_num_threads(1)
    bars = open_source("sample").load("ETHUSD")
    ends = len(bars) - ahead - np.arange(ORIGINS)
    contexts = np.stack([bars.ohlcv[end - CONTEXT : end] for end in ends])
    times = np.stack([bars.time[end - CONTEXT : end + ahead] for end in ends])
    with tempfile.TemporaryDirectory() as name:
        build(Path(name))
        model = Kronos("small", Options(weights=name, samples=SAMPLES, context=CONTEXT, device="cpu"))
        networks = open_networks(Path(name, "model"), Path(name, "tokenizer"), torch.device("cpu"), "float32", False)
    half = ORIGINS // 2
    model.paths(contexts[:1], times[:1])
    alone = seconds(lambda: model.paths(contexts[:half], times[:half]))
    theirs = seconds(predictor(networks, contexts[0], times[0]))
    alone = (alone + seconds(lambda: model.paths(contexts[half:], times[half:]))) / ORIGINS
    inputs = prepare(contexts, times)
    batched = seconds(lambda: networks.at_once(PLAIN, *inputs)) / ORIGINS
    moved, apart = noise(networks, inputs), difference(networks, inputs)
    print(
        f"Kronos-small, random weights, context {CONTEXT}, {SAMPLES} samples, bars ahead {ahead}; seconds of one thread"
    )
    print(f"vendor's predict_batch            {theirs:8.3f} s an origin (one origin)")
    print(f"marketsim, one context at a time  {alone:8.3f} s an origin ({ORIGINS} origins)")
    print(f"the same in one batch             {batched:8.3f} s an origin, quantiles differ by {moved:.1e} at most")
    print(f"logits differ from the vendor's   {apart:8.1e} at most, allowed {TOLERANCE:.0e}")
    print(f"ratio an origin                   {theirs / alone:8.0f}x, needed {NEEDED}x")
    passed = theirs / alone >= NEEDED and apart <= TOLERANCE
    print("PASS" if passed else "FAIL: too slow, or not the same logits")
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
