"""`marketsim backtest` and `marketsim fast`."""

from typing import Annotated

import typer

from marketsim.cli import options, output, tables


def backtest(
    command: typer.Context,
    symbols: options.Symbols,
    sims: options.Sims = None,
    fast: options.Fast = False,
    window: options.Window = None,
    model: options.Model = None,
    weights: options.Weights = None,
    revision: options.Revision = None,
    samples: options.Samples = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
    top_k: options.TopK = None,
    clip: options.Clip = None,
    context: options.Context = None,
    representation: options.Representation = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    compile: options.Compile = False,
    optimizer: options.Optimizer = None,
    strategy: options.Strategy = None,
    fill: options.Fill = None,
    close_at_eod: options.CloseAtEod = None,
    bounds: options.Bounds = None,
    fee_bps: options.FeeBps = None,
    slippage_bps: options.SlippageBps = None,
    asset: options.Asset = None,
    source: options.Source = None,
    data: options.Data = None,
    start: options.Start = None,
    end: options.End = None,
    on_bad_bars: options.OnBadBars = None,
    seed: options.Seed = None,
    cache: options.Cache = None,
    cache_dir: options.CacheDir = None,
    cache_url: options.CacheUrl = None,
    config: options.Config = None,
    output_directory: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Write results.json, CSV and timing.json there."),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Walk forward over each symbol's newest bars: profit, the next bar's plan, where the time went."""
    fixed = {"fast": True} if command.info_name == "fast" else {}
    settings, _ = options.settings_of(command, **fixed)

    from marketsim.profiling import Clock, observer

    clock = observer() or Clock()
    with clock.stage("start-up/libraries"):
        from marketsim import pipeline, report

    directory = report.open_directory(output_directory) if output_directory else None
    with output.progress() as progress:
        runs = pipeline.run(symbols, settings, clock, progress)
    output.notes(note for run in runs for note in run.notes)
    errors = [run.error for run in runs if run.error is not None]
    failed = len(errors) == len(runs)
    with clock.stage("report"):
        with clock.part("document"):
            document = report.document(runs, settings)
        with clock.part("print"):
            if json:
                output.text(report.to_json(document))
            elif not failed:
                tables.backtest(document)
        if directory is not None:
            report.write(directory, runs, settings, clock)
    if failed:
        for error in errors[:-1]:
            output.fail(str(error))
        raise errors[-1]
    if not json:
        tables.timing(report.timing(runs, clock))
    if errors:
        output.fail(f"{len(errors)} of {len(runs)} symbols failed")
        return 4
    return 0
