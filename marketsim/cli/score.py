"""`marketsim score`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.cli.completion import symbols as complete

if TYPE_CHECKING:
    from marketsim.journal.entry import Sealed
    from marketsim.journal.score import Score
    from marketsim.journal.score_document import RealityGap, ScoreDocument
    from marketsim.settings.resolution import Resolution

WORSE = 11  # exit code, with --exit-code
BARS = (options.BARS, options.FINE, options.STORE)


@options.takes(options.JOURNAL, *BARS)
def score(
    command: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL...]", help="Only plans of these symbols.", autocompletion=complete),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only plans for sessions of that day or later.")
    ] = None,
    fills: Annotated[
        str | None,
        typer.Option("--fills", metavar="FILE", help="Your broker's fills, to compare with the booked ones."),
    ] = None,
    fills_timezone: Annotated[
        str | None,
        typer.Option("--fills-timezone", metavar="ZONE", help="Time zone of times without one in that file. [UTC]"),
    ] = None,
    fills_date_format: Annotated[
        str | None,
        typer.Option("--fills-date-format", metavar="FORMAT", help="Format of dates there: %d/%m/%Y. [detected]"),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 11 if a strategy is worse than promised.")
    ] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Score sealed plans: promised and realized profit.

    The bars are those of the sealed run, as they are today; options of bars take their place.
    """
    resolution = options.resolution_of(command)

    from marketsim.journal.journal import Journal
    from marketsim.journal.score import score as scored

    journal = Journal(resolution.settings.journal_place.journal)
    entries = journal.entries()
    chosen = _chosen(entries, symbols, since)
    from marketsim.journal.scored_bars import bars_of

    found = scored(chosen, bars_of(chosen, bars_given(resolution)))
    gap = None if fills is None else _gap(fills, fills_timezone, fills_date_format, found)
    document = score_document(found, str(journal.path), entries, since, gap)
    if json:
        output.document(document)
    else:
        from marketsim.cli.score_tables import score_tables

        score_tables(document)
    if found.failed:
        return output.failures(found.failed, succeeded=bool(found.past))
    worse = any(row.verdict == "worse than promised" for row in (*document.strategies, *document.pooled))
    return WORSE if exit_code and worse else 0


def bars_given(resolution: "Resolution") -> dict[str, Any]:
    """The settings of bars that somebody chose."""
    values = resolution.settings.values()
    keys = [key for group in BARS for key in group.keys]
    return {key: values[key] for key in keys if resolution.origins[key] != "default"}


def score_document(
    found: "Score", journal: str, entries: "list[Sealed]", since: str | None, gap: "RealityGap | None"
) -> "ScoreDocument":
    """The document of a score."""
    from marketsim import __version__
    from marketsim.journal.score import plan_outcomes
    from marketsim.journal.score_document import ScoreDocument

    return ScoreDocument(
        marketsim=__version__,
        journal=journal,
        head=f"{entries[-1].entry.number}:{entries[-1].hash}" if entries else None,
        since=since,
        sealing=found.sealing,
        strategies=found.strategies,
        pooled=found.pooled,
        forecasts=found.forecasts,
        plans=plan_outcomes(found.booked),
        waiting=found.waiting,
        unscored=found.unscored,
        gap=gap,
    )


def _chosen(entries: "list[Sealed]", symbols: list[str] | None, since: str | None) -> "list[Sealed]":
    """The plans of the symbols, for sessions since a day; DataError if none is left."""
    from marketsim.data.present import day_or_stamp
    from marketsim.data.symbols import parse_symbol
    from marketsim.errors import DataError

    wanted = [parse_symbol(symbol) for symbol in symbols or ()]
    first = "" if since is None else str(day_or_stamp(since))
    for symbol in wanted:
        if not any(entry.plan.symbol == symbol for entry in entries):
            known = ", ".join(sorted({entry.plan.symbol for entry in entries})) or "none"
            raise DataError(f"there is no sealed plan for {symbol}; there are plans for {known}")
    return [
        entry for entry in entries if entry.plan.session.bar >= first and (not wanted or entry.plan.symbol in wanted)
    ]


def _gap(place: str, timezone: str | None, date_format: str | None, found: "Score") -> "RealityGap":
    from marketsim.data.broker_fills.reading import read_fills
    from marketsim.journal.reality_gap import reality_gap

    gap = reality_gap(read_fills(place, timezone, date_format), found)
    output.notes(gap.notes)
    return gap
