"""A plot of one problem: profit over `(h, l)`, every optimizer's answer, and the proven optimum."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.comparison.problems import FitProblems, Optima
from marketsim.comparison.ranking import Runs
from marketsim.execution.evaluation import evaluate
from marketsim.results.plots.figures import figure, save
from marketsim.results.plots.objective import PROFIT, X, Y, heat_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACES = 161  # along a multiplier
LARGEST, SMALLEST = 22.0, 6.0  # points, of the rings

Floats = NDArray[np.float64]


class Answer(Struct, frozen=True):
    """Where an optimizer ended."""

    label: str  # its name and profit
    h: float
    l: float


class Landscape(Struct, frozen=True):
    """Profit over the multipliers of one problem, and what was found of it."""

    title: str
    h: Floats  # [PLACES]
    l: Floats  # [PLACES]
    profit: Floats  # [l, h] basis points a bar
    answers: tuple[Answer, ...]
    optimum: Answer

    @property
    def rings(self) -> list[tuple[Answer, float]]:
        """The answers and the sizes of their rings, which shrink so that those at one place lie inside each other."""
        return list(zip(self.answers, np.linspace(LARGEST, SMALLEST, len(self.answers)).tolist(), strict=True))


def draw(path: Path, problems: FitProblems, optima: Optima, runs: Runs) -> None:
    """Write the newest window, with take-profits where a policy has them, as PNG, SVG or HTML by the suffix."""
    picture = landscape(problems, optima, runs)
    if path.suffix == ".html":
        _page(path, picture)
    else:
        _image(path, picture)


def landscape(problems: FitProblems, optima: Optima, runs: Runs) -> Landscape:
    """The newest window; an optimizer is shown where its first seed ended."""
    facts, policy = problems.facts, problems.policies.index(False) if False in problems.policies else 0
    h, l = (np.linspace(*bounds, PLACES) for bounds in problems.bounds)
    problem = problems.problem(0, policy)
    rows = [evaluate(problem, h[None], np.full((1, PLACES), at))[0] for at in l]
    ends = [
        (run.name, trial.history[-1])
        for run in runs
        for trial in run.trials[: len(problems.policies)]
        if (trial.window, trial.policy) == (0, policy) and trial.history
    ]
    answers = tuple(
        Answer(f"{name} {problems.per_bar * best.profit:+.2f}", best.high_multiplier, best.low_multiplier)
        for name, best in ends
    )
    optimum = Answer(
        f"proven optimum {problems.per_bar * optima.profit[policy, 0]:+.2f}",
        float(optima.high_multiplier[policy, 0]),
        float(optima.low_multiplier[policy, 0]),
    )
    window = f"the {facts.bars} bars before {facts.last}" if facts.last else f"{facts.bars} bars"
    title = f"{facts.name}, {window}: {facts.strategy}, {facts.policies[policy]} exit, {facts.fill} fills"
    return Landscape(title, h, l, problems.per_bar * np.array(rows), answers, optimum)


def _image(path: Path, picture: Landscape) -> None:
    with figure(10, 6.5) as drawn:
        _draw(drawn, picture)
        save(drawn, path)


def _draw(drawn: Figure, picture: Landscape) -> None:
    axes = heat_map(drawn, picture.h, picture.l, picture.profit)
    for i, (answer, size) in enumerate(picture.rings):
        look: dict[str, Any] = {
            "color": f"C{i % 10}",
            "markerfacecolor": "none",
            "markeredgewidth": 1.8,
            "linestyle": "none",
            "clip_on": False,
        }
        axes.plot(answer.h, answer.l, "os^Dv"[i // 10 % 5], markersize=size, label=answer.label, **look)
    optimum = picture.optimum
    axes.plot(optimum.h, optimum.l, "+", color="red", markersize=26, label=optimum.label, linestyle="none")
    axes.set_title(picture.title)
    legend = drawn.legend(loc="outside right upper", fontsize="small")
    for handle in legend.legend_handles:
        handle.set_markersize(8)  # type: ignore[union-attr]


def _page(path: Path, picture: Landscape) -> None:
    from plotly import graph_objects

    bar = {"x": 1.0, "title": {"text": PROFIT, "side": "right"}}
    heat = graph_objects.Heatmap(
        x=picture.h, y=picture.l, z=picture.profit, colorscale="Viridis", colorbar=bar, name=PROFIT
    )
    page = graph_objects.Figure(heat)
    for answer, size in picture.rings:
        marker = {"symbol": "circle-open", "size": size, "line": {"width": 2}}
        page.add_scatter(x=[answer.h], y=[answer.l], mode="markers", name=answer.label, marker=marker)
    cross = {"symbol": "cross-thin", "size": 24, "line": {"color": "red", "width": 2}}
    optimum = picture.optimum
    page.add_scatter(x=[optimum.h], y=[optimum.l], mode="markers", name=optimum.label, marker=cross)
    page.update_layout(title=picture.title, xaxis_title=X, yaxis_title=Y, legend={"x": 1.15})
    page.write_html(path, include_plotlyjs=True)
