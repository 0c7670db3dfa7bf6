"""Time zones by the names that stand behind stamps, such as EST, BST or US/Eastern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.calendars.zones import to_utc, utc_offsets
from marketsim.errors import DataError, UsageError

Times = NDArray[np.datetime64]


class _Zone(Struct, frozen=True):
    """What a name stands for."""

    zone: str
    hours: int | None = None  # ahead of UTC while the name holds; None where the clocks of the zone alone tell


ZONES = {"UTC": _Zone("UTC"), "GMT": _Zone("UTC"), "ET": _Zone("America/New_York")}
ZONES |= {"EST": _Zone("America/New_York", -5), "EDT": _Zone("America/New_York", -4)}
ZONES |= {"CST": _Zone("America/Chicago", -6), "CDT": _Zone("America/Chicago", -5)}
ZONES |= {"PST": _Zone("America/Los_Angeles", -8), "PDT": _Zone("America/Los_Angeles", -7)}
ZONES |= {"BST": _Zone("Europe/London", 1), "MSK": _Zone("Europe/Moscow"), "IST": _Zone("Asia/Kolkata")}
ZONES |= {"CET": _Zone("Europe/Berlin", 1), "CEST": _Zone("Europe/Berlin", 2)}
ZONES |= {"AEST": _Zone("Australia/Sydney", 10), "AEDT": _Zone("Australia/Sydney", 11)}
ZONES |= {"JST": _Zone("Asia/Tokyo"), "HKT": _Zone("Asia/Hong_Kong"), "SGT": _Zone("Asia/Singapore")}

_LAST_WORD = re.compile(r" ?([A-Z]{2,5}|[A-Z][A-Za-z]+/[A-Za-z_/+-]+\d*)$")


class Moments(Struct, frozen=True):
    """R stamps in UTC."""

    time: Times  # [R] datetime64[ns]; NaT where it was
    zone: str  # that all of them were written in; UTC where they were written in several
    notes: tuple[str, ...]  # what was guessed


def zone_name(cell: str) -> str:
    """The known name of a zone at the end of a cell; "" for none."""
    match = _named(cell.strip(" \"'()"))
    return match[1] if match else ""


def zone_names(cells: Iterable[object]) -> NDArray[np.object_]:
    """`zone_name` of every cell; what follows the last space is looked at once for all cells that share it."""
    tails = [str(cell).rstrip().rpartition(" ")[2] for cell in cells]
    names = {tail: zone_name(tail) for tail in set(tails)}
    return np.array([names[tail] for tail in tails], dtype=object)


def without_zone(cell: str) -> str:
    """A cell without the known name of a zone at its end."""
    match = _named(cell)
    return cell[: match.start()] if match else cell


def moments(time: Times, names: NDArray[np.object_], place: Callable[[int], str]) -> Moments:
    """The stamps `time` `[R]` in UTC, each in the zone of its own name, or offset, in `names` `[R]`.

    Of an hour that the clocks show twice, the names tell which is meant. A name that its zone's clocks do not have on
    the day, such as EST in July, is taken as what those clocks show. DataError for a zone that there is not.
    """
    found, notes = time.copy(), []
    known = ~np.isnat(time)
    used = sorted(set(names[known]))
    for name in used:
        rows = np.flatnonzero(known & (names == name))
        named = ZONES.get(name) or _Zone(name)
        try:
            found[rows], odd = _in_zone(time[rows], named)
        except UsageError as error:
            raise DataError(f"{place(int(rows[0]))}: {error}") from None
        if odd.any():
            row = int(rows[np.argmax(odd)])
            notes.append(f"{place(row)}: {name} is read as the time of {named.zone}, which is not {name} on that day")
    zones = {(ZONES.get(name) or _Zone(name)).zone for name in used}
    if "GMT" in used and "BST" in used and "UTC" not in used:
        zones.discard("UTC")  # GMT is London's winter time there
    if len(zones) > 1:
        notes.append(
            f"{place(int(np.argmax(known)))}: stamps of several zones, {', '.join(used)}, are read each in its own"
        )
    return Moments(found, zones.pop() if len(zones) == 1 else "UTC", tuple(notes))


def localize(time: Times, zone: str) -> Times:
    """Naive stamps of a zone in UTC; of an hour that its clocks show twice, one of the two. UsageError for no zone."""
    whole = time.astype("datetime64[s]")
    known = ~np.isnat(time)
    utc = time.copy()
    utc[known] = to_utc(whole[known], zone).astype("datetime64[ns]") + (time[known] - whole[known])
    return utc


def _named(cell: str) -> re.Match[str] | None:
    match = _LAST_WORD.search(cell)
    return match if match and ("/" in match[1] or match[1] in ZONES) else None


def _in_zone(time: Times, named: _Zone) -> tuple[Times, NDArray[np.bool_]]:
    """Stamps, all known, in UTC, and which of them the name does not fit."""
    if named.zone == "UTC":
        return time, np.zeros(len(time), dtype=bool)
    if named.hours is None:
        return localize(time, named.zone), np.zeros(len(time), dtype=bool)
    utc: Times = time - np.timedelta64(named.hours, "h")
    odd = utc_offsets(utc, named.zone) != named.hours * 3600
    utc[odd] = localize(time[odd], named.zone)
    return utc, odd
