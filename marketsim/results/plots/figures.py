"""Figures and their files: the same picture gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GRAY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"  # Okabe and Ito's, and a gray
DATES = 6  # that are written below a picture
STYLE: Any = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.alpha": 0.25,
    "font.size": 9.0,
    "savefig.dpi": 150,
    "svg.hashsalt": "marketsim",  # names inside the file are drawn at random without one
    "text.parse_math": False,  # a `$` in a name is a `$`
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches; what is drawn and saved inside has one style."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        drawn = Figure((width, height), layout="constrained")
        FigureCanvasAgg(drawn)
        yield drawn


def save(drawn: Figure, path: Path) -> None:
    """Write it in the format that the suffix names, without the date and the version of what drew it."""
    drawn.savefig(path, metadata={".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}}[path.suffix])
    drawn.set_layout_engine("none")  # it is laid out: the next format need not do it again


def date_axis(axes: Axes, times: Sequence[str]) -> None:
    """Bars lie side by side, without the gaps of weekends; some of them carry their date."""
    count = len(times)
    shown = sorted({round(i * (count - 1) / (DATES - 1)) for i in range(DATES)})
    axes.set_xticks(shown, [times[i] for i in shown])
    axes.set_xlim(-0.7, count - 0.3)
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")


def percent(share: float) -> str:
    """A share in words, such as `80 %`."""
    return f"{100 * share:.0f} %"
