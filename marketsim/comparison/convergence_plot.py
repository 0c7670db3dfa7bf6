"""A picture of the search: what was still missing of the optimum, against evaluations and against seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.comparison.optimizers import Contest, Entry, Proof, Trial
from marketsim.settings.choices import BASIS_POINTS

PLACES = 200
FLOOR = 1e-3  # basis points a bar, below which a logarithmic axis shows nothing of interest
AXES = ("evaluations", "seconds")
TITLE = "Gap of the best so far, basis points a bar, mean of the runs"

Curve = tuple[str, NDArray[np.float64], NDArray[np.float64]]


def draw(path: Path, contest: Contest, proof: Proof, entries: Sequence[Entry]) -> None:
    """Write both curves of every optimiser as a PNG or an HTML page by the suffix."""
    ran = [entry for entry in entries if any(trial.history for trial in entry.trials)]
    curves = {axis: [(entry.name, *_curve(entry.trials, axis, contest, proof)) for entry in ran] for axis in AXES}
    picture = _page if path.suffix == ".html" else _image
    picture(path, f"{contest.facts['name']}: {TITLE}", curves)


def _curve(
    trials: Sequence[Trial], axis: str, contest: Contest, proof: Proof
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places and the mean gap at them, from where every run has a best."""
    runs = [trial for trial in trials if trial.history]
    steps = [np.array([getattr(step, axis) for step in trial.history], float) for trial in runs]
    first, last = max(each[0] for each in steps), max(getattr(trial, axis) for trial in runs)
    places = np.geomspace(first, max(last, first * 1.01), PLACES)
    gaps = np.zeros(PLACES)
    for trial, at in zip(runs, steps, strict=True):
        profits = np.array([step.profit for step in trial.history])
        missing = float(proof.profit[trial.policy, trial.window]) - profits
        gaps += missing[np.maximum(np.searchsorted(at, places * (1 + 1e-12), side="right") - 1, 0)]
    return places, np.maximum(BASIS_POINTS / contest.bars * gaps / len(runs), FLOOR)


def _image(path: Path, title: str, curves: dict[str, list[Curve]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((12, 5.5), layout="constrained")
    panels = figure.subplots(1, len(curves), sharey=True)
    for panel, (axis, lines) in zip(panels, curves.items(), strict=True):
        for i, (name, x, y) in enumerate(lines):
            look = {"color": f"C{i % 10}", "linestyle": ("-", "--", ":")[i // 10 % 3], "label": name}
            panel.plot(x, y, marker="." if x[-1] < 1.1 * x[0] else "", **look)  # a dot where there is no line
        panel.set(xscale="log", yscale="log", xlabel=axis)
    figure.suptitle(title)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    FigureCanvasAgg(figure)
    figure.savefig(path)


def _page(path: Path, title: str, curves: dict[str, list[Curve]]) -> None:
    from plotly import colors, subplots

    figure = subplots.make_subplots(1, len(curves), shared_yaxes=True, x_title="evaluations | seconds")
    palette: Any = colors.qualitative.Dark24
    for column, lines in enumerate(curves.values(), 1):
        for i, (name, x, y) in enumerate(lines):
            look = {"color": palette[i % len(palette)]}
            figure.add_scatter(
                x=x, y=y, name=name, legendgroup=name, showlegend=column == 1, line=look, row=1, col=column
            )
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    figure.update_layout(title=title)
    figure.write_html(path, include_plotlyjs=True)
