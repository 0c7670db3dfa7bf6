from numpy import float64
from numpy.typing import NDArray

VERSION: int

def missed(
    k: NDArray[float64],
    size: NDArray[float64],
    start: NDArray[float64],
    end: NDArray[float64],
    fall: NDArray[float64],
    rise: NDArray[float64],
    bars: int,
    nodes: int,
    lowers: int,
    uppers: int,
    found: NDArray[float64],
    /,
) -> None: ...
