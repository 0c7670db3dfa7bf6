"""Values of the options of `marketsim plan`: a share, and steps of prices and of quantities by symbol."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError, UsageError
from marketsim.settings.named_files import read_lines


class Steps(Struct, frozen=True):
    """A step for all symbols, and those of some."""

    of_all: float | None
    by_symbol: Mapping[str, float]

    def of(self, symbol: str, default: float) -> float:
        """The step of a symbol."""
        return self.by_symbol.get(symbol, default if self.of_all is None else self.of_all)


def share(text: str) -> float:
    """A share of the capital, such as 20% or 0.2."""
    number = _number(text.removesuffix("%"))
    found = number / 100 if text.endswith("%") else number
    if not 0 < found <= 1:
        raise UsageError(f"--max-per-symbol: got {text!a}, must be a share such as 20% or 0.2")
    return found


def steps(option: str, words: Sequence[str]) -> Steps:
    """Steps as they are given: X for all symbols, SYMBOL=X for one, or a file with a line SYMBOL=X each."""
    of_all: float | None = None
    by_symbol: dict[str, float] = {}
    for word in words:
        if not math.isnan(step := _number(word)):
            of_all = _positive(option, word, step)
        elif "=" in word:
            by_symbol |= _line(option, word)
        else:
            for line in _lines(option, word):
                by_symbol |= _line(option, line)
    return Steps(of_all, by_symbol)


def _line(option: str, text: str) -> dict[str, float]:
    symbol, _, number = text.replace(",", "=").partition("=")
    try:
        return {parse_symbol(symbol.strip()): _positive(option, text, _number(number))}
    except DataError as error:
        raise UsageError(f"{option}: {error}") from None


def _lines(option: str, path: str) -> list[str]:
    try:
        return read_lines(path)
    except (FileNotFoundError, ValueError):
        raise UsageError(f"{option}: got {path!a}, must be a number, SYMBOL=NUMBER or a file of such lines") from None
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from None


def _positive(option: str, text: str, number: float) -> float:
    if not 0 < number < math.inf:
        raise UsageError(f"{option}: got {text!a}, must be above 0, such as 0.01 or ETHUSD=0.001")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
