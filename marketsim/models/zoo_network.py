"""Runs a model of skforecast's on a device. Letters: N contexts, C channels, L bars, Q levels."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import pandas as pd
import torch
from skforecast.foundation import FoundationModel
from torch import Tensor

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.device import open_device
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.loading_bar import without_loading_bar
from marketsim.models.options import Options
from marketsim.models.weights import Weights

MICRO_BATCH = 8  # contexts a call on a CPU


@functools.cache
def load(repository: str, context: int, weights: Weights, options: Options) -> Inference:
    """The model that the adapter of `repository` makes of the `weights`, once per process."""
    return Inference.open(
        ZooNetwork(repository, context, weights, str(open_device(options.device))), options, MICRO_BATCH
    )


class ZooNetwork(Network):
    """An adapter, which loads its backend when it is first asked."""

    def __init__(self, repository: str, context: int, weights: Weights, device: str) -> None:
        super().__init__()
        self.repository, self.weights = repository, weights
        self.model = FoundationModel(repository, context_length=context, **_choices(repository, device))
        # The adapter was chosen by the repository; what it loads are the very files that were digested.
        self.model.adapter.model_id = str(weights.folder)

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`."""
        contexts, channels, _ = series.shape
        rows = series.flatten(0, 1).cpu().double().numpy()
        given = {str(row): pd.Series(values) for row, values in enumerate(rows)}
        with warnings.catch_warnings(), reading("zoo", self.weights.folder), without_loading_bar():
            warnings.simplefilter("ignore")  # the license is told by `models list`, and before a download
            found = self.model.predict(1, context=given, quantiles=list(LEVELS))
        found = found.set_index("level").loc[list(given), [f"q_{level}" for level in LEVELS]]
        quantiles = torch.from_numpy(found.to_numpy(copy=True)).sort(-1).values
        return quantiles.reshape(contexts, channels, -1).to(series.device)


def _choices(repository: str, device: str) -> dict[str, Any]:
    """An adapter's options: its device, under the adapter's name for it, and no clipping of moves at 0."""
    if repository.startswith("google/timesfm-2.5"):
        return {"max_horizon": 1, "forecast_config_kwargs": {"infer_is_positive": False}}
    if repository.startswith("google/timesfm-3"):
        return {"device": device}
    return {"device_map": device}
