import numpy as np
from numpy.typing import NDArray

VERSION: int

def maximize(
    legs: tuple[tuple[object, ...], ...],
    rows: NDArray[np.int64] | None,
    problems: int,
    window: int,
    h: tuple[float, float],
    l: tuple[float, float],
    step: float,
    touching: bool,
    floor: tuple[NDArray[np.float64], NDArray[np.float64], float] | None,
    found: NDArray[np.float64],
    /,
) -> None: ...
def profits(
    legs: tuple[tuple[object, ...], ...],
    rows: NDArray[np.int64] | None,
    problems: int,
    window: int,
    h: NDArray[np.float64],
    l: NDArray[np.float64],
    found: NDArray[np.float64],
    /,
) -> None: ...
def profit(
    legs: tuple[tuple[object, ...], ...],
    rows: NDArray[np.int64] | None,
    problems: int,
    window: int,
    h: float,
    l: float,
    /,
) -> float: ...
