"""Formats of dates: the strptime formats that fit a cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from marketsim.data.reading.formats import DAY_FIRST, MONTH_FIRST
from marketsim.data.reading.named_zones import without_zone, zone_name

MONTHS = {  # in other languages, where their first three letters are not the English ones
    "Jan": "jän gen ene янв",
    "Feb": "fév fév фев",
    "Mar": "mär mrz maa мар",
    "Apr": "avr abr апр",
    "May": "mai mag мая май mei maj",
    "Jun": "juin giu июн",
    "Jul": "juil lug июл",
    "Aug": "aoû aou ago авг",
    "Sep": "set сен",
    "Oct": "okt ott out окт",
    "Nov": "ноя",
    "Dec": "dez déc dic дек",
}
ENGLISH = {start: month for month, starts in MONTHS.items() for start in (month.lower(), *starts.split())}

_DATE = re.compile(
    r"(?P<ymd>\d{4}(?P<a>[-/. ])\d{1,2}(?P=a)\d{1,2})(?!\d)"
    r"|(?P<dmy>\d{1,2}(?P<b>[-/. ])\d{1,2}(?P=b)\d{4})(?!\d)"
    r"|(?P<short>\d{1,2}(?P<c>[-/.])\d{1,2}(?P=c)\d{2})(?!\d)"
    r"|(?P<compact>\d{8})(?!\d)"
    r"|(?P<day>\d{1,2}(?P<d>[-/. ]{0,2})(?P<month>[A-Za-z]{3,9})(?P<e>[-/., ]{0,2})(?P<year>\d{4}|\d{2}))(?!\d)"
    r"|(?P<word>(?P<month2>[A-Za-z]{3,9})(?P<f>[-/. ]{1,2})\d{1,2}(?P<g>[-/, ]{1,2})\d{4})(?!\d)"
    r"|(?P<year_word>\d{4}(?P<h>[-/. ]?)(?P<month3>[A-Za-z]{3,9})(?P=h)\d{1,2})(?!\d)"
)
_TIME = re.compile(
    r"(?P<gap>[ ,;:_T-]{1,3})(?:"
    r"(?P<clock>\d{1,2}:\d{2}(?P<seconds>:\d{2})?(?P<fraction>[.,:]\d{1,9})?)(?P<half>(?P<space> ?)[AP]M)?"
    r"|(?P<hour>\d{1,2})(?P<dash>[- ])(?P<noon>[AP]M)"
    r"|(?P<digits>\d{9}|\d{6}|\d{4}))"
    r"|(?P<nothing>)(?=[ +-]|$|Z)"
)
_OFFSET = re.compile(r"(?P<blank> ?)(?P<sign>Z|[+-]\d{2}:?\d{2})?$")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?([AaPp])?\.?[Mm]?\.?")
_CLOCK_OFFSET = re.compile(r"(?P<clock>\d{1,2}:[\d:.,]+) ?(?:Z|(?P<hours>[+-]\d{2}):?(?P<minutes>\d{2})?)")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


class Shape(Struct, frozen=True):
    """How a column of dates is written."""

    formats: tuple[str, ...]  # for strptime, the likelier first
    clean: Callable[[str], str] | None  # what each cell needs before
    offset: bool  # whether each stamp has its offset from UTC
    named: bool  # whether the name of a zone stands behind each
    whole_days: bool  # without a time of day


def shape_of(cell: str) -> Shape | None:
    """How the date in `cell` is written; None for what is no date in words or with separators.

    >>> shape_of("05/12/2023 09:30").formats
    ('%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M')
    """
    steps = [step for step in STEPS if step(cell).lower() != cell.lower()]
    clean = _chain(steps) if steps else None
    plain = clean(cell) if clean else cell
    date = _DATE.match(plain)
    time = date and _TIME.match(plain, date.end())
    end = time and _OFFSET.match(plain, time.end())
    if date is None or time is None or end is None:
        return None
    tail = _time_format(time) + (end["blank"] + "%z" if end["sign"] else "")
    formats = tuple(date_format + tail for date_format in _date_formats(date))
    return Shape(
        formats,
        clean,
        bool(end["sign"]),
        bool(zone_name(cell)) and not end["sign"],
        time["nothing"] is not None and not end["sign"],
    )


def tidy(cell: str, zoned: bool) -> str:
    """A date in the form that formats are for: single spaces, English months, no weekday.

    The name of a zone is taken off where `zoned`: behind a stamp among others without one it is left, a fault.
    """
    return _chain(STEPS if zoned else [step for step in STEPS if step is not _zoned])(cell)


def kind_of(cells: Sequence[str]) -> str:
    """What the cells of a column tell: "full" stamps, a "date", a "clock" time, or "" for nothing of time."""
    cells = [cell.strip() for cell in cells if cell.strip()][:20]
    if not cells:
        return ""
    if all(is_clock(cell) for cell in cells):
        return "clock"
    if _NUMBER.fullmatch(cells[0]):
        digits = cells[0].partition(".")[0]
        if len(digits) <= 6 and "e" not in cells[0].lower():
            return "digits"  # 20200 may be a time of day or nothing
        return "date" if len(digits) == 8 else "full"
    shape = shape_of(cells[0])
    if shape is None:
        return ""
    return "date" if shape.whole_days else "midnight" if all("00:00" in cell for cell in cells) else "full"


def is_clock(cell: str) -> bool:
    """Whether a cell is a time of day with colons."""
    return _CLOCK.fullmatch(bare_clock(cell)[0]) is not None


def bare_clock(cell: str) -> tuple[str, str]:
    """A time of day and the zone behind it, a known name or an offset such as "+05:30"; "" for none.

    >>> bare_clock("10:00 EST"), bare_clock("10:00-0500")
    (('10:00', 'EST'), ('10:00', '-05:00'))
    """
    cell = cell.strip().removesuffix(".0")
    match = _CLOCK_OFFSET.fullmatch(cell)
    if match:
        return match["clock"], f"{match['hours']}:{match['minutes'] or '00'}" if match["hours"] else "+00:00"
    name = zone_name(cell)
    return (without_zone(cell), name) if name else (cell, "")


def seconds_of_day(cell: str) -> float | None:
    """Seconds after midnight of a time of day: "9:30", "09:30:00.5 PM", "93000", "0930"; None for anything else."""
    cell = cell.strip()
    match = _CLOCK.fullmatch(cell)
    if match:
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        fraction = float(f"0.{match[4]}") if match[4] else 0.0
        if match[5]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if match[5] in "Pp" else 0)
    else:
        cell = cell.removesuffix(".0")
        if not (cell.isascii() and cell.isdigit() and len(cell) <= 6):
            return None
        digits = cell.zfill(6) if len(cell) > 4 else cell.zfill(4) + "00"
        hour, minute, second, fraction = int(digits[:2]), int(digits[2:4]), int(digits[4:]), 0.0
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second + fraction


def prefer(formats: Sequence[str], dates: str) -> tuple[str, ...]:
    """The formats that a convention, DAY_FIRST or MONTH_FIRST, leaves; all of them where it says nothing."""
    starts = {DAY_FIRST: "%d", MONTH_FIRST: "%m"}
    return tuple(style for style in formats if style.startswith(starts.get(dates, ""))) or tuple(formats)


def _date_formats(date: re.Match[str]) -> list[str]:
    """The formats of a date alone."""
    if date["ymd"]:
        s = date["a"]
        return [f"%Y{s}%m{s}%d"]
    if date["dmy"]:
        s = date["b"]
        return [f"%d{s}%m{s}%Y", f"%m{s}%d{s}%Y"]
    if date["short"]:
        s = date["c"]
        return [f"%d{s}%m{s}%y", f"%m{s}%d{s}%y", f"%y{s}%m{s}%d"]
    if date["compact"]:
        return ["%Y%m%d", "%d%m%Y", "%m%d%Y"]
    if date["day"]:
        return [f"%d{date['d']}%b{date['e']}{'%Y' if len(date['year']) == 4 else '%y'}"]
    if date["word"]:
        return [f"%b{date['f']}%d{date['g']}%Y"]
    return [f"%Y{date['h']}%b{date['h']}%d"]


def _time_format(time: re.Match[str]) -> str:
    """The format of what follows a date."""
    if time["nothing"] is not None:
        return ""
    if time["hour"]:
        return f"{time['gap']}%I{time['dash']}%p"
    if time["digits"]:
        return time["gap"] + {4: "%H%M", 6: "%H%M%S", 9: "%H%M%S%f"}[len(time["digits"])]
    text = f"{time['gap']}{'%I' if time['half'] else '%H'}:%M{':%S' if time['seconds'] else ''}"
    text += f"{time['fraction'][0]}%f" if time["fraction"] else ""
    return f"{text}{time['space']}%p" if time["half"] else text


def _chain(steps: Sequence[Callable[[str], str]]) -> Callable[[str], str]:
    def clean(cell: str) -> str:
        for step in steps:
            cell = step(cell)
        return cell

    return clean


def _squeeze(cell: str) -> str:
    """Single spaces, without quotes around; Chinese and Japanese dates with dashes, no "(CET)" or ordinal ends."""
    cell = re.sub(r"[年月]", "-", cell).replace("日", " ")
    cell = re.sub(r"\([^)]*\)$", "", cell)
    cell = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", cell)
    return " ".join(cell.strip(" \"'").split())


def _english(cell: str) -> str:
    """Names of months as English has them, three letters long."""

    def month(match: re.Match[str]) -> str:
        word = match[0].lower()
        return ENGLISH.get(word[:4]) or ENGLISH.get(word[:3]) or match[0]

    return re.sub(r"(?<![^\W\d_]/)[^\W\d_]{3,}\.?", month, cell)


def _weekday(cell: str) -> str:
    return _WEEKDAY.sub("", cell)


def _zoned(cell: str) -> str:
    """Without the name of a zone; "GMT+0100" and "+01" as "+0100"."""
    cell = re.sub(r"(?:GMT|UTC) ?(?=[+-]\d)", "", cell)
    cell = re.sub(r"(:\d{2}(?:\.\d+)? ?[+-]\d{2})$", r"\g<1>00", cell)
    return without_zone(cell)


def _half_day(cell: str) -> str:
    return re.sub(r"([AaPp])\.?([Mm])\.?$", lambda match: (match[1] + match[2]).upper(), cell)


STEPS: tuple[Callable[[str], str], ...] = (_squeeze, _weekday, _english, _zoned, _half_day)
