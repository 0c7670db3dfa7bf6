"""A plot of searches: the gap to the optimum against evaluations and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.comparison.optimizers import Trial
from marketsim.comparison.problems import FitProblems, Optima
from marketsim.comparison.ranking import NEAR, Runs
from marketsim.results.plots.figures import figure, save

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PLACES = 200
AXES: tuple[Literal["evaluations", "seconds"], ...] = ("evaluations", "seconds")
GAP, REACHED = "gap to the proven optimum, bps/bar", "reached"
HEIGHTS = (0.88, 0.12)  # of the panel with a logarithmic gap, and of the strip for those without one

Floats = NDArray[np.float64]


class Curve(Struct, frozen=True):
    """What the median trial of an optimizer was still missing; a single point where it has no history."""

    name: str
    places: Floats  # evaluations or seconds
    gap: Floats  # basis points a bar; 0 where the optimum is reached


def draw(path: Path, problems: FitProblems, optima: Optima, runs: Runs) -> None:
    """Write both curves of every optimizer as PNG, SVG or HTML by the suffix."""
    found = {run.name: [trial for trial in run.trials if trial.history] for run in runs}
    curves = {
        axis: [curve(name, trials, axis, problems, optima) for name, trials in found.items() if trials] for axis in AXES
    }
    facts = problems.facts
    windows = f"{facts.windows} windows of {facts.bars} bars" if facts.windows > 1 else f"{facts.bars} bars"
    title = f"{facts.name}, {windows}: {facts.strategy}, {facts.fill} fills; the best so far, median trial"
    if path.suffix == ".html":
        _page(path, title, curves)
    else:
        _image(path, title, curves)


def curve(
    name: str,
    trials: Sequence[Trial],
    axis: Literal["evaluations", "seconds"],
    problems: FitProblems,
    optima: Optima,
) -> Curve:
    """From where half of the trials have an answer to where the last one ends; a point where none has a second."""
    steps = [np.array([_at(step, axis) for step in trial.history]) for trial in trials]
    first = float(np.quantile([path[0] for path in steps], 0.5, method="higher"))
    last = max(first, *(_at(trial, axis) for trial in trials))
    searched = any(len(path) > 1 for path in steps)
    places = np.geomspace(first, last, PLACES) if searched and last > first else np.array([first])
    gaps = np.full((len(trials), len(places)), np.inf)  # where a trial has no answer yet
    for row, trial, at in zip(gaps, trials, steps, strict=True):
        missing = float(optima.profit[trial.policy, trial.window]) - np.array([step.profit for step in trial.history])
        seen = np.searchsorted(at, places * (1 + 1e-12), side="right")
        row[seen > 0] = problems.per_bar * missing[seen[seen > 0] - 1]
    median = np.quantile(gaps, 0.5, axis=0, method="lower")
    return Curve(name, places, np.where(median > NEAR, median, 0.0))


def _at(moment: Any, axis: Literal["evaluations", "seconds"]) -> float:
    return float(moment.evaluations if axis == "evaluations" else moment.seconds)


def _image(path: Path, title: str, curves: dict[Any, list[Curve]]) -> None:
    with figure(12, 6) as drawn:
        _draw(drawn, title, curves)
        save(drawn, path)


def _draw(drawn: Figure, title: str, curves: dict[Any, list[Curve]]) -> None:
    """A logarithmic panel, and below its broken axis a strip for what has reached the optimum, a line a curve."""
    panels = drawn.subplots(2, len(curves), sharex="col", sharey="row", height_ratios=HEIGHTS, squeeze=False)
    for (panel, strip), (axis, lines) in zip(panels.T, curves.items(), strict=True):
        for i, line in enumerate(lines):
            look: dict[str, Any] = {"color": f"C{i % 10}", "linestyle": ("-", "--", ":")[i // 10 % 3]}
            look |= {"marker": "o" if len(line.places) == 1 else "", "drawstyle": "steps-post"}
            panel.plot(line.places, np.where(line.gap > 0, line.gap, np.nan), label=line.name, **look)
            strip.plot(line.places, np.where(line.gap > 0, np.nan, -float(i)), **look)
        panel.set(xscale="log", yscale="log")
        for scale in (strip.xaxis, panel.yaxis):
            _write_plainly(scale)
        panel.grid(alpha=0.3)
        strip.set(xlabel=axis, yticks=[], ylim=(-len(lines), max(1, len(lines) / 4)))
        panel.spines["bottom"].set_visible(False)
        strip.spines["top"].set_linestyle((0, (2, 6)))
        panel.tick_params(bottom=False, which="both")
    panels[0, 0].set_ylabel(GAP)
    panels[1, 0].set_ylabel(REACHED, rotation=0, ha="right", va="center")
    drawn.suptitle(title)
    drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right upper", fontsize="small")


def _write_plainly(axis: Axis) -> None:
    """Label a logarithmic axis 0.1, 1, 10: matplotlib's own labels are formulas, which our figures do not read."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(labelOnlyBase=False))


def _page(path: Path, title: str, curves: dict[Any, list[Curve]]) -> None:
    from plotly import colors, subplots

    page = subplots.make_subplots(
        2, len(curves), shared_xaxes="columns", shared_yaxes="rows", row_heights=HEIGHTS, vertical_spacing=0.02
    )
    palette: Any = colors.qualitative.Dark24
    for column, (axis, lines) in enumerate(curves.items(), 1):
        for i, line in enumerate(lines):
            look: dict[str, Any] = {
                "x": line.places,
                "legendgroup": line.name,
                "name": line.name,
                "mode": "markers" if len(line.places) == 1 else "lines",
                "line": {"color": palette[i % len(palette)], "shape": "hv"},
                "marker": {"color": palette[i % len(palette)]},
                "col": column,
            }
            page.add_scatter(y=np.where(line.gap > 0, line.gap, np.nan), row=1, showlegend=column == 1, **look)
            page.add_scatter(y=np.where(line.gap > 0, np.nan, -float(i)), row=2, showlegend=False, **look)
        page.update_xaxes(type="log", row=1, col=column)
        page.update_xaxes(type="log", title=axis, row=2, col=column)
    page.update_yaxes(type="log", row=1)
    page.update_yaxes(showticklabels=False, row=2)
    page.update_yaxes(title=GAP, row=1, col=1)
    page.update_yaxes(title=REACHED, row=2, col=1)
    page.update_layout(title=title)
    page.write_html(path, include_plotlyjs=True)
