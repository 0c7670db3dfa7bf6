"""`marketsim score-forecasts`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, several_models, tables
from marketsim.errors import AuditError
from marketsim.results.figures import skill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marketsim.comparison.schema import FailedModel
    from marketsim.comparison.scores_schema import PriceScore, ScoredModel, ScoredSymbol

BLOCKS = "▁▂▃▄▅▆▇█", "12345678"  # the second in ASCII
EVEN = 4  # the height of what is as frequent as it should be


@options.takes(
    *options.all_but(
        options.WALK,
        options.MODEL,
        options.GIVEN,
        options.RULES,
        options.GATE,
        options.COSTS,
        options.FINE,
        options.OPTIMIZER,
        options.WORK,
    )
)
def score_forecasts(
    command: typer.Context,
    symbols: options.Symbols,
    models: several_models.Models = several_models.DEFAULT,
    forecasts: several_models.Files = None,
    bars: Annotated[
        int | None,
        typer.Option(
            "--bars",
            metavar="N",
            min=1,
            help="Number of newest bars to score. [250, or half of the bars if fewer]",
            show_default=False,
        ),
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Score the forecasts of models: losses and calibration.

    Tells for each price of the next bar whether a model beats har, rolling-quantile and last-bar by more than chance.
    """
    files = several_models.files_of(forecasts)
    settings = options.settings_of(command, **({"forecasts": files[0]} if files else {}))
    files = files or [file for file in (settings.given.forecasts,) if file is not None]
    names = several_models.names_of(models)

    from marketsim.comparison.forecast_scores import score
    from marketsim.comparison.schema import FailedModel
    from marketsim.data.symbols import once_each
    from marketsim.models import open_forecasts
    from marketsim.results.schema import FailedSymbol

    symbols, repeated = once_each(symbols)
    output.notes(repeated)
    own = {file: open_forecasts(file, settings) for file in files}
    with output.progress() as progress:
        document, notes = score(symbols, [*own, *names], settings, bars, progress, own=own)
    output.notes(notes)
    failed: list[FailedModel | FailedSymbol] = []
    good = 0
    for row in document.symbols:
        models_of = [row] if isinstance(row, FailedSymbol) else row.models
        failures = [failed for failed in models_of if isinstance(failed, (FailedModel, FailedSymbol))]
        failed += failures
        good += len(models_of) - len(failures)
    if json:
        output.document(document)
    elif good:
        for row in document.symbols:
            if isinstance(row, FailedSymbol):
                output.lines(f"{row.symbol} failed: {row.error}", "")
            else:
                _show(row, document.baselines)
    if not good:
        output.fail(failed[0].error)
        return failed[0].exit_code
    caught = any(row.exit_code == AuditError.exit_code for row in failed)
    return AuditError.exit_code if caught else 4 if failed else 0


def _show(symbol: "ScoredSymbol", baselines: "Sequence[str]") -> None:
    from marketsim.comparison.scores_schema import ScoredModel

    rows = [row for row in symbol.models if isinstance(row, ScoredModel)]
    bars = symbol.bars
    output.lines(
        f"{symbol.symbol}  {bars.source}",
        f"Forecasts scored on {bars.count:,} bars from {bars.first} to {bars.last}.",
        "",
    )
    if rows:
        _losses(rows)
        _skills(rows, baselines)
        _parts(rows)
    output.paragraph(*filter(None, map(_remark, symbol.models)))


def _remark(row: "ScoredModel | FailedModel") -> str | None:
    """Why a model failed, or what else a reader of its row must know."""
    from marketsim.comparison.schema import FailedModel

    if isinstance(row, FailedModel):
        return f"{row.model}: {row.error}"
    if row.exposure.contaminated or row.exposure.unknown:
        return f"{row.model}: {row.training}; scored bars: {tables.exposed(row.exposure)}"
    return None


def _prices(rows: "Sequence[ScoredModel]") -> "Iterator[tuple[str, str, PriceScore]]":
    """The model, which is named once, the price, and its scores; the open is not traded."""
    for row in rows:
        for price in ("high", "low", "close"):
            score: PriceScore = getattr(row, price)
            yield _name(row) if price == "high" else "", price.capitalize(), score


def _name(row: "ScoredModel") -> str:
    """The model, and whether it was caught."""
    return f"{row.model}\n{output.LOOK_AHEAD}" if row.look_ahead else row.model


def _losses(rows: "Sequence[ScoredModel]") -> None:
    cells = [
        (
            model,
            price,
            f"{scores.pinball_bps:.1f}",
            f"{scores.crps_bps:.1f}",
            tables.percent(scores.coverage),
            f"{100 * scores.coverage_low:.0f} .. {100 * scores.coverage_high:.0f}",
            _histogram(scores.pit),
        )
        for model, price, scores in _prices(rows)
    ]
    headers = (
        "Model",
        "Price",
        "Pinball\nloss, bps",
        "CRPS\nbps",
        "80 % band\nholds, %",
        "95 % interval\nof the share",
        "PIT\nhistogram",
    )
    output.table("Losses, and where the bars fell", headers, cells, words=2)


def _skills(rows: "Sequence[ScoredModel]", baselines: "Sequence[str]") -> None:
    cells = []
    for row in rows:
        for price, skills in (
            ("High", row.high.skills),
            ("Low", row.low.skills),
            ("Close", row.close.skills),
            ("All three", row.together),
        ):
            told = {found.against: skill(found.skill, found.verdict).replace("\n", " ") for found in skills}
            model = _name(row) if price == "High" else ""
            cells.append((model, price, *(told.get(baseline, "-") for baseline in baselines)))
    headers = ("Model", "Price", *(f"Against\n{baseline}" for baseline in baselines))
    output.table("Skill: loss saved, and whether it is more than chance", headers, cells, words=2)


def _parts(rows: "Sequence[ScoredModel]") -> None:
    cells = [
        (model, price, f"{scores.calibration_bps:.1f}", f"{scores.resolution_bps:.1f}", f"{scores.uncertainty_bps:.1f}")
        for model, price, scores in _prices(rows)
    ]
    headers = ("Model", "Price", "Calibration\nbps", "Resolution\nbps", "Uncertainty\nbps")
    output.table("Pinball loss = calibration - resolution + uncertainty", headers, cells, words=2)


def _histogram(shares: "Sequence[float]") -> str:
    """A bar for each share, half as high as the line where the share is as it should be."""
    blocks = output.drawable(*BLOCKS)
    heights = [min(max(round(EVEN * share * len(shares)), 1), len(blocks)) for share in shares]
    return "".join(blocks[height - 1] for height in heights)
