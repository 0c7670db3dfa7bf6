from numpy import bool_, float64
from numpy.typing import NDArray

VERSION: int

def fitted(
    edges: NDArray[float64],
    x: NDArray[float64],
    values: NDArray[float64],
    start: NDArray[bool_],
    end: NDArray[bool_],
    ridge: float,
    bars: int,
    edge_count: int,
    samples: int,
    size: int,
    found: NDArray[float64],
    /,
) -> None: ...
