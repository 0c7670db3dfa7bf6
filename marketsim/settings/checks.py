"""Common checks of settings: numbers, switches, choices, text. Standard library only.

A check raises ValueError with what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from marketsim.registry import nearest
from marketsim.settings.database_url import has_password

FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


class Validator(Struct, frozen=True):
    """How a setting is read: `text` makes a TOML value of words, `check` the setting of a TOML value."""

    check: Callable[[Any], Any]  # raises ValueError with what would be right
    text: Callable[[str], Any] = str
    names: tuple[str, ...] = ()  # what there is to choose from
    secret: bool = False  # never quoted


def integer(low: int, high: int = 2**63 - 1) -> Validator:
    """A whole number from `low` to `high`."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"must be {low} or more" if value < low else f"must be {high} or less")
        return value

    return Validator(check, int)


def or_auto(validator: Validator) -> Validator:
    """A setting that may be left to the model."""
    return or_word("auto", validator)


def or_word(word: str, validator: Validator) -> Validator:
    """A setting that may be left out, by a word that stands for None."""
    return Validator(
        lambda value: None if value == word else validator.check(value),
        lambda text: text if text == word else validator.text(text),
    )


def between(low: float, high: float) -> Validator:
    """A number above `low` and at most `high`."""

    def check(value: Any) -> float:
        if not low < (number := real(value)) <= high:
            raise ValueError(f"must be above {low:g}" + (f" and at most {high:g}" if math.isfinite(high) else ""))
        return number

    return Validator(check, float)


def real(value: Any) -> float:
    """A finite number."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:
        pass
    raise ValueError("must be a number")


def flag(value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false (in a variable also 1, yes, on, or 0, no, off)")
    return value


def flag_text(text: str) -> Any:
    """Yes or no in words."""
    return FLAGS.get(text.lower(), text)


def choice(*names: str) -> Validator:
    """One of `names`."""

    def check(value: Any) -> str:
        if value not in names:
            near = nearest(value, names) if isinstance(value, str) else ""
            raise ValueError(f"must be one of {', '.join(names)}{near}")
        return str(value)

    return Validator(check, names=names)


def optional(value: Any) -> str | None:
    """Text such as a path; empty text is none."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    if has_password(value):
        raise ValueError("must not hold a password; the address of a database is cache_url")
    return value or None
