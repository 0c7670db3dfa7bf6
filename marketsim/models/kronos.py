"""`kronos`: a transformer over candlesticks as tokens, all samples of the next bars from one pass over the context."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import CLOSE, LARGEST_MOVE
from marketsim.models.one_thread import ONE_THREAD
from marketsim.models.options import Options, Sampling
from marketsim.models.weights import Weights, locate
from marketsim.profiling import part

if TYPE_CHECKING:
    from marketsim.models.kronos_network import Inputs, Networks

SMALL, LARGE = "NeoQuasar/Kronos-Tokenizer-base", "NeoQuasar/Kronos-Tokenizer-2k"
TOKENIZERS = {"small": (SMALL, 512), "mini": (LARGE, 2048), "base": (SMALL, 512)}  # repository, bars it was trained on
TRAINED_UNTIL, TRAINING = "2024-05-31", "trained to 2024-02, validated to 2024-05, says its author"
CONTEXT = 256  # bars
SAMPLES = 256
CLIP = 5.0  # standard deviations
UNIT = 100.0  # the last close, and the mean volume: the vendor's 1e-5 flattens what is small
SMALLEST = 1e-5  # added to a standard deviation, as the vendor does
FLOOR = 1e-6  # least price, in closes: a sum of standard deviations can fall below nothing
DIGITS = 4  # of a standardized bar, in the seed of its draws
BATCH = 8  # contexts a call on a CPU
MOST = 512  # contexts a call on a GPU, so that an interrupt loses little

Array = NDArray[np.float64]


class Kronos:
    """Quantiles of the bars that the networks draw, and of paths of them.

    Source: Y. Shi et al., "Kronos: A Foundation Model for the Language of Financial Markets", arXiv 2508.02739, 2025.

    Prices (scaled so that the last close is 100), volume, and volume times the mean price are standardized over the
    context and clipped. A context that lacks any volume is read without volume, as zeros. The calendar of the
    context's bars, by the exchange's clocks as in the vendor's examples, is an input; that of a bar that is forecast is
    one only for the bars after it.

    `trained_until` is the end of the validation that chose the weights, by their author's own account: trained to
    2024-02, validated on 2024-03 to 2024-05, tested from 2024-06. Of weights that the user names nobody knows.

    Draws are stratified: a systematic sample for the coarse tokens of the next bar, a Latin hypercube for the fine ones
    and for the bars after it. They are seeded by the standardized context, its calendar and the seed, hence the same at
    any scale of the prices. Neither top-k nor top-p is on by default, because both narrow the bands; when both are,
    both hold, while the vendor's predictor then drops top-p.
    """

    name = "kronos"
    version = "3"
    trained_until: str | None = TRAINED_UNTIL  # of the author's own weights
    training = TRAINING
    minimum_bars = 2
    variants: ClassVar[Mapping[str, str]] = {
        "small": "NeoQuasar/Kronos-small",
        "mini": "NeoQuasar/Kronos-mini",
        "base": "NeoQuasar/Kronos-base",
    }

    @staticmethod
    def installed() -> bool:
        """Whether its package can be imported."""
        return importlib.util.find_spec("kronos_finance") is not None

    def __init__(self, variant: str, options: Options) -> None:
        options.unused(self.name, "trim")
        if options.representation == "moves":
            raise UsageError("model 'kronos' reads prices: leave --representation at auto")
        if not self.installed():
            raise MissingExtra("model 'kronos'", "kronos")
        self.samples = SAMPLES if options.samples is None else options.samples
        self.sampling = Sampling(
            1.0 if options.temperature is None else options.temperature,
            options.top_k or 0,
            1.0 if options.top_p is None else options.top_p,
        )
        self.clip = CLIP if options.clip is None else options.clip
        self.context = CONTEXT if options.context is None else options.context
        longest = TOKENIZERS[variant][1] - 1  # the next bar is decoded in the last of its places
        if not self.minimum_bars <= self.context <= longest:
            raise UsageError(f"kronos:{variant} reads {self.minimum_bars} to {longest} bars, not {self.context}")
        if options.weights not in (None, self.variants[variant]):
            self.trained_until = "unknown"
            self.training = "nobody says how far these weights were trained"
        self._variant, self._options = variant, options
        self._weights, self._tokenizer = _locate(variant, options)

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """What the forecasts depend on: the weights' bytes and every setting but the device."""
        return {
            "variant": self._variant,
            "weights": self._weights.digest,
            "tokenizer": self._tokenizer.digest,
            "context": self.context,
            "samples": self.samples,
            **asdict(self.sampling),
            "clip": self.clip,
            "dtype": self._options.dtype,
            "seed": self._options.seed,
        }

    @cached_property
    def batch(self) -> int:
        """Contexts that pay in one call: few on a CPU, on a GPU what half of its free memory holds."""
        from marketsim.models.device import free_memory

        if (free := free_memory(self._networks.device)) is None:
            return BATCH
        return int(np.clip(free // 2 // self._networks.bytes_per_context(self.context, self.samples), 1, MOST))

    @property
    def horizon(self) -> int:
        """Bars ahead at most: with its context, a path has no more places than the networks were trained on."""
        return TOKENIZERS[self._variant][1] - self.context

    def forecast(self, contexts: Array, times: NDArray[np.datetime64]) -> Array:
        """Quantiles `[N, 4, Q]` of moves after `contexts` `[N, L, 5]` at `times` `[N, L + 1]`; see `ContextModel`."""
        return self.paths(contexts, times)[:, 0, :4]

    def paths(self, contexts: Array, times: NDArray[np.datetime64]) -> Array:
        """Quantiles `[N, K, 6, Q]` of moves after `contexts` `[N, L, 5]` at `times` `[N, L + K]`; see `PathModel`."""
        length, scales = contexts.shape[1], []

        def prepare(rows: slice) -> Inputs:
            bars, mean, deviation = standardize(contexts[rows], self.clip)
            stamps = calendar(times[rows, :-1])
            seeds = [digest(*given, self._options.seed) for given in zip(bars, stamps[:, :length], strict=True)]
            uniforms = np.stack([draws(seed, self.samples, times.shape[1] - length) for seed in seeds])
            scales.append(np.stack([deviation, mean], 1)[..., :4])
            return bars, stamps, uniforms, scales[-1].astype(np.float32)

        with ONE_THREAD:
            standard, extremes = self._networks.quantiles(self.sampling, len(contexts), prepare)
        with part("post-processing"):
            scale = np.concatenate(scales)
            prices = standard * scale[:, None, 0, :, None] + scale[:, None, 1, :, None]
            return np.clip(np.concatenate([prices, extremes], 2) / UNIT, FLOOR, 1 + LARGEST_MOVE) - 1

    @cached_property
    def _networks(self) -> Networks:
        with part("model load"), ONE_THREAD:
            from marketsim.models.device import open_device
            from marketsim.models.kronos_network import open_networks

            folders = self._weights.folder, self._tokenizer.folder
            return open_networks(
                *folders, open_device(self._options.device), self._options.dtype, self._options.compile
            )


def _locate(variant: str, options: Options) -> tuple[Weights, Weights]:
    """The model and its tokenizer: sub-folders of a local folder, or two repositories."""
    model, tokenizer = Kronos.variants[variant], TOKENIZERS[variant][0]
    if options.weights is None or not (folder := Path(options.weights)).is_dir():
        return locate(model, options.weights, options.revision), locate(tokenizer, None, None)
    if not all((folder / name).is_dir() for name in ("model", "tokenizer")):
        raise UsageError(
            f"--weights {folder} must hold the folders 'model' (of {model}) and 'tokenizer' (of {tokenizer}), "
            f"each with config.json and model.safetensors"
        )
    return locate(model, str(folder / "model"), None), locate(tokenizer, str(folder / "tokenizer"), None)


def standardize(contexts: Array, clip: float) -> tuple[NDArray[np.float32], Array, Array]:
    """The networks' bars `[N, L, 6]` of `contexts` `[N, L, 5]`, and the means and deviations `[N, 6]` to undo it.

    Channels are open, high, low, close (in hundredths of the last close), volume (in hundredths of its mean) and
    volume times the mean of the four prices.
    """
    prices = UNIT * (contexts[..., :4] / contexts[:, -1:, CLOSE, None])
    volume = contexts[..., 4:]
    volume = np.where(np.isnan(volume).any(1, keepdims=True), 0.0, volume)
    average = volume.mean(1, keepdims=True)
    volume = UNIT * (volume / np.where(average > 0, average, 1.0))
    bars = np.concatenate([prices, volume, volume * prices.mean(-1, keepdims=True)], -1)
    mean, deviation = bars.mean(1), bars.std(1) + SMALLEST
    standard = np.clip((bars - mean[:, None]) / deviation[:, None], -clip, clip)
    return standard.astype(np.float32), mean, deviation


def calendar(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Minute, hour, weekday (Monday is 0), day and month of stamps by the exchange's clocks, along a new last axis."""
    minutes, hours, days, months = (times.astype(f"datetime64[{unit}]") for unit in "mhDM")
    parts = [
        (minutes - hours.astype(minutes.dtype)).astype(np.int64),
        (hours - days.astype(hours.dtype)).astype(np.int64),
        (days.astype(np.int64) + 3) % 7,  # day 0, 1970-01-01, was a Thursday
        (days - months.astype(days.dtype)).astype(np.int64) + 1,
        months.astype(np.int64) % 12 + 1,
    ]
    return np.stack(parts, -1)


def digest(bars: NDArray[np.float32], stamps: NDArray[np.int64], seed: int) -> int:
    """Seed of a context's draws, blind to rounding noise, such as another unit of the prices leaves."""
    rounded = np.round(bars, DIGITS).astype("<f4") + np.float32(0)  # and no negative zero
    data = rounded.tobytes() + stamps.astype("<i8").tobytes() + str(seed).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=16).digest(), "little")


def stratified(seed: int, samples: int) -> NDArray[np.float32]:
    """Uniforms `[2, S]` of the next bar: a systematic sample, rising, and a Latin hypercube sample beside it."""
    random = np.random.default_rng(seed)
    systematic = (np.arange(samples) + random.random()) / samples
    return np.stack([systematic, _hypercube(random, samples)]).astype(np.float32)


def draws(seed: int, samples: int, ahead: int) -> NDArray[np.float32]:
    """Uniforms `[K, 2, S]` of the bars ahead, each of a stream of its own: those of one bar never know how many follow.

    After the next bar both rows are Latin hypercubes: a rising one would tie each sample to its rank in the first bar.
    """
    random = [np.random.default_rng([seed, step]) for step in range(1, ahead)]
    later = [np.stack([_hypercube(draw, samples) for _ in range(2)]).astype(np.float32) for draw in random]
    return np.stack([stratified(seed, samples), *later])


def _hypercube(random: np.random.Generator, samples: int) -> Array:
    """One dimension `[S]` of a Latin hypercube sample."""
    return (random.permutation(samples) + random.random(samples)) / samples
