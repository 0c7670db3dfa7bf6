"""Sentences about a result, the same in the terminal and on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.results.figures import chance, percent, price
from marketsim.results.wording import LOOK_AHEAD, number_of

if TYPE_CHECKING:
    from marketsim.results.evidence_schema import Tried
    from marketsim.results.orders import Order
    from marketsim.results.schema import BarsFacts, ExposureCounts, FineFacts, PlanRow, SymbolDocument
    from marketsim.results.timing import TimingDocument

STANDS_ASIDE = (
    12  # round trips of costs: with a smaller forecast range standing aside was better on all assets measured
)


def order_line(symbol: SymbolDocument) -> str:
    """The better strategy's order, or why there is none."""
    from marketsim.results.orders import NoOrder, planned

    session, orders = symbol.plan[0].bar, planned(symbol)
    if isinstance(orders, NoOrder):
        return f"No order for {session}: {orders.why}."
    words = "; ".join(_words(order, symbol.bars.tick) for order in orders)
    return f"Order for {session} ({orders[0].strategy}): {words}."


def notes_on_range(plan: PlanRow) -> str | None:
    """What the forecast range is worth, in round trips of costs."""
    if plan.range_in_costs is None:
        return None
    words = f"the forecast range is {plan.range_in_costs:.1f} times the cost of a round trip"
    if plan.range_in_costs >= STANDS_ASIDE:
        return words
    return f"{words}; below {STANDS_ASIDE}, standing aside was better on all nine symbols that were measured"


def reality_check(tried: Tried) -> str:
    """How easily luck explains the best of all that was tried."""
    if tried.tried == 1:
        return f"Reality check: luck alone does as well as {tried.best} in {chance(tried.p)} of cases."
    return (
        f"Reality check: {tried.best} is the best of {tried.tried} tried; "
        f"the best of as many worthless strategies does as well in {chance(tried.p)} of cases."
    )


def fine(facts: FineFacts) -> str:
    """How far finer bars reach, how far they agree, and which part of the doubt they settle."""
    covered = ", ".join(f"{series.timeframe}: {series.covered} of {facts.bars} bars" for series in facts.series)
    apart = f", {facts.apart_bps:.1f} bps apart" if facts.apart_bps else ""
    rescaled = f", {facts.rescaled} rescaled" if facts.rescaled else ""
    disagree = f", {facts.disagreeing} disagree" if facts.disagreeing else ""
    line = f"{covered}{apart}{rescaled}{disagree}"
    if not facts.ambiguous:
        return line
    rest = "; the rest by probability" if facts.left else ""
    return f"{line}, {percent(facts.settled / facts.ambiguous)} % of {facts.ambiguous} ambiguous legs settled{rest}"


def facts(symbol: SymbolDocument) -> list[tuple[str, str]]:
    """The facts behind a result, each under a word: bars, walk, model, fit, fills, costs."""
    bars, model, optimizer, evaluated = symbol.bars, symbol.model, symbol.optimizer, symbol.evaluated
    repaired = f", {number_of(model.repaired, 'forecast')} repaired" if model.repaired else ""
    exposed = "".join(
        f", {number_of(count, 'bar')} {tag}"
        for tag, count in (("contaminated", model.exposure.contaminated), ("unknown", model.exposure.unknown))
        if count
    )
    fallbacks = (
        f", {optimizer.fallbacks} of {optimizer.fits} fits fell back to differential-evolution"
        if optimizer.fallbacks
        else ""
    )
    gate = f"; no order if its in-sample t is below {symbol.min_t:g}" if symbol.min_t else ""
    costs = symbol.costs
    caught = f", {LOOK_AHEAD}" if model.look_ahead else ""
    return [
        ("Bars", extent(bars)),
        ("Walk", f"{number_of(evaluated.bars, 'bar')} from {evaluated.first} to {evaluated.last}"),
        ("Model", f"{model.name} {model.version}, {model.training}{exposed}{repaired}{caught}"),
        ("Fit", f"{optimizer.name}{fallbacks}{gate}"),
        *([("Fine", fine(symbol.fine))] if symbol.fine else []),
        ("Fills", f"{symbol.fill}; {'long only (crypto)' if bars.crypto else 'long and short'}"),
        ("Costs", f"{costs.fee_bps:g} bps a side, slippage {costs.slippage_bps:g} bps on closes"),
    ]


def exposed(counts: ExposureCounts) -> str:
    """How many bars are clean, contaminated and unknown, of what there are."""
    tags = {"clean": counts.clean, "contaminated": counts.contaminated, "unknown": counts.unknown}
    return ", ".join(f"{count} {tag}" for tag, count in tags.items() if count)


def extent(bars: BarsFacts) -> str:
    """How many bars there are, from when to when, and what is missing of them."""
    dropped = f", {bars.dropped} bad rows left out" if bars.dropped else ""
    return f"{bars.count:,} from {bars.first} to {bars.last}, {bars.gaps} gaps{dropped}"


def timing(document: TimingDocument) -> str:
    """How long the run took, on a line."""
    forecasts, fits = document.forecasts, number_of(document.fits, "fit")
    symbols = "" if document.symbols == 1 else f" for {document.symbols:,} symbols"
    made = f"{number_of(forecasts.made, 'forecast')} made, {forecasts.reused:,} reused"
    return f"Timing: {document.wall_seconds:.2f} s{symbols}, {made}, {fits}."


def sentence(text: str) -> str:
    """It begins with a capital letter, but a strategy's name stays as it is, and ends with a full stop."""
    begins = text if text.startswith(("entry-exit", "always-on")) else text[:1].upper() + text[1:]
    return f"{begins}."


def _words(order: Order, tick: float) -> str:
    side = {"buy": "buy", "sell": "sell short"}[order.side]
    entry = f"{side} at a limit of {price(order.entry, tick)}"
    if order.take_profit is None:
        return f"{entry}, exit at the close"
    return f"{entry}, take-profit {price(order.take_profit, tick)}, else exit at the close"
