"""`marketsim profile`: where the time and the memory of the main job go, and what other ways would cost."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.errors import MarketsimError, MissingExtra, UsageError
from marketsim.registry import OPTIMIZERS

if TYPE_CHECKING:
    from marketsim.cli.profiled_runs import Observed

SCIPY = ("direct", "differential-evolution", "dual-annealing", "shgo", "basin-hopping", "brute")
SLIGHT = 0.001  # of a run: what a stage spends outside of its parts is then not worth a line
SEARCHED = 5  # simulations at most in a run for the costs of a try: what an evaluation costs does not depend on them

SIZES = ("1", "400")  # candidates a call where no optimiser asks
MIB = 2**20

Row = dict[str, Any]


@options.takes(
    options.WALK,
    options.MODEL,
    options.RULES,
    options.COSTS,
    options.BARS,
    options.OPTIMIZER,
    options.SEED,
    options.NETWORK,
)
def profile(
    command: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="[SYMBOL]", help="[ETHUSD]", show_default=False)] = "ETHUSD",
    config: options.Config = None,
    repeat: Annotated[
        int,
        typer.Option("--repeat", metavar="N", min=1, help="Runs of each kind; medians are shown.", show_default=False),
    ] = 1,
    trace: Annotated[
        str | None, typer.Option("--trace", metavar="FILE.json", help="Write the spans, for ui.perfetto.dev.")
    ] = None,
    flamegraph: Annotated[
        str | None, typer.Option("--flamegraph", metavar="FILE.html", help="Write sampled stacks (extra 'profile').")
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Run the main job cold and warm, each a process of its own, and show where its time and memory go."""
    settings = options.settings_of(command)
    for option, file in (("--trace", trace), ("--flamegraph", flamegraph)):
        if file is not None:
            _require_place(option, file)
    if flamegraph is not None:
        from importlib.util import find_spec

        if find_spec("pyinstrument") is None:
            raise MissingExtra("--flamegraph", "profile")

    from tempfile import TemporaryDirectory

    from marketsim.cli import profiled_runs

    words = options.given(command) | ({"config": config} if config else {})
    other = "direct" if settings.optimizer == "exact" else "exact"
    searches = [name for name in SCIPY if name in OPTIMIZERS]
    few = str(min(SEARCHED, settings.walk.simulations))
    machine = _machine()
    plain = "plain" if trace is None else "trace"
    gpu_here = _gpu_here()
    steps = 1 + 5 * repeat + len(SIZES) + len(searches) + gpu_here + (flamegraph is not None)
    done = 0
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="marketsim-")))
        progress = stack.enter_context(output.progress())

        def run(what: str, cache: str | None, way: str = "plain", detail: str = "", **changes: str) -> "Observed":
            nonlocal done
            progress(what, done, steps)
            done += 1
            own = (
                {"cache": "readwrite", "cache_dir": str(place / cache), "cache_url": ""} if cache else {"cache": "off"}
            )
            return profiled_runs.observe(["backtest", *_spelt(words | own | changes), "--", symbol], place, way, detail)

        run("a first run, not counted", "first")
        rounds = [
            {
                "cold": run("cold", str(i), plain),
                "warm": run("warm", str(i), plain),
                "without the cache": run("without the cache", None),
                "and one origin a call": run("one origin a call", None, "one-by-one"),
                f"{other} in place of {settings.optimizer}": run(f"fits by {other}", str(i), optimizer=other),
            }
            for i in range(repeat)
        ]
        searched = {
            f"none, {size} a call": run("profit alone", "0", "grid", size, optimizer="exact", sims=few)
            for size in SIZES
        }
        searched |= {name: run(f"fits by {name}", "0", optimizer=name, sims=few) for name in searches}
        gpu = run("on the GPU", "gpu", "gpu").gpu if gpu_here else None
        if flamegraph is not None:
            run("flamegraph", "flamegraph", "flamegraph", str(Path(flamegraph).absolute()))
    found = {name: profiled_runs.summary([each[name] for each in rounds]) for name in rounds[0]}
    warm = found["warm"]["seconds"]
    document: Row = {
        "schema": "marketsim.profile/1",
        "symbol": symbol,
        "machine": machine,
        "repeat": repeat,
        "runs": {name: found.pop(name) for name in ("cold", "warm")},
        "what_if": [
            {"name": name, **{key: each[key] for key in ("seconds", "least", "most")}, "ratio": each["seconds"] / warm}
            for name, each in found.items()
        ],
        "bottleneck": [
            profiled_runs.bottleneck(name, each)
            for name, each in {**searched, settings.optimizer: rounds[-1]["warm"]}.items()
        ],
        "gpu": gpu,
    }
    if trace is not None:
        import json as format

        events = profiled_runs.trace({name: rounds[-1][name] for name in ("cold", "warm")})
        try:
            Path(trace).write_text(format.dumps(events) + "\n", encoding="utf-8")
        except OSError as error:
            raise MarketsimError(f"cannot write {trace}: {error.strerror}") from None
    if json:
        output.document(document)
        return
    load = "" if machine["load"] is None else f" and a load of {machine['load']:.1f} before the first run"
    output.lines(f"Python {machine['python']} on {machine['cores']} cores{load}", "")
    for name, row in document["runs"].items():
        _tree(f"{symbol}, {name} run", row, repeat)
    _what_if(document)
    _bottleneck(document["bottleneck"])
    _gpu(gpu, gpu_here)
    if trace is not None:
        output.lines(f"Spans of the last cold and warm run: {trace} (open it at ui.perfetto.dev)")
    if flamegraph is not None:
        output.lines(f"Sampled stacks of a cold run: {flamegraph}")


def _spelt(words: Row) -> list[str]:
    """Settings as the options of a command line."""
    return [
        part
        for key, value in words.items()
        for part in ([f"--{key.replace('_', '-')}"] if value is True else [f"--{key.replace('_', '-')}", str(value)])
    ]


def _require_place(option: str, file: str) -> None:
    """UsageError where `file` cannot be written, before anything is measured."""
    import os

    path = Path(file)
    if not file.strip() or path.is_dir():
        raise UsageError(f"{option} needs the name of a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{option} {file}: cannot write there")


def _machine() -> Row:
    """What the figures depend on most: a load that is above the number of cores makes them worthless."""
    import os
    import platform

    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"python": platform.python_version(), "cores": os.cpu_count(), "load": load}


def _gpu_here() -> bool:
    """Whether there is an NVIDIA GPU, as far as can be told without torch."""
    import shutil

    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def _tree(title: str, run: Row, repeat: int) -> None:
    """A row a stage, its parts indented below it."""
    headers = (
        "Stage",
        "Seconds",
        *_spread_header(repeat),
        "Share\n%",
        "Calls",
        "ms\na call",
        "Peak\n+ MiB",
    )
    rows = []
    for name, stage in run["stages"].items():
        rows.append(_branch(name, stage, repeat))
        parts = [part for path, part in run["stages"].items() if path.rpartition("/")[0] == name]
        rest = {key: stage[key] - sum(part[key] for part in parts) for key in ("seconds", "share", "peak_bytes")}
        if parts and rest["share"] >= SLIGHT:
            rows.append(_branch(f"{name}/the rest", rest, repeat))
    whole = run | {"share": 1.0}
    rows.append(_branch("total", whole, repeat))
    output.table(title, headers, rows)
    forecasts = run["forecasts"]
    output.lines(
        f"{forecasts['made']:,} forecasts made, {forecasts['reused']:,} read from the cache: "
        f"hit rate {forecasts['hit_rate']:.0%}",
        "",
    )


def _branch(name: str, stage: Row, repeat: int) -> tuple[str, ...]:
    *above, last = name.split("/")
    each = stage.get("seconds_a_call")
    return (
        "  " * len(above) + last,
        f"{stage['seconds']:.3f}",
        *_spread(stage, repeat),
        f"{100 * stage['share']:.1f}",
        str(stage.get("calls", "")),
        "" if each is None else f"{1e3 * each:.2f}",
        f"{stage['peak_bytes'] / MIB:.1f}",
    )


def _spread_header(repeat: int) -> tuple[str, ...]:
    return ("Least .. most",) if repeat > 1 else ()


def _spread(row: Row, repeat: int) -> tuple[str, ...]:
    return (f"{row['least']:.3f} .. {row['most']:.3f}" if "least" in row else "",) if repeat > 1 else ()


def _what_if(document: Row) -> None:
    warm = document["runs"]["warm"]
    named = [warm | {"name": "as it is, warm", "ratio": 1.0}, *document["what_if"]]
    rows = [
        (row["name"], f"{row['seconds']:.3f}", *_spread(row, document["repeat"]), f"{row['ratio']:.2f}")
        for row in named
    ]
    output.table("What if", ("Whole run", "Seconds", *_spread_header(document["repeat"]), "Ratio\nto warm"), rows)


def _bottleneck(rows: list[Row]) -> None:
    headers = (
        "Optimizer",
        "Tries\na fit",
        "Tries\na call",
        "Profit\nµs",
        "Over-\nhead µs",
        "Total\nµs",
        "Over-\nhead %",
        "Fit\nms",
    )
    keys = {"profit_seconds": 1e6, "overhead_seconds": 1e6, "total_seconds": 1e6, "overhead_share": 100}
    cells = [
        (
            row["optimizer"],
            f"{row['evaluations_a_fit']:.0f}" if "evaluations_a_fit" in row else "-",
            f"{row['candidates_a_call']:.1f}" if "candidates_a_call" in row else "-",
            *(f"{scale * row[key]:.1f}" if key in row else "-" for key, scale in keys.items()),
            f"{1e3 * row['fit_seconds']:.2f}",
        )
        for row in rows
    ]
    output.table("What a try costs, one candidate's profit, and a fit", headers, cells)


def _gpu(gpu: Row | None, here: bool) -> None:
    if gpu is None:
        why = "torch cannot use it" if here else "nothing to copy, nothing to wait for"
        output.lines(f"GPU: {'there is one, but ' if here else 'none here, '}{why}.")
        return
    output.lines(
        f"GPU: {gpu['name']}; in a cold run {gpu['to_device']:,} copies to it, {gpu['to_host']:,} from it, "
        f"{gpu['synchronisations']:,} synchronisations."
    )
