"""The errors that marketsim raises.

    MarketsimError          exit 1: the run failed
    |-- UsageError          exit 2: an option, a setting or a configuration file is wrong
    |   |-- MissingExtra    exit 2: an optional dependency is not installed
    |   `-- BoundsError     exit 2: bounds of a search are reversed, missing or not finite; a ValueError too
    |-- DataError           exit 3: bars or results that are absent, malformed or too few
    |-- AuditError          exit 5: a model knows what it could not have known
    `-- JournalError        exit 5: a journal of sealed plans is not as it was written

A message is one line: what is wrong, where, what would be right. Where one thing of many may fail and the others go on,
each has an `Outcome`: a `Success` with its value or a `Failure` with its error.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

T = TypeVar("T")


class MarketsimError(Exception):
    """A failure that the user can read; `exit_code` is the status of the process."""

    exit_code = 1


class UsageError(MarketsimError):
    """An option, a setting or a configuration file is wrong."""

    exit_code = 2


class MissingExtra(UsageError):
    """A feature needs an optional dependency; the message names the extra."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(feature, extra)

    def __str__(self) -> str:
        feature, extra = self.args
        return f"{feature} needs the extra '{extra}': pip install 'marketsim[{extra}]'"


class BoundsError(UsageError, ValueError):
    """Bounds of a search are reversed, missing or not finite; a ValueError too, as scipy and the reference raise."""


class DataError(MarketsimError):
    """Bars or results that are absent, malformed or too few."""

    exit_code = 3


class AuditError(MarketsimError):
    """A model knows what it could not have known; the message is the evidence."""

    exit_code = 5


class JournalError(MarketsimError):
    """A journal of sealed plans is not as it was written; the message names the first entry that is not."""

    exit_code = 5


class Success(Struct, Generic[T], frozen=True):
    """What came out."""

    value: T


class Failure(Struct, frozen=True):
    """Why nothing came out."""

    error: MarketsimError


Outcome: TypeAlias = Success[T] | Failure


def value_of(outcome: Outcome[T]) -> T:
    """The value of a success; the error of a failure is raised."""
    match outcome:
        case Success(value):
            return value
        case Failure(error):
            raise error
