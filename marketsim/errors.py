"""Everything that marketsim raises on purpose.

    MarketsimError          exit 1: the run failed
    |-- UsageError          exit 2: an option, a setting or a configuration file is wrong
    |   `-- MissingExtra    exit 2: an optional dependency is not installed
    `-- DataError           exit 3: bars or results that are absent, malformed or too few

A message is one line: what is wrong, where, what would be right.
"""

from __future__ import annotations


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


class DataError(MarketsimError):
    """Bars or results that are absent, malformed or too few."""

    exit_code = 3
