"""Market calendars: on which days a market is open, and from when to when.

`24/7` (crypto), `24/5` (currencies), `weekdays` (a market whose holidays are not known) and `XNYS` (New York) are built
in; the other exchanges are those of the library exchange-calendars, by their market identifier codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data.calendars.zones import DAY, Stamps, to_utc
from marketsim.data.symbols import is_currency_pair

Days = NDArray[np.datetime64]  # datetime64[D], dates in the calendar's zone
Seconds = NDArray[np.int64]  # from local midnight of a day

ALWAYS, CURRENCIES, WEEKDAYS, NEW_YORK = "24/7", "24/5", "weekdays", "XNYS"
HOUR = 3_600
LONGEST_CLOSURE = 30  # days; the longest of the library's are two weeks
EXCHANGES = {  # of the endings that symbols carry outside the United States
    ending: name
    for name, endings in {
        "XTKS": "T",
        "XLON": "L",
        "XETR": "DE",
        "XFRA": "F",
        "XPAR": "PA",
        "XAMS": "AS",
        "XBRU": "BR",
        "XLIS": "LS",
        "XMIL": "MI",
        "XMAD": "MC",
        "XSWX": "SW",
        "XSTO": "ST",
        "XOSL": "OL",
        "XHEL": "HE",
        "XCSE": "CO",
        "XWBO": "VI",
        "XWAR": "WA",
        "XHKG": "HK",
        "XSHG": "SS SZ",
        "XKRX": "KS KQ",
        "XTAI": "TW TWO",
        "XBOM": "BO NS",
        "XASX": "AX",
        "XNZE": "NZ",
        "XTSE": "TO V",
        "BVMF": "SA",
        "XMEX": "MX",
        "XSES": "SI",
        "XIDX": "JK",
        "XJSE": "JO",
        "XIST": "IS",
    }.items()
    for ending in endings.split()
}


def _no_days() -> Days:
    return np.empty(0, "datetime64[D]")


def _no_seconds() -> Seconds:
    return np.empty(0, np.int64)


class Calendar(Struct, frozen=True, eq=False):
    """A market's sessions: a weekly rule and its exceptions. A session is named by its date in `zone`."""

    name: str
    zone: str
    weekdays: tuple[bool, ...] = (True,) * 5 + (False,) * 2  # open on Monday, ..., Sunday
    opens: int = 0  # seconds from local midnight of the session's date; below 0: on the evening before
    closes: int = DAY
    closed: Days = field(default_factory=_no_days)  # sorted, though the weekday is one of the open ones
    opened: Days = field(default_factory=_no_days)  # sorted, though the weekday is not
    unforeseen: Days = field(default_factory=_no_days)  # of the closed ones: not known on the evening before
    odd: Days = field(default_factory=_no_days)  # sorted, days with hours of their own
    odd_opens: Seconds = field(default_factory=_no_seconds)
    odd_closes: Seconds = field(default_factory=_no_seconds)

    @property
    def all_day(self) -> bool:
        """Whether its sessions follow one another without a pause."""
        return self.closes - self.opens == DAY

    def is_session(self, days: Days) -> NDArray[np.bool_]:
        """Whether the market was open on `days` `[N]`."""
        regular = np.array(self.weekdays)[weekday(days)]
        open_: NDArray[np.bool_] = (regular & ~np.isin(days, self.closed)) | np.isin(days, self.opened)
        return open_

    def is_scheduled(self, days: Days) -> NDArray[np.bool_]:
        """Whether, on the evening before, the market was expected to be open on `days` `[N]`."""
        scheduled: NDArray[np.bool_] = self.is_session(days) | np.isin(days, self.unforeseen)
        return scheduled

    def sessions(self, first: np.datetime64, last: np.datetime64) -> Days:
        """The days from `first` to `last`, both included, on which the market was open."""
        days = np.arange(first, last + 1, dtype="datetime64[D]")
        return days[self.is_session(days)]

    def next_sessions(self, days: Days) -> Days:
        """The scheduled session after each of `days` `[N]`."""
        if not len(days):
            return days
        span = np.arange(days.min(), days.max() + LONGEST_CLOSURE, dtype="datetime64[D]")
        scheduled = span[self.is_scheduled(span)]
        following: Days = scheduled[np.searchsorted(scheduled, days, "right")]
        return following

    def hours(self, days: Days) -> tuple[Seconds, Seconds]:
        """When the sessions of `days` `[N]` open and close, in seconds from local midnight."""
        opens, closes = np.full(len(days), self.opens), np.full(len(days), self.closes)
        if len(self.odd):
            at = np.minimum(np.searchsorted(self.odd, days), len(self.odd) - 1)
            own = self.odd[at] == days
            opens[own], closes[own] = self.odd_opens[at][own], self.odd_closes[at][own]
        return opens, closes

    def window(self, days: Days) -> tuple[Stamps, Stamps]:
        """When the sessions of `days` `[N]` open and close, in UTC."""
        opens, closes = self.hours(days)
        return self.instants(days, opens), self.instants(days, closes)

    def instants(self, days: Days, seconds: Seconds) -> Stamps:
        """The UTC stamps `seconds` after local midnight of `days`."""
        return to_utc(days.astype("datetime64[s]") + seconds.astype("timedelta64[s]"), self.zone)

    @property
    def sessions_per_year(self) -> int:
        """Sessions a year, the mean of 2007 to 2024: 365 (24/7), 261 (24/5), 252 (XNYS)."""
        return round(len(self.sessions(np.datetime64("2007-01-01"), np.datetime64("2024-12-31"))) / 18)


def weekday(days: Days) -> NDArray[np.int64]:
    """0 for a Monday to 6 for a Sunday; day 0 of the epoch was a Thursday."""
    numbers: NDArray[np.int64] = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return numbers


def calendar_name(symbol: str, crypto: bool) -> str:
    """The name of the calendar that a canonical symbol suggests.

    Examples
    --------
    >>> calendar_name("ETHUSD", True), calendar_name("EURUSD", False), calendar_name("7203.T", False)
    ('24/7', '24/5', 'XTKS')
    >>> calendar_name("AAPL", False)
    'XNYS'
    """
    if crypto:
        return ALWAYS
    if is_currency_pair(symbol):
        return CURRENCIES
    return EXCHANGES.get(symbol.rpartition(".")[2] if "." in symbol else "", NEW_YORK)


@lru_cache
def open_calendar(name: str) -> Calendar:
    """The calendar called `name`.

    Raises
    ------
    UsageError
        No calendar has this name; the nearest known one is named.
    MissingExtra
        An exchange other than New York without the library that knows it.
    """
    if name == ALWAYS:
        return Calendar(ALWAYS, "UTC", weekdays=(True,) * 7)
    if name == CURRENCIES:
        return Calendar(CURRENCIES, "America/New_York", opens=-7 * HOUR, closes=17 * HOUR)
    if name == WEEKDAYS:
        return Calendar(WEEKDAYS, "UTC")
    if name == NEW_YORK:
        return _new_york()
    from marketsim.data.calendars.exchanges import open_exchange

    return open_exchange(name)


def _new_york() -> Calendar:
    """New York's calendar from the table in the package, which scripts/calendar_table.py makes."""
    text = Path(__file__).with_name("XNYS.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    early = [(row[0], row[1]) for row in rows if ":" in row[1]]
    return Calendar(
        NEW_YORK,
        "America/New_York",
        opens=9 * HOUR + HOUR // 2,
        closes=16 * HOUR,
        closed=_days(row[0] for row in rows if ":" not in row[1]),
        unforeseen=_days(row[0] for row in rows if row[1] == "unforeseen"),
        odd=_days(day for day, _ in early),
        odd_opens=np.full(len(early), 9 * HOUR + HOUR // 2),
        odd_closes=np.array([int(at[:2]) * HOUR + int(at[3:]) * 60 for _, at in early]),
    )


def _days(names: Iterable[str]) -> Days:
    return np.array(list(names), dtype="datetime64[D]")
