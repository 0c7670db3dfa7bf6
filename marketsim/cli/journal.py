"""`marketsim journal list|show|verify|replay|export`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.help import GroupedCommand
from marketsim.cli.score import BARS, bars_given
from marketsim.errors import UsageError

if TYPE_CHECKING:
    from marketsim.cli.journal_documents import ListedEntry
    from marketsim.journal.entry import Sealed
    from marketsim.journal.journal import Journal
    from marketsim.journal.timestamps import Attached

DEFECT = 5  # exit code
FORMATS = ("csv", "json")

app = typer.Typer(rich_markup_mode=None, help="List, verify, replay and export sealed plans.")

Only = Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL...]", help="Only entries of these symbols.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DATE", help="Only entries sealed on that day or later.")]


@app.command("list", cls=GroupedCommand)
@options.takes(options.JOURNAL)
def list_(
    command: typer.Context,
    symbols: Only = None,
    since: Since = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """List the sealed plans, the oldest first."""
    from marketsim.cli.journal_documents import JournalListDocument

    journal = _open(command)
    every = journal.entries()
    rows = [_in_short(sealed) for sealed in _chosen(every, symbols, since)]
    head = f"{every[-1].entry.number}:{every[-1].hash}" if every else None
    if json:
        output.document(JournalListDocument(journal=str(journal.path), entries=rows, head=head))
        return
    headers = ("Entry", "Sealed", "Symbol", "Session", "Model", "Decision", "Orders")
    output.table(f"Sealed plans in {journal.path}, times in UTC", headers, map(_overview, rows), words=6)
    if any(row.clock == "given" for row in rows):
        output.lines("* by a time that was given (MARKETSIM_NOW, --now), not by the system's clock.", "")
    if head is not None:
        output.lines(f"Head {head}", "")


@app.command(cls=GroupedCommand)
@options.takes(options.JOURNAL)
def show(
    command: typer.Context,
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[ENTRY...]", help="Numbers of entries, as listed. [the newest]")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print the exact bytes of one entry, for sha256sum.")] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show sealed plans in full."""
    journal = _open(command)
    every = journal.entries()
    wanted = numbers or [len(every)]
    for number in wanted:
        if not 1 <= number <= len(every):
            raise UsageError(f"{journal.path}: there is no entry {number}; there are entries 1 to {len(every)}")
    if raw:
        if len(wanted) > 1 or json:
            raise UsageError("--raw prints the bytes of one entry, without --json")
        output.raw(journal.content(wanted[0]))
    elif json:
        _document(journal, [every[number - 1] for number in wanted])
    else:
        from marketsim.cli.journal_tables import entry

        for number in wanted:
            entry(every[number - 1])


@app.command(cls=GroupedCommand)
@options.takes(options.JOURNAL)
def verify(
    command: typer.Context,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="[N:]HASH", help="Head noted earlier; checks that nothing up to it has changed."
        ),
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Check that no sealed plan was changed or removed.

    Nor inserted, moved or back-dated. Entries that were removed from the end are missed by --head alone.
    """
    from marketsim.cli.journal_documents import JournalVerifyDocument
    from marketsim.journal.chain import missing_head, torn_line
    from marketsim.journal.timestamps import attached, contradicted

    journal = _open(command)
    chain = journal.existing()
    stamps = attached(journal.directory)
    defect = chain.defect or torn_line(chain) or contradicted(chain, stamps)
    if defect is None and head is not None:
        defect = missing_head(chain, head)
    own = None if chain.head is None else str(chain.head)
    if json:
        output.document(
            JournalVerifyDocument(
                journal=str(journal.path),
                entries=len(chain.links),
                sound=defect is None,
                defect=defect,
                stamps=stamps,
                head=own,
            )
        )
    elif defect is None:
        output.lines(f"Sound: {len(chain.links)} entries in {journal.path}", *map(_stamp, stamps))
        output.lines(f"Head {own}" if own else "No entry yet")
    if defect is None:
        return 0
    output.fail(f"{journal.path}: {defect.words}")
    return DEFECT


@app.command(cls=GroupedCommand)
@options.takes(options.JOURNAL)
def attach(
    command: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="RFC 3161 response or OpenTimestamps proof.")],
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Attach a time stamp of an entry's hash that somebody else made.

    `verify` then tells whether the entries up to it are those that were stamped.
    """
    from marketsim.cli.journal_documents import JournalAttachDocument
    from marketsim.journal import timestamps

    journal = _open(command)
    chain = journal.existing()
    journal.refuse_broken(chain.defect)
    stamp = timestamps.attach(journal.directory, chain, file)
    if json:
        output.document(JournalAttachDocument(journal=str(journal.path), stamp=stamp))
    else:
        output.lines(_stamp(stamp))


@app.command("replay", cls=GroupedCommand)
@options.takes(*BARS, options.CACHE, options.CACHE_PLACE, options.JOURNAL)
def replay_(
    command: typer.Context,
    symbols: Only = None,
    since: Since = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Run backtests of sealed plans again and compare the plans.

    Each is run with its settings on the bars of today, cut at its origin; options of bars, such as --data, take the
    place of its own where they have moved. Where its plan is another, the first thing that differs is named: revised
    bars, code, settings, libraries, the model.
    """
    from marketsim.cli.journal_documents import JournalReplayDocument
    from marketsim.cli.journal_tables import replayed
    from marketsim.journal.replay import replay

    resolution = options.resolution_of(command)
    elsewhere = bars_given(resolution)
    for key in ("end", "now", "fetch"):
        if resolution.origins[key].startswith("--"):
            raise UsageError(f"--{key}: a replay is cut at the origin of each entry, and sees what was known then")
        elsewhere.pop(key, None)
    journal = _open(command)
    entries = journal.entries()
    chosen = _chosen(entries, symbols, since)
    rows = []
    with output.progress() as progress:
        for i, row in enumerate(replay(chosen, resolution.settings, entries, elsewhere)):
            progress("replays", i, len(chosen))
            rows.append(row)
    if json:
        output.document(JournalReplayDocument(journal=str(journal.path), entries=rows))
    else:
        replayed(rows, str(journal.path))
    return DEFECT if any(row.status == "differs" for row in rows) else 3 if any(row.error for row in rows) else 0


@app.command(cls=GroupedCommand)
@options.takes(options.JOURNAL)
def export(
    command: typer.Context,
    symbols: Only = None,
    since: Since = None,
    format: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="CSV has a row for each strategy.")
    ] = "csv",
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Print the sealed plans for other programs."""
    if format not in FORMATS:
        raise UsageError(f"--format: got {format!a}, must be one of {', '.join(FORMATS)}")

    journal = _open(command)
    chosen = _chosen(journal.entries(), symbols, since)
    if json or format == "json":
        _document(journal, chosen)
    else:
        from marketsim.cli.journal_tables import csv_rows

        output.text(csv_rows(chosen))


def _stamp(stamp: "Attached") -> str:
    when = "" if stamp.stamped is None else f", {stamp.stamped} UTC"
    return f"Entries up to {stamp.entry} are stamped ({stamp.kind}{when}): {stamp.file}"


def _open(command: typer.Context) -> "Journal":
    from marketsim.journal.journal import Journal

    return Journal(options.settings_of(command).journal_place.journal)


def _chosen(entries: "list[Sealed]", symbols: list[str] | None, since: str | None) -> "list[Sealed]":
    """Those of the symbols, sealed since a day."""
    from marketsim.data.present import day_or_stamp
    from marketsim.data.symbols import parse_symbol

    wanted = [parse_symbol(symbol) for symbol in symbols or ()]
    first = "" if since is None else str(day_or_stamp(since))
    return [
        sealed for sealed in entries if sealed.entry.sealed >= first and (not wanted or sealed.plan.symbol in wanted)
    ]


def _document(journal: "Journal", entries: "list[Sealed]") -> None:
    from marketsim.cli.journal_documents import JournalShowDocument, ShownEntry

    shown = [ShownEntry(hash=sealed.hash, content=sealed.entry) for sealed in entries]
    output.document(JournalShowDocument(journal=str(journal.path), entries=shown))


def _in_short(sealed: "Sealed") -> "ListedEntry":
    from marketsim.cli.journal_documents import ListedEntry

    entry, plan = sealed.entry, sealed.plan
    return ListedEntry(
        entry=entry.number,
        sealed=entry.sealed,
        clock=entry.clock,
        symbol=plan.symbol,
        session=plan.session.bar,
        begins=plan.session.begins,
        in_time=sealed.in_time,
        decision=plan.decision,
        strategy=plan.strategy,
        model=plan.model.name,
        orders=len(plan.orders),
        hash=sealed.hash,
    )


def _overview(row: "ListedEntry") -> tuple[str, ...]:
    sealed = row.sealed.replace("T", " ") + "*" * (row.clock == "given")
    return str(row.entry), sealed, row.symbol, row.session, row.model, row.decision, str(row.orders)
