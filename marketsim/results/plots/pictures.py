"""All pictures of a symbol, as PNG and SVG files in one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from marketsim.errors import MarketsimError
from marketsim.results.plots import calibration, equity, objective, trades
from marketsim.results.plots.figures import figure, save
from marketsim.results.plots.symbol_pictures import SymbolPictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OF_STRATEGIES = {  # by name, what draws it, and its size in inches
    "equity": (equity.draw, (8.0, 5.0)),
    "trades": (trades.draw, (11.0, 6.0)),
    "objective": (objective.draw, (7.0, 6.0)),
}
CALIBRATION = (9.0, 3.4)
SUFFIXES = (".png", ".svg")


def draw(symbol: SymbolPictures, directory: Path) -> list[Path]:
    """Draw the pictures of a symbol; the files. MarketsimError where they cannot be written.

    Strategies that never traded are left out, unless none did.
    """
    try:
        return list(_files(symbol, directory))
    except OSError as error:
        raise MarketsimError(f"--plots {directory}: cannot write there: {error.strerror or error}") from None


def _files(symbol: SymbolPictures, directory: Path) -> Iterator[Path]:
    traded = [found for found in symbol.strategies if any(len(leg.bars) for leg in found.legs)]
    for strategy in traded or symbol.strategies:
        for name, (picture, size) in OF_STRATEGIES.items():
            file = directory / f"{symbol.symbol}-{strategy.name}-{name}"
            yield from _saved(partial(picture, symbol=symbol, strategy=strategy), size, file)
    yield from _saved(partial(calibration.draw, symbol=symbol), CALIBRATION, directory / f"{symbol.symbol}-calibration")


def _saved(picture: Callable[[Figure], None], size: tuple[float, float], file: Path) -> Iterator[Path]:
    with figure(*size) as drawn:
        picture(drawn)
        for suffix in SUFFIXES:
            path = file.with_name(f"{file.name}{suffix}")  # a symbol may hold a point
            save(drawn, path)
            yield path
