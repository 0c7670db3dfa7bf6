"""Column names of forecasts: price, quantile and unit.

Nixtla, GluonTS, AutoGluon, Chronos and Darts each have names of their own, and so has the reference system.
"""

from __future__ import annotations

import re

from msgspec import Struct

from marketsim.data.bars import CHANNELS

PRICES, MOVES = "prices", "moves"  # units
ORIGIN = frozenset(
    ("origin", "forecast origin", "origin time", "cutoff", "as of", "asof", "last bar", "last known bar", "known until")
)
BAR = frozenset(("bar", "target bar", "target", "target time", "target date", "ds", "bar time", "bar date"))
MADE_AT = frozenset(("made at", "made", "created at", "issued at", "generated at", "published at"))
CHANNEL = frozenset(("channel", "price", "target name", "variable", "field", "component"))
UNCLEAR = ("timestamp", "date", "time", "datetime", "index", "level 0", "unnamed 0", "")  # of the origin, or of the bar
ASIDE = frozenset(("y", "horizon", "step", "h", "index", "unnamed 0", "", "fold", "window"))  # no forecasts, and known

_SIGN = r"[\s_.\-]*"
_LEVEL = (
    r"(?:ql?|p|quantile)[_\-]?(?P<marked>\d*\.?\d+)|(?P<bare>0?\.\d+)|(?P<median>median)|"
    r"(?P<side>lo|hi)[_\-](?P<inside>\d+(?:\.\d+)?)"
)
_TIDY = re.compile(
    rf"(?:(?P<before>predicted|prediction|pred|forecasted|forecast|fc){_SIGN})?(?:(?P<first>move|return){_SIGN})?"
    rf"(?P<channel>open|high|low|close)"
    rf"(?:{_SIGN}(?P<after>predicted|pred|forecast|hat))?(?:{_SIGN}(?P<unit>moves?|returns?|prices?))?"
    rf"(?:{_SIGN}(?P<value>value|mean))?(?:{_SIGN}(?:{_LEVEL}))?"
)
_PLAIN_LEVEL = re.compile(_LEVEL)
_PLAIN_POINT = re.compile(r"mean|predictions?|forecast|point")
_OF_MODEL = re.compile(rf"(?P<model>.+?)[_\-](?:{_LEVEL})")
_SERIES = re.compile(
    r"(?P<symbol>.+?)[\s_./:|\-]+(?P<last>open|high|low|close)|(?P<first>open|high|low|close)[\s_./:|\-]+(?P<rest>.+)",
    re.IGNORECASE,
)


class Meaning(Struct, frozen=True):
    """What the values in a column are."""

    channel: int | None  # in CHANNELS; None where its name does not say it
    level: float | None  # of a quantile; None for a point forecast
    unit: str | None = None  # PRICES or MOVES, where the name says it
    rank: int = 0  # the more, the surer it is that the name is a forecast's and not a bar's own


def tidy(name: str) -> Meaning | None:
    """The meaning of a name with a price in it.

    >>> tidy("high_q10"), tidy("predicted_low")
    (Meaning(channel=1, level=0.1, unit=None, rank=1), Meaning(channel=2, level=None, unit=None, rank=1))
    >>> tidy("Close_0.25").level, tidy("close-lo-80").level, tidy("volume")
    (0.25, 0.1, None)
    """
    match = _TIDY.fullmatch(name.strip().lower())
    if match is None:
        return None
    word = match["first"] or match["unit"] or ""
    unit = PRICES if word.startswith("price") else MOVES if word else None
    level = _level(match)
    sure = bool(match["before"] or match["after"] or match["first"] or word.startswith(("move", "return")))
    rank = 2 if match["value"] == "value" else int(sure or level is not None)
    return Meaning(CHANNELS.index(match["channel"]), level, unit, rank)


def quantile(name: str) -> Meaning | None:
    """The meaning of a name that is a level alone: "0.1", "q10", "mean"."""
    text = name.strip().lower()
    if match := _PLAIN_LEVEL.fullmatch(text):
        return Meaning(None, _level(match))
    return Meaning(None, None) if _PLAIN_POINT.fullmatch(text) else None


def of_model(name: str) -> tuple[str, float] | None:
    """Model and level in a name such as "AutoARIMA-lo-80" or "TimeGPT-q-10"; None for any other."""
    match = _OF_MODEL.fullmatch(name.strip().replace("Lo-", "lo-").replace("Hi-", "hi-"))
    level = None if match is None else _level(match)
    return None if match is None or level is None else (match["model"], level)


def series(name: str) -> tuple[str, int | None]:
    """Symbol and price in the name of a series: "ETHUSD_high" -> ("ETHUSD", 1); no price where it names none."""
    match = _SERIES.fullmatch(name.strip())
    if match is None:
        known = name.strip().lower()
        return ("", CHANNELS.index(known)) if known in CHANNELS else (name.strip(), None)
    channel = (match["last"] or match["first"]).lower()
    return match["symbol"] or match["rest"], CHANNELS.index(channel)


def _level(match: re.Match[str]) -> float | None:
    """The level of a quantile, a fraction; 0 or 1 and more where it can be none."""
    if match["median"]:
        return 0.5
    if match["side"]:
        tail = (1 - float(match["inside"]) / 100) / 2
        return round(tail if match["side"] == "lo" else 1 - tail, 6)
    if match["bare"]:
        return float(match["bare"])
    if match["marked"]:
        value = float(match["marked"])
        return round(value if "." in match["marked"] and value < 1 else value / 100, 6)
    return None
