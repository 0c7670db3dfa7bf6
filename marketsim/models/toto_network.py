"""The network of Toto 1.0: one pass over a context to the distribution of the value that follows it."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from marketsim.forecasting.forecasts import LEVELS, MEDIAN
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.options import Options
from marketsim.models.student_mixture import StudentMixture
from marketsim.models.weights import Weights

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ImportWarning)  # kernels that are not installed
    warnings.filterwarnings("ignore", message="Using `json`-module", category=UserWarning)  # gluonts
    from toto.model.attention import AttentionAxis
    from toto.model.distribution import MixtureOfStudentTsOutput
    from toto.model.toto import Toto

MICRO_BATCH = 16  # contexts


class TotoNetwork(Network):
    """The backbone of a checkpoint, of which a pass runs what the next value depends on, and no more.

    The vendor's own forward pass unembeds every step of every patch, and its forecaster draws the next value,
    each sample by a pass of its own. Here only the last patch goes through the layers that mix channels, where
    they are the last ones, and only its first step through the output projection.
    """

    def __init__(self, folder: Path, trim: float | None = None) -> None:
        super().__init__()
        self.trim = trim
        with reading("toto", folder):
            # The other kernels for attention are not there for every device.
            self.backbone = Toto.load_from_checkpoint(folder, use_memory_efficient_attention=False).model.eval()
            self.head = self.backbone.output_distribution
            if not isinstance(self.head, MixtureOfStudentTsOutput):
                raise TypeError("its head is no mixture of Student-t distributions")
        self.patch: int = self.backbone.patch_embed.patch_size
        axes = [layer.attention_axis for layer in self.backbone.transformer.layers]
        self.mixing_from = len(axes)  # from this layer on, none looks along time
        while self.mixing_from and axes[self.mixing_from - 1] == AttentionAxis.SPACE:
            self.mixing_from -= 1

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`; whole patches are read, and a shorter series is padded on the left.

        The trimmed mean, where there is one, stands in the median's place, and pushes what is in its way.
        """
        bars = series.shape[-1]
        missing = max(self.patch - bars, 0)
        series = series[..., 0 if missing else bars % self.patch :]
        observed = F.pad(torch.ones_like(series, dtype=torch.bool), (missing, 0))
        mixture: StudentMixture = self(F.pad(series, (missing, 0)), observed)
        quantiles = mixture.quantiles(LEVELS)
        if self.trim is None:
            return quantiles
        point = mixture.trimmed_mean(self.trim)[..., None]
        below, above = quantiles[..., :MEDIAN], quantiles[..., MEDIAN + 1 :]
        return torch.cat([below.minimum(point), point, above.maximum(point)], -1)

    def forward(self, series: Tensor, observed: Tensor) -> StudentMixture:
        """The distributions `[N, C, K]` of the value after `series` `[N, C, L]`, whose channels form one group.

        L is a multiple of the patch size; `observed` `[N, C, L]` is False where the series is padded.
        """
        scaled, loc, scale = self.backbone.scaler(series, weights=torch.ones_like(series), padding_mask=observed)
        x = self.backbone.patch_embed.projection(scaled.unflatten(-1, (-1, self.patch)))
        for index, layer in enumerate(self.backbone.transformer.layers):
            if index == self.mixing_from:
                x = x[:, :, -1:]
            x = layer(index, x)
        unembed, size = self.backbone.unembed, self.backbone.embed_dim
        # The rows of the first step of a patch come first; the head is evaluated in full precision.
        x = F.linear(x[:, :, -1], unembed.weight[:size], unembed.bias[:size]).float()
        with torch.autocast(x.device.type, enabled=False):
            eps = torch.finfo(x.dtype).eps
            return StudentMixture(
                weights=F.softmax(self.head.mixture_weights(x), -1),
                df=2 + F.softplus(self.head.df(x)).clamp_min(eps),
                loc=loc[..., -1:] + scale[..., -1:] * self.head.loc_proj(x),
                scale=scale[..., -1:] * F.softplus(self.head.scale_proj(x)).clamp_min(eps),
            )


@lru_cache(maxsize=1)
def load(weights: Weights, options: Options) -> Inference:
    """The network of a checkpoint, once per process."""
    return Inference.open(TotoNetwork(weights.folder, options.trim), options, MICRO_BATCH)
