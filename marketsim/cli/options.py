"""The options, each defined once. Settings arrive as words, which config.py reads and checks."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Annotated, Any, get_args

import typer

from marketsim.settings.settings import CHOICES, Settings, resolve

_DEFAULTS = Settings().values()


def _setting(key: str, help: str, metavar: str = "", default: str = "") -> Any:
    choices = CHOICES.get(key, ())

    def complete(incomplete: str) -> Sequence[str]:
        return choices

    return typer.Option(
        f"--{key.replace('_', '-')}",
        metavar=metavar or "|".join(choices),
        help=f"{help} [{default or _DEFAULTS[key]}]",
        show_default=False,
        autocompletion=complete if choices else None,
    )


Symbols = Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Such as ETHUSD, eth/usd or NVDA.")]

Sims = Annotated[str | None, _setting("sims", "Simulations, one evaluated bar each.", "N")]
Fast = Annotated[bool, typer.Option("--fast", help="At most 35 simulations, the newest.")]
Window = Annotated[str | None, _setting("window", "Bars that each simulation fits on.", "N")]
Model = Annotated[str | None, _setting("model", "What forecasts the next bar.", "NAME[:VARIANT]")]
Weights = Annotated[
    str | None, _setting("weights", "Folder or hub repository of the weights.", "DIR|ORG/NAME", "the model's own")
]
Revision = Annotated[str | None, _setting("revision", "Branch, tag or commit of the weights.", "NAME", "main")]
Samples = Annotated[str | None, _setting("samples", "Paths that the model draws.", "N", "the model's own")]
Temperature = Annotated[str | None, _setting("temperature", "Of the draws.", "X", "the model's own")]
TopP = Annotated[str | None, _setting("top_p", "Probability of the tokens to draw from.", "P", "the model's own")]
TopK = Annotated[str | None, _setting("top_k", "Number of the tokens to draw from.", "N", "the model's own")]
Clip = Annotated[str | None, _setting("clip", "Limit of standardised inputs.", "X", "the model's own")]
Trim = Annotated[str | None, _setting("trim", "Of each tail, for a mean as point forecast.", "SHARE", "the median")]
Context = Annotated[str | None, _setting("context", "Bars that the model reads.", "N", "the model's own")]
Representation = Annotated[str | None, _setting("representation", "What the model is fed.")]
Device = Annotated[str | None, _setting("device", "What the model runs on.")]
Dtype = Annotated[str | None, _setting("dtype", "What the model computes in.")]
Compile = Annotated[bool, typer.Option("--compile", help="With torch.compile, where it pays.")]
Optimizer = Annotated[str | None, _setting("optimizer", "What fits them; compare-optimizers lists all.", "NAME")]
Strategy = Annotated[str | None, _setting("strategy", "One side a bar, both, or each of them.")]
Fill = Annotated[str | None, _setting("fill", "Take-profits in doubt: none, by their chance, or all.")]
CloseAtEod = Annotated[str | None, _setting("close_at_eod", "Exit at the bar's close; auto: better in-sample.")]
Bounds = Annotated[
    str | None, _setting("bounds", "Of the multipliers: one number, or both ends.", "B|LOW,HIGH", "0.03")
]
FeeBps = Annotated[str | None, _setting("fee_bps", "Fee per side, basis points.", "BPS", "15 crypto, 5 else")]
SlippageBps = Annotated[str | None, _setting("slippage_bps", "On exits at the close, basis points.", "BPS", "5")]
Asset = Annotated[str | None, _setting("asset", "Overrides what the symbol says.")]
Source = Annotated[str | None, _setting("source", "Where bars come from.")]
Data = Annotated[str | None, _setting("data", "CSV or Parquet file or folder of your own bars.", "PATH", "the sample")]
Start = Annotated[str | None, _setting("start", "First day.", "DATE", "first bar")]
End = Annotated[str | None, _setting("end", "Last day.", "DATE", "last bar")]
OnBadBars = Annotated[str | None, _setting("on_bad_bars", "Stop at a bad row, or leave it out.")]
Seed = Annotated[str | None, _setting("seed", "Of stochastic optimisers and the bootstrap.", "N")]
Cache = Annotated[str | None, _setting("cache", "How the forecast cache is used.")]
CacheDir = Annotated[str | None, _setting("cache_dir", "The forecast cache's folder.", "DIR", "the platform's")]
CacheUrl = Annotated[str | None, _setting("cache_url", "A PostgreSQL database in its place.", "URL", "none")]
Workers = Annotated[str | None, _setting("workers", "Processes that symbols are spread over.", "N")]
Executor = Annotated[str | None, _setting("executor", "What runs them.")]
Scheduler = Annotated[str | None, _setting("scheduler", "Of a Dask cluster.", "tcp://HOST:PORT", "none")]

Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="TOML file of settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

WALK = {"sims": Sims, "fast": Fast, "window": Window}
MODEL = {"model": Model}
NETWORK = {
    "weights": Weights,
    "revision": Revision,
    "samples": Samples,
    "temperature": Temperature,
    "top_p": TopP,
    "top_k": TopK,
    "clip": Clip,
    "trim": Trim,
    "context": Context,
    "representation": Representation,
    "device": Device,
    "dtype": Dtype,
    "compile": Compile,
}
FIT = {"optimizer": Optimizer}
RULES = {
    "strategy": Strategy,
    "fill": Fill,
    "close_at_eod": CloseAtEod,
    "bounds": Bounds,
    "fee_bps": FeeBps,
    "slippage_bps": SlippageBps,
}
BARS = {
    "asset": Asset,
    "source": Source,
    "data": Data,
    "start": Start,
    "end": End,
    "on_bad_bars": OnBadBars,
}
RANDOM = {"seed": Seed}
CACHE = {"cache": Cache, "cache_dir": CacheDir, "cache_url": CacheUrl}
WORK = {"workers": Workers, "executor": Executor, "scheduler": Scheduler}


def takes(*groups: Mapping[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The command takes the settings of `groups` too, listed before its --config, and leaves them to `settings_of`."""
    settings = {key: option for group in groups for key, option in group.items()}
    added = [
        inspect.Parameter(
            key,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=False if get_args(option)[0] is bool else None,  # a flag is off, others are not given
            annotation=option,
        )
        for key, option in settings.items()
    ]

    def extended(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**words: Any) -> Any:
            return function(**{key: word for key, word in words.items() if key not in settings})

        own = list(inspect.signature(function).parameters.values())
        config = [each.name for each in own].index("config")
        command.__dict__["__signature__"] = inspect.Signature([*own[:config], *added, *own[config:]])
        return command

    return extended


def settings_of(command: typer.Context, **fixed: str | bool) -> tuple[Settings, dict[str, str]]:
    """The settings that a command's options, environment and --config give, and where each came from."""
    return resolve(given(command) | fixed, command.params.get("config"), os.environ)


def given(command: typer.Context) -> dict[str, str | bool]:
    """The words of the settings' options that stand on the command line, by key."""
    return {key: value for key, value in command.params.items() if key in _DEFAULTS and value not in (None, False)}
