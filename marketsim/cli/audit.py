"""`marketsim audit`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output
from marketsim.errors import UsageError

if TYPE_CHECKING:
    from marketsim.auditing.schema import (
        AuditDocument,
        AuditedSymbol,
        CheckRow,
        DifferenceRow,
        PlausibilityRow,
        SelftestDocument,
    )

DEFECT = 5  # exit code
GIVEN = "The rest of the backtest does not look ahead; whether the file's forecasts do, cannot be shown"


@options.takes(
    *options.all_but(options.CAUGHT_MODEL, options.OPTIMIZER, options.CACHE, options.CACHE_PLACE, options.WORK)
)
def audit(
    command: typer.Context,
    symbols: options.OptionalSymbols = None,
    origins: Annotated[
        int, typer.Option("--origins", metavar="N", min=1, help="Origins after which the future is changed.")
    ] = 5,
    selftest: Annotated[
        bool, typer.Option("--selftest", help="Audit ten models with planted leaks and their clean twins.")
    ] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Check that a backtest cannot see the future.

    Changes every bar after some origins, calls, processes and units of price; what rests on earlier bars must not move.
    The exit code is 5 where something did.
    """
    settings = options.settings_of(command)
    if selftest and symbols:
        raise UsageError("--selftest audits planted leaks on bars of its own: leave out SYMBOL")
    if selftest:
        return _selftest(settings.seed, json)
    if not symbols:
        raise UsageError("nothing to audit: give SYMBOL, or --selftest (see 'marketsim audit --help')")

    from marketsim.auditing.schema import AuditedSymbol
    from marketsim.auditing.symbols import audit as audit_symbols
    from marketsim.data.symbols import once_each

    names, repeated = once_each(symbols)
    output.notes(repeated)
    with output.progress() as progress:
        document, notes, errors = audit_symbols(names, settings, origins, progress)
    output.notes(notes)
    if json:
        output.document(document)
    elif len(errors) < len(names):
        _show(document)
    failed = output.failures_shown(errors, len(names))
    if any(isinstance(symbol, AuditedSymbol) and not symbol.passed for symbol in document.symbols):
        output.fail(f"the audit of model '{document.model.name}' shows a defect")
        return DEFECT
    return failed


def _selftest(seed: int, json: bool) -> int:
    from marketsim.auditing.document import selftest_document
    from marketsim.auditing.selftest import selftest as run

    with output.progress() as progress:
        document = selftest_document(run(seed, progress), seed)
    if json:
        output.document(document)
    else:
        _show_selftest(document)
    if document.passed:
        return 0
    output.fail("the audit missed a leak or accused a clean twin: see the rows in capital letters")
    return 1


def _show(document: "AuditDocument") -> None:
    from marketsim.auditing.schema import AuditedSymbol

    for symbol in document.symbols:
        if isinstance(symbol, AuditedSymbol):
            _show_symbol(symbol, f"{document.model.name} {document.model.version}")
        else:
            output.lines(f"{symbol.symbol} failed: {symbol.error}", "")


def _show_symbol(symbol: "AuditedSymbol", model: str) -> None:
    from marketsim.cli.tables import extent, signed
    from marketsim.forecasting.plausibility import FEWEST

    output.lines(
        f"{symbol.symbol}  {symbol.bars.source}",
        f"Bars   {extent(symbol.bars)}",
        f"Model  {model}",
        f"Walk   {symbol.origins} origins; the future is changed after {symbol.changed} of them",
        "",
    )
    rows = [
        (row.check, f"{row.forecasts:,}", _move(row.tolerance), _largest(row), _outcome(row)) for row in symbol.checks
    ]
    headers = ("Change", "Compared", "Tolerance", "Largest\ndifference", "Result")
    output.table("Changes that must not affect a forecast", headers, rows)
    output.paragraph(*(f"{row.check}: {_words(row.first)}." for row in symbol.checks if row.first is not None))
    if symbol.plausibility is not None:
        output.paragraph(_figures(symbol.plausibility))
    elif symbol.given:
        output.paragraph(f"The bars of fewer than {FEWEST} forecasts in the file are known: too few for figures.")
    if symbol.passed:
        words = GIVEN if symbol.given else "No result depends on bars after its origin"
        output.paragraph(f"{symbol.symbol}: passed. {words}.", *_doubts(symbol))
        return
    profits = [
        (row.strategy, *map(signed, (row.as_run_bps, row.alone_bps, row.as_run_bps - row.alone_bps)))
        for row in symbol.profits
    ]
    heads = ("Strategy", "As run\nbps/bar", "Each origin\nalone bps/bar", "Due to\nthem bps/bar")
    output.table("Profit, and how much of it is due to later bars", heads, profits)
    output.paragraph(f"{symbol.symbol}: defect. Do not trust its backtest.", *_doubts(symbol))


def _figures(found: "PlausibilityRow") -> str:
    """What the forecasts look like; the figures are no proof."""
    losses = ", ".join(f"{loss:.2f} ({name})" for name, loss in found.loss.items())
    return (
        f"Loss relative to har's on {found.bars:,} bars: {losses}. Rank correlation of the forecast close with the "
        f"move of its bar: {found.its_bar:+.2f}; of the one before: {found.last_move:+.2f}; of the one after: "
        f"{found.bar_after:+.2f}."
    )


def _doubts(symbol: "AuditedSymbol") -> list[str]:
    """What is implausible, one line each."""
    found = symbol.plausibility.doubts if symbol.plausibility is not None else []
    return [f"{symbol.symbol}: implausible: {doubt}" for doubt in found]


def _outcome(row: "CheckRow") -> str:
    return "same" if row.passed else "CHANGED"


def _largest(row: "CheckRow") -> str:
    """By how much a forecast moved; rounding in as many digits as it has."""
    return f"< {_move(row.tolerance)}" if 0 < row.largest <= row.tolerance else _move(row.largest)


def _move(value: float) -> str:
    return "0" if value == 0 else f"{value:.0e}"


def _words(first: "DifferenceRow") -> str:
    before, after = (f"{value:+.6g}" if isinstance(value, float) else value for value in (first.before, first.after))
    return f"at the origin {first.origin}, for the bar {first.bar}, {first.channel} moves from {before} to {after}"


def _noticed(checks: list[str]) -> str:
    """The first of the checks that saw a leak, and how many more did."""
    return "-" if not checks else checks[0] + (f" and {len(checks) - 1} more" if len(checks) > 1 else "")


def _show_selftest(document: "SelftestDocument") -> None:
    rows = [
        (
            row.leak,
            "caught" if row.caught else "MISSED",
            "passes" if row.twin_passed else "ACCUSED",
            _noticed(row.caught_by),
        )
        for row in document.leaks
    ]
    output.table("Planted leaks", ("Leak", "Result", "Clean twin", "Caught by"), rows, words=4)
    caught, passed = (
        sum(flags) for flags in zip(*((row.caught, row.twin_passed) for row in document.leaks), strict=True)
    )
    count = len(document.leaks)
    output.lines(f"{caught} of {count} leaks caught, {passed} of {count} clean twins passed.", "")
