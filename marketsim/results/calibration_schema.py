"""The document of a calibration of fills, field by field."""

from __future__ import annotations

from marketsim.results.rows import Bps, Count, Row, Share
from marketsim.results.schema import FineFacts


class TenthRow(Row, frozen=True):
    """The take-profits in doubt whose probability w lies in one tenth, and whose order is known."""

    above: Share  # the lower end of the tenth
    cases: Count
    predicted: Share | None  # mean w
    observed: Share | None  # share that was filled
    low: Share | None  # ends of its 95 % interval; None with fewer than 5 cases, or where all came out alike
    high: Share | None


class CalibratedSymbol(Row, frozen=True):
    """How w did on the bars of a symbol."""

    symbol: str
    source: str
    fine: FineFacts
    trades: Count  # on bars that finer ones cover: longs and shorts at 9 pairs of levels
    ambiguous: Count  # whose take-profit the bar alone leaves in doubt
    known: Count  # of which finer bars tell it
    tenths: list[TenthRow]
    brier: float | None  # mean squared difference of w and what was observed
    constant: float | None  # the same of the share that was filled, in place of w
    gain_error: float | None  # half of the 95 % interval of the difference of both
    bias_bps: Bps | None  # what `expected` books beyond what the finer bars do, a trade
    bias_error_bps: Bps | None  # half of its 95 % interval
    least_bps: Bps | None  # the same beyond the least that finer bars prove
    most_bps: Bps | None  # and beyond the most that they allow


class CalibrationDocument(Row, frozen=True, tag_field="schema", tag="marketsim.calibration/1"):
    """`marketsim calibration --json`."""

    marketsim: str
    model: str
    calibrated: CalibratedSymbol
