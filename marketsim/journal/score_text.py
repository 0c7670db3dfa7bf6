"""The tables and sentences of a score, the same in the terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from marketsim.journal.score_document import GapOrder, RealityGap, ScoredForecasts, ScoreDocument, ScoredStrategy
from marketsim.results.text_tables import TextTable

MOST_ORDERS = 10  # of a screen


def means(rows: Sequence[ScoredStrategy]) -> TextTable:
    """Promised and realized profit, and the verdict."""
    headers = ("Symbol", "Strategy", "Bars", "Promised\nbps/bar", "Realized\nbps/bar", "Difference\nbps/bar", "Verdict")
    title = "Profit promised when sealing began, and realized since, with 95 % intervals"
    return TextTable(title, headers, [_means(row) for row in rows], words=2)


def sums(rows: Sequence[ScoredStrategy]) -> TextTable:
    """What was filled, and what it earned in all."""
    headers = (
        "Symbol",
        "Strategy",
        "Orders",
        "Entries\nfilled",
        "Promised\nfills",
        "Worst %",
        "Profit %",
        "Best %",
    )
    return TextTable("Fills, and profit with its worst and best case", headers, [_sums(row) for row in rows], words=2)


def forecasts(rows: Sequence[ScoredForecasts]) -> TextTable:
    """How often forecasts covered what came, and their loss."""
    headers = ("Symbol", "Model", "Bars", "Coverage", "Open", "High", "Low", "Close", "Loss\nbps")
    title = f"Forecasts since they were sealed; {rows[0].nominal:.0%} should be covered"
    return TextTable(title, headers, [_forecasts(row) for row in rows], words=2)


def gap_means(gap: RealityGap) -> TextTable:
    """The gap of an order, and its parts."""
    headers = (
        "Orders",
        "Entry\ngap",
        "Exit\ngap",
        "Fee\ngap",
        "Missed\nfills",
        "Reality\ngap",
        "95 %\ninterval",
    )
    interval = "-" if gap.low_bps is None else f"{gap.low_bps:+.1f} to {gap.high_bps:+.1f}"
    parts = (gap.entry_bps, gap.exit_bps, gap.fees_bps, gap.missed_bps, gap.gap_bps)
    row = (f"{gap.filled + gap.missed + gap.unbooked:,}", *(f"{part:+.1f}" for part in parts), interval)
    title = f"Reality gap of {gap.fills:,} fills ({gap.layout}): basis points an order, negative is worse"
    return TextTable(title, headers, [row], words=0)


def gap_orders(gap: RealityGap) -> TextTable:
    """The newest orders that were booked or filled."""
    headers = (
        "Symbol",
        "Session",
        "Side",
        "Order",
        "Booked\nentry",
        "Paid\nentry",
        "Entry\ngap",
        "Exit\ngap",
        "Fee\ngap",
        "Reality\ngap",
    )
    told = [row for row in gap.orders if row.what != "neither"]
    newest = told[-MOST_ORDERS:]
    title = "Orders" if len(newest) == len(told) else f"The newest {len(newest)} of {len(told)} orders"
    return TextTable(title, headers, [_gap_order(row) for row in newest], words=4)


def gap_sentence(gap: RealityGap) -> str:
    """What the tables of a gap do not say."""
    few = "" if gap.low_bps is not None else " An interval takes 20 orders."
    return (
        f"Filled as booked {gap.filled}, missed {gap.missed}, filled but not booked {gap.unbooked}; fees "
        f"{gap.fees:,.2f} in total.{few}"
    )


def verdict_of(row: ScoredStrategy) -> str:
    """The verdict on a record, with its figures."""
    if row.turned is not None:
        return f"worse than promised (p {row.p:.2g}) since {row.worst_since}, told after {row.turned}"
    if row.verdict != "too early":
        return row.verdict
    if row.bars_more is None:
        return "too early (the promise is too vague to be tested)"
    return f"too early ({row.bars_more:,} bars more)"


def name_of(row: ScoredStrategy) -> str:
    """A strategy, with what tells its run from others."""
    return f"{row.strategy} ({row.run})" if row.run else row.strategy


def _means(row: ScoredStrategy) -> tuple[str, ...]:
    promised, realized = row.promised, row.realized
    return (
        row.symbol or "all",
        name_of(row),
        f"{realized.bars:,}",
        _with_interval(promised.mean_bps, promised.low_bps, promised.high_bps),
        _with_interval(realized.mean_bps, realized.low_bps, realized.high_bps),
        _with_interval(realized.difference_bps, realized.difference_low_bps, realized.difference_high_bps),
        _short_verdict(row),
    )


def _short_verdict(row: ScoredStrategy) -> str:
    if row.turned is not None:
        return f"worse\n(p {row.p:.2g})"
    if row.verdict != "too early":
        return "as\npromised"
    return "too vague" if row.bars_more is None else f"too early\n({row.bars_more:,} more)"


def _sums(row: ScoredStrategy) -> tuple[str, ...]:
    realized = row.realized
    return (
        row.symbol or "all",
        name_of(row),
        f"{realized.orders:,}",
        "-" if realized.fill_rate is None else f"{realized.trades:,} ({realized.fill_rate:.0%})",
        "-" if row.promised.fill_rate is None else f"{row.promised.fill_rate:.0%}",
        f"{100 * realized.provable:+.2f}",
        f"{100 * realized.headline:+.2f}",
        f"{100 * realized.touch:+.2f}",
    )


def _forecasts(row: ScoredForecasts) -> tuple[str, ...]:
    return (
        row.symbol,
        row.model,
        f"{row.bars:,}",
        f"{100 * row.coverage:.0f} ({100 * row.coverage_low:.0f} to {100 * row.coverage_high:.0f})",
        *(f"{100 * share:.0f}" for share in row.coverage_of),
        f"{row.loss_bps:.1f}",
    )


def _with_interval(mean: float, low: float | None, high: float | None) -> str:
    return f"{mean:+.1f}" if low is None or high is None else f"{mean:+.1f}\n({low:+.0f} to {high:+.0f})"


def remarks(document: ScoreDocument) -> Iterator[str]:
    """What a reader must know of the plans."""
    sealing = document.sealing
    yield from (f"{row.symbol or 'All symbols'}, {name_of(row)}: {verdict_of(row)}." for row in _worse(document))
    if sealing.given_clock:
        which = (
            "All plans" if sealing.given_clock == sealing.plans else f"{sealing.given_clock} of {sealing.plans} plans"
        )
        yield f"{which} were sealed at a given time, not the clock's: they prove nothing to others."
    if sealing.latest_minutes:
        yield (
            f"{sealing.begun} of {sealing.plans} plans were sealed after trading in their bar had begun, at most "
            f"{_span(sealing.latest_minutes)}."
        )
    if missed := sum(row.realized.missed for row in document.strategies):
        yield f"Missing plans between sealed ones: {missed}."
    if sealing.revised:
        yield f"{sealing.revised} of {sealing.plans} plans rest on a close that has been revised since."
    exposure = sealing.exposure
    if exposure.contaminated or exposure.unknown:
        yield f"{exposure.contaminated + exposure.unknown} bars may lie in the training data of their model."
    if sessions := waiting(document):
        yield f"{sessions}."
    for plan in document.unscored[:3]:
        yield f"Not scored: {plan.symbol} {plan.session} (entry {plan.entry}), {plan.why}."
    if len(document.unscored) > 3:
        yield f"Not scored either: {len(document.unscored) - 3} more (--json lists them)."


def _worse(document: ScoreDocument) -> list[ScoredStrategy]:
    return [row for row in (*document.pooled, *document.strategies) if row.turned is not None]


def waiting(document: ScoreDocument) -> str:
    """The sessions that are not over."""
    if not document.waiting:
        return ""
    sessions = ", ".join(dict.fromkeys(f"{plan.symbol} {plan.session}" for plan in document.waiting))
    return f"Waiting for {sessions}"


def _span(minutes: int) -> str:
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def _gap_order(row: GapOrder) -> Sequence[str]:
    return (
        row.symbol,
        row.session,
        row.side,
        row.what + " (open)" * row.still_open,
        "-" if row.booked_entry is None else f"{row.booked_entry:.10g}",
        "-" if row.paid_entry is None else f"{row.paid_entry:.8g}",
        *(f"{gap:+.1f}" for gap in (row.entry_bps, row.exit_bps, row.fees_bps, row.gap_bps)),
    )
