"""The options of the settings, each defined once, in the groups of the settings; commands take whole groups.

Settings arrive as words, which `settings.resolve` reads and checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer
from msgspec import Struct
from typer.core import TyperOption

from marketsim.cli import output
from marketsim.cli.completion import models, symbols
from marketsim.settings.groups import (
    BarsSettings,
    CacheSettings,
    CostSettings,
    GivenSettings,
    JournalSettings,
    NetworkSettings,
    TradingRules,
    WalkSettings,
    WorkSettings,
)
from marketsim.settings.resolution import Resolution, Words, resolve
from marketsim.settings.settings import CHOICES, KEYS, Settings, keys_of

OWN = "the model's own"
REPEATED = ("model_option",)  # options that may be given several times
TAKEN = "taken_settings"  # attribute of a command: the keys of the settings that it takes


class OptionGroup(Struct, frozen=True):
    """Settings that commands take together, under one heading of their help."""

    title: str
    keys: tuple[str, ...]


WALK = OptionGroup("Walk-forward", keys_of(WalkSettings))
MODEL = OptionGroup("Model", ("model",))
VOUCHING = OptionGroup("Model", ("assume_clean",))
OWN_MODEL = OptionGroup("Model", ("model_option",))
GIVEN = OptionGroup("Model", ("forecasts",))
MISSING = OptionGroup("Model", tuple(key for key in keys_of(GivenSettings) if key not in GIVEN.keys))
CAUGHT_MODEL = OptionGroup("Model", ("allow_lookahead",))
GATE = OptionGroup("Trading rules", ("min_t",))
RULES = OptionGroup("Trading rules", tuple(key for key in keys_of(TradingRules) if key not in GATE.keys))
COSTS = OptionGroup("Costs", keys_of(CostSettings))
STORE = OptionGroup("Stored bars", ("timeframe", "store"))
FINE = OptionGroup("Bars", ("fine",))
BARS = OptionGroup("Bars", tuple(key for key in keys_of(BarsSettings) if key not in (*STORE.keys, *FINE.keys)))
OPTIMIZER = OptionGroup("Optimizer", ("optimizer",))
SEED = OptionGroup("Random numbers", ("seed",))
NETWORK = OptionGroup(
    "Models with weights", tuple(key for key in keys_of(NetworkSettings) if key not in OWN_MODEL.keys)
)
CACHE = OptionGroup("Forecast cache", ("cache",))
CACHE_PLACE = OptionGroup("Forecast cache", keys_of(CacheSettings))
WORK = OptionGroup("Many symbols", keys_of(WorkSettings))
JOURNAL = OptionGroup("Journal", keys_of(JournalSettings))
GROUPS = (
    WALK,
    MODEL,
    VOUCHING,
    OWN_MODEL,
    GIVEN,
    MISSING,
    CAUGHT_MODEL,
    RULES,
    GATE,
    COSTS,
    BARS,
    FINE,
    STORE,
    OPTIMIZER,
    SEED,
    NETWORK,
    CACHE,
    CACHE_PLACE,
    WORK,
    JOURNAL,
)  # the common ones first
RUN = tuple(group for group in GROUPS if group != JOURNAL)  # what a backtest takes


class Text(Struct, frozen=True):
    """The help text of a setting."""

    help: str
    metavar: str = ""  # of no words: its choices
    default: str = ""  # of no words: the value itself


TEXTS = {
    "sims": Text("Number of simulations; each trades one bar.", "N"),
    "fast": Text("Run at most 35 simulations, the newest."),
    "window": Text("Bars of each fit; auto: the longest of 250, 120 and 60 that the bars allow.", "N|auto"),
    "model": Text("Forecasting model; 'marketsim models list' shows all.", "NAME[:VARIANT]|FILE.py:CLASS"),
    "assume_clean": Text("Vouch that a model with unknown training data has not seen the evaluated bars."),
    "model_option": Text("Option of your own model; may be repeated.", "KEY=VALUE", "none"),
    "forecasts": Text("Your own forecasts instead of a model's: a file or a folder.", "[SYMBOL=]PATH[:MODEL]", "none"),
    "missing": Text("Forecasts missing in the file: stop, or let har make them."),
    "allow_lookahead": Text("Show the backtest of a model even if it was caught looking ahead."),
    "strategy": Text("One side per bar, both sides, or both strategies."),
    "fill": Text("Take-profits in doubt count never, by their probability, or always."),
    "close_at_eod": Text("Exit always at the close, without a take-profit; auto: if that did better in-sample."),
    "bounds": Text(
        "Range of the multipliers, the offsets added to the forecast moves of high and low.", "X|LOW,HIGH", "0.03"
    ),
    "min_t": Text("Place no order if the fit's in-sample t is below this; 0: always place one.", "T", "1.5"),
    "half_life": Text("Age in bars at which a bar has half the weight in the fit.", "BARS", "equal weights"),
    "fee_bps": Text("Fee per side, in basis points.", "BPS", "15 for crypto, else 5"),
    "slippage_bps": Text("Slippage of exits at the close, in basis points.", "BPS", "5"),
    "asset": Text("Asset class; sets fees, short sales and bars per year.", default="by symbol"),
    "source": Text("Where bars come from."),
    "data": Text("Your own bars: a file, or a folder of files.", "[SYMBOL=]PATH", "the sample"),
    "start": Text("First day, or UTC time.", "DATE", "first bar"),
    "end": Text("Last day, or UTC time.", "DATE", "last bar"),
    "on_bad_bars": Text("Stop at a bad row, or leave it out."),
    "fetch": Text("Update the store first: from yahoo, alpaca, stooq or ccxt:EXCHANGE.", "PROVIDER", "none"),
    "timeframe": Text("Length of a bar in the store or the sample: 1m, 15m, 1h, 4h, 1d, 1w, 1mo.", "T"),
    "store": Text("Folder of fetched bars.", "DIR", "the platform's"),
    "calendar": Text("Market calendar: XNYS, XTKS, 24/7, 24/5, weekdays, ...", "NAME", "by symbol"),
    "partial": Text("Last bar if incomplete: leave it out, or keep it."),
    "now": Text("Present time.", "TIME", "the clock"),
    "date_format": Text("Format of dates: %d/%m/%Y, or s, ms, us or ns since 1970.", "FORMAT", "detected"),
    "timezone": Text("Time zone of times without one.", "ZONE", "UTC"),
    "adjust": Text("Adjust prices by the file's adjusted close or splits, or not at all."),
    "fine": Text(
        "Shorter bars that show the order of prices inside a bar; separate several with commas.",
        "sample|store|T|PATH",
        "none",
    ),
    "optimizer": Text("Fits the multipliers; 'marketsim compare-optimizers' shows all.", "NAME"),
    "seed": Text("Random seed of the bootstrap, of sample paths and of searches.", "N"),
    "weights": Text("Folder or hub repository of the weights.", "DIR|ORG/NAME", OWN),
    "revision": Text("Branch, tag or commit of the repository.", "NAME", "main"),
    "samples": Text("Sample paths per forecast.", "N", OWN),
    "temperature": Text("Sampling temperature.", "X", OWN),
    "top_p": Text("Sample from the most likely tokens of this total probability.", "P", OWN),
    "top_k": Text("Sample from this many of the most likely tokens.", "N", OWN),
    "clip": Text("Standard deviations at which the model's input is clipped.", "X", OWN),
    "trim": Text(
        "Share of sample paths to leave out at either end; the forecast is the mean of the rest.",
        "SHARE",
        "use the median",
    ),
    "context": Text("Bars that the model reads.", "N", OWN),
    "representation": Text("Input of the model: moves or prices."),
    "device": Text("Hardware that the model runs on."),
    "dtype": Text("Number format of the model's arithmetic."),
    "compile": Text("Use torch.compile where it pays."),
    "batch": Text("Forecasts to make in one call of the model.", "N", "as many as pay"),
    "cache": Text("Read and write it, read it only, write it only (refresh), or neither."),
    "cache_dir": Text("Folder of the cache.", "DIR", "the platform's"),
    "cache_url": Text("PostgreSQL database that several machines share, instead of the folder.", "URL", "none"),
    "journal": Text("Folder of the journal of sealed plans.", "DIR", "the platform's"),
    "workers": Text("Processes to spread the symbols over.", "N"),
    "executor": Text("Where symbols are run; auto: by --workers and --scheduler."),
    "scheduler": Text("Address of a Dask scheduler.", "tcp://HOST:PORT", "none"),
    "worker_timeout": Text("Time without a heartbeat after which a cluster's worker counts as lost.", "SECONDS", "60"),
}

Symbols = Annotated[
    list[str],
    typer.Argument(metavar="SYMBOL...", help="Such as ETHUSD, eth/usd or NVDA.", autocompletion=symbols),
]
Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="TOML file of settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
OptionalSymbols = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYMBOL...]", help="Such as ETHUSD, eth/usd or NVDA.", autocompletion=symbols),
]
SymbolsFile = Annotated[
    str | None,
    typer.Option("--symbols-file", metavar="FILE", help="File of symbols, one per line; # starts a comment."),
]
Capital = Annotated[
    float | None,
    typer.Option("--capital", metavar="AMOUNT", help="Capital to divide among the orders; without it no quantities."),
]

DEFAULTS = Settings().values()
_TITLES = {key: group.title for group in GROUPS for key in group.keys}


def option(key: str) -> TyperOption:
    """The option of a setting; not given, it is None or, a switch, False.

    Typer would make it of a function's parameter too, in five times the time, of which a start has fifty.
    """
    text, choices, switch = TEXTS[key], CHOICES.get(key, ()), isinstance(DEFAULTS[key], bool)
    completer: Callable[..., Sequence[str]] | None = (lambda *_: choices) if choices else None
    return TyperOption(
        param_decls=[key, f"--{key.replace('_', '-')}"],
        is_flag=switch,
        multiple=key in REPEATED,
        default=False if switch else None,
        metavar=None if switch else text.metavar or "|".join(choices),
        help=text.help if switch else f"{text.help} [{text.default or DEFAULTS[key]}]",
        autocompletion=(lambda context, words, incomplete: models(incomplete)) if key == "model" else completer,
        rich_help_panel=_TITLES[key],
    )


def all_but(*left_out: OptionGroup) -> tuple[OptionGroup, ...]:
    """All groups of a run but a few, in their order."""
    return tuple(group for group in RUN if group not in left_out)


def takes(*groups: OptionGroup) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The command takes the settings of `groups` too, and leaves them to `settings_of`."""
    keys = tuple(key for group in groups for key in group.keys)

    def extended(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**words: Any) -> Any:
            return function(**{name: word for name, word in words.items() if name not in keys})

        command.__dict__[TAKEN] = keys
        return command

    return extended


def without(command: Callable[..., Any], *keys: str) -> Callable[..., Any]:
    """The same command without the options of some settings, which it has fixed."""

    @wraps(command)
    def narrower(**words: Any) -> Any:
        return command(**words)

    narrower.__dict__[TAKEN] = tuple(key for key in taken_by(command) if key not in keys)
    return narrower


def taken_by(command: Callable[..., Any] | None) -> tuple[str, ...]:
    """The keys of the settings that a command takes."""
    keys: tuple[str, ...] = getattr(command, TAKEN, ())
    return keys


def settings_of(command: typer.Context, **fixed: Words) -> Settings:
    """The settings of a command's options, environment and --config; prints their notes."""
    return resolution_of(command, **fixed).settings


def resolution_of(command: typer.Context, **fixed: Words) -> Resolution:
    """The settings, and where each came from."""
    found = resolve(given(command) | fixed, command.params.get("config"), os.environ)
    output.notes(found.notes)
    return found


def given(command: typer.Context) -> dict[str, Words]:
    """The words of the settings' options that stand on the command line, by key."""
    words = {key: value for key, value in command.params.items() if key in KEYS and value not in (None, False, (), [])}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in words.items()}
