"""Writes marketsim/data/calendars/XNYS.txt from exchange-calendars: the days on which New York is not open as usual."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path

import exchange_calendars
import numpy as np

from marketsim.data.calendars.calendar import weekday

TABLE = Path(__file__).parents[1] / "marketsim" / "data" / "calendars" / "XNYS.txt"
FIRST, LAST = "1953-01-01", "2050-12-31"  # before 1953 there was trade on Saturdays
UNFORESEEN = (  # nobody knew on the evening before, or at the last close
    *("1977-07-14", "1985-09-27", "2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14"),
    *("2012-10-29", "2012-10-30"),
)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calendar = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST)
    sessions = calendar.schedule.index.to_numpy().astype("datetime64[D]")
    days = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
    weekdays = days[weekday(days) < 5]
    closed = weekdays[~np.isin(weekdays, sessions)]
    rows = {str(day): "unforeseen" if str(day) in UNFORESEEN else "closed" for day in closed}
    for day in calendar.early_closes:
        rows[f"{day:%Y-%m-%d}"] = f"{calendar.session_close(day).tz_convert(calendar.tz):%H:%M}"
    head = [
        f"# source: exchange-calendars {version('exchange_calendars')}, XNYS, {FIRST} to {LAST}",
        "# weekdays without a session, or with an early close (New York's clocks)",
    ]
    TABLE.write_text("\n".join([*head, *(f"{day} {rows[day]}" for day in sorted(rows))]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
