"""The reasons beside a decision, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from marketsim.execution.tolerance import without_rounding
from marketsim.forecasting.contamination import CLEAN, CONTAMINATED, UNKNOWN, warning
from marketsim.results.evidence_schema import Evidence, FastError, TestedStrategy
from marketsim.results.mean_profit import EDGE
from marketsim.results.schema import ModelFacts, StrategyRow
from marketsim.results.significance import Interval
from marketsim.results.wording import number_of
from marketsim.settings.choices import BASIS_POINTS, TOUCH


def reasons(
    strategy: str | None,
    rows: Sequence[StrategyRow],
    evidence: Evidence,
    model: ModelFacts,
    fill: str,
    fast: FastError | None,
    finer: bool = False,
) -> list[str]:
    """Sentences without their full stop; `strategy` is the better one, `rows` are those of the strategies.

    `finer`: whether finer bars have told the order of prices where they could.
    """
    return list(_reasons(strategy, rows, evidence, model, fill, fast, finer))


def _reasons(
    strategy: str | None,
    rows: Sequence[StrategyRow],
    evidence: Evidence,
    model: ModelFacts,
    fill: str,
    fast: FastError | None,
    finer: bool = False,
) -> Iterator[str]:
    yield from _seen(model, evidence)
    tested = next((found for found in evidence.strategies if found.strategy == strategy and found.trades), None)
    row = next((candidate for candidate in rows if candidate.name == strategy), None)
    if tested is not None:
        yield _holding(tested)
    if row is not None:
        yield from _fills(row, fill, finer)
    if fast is not None:
        yield (
            f"fast mode: an interval about {fast.width:.1f} times as wide as that of {fast.simulations} simulations, "
            f"whose mean has the same sign in about {100 * fast.same_sign:.0f} % of cases"
        )
    yield from _without_orders(rows)
    if tested is not None:
        yield from _power(tested, evidence.bars)


def _without_orders(rows: Sequence[StrategyRow]) -> Iterator[str]:
    """Why rows are not in the tables."""
    none = [row for row in rows if not row.orders]
    for row in none:
        if row.kind == "strategy":
            own = [row.name, *(other.name for other in none if other.name in ("unfitted", f"{row.name} unfitted"))]
            yield f"{' and '.join(own)} placed no order: {_why_none(row)}"
        elif not row.name.endswith("unfitted"):
            yield f"{row.name} placed no order"
    for row in rows:
        if row.kind == "strategy" and row.orders and not row.trades:
            yield f"{row.name} placed {number_of(row.orders, 'order')}, and none was filled"


def _seen(model: ModelFacts, evidence: Evidence) -> Iterator[str]:
    if model.implausible is not None:
        yield model.implausible
    exposure = model.exposure
    counts = {CLEAN: exposure.clean, CONTAMINATED: exposure.contaminated, UNKNOWN: exposure.unknown}
    given = model.doubt is not None  # by a file
    if given:
        yield f"forecasts of {model.name}: {model.training}"
    if evidence.assumed_clean:
        yield f"the training data of {model.name} are unknown; you vouch for these bars (--assume-clean)"
    elif not given and (told := warning(counts)):
        yield told


def _holding(tested: TestedStrategy) -> str:
    beyond, low, high = tested.beyond_holding_bps, tested.beyond_holding_low_bps, tested.beyond_holding_high_bps
    words = f"{abs(beyond):.1f} bps a bar {'more' if beyond >= 0 else 'less'} than holding"
    if low is None or high is None:
        return f"{words}, on too few bars to say more"
    chance = "more than chance explains" if low > 0 or high < 0 else "which may be chance"
    return f"{words}, {chance} ({low:+.1f} to {high:+.1f})"


def _fills(row: StrategyRow, fill: str, finer: bool) -> Iterator[str]:
    if not row.ambiguous:
        return
    least, most = (BASIS_POINTS * without_rounding(profit) / row.bars for profit in (row.provable, row.touch))
    bars = number_of(row.ambiguous, "bar")
    rest = "finer bars do not settle them" if finer else "finer bars (--fine) may settle them"
    yield f"fills on {bars} are in doubt: {least:+.1f} to {most:+.1f} bps a bar; {rest}"
    if fill == TOUCH:
        yield "'touch' counts fills that no bar proves, and earns on noise; the decision uses 'expected' fills"


def _power(tested: TestedStrategy, bars: int) -> Iterator[str]:
    """The smallest edge that the bars of the decision can show."""
    if tested.low_bps is None or tested.high_bps is None:
        return
    interval = Interval(tested.low_bps, tested.high_bps)
    yield (
        f"{number_of(bars, 'bar')} can show an edge of {interval.smallest_edge:.0f} bps a bar or more; "
        f"one of {EDGE:.0f} bps takes {number_of(interval.bars_for(EDGE, bars), 'bar')}"
    )


def _why_none(row: StrategyRow) -> str:
    """Why a strategy placed no order on any bar."""
    short = "signal was short, and the asset cannot be shorted"
    if not row.stood_aside:
        return f"every {short}"
    aside = (
        f"{row.name} stood aside on {row.stood_aside:,} of {number_of(row.bars, 'bar')}, "
        "because its in-sample t was too low or the costs too high"
    )
    return aside if row.stood_aside == row.bars else f"{aside}; every other {short}"
