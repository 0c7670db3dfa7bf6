"""The sizes at which one algorithm becomes faster than another."""

from __future__ import annotations

from msgspec import Struct


class Tuning(Struct, frozen=True):
    """None of them changes a result; a line each: what it bounds, and the benchmark by which it was chosen."""

    product: int = 32  # bars x edges of a window: up to here a matrix product beats running sums; bench fit 7 30
    few: int = 1 << 11  # bars x edges of all problems that are quicker together, with take-profits or not; bench fit 7
    squares: int = 1 << 15  # squares of bars x edges solved at once, of windows by product; bench fit 7
    together: int = 3 << 12  # bars x edges solved at once, of other windows: arrays that fit a cache; bench fit 60
    row: int = 1 << 10  # candidates along h of whole grids of bins solved at once; bench fit 30 60
    interpolated_row: int = 3 << 8  # and of whole grids of interpolated lattices; bench fit 60
    blocks_row: int = 1 << 9  # blocks along a level bounded at once; bench fit 60 200
    cells: int = 1 << 14  # of a grid that is quicker whole than in blocks; bench fit 30
    interpolated_cells: int = 1 << 15  # of a grid of interpolated lattices that is; bench fit 60 200
    all_cells: int = 1 << 16  # of all grids that are; bench fit 30
    block_h: int = 4  # candidates of h in a block, and
    block_l: int = 4  # of l; bench fit 60 200
    rivals: int = 64  # blocks of a problem that are quicker evaluated than its whole grid; bench fit 60
    bars: int = 1 << 12  # of blocks evaluated at once; bench fit 60


TUNING = Tuning()
