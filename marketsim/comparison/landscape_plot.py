"""A picture of one problem: profit over `(h, l)`, where every optimiser ended, and the proven optimum."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.comparison.optimizers import Contest, Entry, Proof
from marketsim.execution.profit_terms import evaluate
from marketsim.settings.choices import BASIS_POINTS

PLACES = 161  # an axis
TITLE = "Profit over the multipliers, basis points a bar"


def draw(path: Path, contest: Contest, proof: Proof, entries: Sequence[Entry]) -> None:
    """Write the newest window, with take-profits where a policy has them, as a PNG or an HTML page by the suffix.

    An optimiser is marked where its first seed ended.
    """
    policy = contest.policies.index(False) if False in contest.policies else 0
    h, l, profit = _grid(contest, policy)
    per_bar = BASIS_POINTS / contest.bars
    answers = [
        (entry.name, trial.history[-1])
        for entry in entries
        for trial in entry.trials[: len(contest.policies)]
        if (trial.window, trial.policy) == (0, policy) and trial.history
    ]
    marks = [
        (f"{name} {per_bar * best.profit:+.2f}", best.high_multiplier, best.low_multiplier) for name, best in answers
    ]
    best = (
        f"proven optimum {per_bar * proof.profit[policy, 0]:+.2f}",
        float(proof.high_multiplier[policy, 0]),
        float(proof.low_multiplier[policy, 0]),
    )
    title = (
        f"{contest.facts['name']}: {TITLE}, {'take-profit' if not contest.policies[policy] else 'exit at the close'}"
    )
    picture = _page if path.suffix == ".html" else _image
    picture(path, title, h, l, per_bar * profit, marks, best)


def _grid(contest: Contest, policy: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Multipliers `[PLACES]` twice, and profits `[l, h]`."""
    h, l = (np.linspace(*bounds, PLACES) for bounds in contest.bounds)
    problem = contest.problem(0, policy)
    rows = [evaluate(problem, h[None], np.full((1, PLACES), at))[0] for at in l]
    return h, l, np.array(rows)


def _image(path: Path, title: str, h: Any, l: Any, profit: Any, marks: list[Any], best: Any) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((10, 6.5), layout="constrained")
    axes = figure.add_subplot()
    mesh = axes.pcolormesh(h, l, profit, cmap="viridis", shading="nearest", rasterized=True)
    figure.colorbar(mesh)
    for i, (name, x, y) in enumerate(marks):
        axes.plot(x, y, "osD^v<>"[i % 7], color=f"C{i % 10}", markeredgecolor="white", markersize=7, label=name)
    axes.plot(*best[1:], "*", color="red", markeredgecolor="white", markersize=16, label=best[0])
    axes.set(title=title, xlabel="h, multiplier of the high", ylabel="l, multiplier of the low")
    figure.legend(loc="outside right upper", fontsize="small")
    FigureCanvasAgg(figure)
    figure.savefig(path)


def _page(path: Path, title: str, h: Any, l: Any, profit: Any, marks: list[Any], best: Any) -> None:
    from plotly import graph_objects

    figure = graph_objects.Figure(graph_objects.Heatmap(x=h, y=l, z=profit, colorscale="Viridis", colorbar={"x": 1.0}))
    for symbol, size, (name, x, y) in [*(("circle", 10, mark) for mark in marks), ("star", 18, best)]:
        look = {"symbol": symbol, "size": size, "line": {"color": "white", "width": 1}}
        figure.add_scatter(x=[x], y=[y], mode="markers", name=name, marker=look)
    figure.update_layout(title=title, xaxis_title="h", yaxis_title="l", legend={"x": 1.1})
    figure.write_html(path, include_plotlyjs=True)
