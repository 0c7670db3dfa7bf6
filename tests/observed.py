"""A made-up observed run of the main job, for tests of what is made of it."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.cli.profiled_runs import Observed

PARTS = {
    "start-up": 3,
    "start-up/interpreter": 1,
    "optimize": 5,
    "optimize/terms": 1,
    "optimize/search": 4,
    "optimize/search/evaluate": 1,
    "load": 1,
    "report": 1,
}


def observed(scale: float, spans: Sequence[tuple[str, float, float]] = ()) -> Observed:
    """Ten seconds and ten MiB, `scale` times: two fits, ten tries in five calls; a quarter of the forecasts reused."""
    return Observed(
        10 * scale,
        {name: part * scale for name, part in PARTS.items()},
        dict.fromkeys(PARTS, 2) | {"optimize/search/evaluate": 5},
        {name: round(part * scale) << 20 for name, part in PARTS.items()},
        {"fits": 2, "optimize/search/evaluate": 10, "forecasts made": 30, "forecasts reused": 10},
        spans,
    )
