"""The bars for the scoring of sealed plans: those of their runs, as they are today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.data.bars import Bars
from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success
from marketsim.journal.entry import Sealed, SealedPlan
from marketsim.settings.choices import DROP
from marketsim.settings.groups import BarsSettings
from marketsim.settings.settings import keys_of

ELSEWHERE = ("source", "data", "store")  # settings that name other bars than those that were sealed


def bars_of(sealed: Sequence[Sealed], chosen: Mapping[str, Any]) -> dict[str, Outcome[Bars]]:
    """The bars of every symbol that a plan was sealed for; of `chosen` settings of bars, in place of those sealed.

    Days that a run left out at either end, and a provider that it fetched from, are not those of a score: it reads all
    bars that are complete, and fetches none.
    """
    newest = {entry.plan.symbol: entry.plan for entry in sealed}
    return {symbol: _load(plan, chosen) for symbol, plan in newest.items()}


def _load(plan: SealedPlan, chosen: Mapping[str, Any]) -> Outcome[Bars]:
    sealed = {key: plan.settings[key] for key in keys_of(BarsSettings) if key in plan.settings}
    if sealed.get("fetch") is not None:
        sealed["source"] = "store"
    whole = {"start": None, "end": None, "now": None, "fetch": None, "partial": DROP}
    settings = BarsSettings(**(sealed | whole | dict(chosen)))
    asked = plan.symbol if names_bars(chosen) else _asked(plan)
    try:
        return Success(load(asked, settings, open_bars(settings)))
    except MarketsimError as error:
        return Failure(error)


def names_bars(chosen: Mapping[str, Any]) -> bool:
    """Whether settings name other bars than those that were sealed."""
    return any(key in chosen for key in ELSEWHERE)


def _asked(plan: SealedPlan) -> str:
    """The symbol as it was asked for, which may name a file."""
    for companion in plan.together:
        name, place = part_place(companion.asked)
        try:
            if place is not None and parse_symbol(name) == plan.symbol:
                return companion.asked
        except DataError:
            continue
    return plan.symbol
