"""Validators of the settings, in TOML and as text. Standard library only.

A check raises ValueError with what would be right.
"""

from __future__ import annotations

import math
import re
from typing import Any

from marketsim.registry import (
    ENSEMBLES,
    EXECUTORS,
    MODELS,
    NOT_OFFERED,
    OPTIMIZERS,
    PROVIDERS,
    SOURCES,
    VARIANTS,
    entry_points,
    names_code,
    nearest,
    outside,
)
from marketsim.settings.checks import (
    Validator,
    between,
    choice,
    flag,
    flag_text,
    integer,
    optional,
    or_auto,
    or_word,
    real,
)
from marketsim.settings.choices import (
    ALWAYS_ON,
    ASSETS,
    BASIS_POINTS,
    CLOSE_AT_EOD,
    ENTRY_EXIT,
    EVERY_STRATEGY,
    FILLS,
    PARTIAL_BARS,
    STRATEGIES,
)
from marketsim.settings.database_url import without_password

REFERENCE_STRATEGIES = {"maxdiff": ENTRY_EXIT, "maxdiffalwayson": ALWAYS_ON}  # what the reference system calls them


def basis_points(value: Any) -> float:
    """Basis points of a price."""
    if not 0 <= (number := real(value)) < BASIS_POINTS:
        raise ValueError(f"must be basis points from 0 to below {BASIS_POINTS}")
    return number


def not_negative(value: Any) -> float:
    """A number from zero on."""
    if (number := real(value)) < 0:
        raise ValueError("must be 0 or more")
    return number


def tail(value: Any) -> float:
    """The part of a distribution that is cut off at each end, so that something is left."""
    if not 0 < (number := real(value)) < 0.5:
        raise ValueError("must be above 0 and below 0.5")
    return number


def model(value: Any) -> str:
    """The name of a model, with its variant or its members."""
    name, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if name in ENSEMBLES:
        members = rest.split(",") if colon else []
        for member in members:
            if member.partition(":")[0] in ENSEMBLES:
                raise ValueError(f"'{name}' cannot be made of '{member}'")
            model(member)
        if len(set(members)) < len(members):
            raise ValueError(f"'{name}' must be made of different models")
        return str(value)
    if name not in MODELS:
        return _own_model(value)
    known = VARIANTS.get(name, ())
    if why := NOT_OFFERED.get(name, {}).get(rest):
        raise ValueError(f"model '{value}' is not offered: {why}")
    if colon and rest not in known:
        if not known:
            raise ValueError(f"'{name}' has no variants")
        raise ValueError(f"the variant of '{name}' must be one of {', '.join(known)}{nearest(rest, known)}")
    return str(value)


def _own_model(value: Any) -> str:
    """A model that is none of marketsim's: a file's, a module's, or what an installed package registers."""
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not contain a NUL character")
    if isinstance(value, str) and value.endswith(".py"):
        raise ValueError(f"names a file: add its class, as in {value}:CLASS")
    near = nearest(value.partition(":")[0], (*MODELS, *ENSEMBLES)) if isinstance(value, str) else ""
    if isinstance(value, str) and names_code(value) and not (near and "." not in value):
        return value
    if isinstance(value, str) and value in entry_points("models"):
        return value
    near = near or (nearest(value, MODEL_NAMES) if isinstance(value, str) else "")
    raise ValueError(f"must be one of {', '.join(MODEL_NAMES)}, or FILE.py:CLASS or MODULE:CLASS{near}")


def plugin(what: str, *names: str) -> Validator:
    """One of `names`, or `package.module:Class`, or what an installed package registers."""

    def check(value: Any) -> str:
        if isinstance(value, str) and (value in names or outside(what, value)):
            return value
        near = nearest(value, names) if isinstance(value, str) else ""
        raise ValueError(f"must be one of {', '.join(names)}, or MODULE:CLASS{near}")

    return Validator(check, names=names)


def assignments(value: Any) -> tuple[str, ...]:
    """Options `key=value`, each once."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError('must be a list such as ["span=20", "alpha=0.3"]')
    keys = [word.partition("=")[0] for word in value]
    for key, pair in zip(keys, value, strict=True):
        if "=" not in pair or not key.isidentifier():
            raise ValueError(f"'{pair}' must be KEY=VALUE, such as span=20")
        if keys.count(key) > 1:
            raise ValueError(f"'{key}' must be given once")
    return tuple(value)


def strategy(value: Any) -> str:
    """The name of a strategy, or of all together."""
    plain = value.lower().replace("-", "").replace("_", "") if isinstance(value, str) else ""
    if plain in REFERENCE_STRATEGIES:
        raise ValueError(f"which is called '{REFERENCE_STRATEGIES[plain]}' here")
    return str(choice(*STRATEGIES, EVERY_STRATEGY).check(value))


def provider(value: Any) -> str | None:
    """The name of a provider, with what it may need after a colon."""
    text = optional(value)
    if text is not None and text.partition(":")[0] not in PROVIDERS:
        known = ", ".join("ccxt:EXCHANGE" if name == "ccxt" else name for name in PROVIDERS)
        raise ValueError(f"must be one of {known}{nearest(text, PROVIDERS)}")
    return text


def timeframe(value: Any) -> str:
    """How long a bar is, in a number and a unit."""
    if not isinstance(value, str) or not re.fullmatch(r"[1-9]\d{0,4}(mo|[mhdwM])", value):
        raise ValueError("must be a timeframe such as 1m, 15m, 1h, 4h, 1d, 1w or 1mo")
    return value


def words(value: Any) -> str:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be text")
    return value


def url(value: Any) -> str | None:
    """An address whose password can be recognized and hidden."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if value:
        without_password(value)
    return value or None


def moment(value: Any) -> str | None:
    """An ISO date or stamp, or none."""
    from datetime import datetime

    try:
        text = str(value).strip()
        stamp = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise ValueError("must be an ISO date such as 2020-12-31, or a time such as 2020-12-31T14:30") from None
    if stamp is None:
        return None
    return str(stamp.date()) if len(text) <= len("2020-12-31") else stamp.isoformat()


def bounds(value: Any) -> tuple[float, float]:
    """Both ends of an interval, or one that stands for itself and its opposite."""
    try:
        low, high = map(real, value) if isinstance(value, list) else (-abs(real(value)), real(value))
    except ValueError:
        raise ValueError("must be one number such as 0.03, or LOW,HIGH such as -0.03,0.03") from None
    if not low < high:
        raise ValueError(f"the low bound {low:g} must be below the high bound {high:g}")
    if low < -1 or high > 10:
        raise ValueError("must lie within -1 and 10 (fractions of the close)")
    return low, high


def bounds_text(text: str) -> Any:
    """One number, or two with a comma."""
    numbers = [float(part) for part in text.split(",")]
    return numbers if len(numbers) > 1 else numbers[0]


MODEL_NAMES = (
    *(spelling for name in MODELS for spelling in (name, *(f"{name}:{variant}" for variant in VARIANTS.get(name, ())))),
    *ENSEMBLES,
)
VALIDATORS = {
    "sims": integer(1),
    "fast": Validator(flag, flag_text),
    "window": or_auto(integer(1)),
    "model": Validator(model, names=MODEL_NAMES),
    "allow_lookahead": Validator(flag, flag_text),
    "assume_clean": Validator(flag, flag_text),
    "model_option": Validator(assignments, lambda text: text.split(",")),
    "weights": Validator(optional),
    "revision": Validator(optional),
    "samples": or_auto(integer(1)),
    "temperature": or_auto(between(0, math.inf)),
    "top_p": or_auto(between(0, 1)),
    "top_k": or_auto(integer(1)),
    "clip": or_auto(between(0, math.inf)),
    "trim": or_auto(Validator(tail, float)),
    "context": or_auto(integer(1)),
    "representation": choice("auto", "moves", "prices"),
    "device": choice("auto", "cpu", "cuda", "mps"),
    "dtype": choice("float32", "bfloat16"),
    "compile": Validator(flag, flag_text),
    "batch": or_auto(integer(1)),
    "forecasts": Validator(optional),
    "missing": choice("error", "har"),
    "optimizer": plugin("optimizer", *OPTIMIZERS),
    "strategy": Validator(strategy, names=(*STRATEGIES, EVERY_STRATEGY)),
    "fill": choice(*FILLS),
    "close_at_eod": choice(*CLOSE_AT_EOD),
    "bounds": Validator(bounds, bounds_text),
    "min_t": Validator(not_negative, float),
    "half_life": or_word("none", between(0, math.inf)),
    "fee_bps": or_auto(Validator(basis_points, float)),
    "slippage_bps": Validator(basis_points, float),
    "asset": choice(*ASSETS),
    "source": plugin("source", *SOURCES),
    "data": Validator(optional),
    "start": Validator(moment),
    "end": Validator(moment),
    "on_bad_bars": choice("error", "drop"),
    "calendar": Validator(words),
    "partial": choice(*PARTIAL_BARS),
    "now": Validator(moment),
    "fetch": Validator(provider),
    "timeframe": Validator(timeframe),
    "store": Validator(optional),
    "date_format": Validator(optional),
    "timezone": Validator(optional),
    "adjust": choice("auto", "none"),
    "fine": Validator(optional),
    "seed": integer(0, 2**32 - 1),
    "cache": choice("readwrite", "readonly", "refresh", "off"),
    "cache_dir": Validator(optional),
    "cache_url": Validator(url, secret=True),
    "journal": Validator(optional),
    "workers": integer(1),
    "executor": plugin("executor", "auto", *EXECUTORS),
    "scheduler": Validator(optional),
    "worker_timeout": between(0, 86_400),
}
