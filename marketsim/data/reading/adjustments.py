"""Splits and dividends in a file, and prices adjusted for them."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.ticks import tick_decimals

WHOLE = 0.05  # how near a whole ratio a jump is that looks like a split
LARGEST = 50  # for one
NOISE = 1e-6  # of a price, as single precision leaves it

Values = NDArray[np.float64]
Times = NDArray[np.datetime64]


class Prices(Struct, frozen=True):
    """R rows of one symbol, oldest first, with the file's splits and dividends."""

    ohlcv: Values  # [R, 5] open, high, low, close (price units), volume
    adjusted: Values | None = None  # [R, 5], columns of NaN where the file has none
    split: Values | None = None  # [R], shares after for one before; 0, 1 and NaN are none
    dividend: Values | None = None  # [R], a share
    words: str = ""  # how the prices were adjusted
    notes: tuple[str, ...] = ()


def adjust(prices: Prices, time: Times, mode: str, symbol: str) -> Prices:
    """The prices as `--adjust` wants them: "auto" by the file's adjusted close or its splits, "none" as they are.

    `time` `[R]` names the rows in notes.

    An adjusted close adjusts all four prices: each is multiplied by adjusted close over close, a bar at a time. What
    is the same factor on all bars adjusts nothing. A split without an adjusted close divides the prices before it, and
    multiplies their volume, where the prices jump as it says.
    """
    if prices.adjusted is not None and not np.isnan(prices.adjusted[:, 3]).all():
        return _by_close(prices, time, mode, symbol)
    if prices.split is not None:
        prices = _by_splits(prices, time, mode, symbol)
    return _dividends_named(prices, symbol)


def split_like(ohlcv: Values, time: Times, symbol: str) -> tuple[str, ...]:
    """A warning of jumps near a whole ratio, such as 7:1, that look like splits which nobody adjusted for."""
    if len(ohlcv) < 2:
        return ()
    with np.errstate(all="ignore"):
        factor = ohlcv[:-1, 3] / ohlcv[1:, 0]
        size = np.maximum(factor, 1 / factor)
        whole = np.rint(size)
        jumps = (whole >= 2) & (whole <= LARGEST) & (np.abs(size / whole - 1) <= WHOLE)
    rows = np.flatnonzero(jumps)
    if not len(rows):
        return ()
    row = int(rows[0])
    ratio = f"{whole[row]:.0f}:1" if factor[row] > 1 else f"1:{whole[row]:.0f}"
    more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    before, after = ohlcv[row, 3], ohlcv[row + 1, 0]
    return (
        f"{symbol}: {before:g} before {_day(time, row + 1)} and {after:g} on it look like a split of {ratio}{more}; "
        "the file has no adjusted close or split ratio, so that nothing is adjusted",
    )


def _by_close(prices: Prices, time: Times, mode: str, symbol: str) -> Prices:
    assert prices.adjusted is not None
    raw, own = prices.ohlcv, prices.adjusted
    with np.errstate(all="ignore"):
        factor = own[:, 3] / raw[:, 3]
    known = factor[np.isfinite(factor) & (factor > 0)]
    if mode == "none":
        return replace(
            prices, words="not adjusted", notes=_unused("the adjusted close is not used (--adjust none)", symbol)
        )
    if not len(known):
        return replace(prices, notes=_unused("the adjusted close has no price and is not used", symbol))
    usual = float(np.median(known))
    steps = 10.0 ** -tick_decimals(own[:, 3]) + usual * 10.0 ** -tick_decimals(raw[:, 3])
    if (np.abs(own[:, 3] - usual * raw[:, 3])[~np.isnan(factor)] <= steps + NOISE * own[:, 3][~np.isnan(factor)]).all():
        said = f"the adjusted close is {usual:.6g} times the close on all bars, which adjusts nothing"
        return replace(prices, notes=() if abs(usual - 1) <= NOISE else _unused(said, symbol))
    lacking = np.isnan(factor) & ~np.isnan(raw[:, 3])
    ohlcv = raw.copy()
    ohlcv[:, :4] *= factor[:, None]
    ohlcv[:, 3] = own[:, 3]
    whole = ~np.isnan(own[:, :4]).any(axis=1)
    ohlcv[whole, :4] = own[whole, :4]
    at_top, at_bottom = raw[:, 1] >= raw[:, 3], raw[:, 2] <= raw[:, 3]  # the product may miss the close by a last bit
    ohlcv[at_top, 1] = np.maximum(ohlcv[at_top, 1], ohlcv[at_top, 3])
    ohlcv[at_bottom, 2] = np.minimum(ohlcv[at_bottom, 2], ohlcv[at_bottom, 3])
    volume = own[:, 4]
    ohlcv[~np.isnan(volume), 4] = volume[~np.isnan(volume)]
    notes: tuple[str, ...] = ()
    if lacking.any():
        first = _day(time, int(np.argmax(lacking)))
        notes = _unused(f"{lacking.sum():,} bars have a close and no adjusted close, the first on {first}", symbol)
    return replace(prices, ohlcv=ohlcv, words="adjusted by the adjusted close", notes=notes)


def _by_splits(prices: Prices, time: Times, mode: str, symbol: str) -> Prices:
    assert prices.split is not None
    split, raw = prices.split, prices.ohlcv
    rows = np.flatnonzero(np.isfinite(split) & (split > 0) & (split != 1))
    if not len(rows):
        return prices
    ohlcv, notes, used = raw.copy(), [], 0
    for row in rows.tolist():
        ratio, day = float(split[row]), _day(time, row)
        jump = float(raw[row - 1, 3] / raw[row, 0]) if row else np.nan
        words = f"the split of {ratio:g}:1 on {day}"
        if not row or abs(np.log(jump)) < abs(np.log(jump / ratio)) / 2:
            notes.append(
                f"{symbol}: {words} is in the prices before it already"
                if row
                else f"{symbol}: {words} is before all bars"
            )
        elif abs(np.log(jump / ratio)) < abs(np.log(jump)) / 2:
            used += 1
            if mode == "auto":
                ohlcv[:row, :4] /= ratio
                ohlcv[:row, 4] *= ratio
        else:
            notes.append(
                f"{symbol}: {words} disagrees with the prices, which went from {raw[row - 1, 3]:g} to {raw[row, 0]:g}; "
                "nothing is adjusted for it"
            )
    if used and mode == "none":
        notes.append(f"{symbol}: {used} splits are left in the prices (--adjust none)")
    words = f"adjusted for {used} split{'s' if used > 1 else ''}" if used and mode == "auto" else "not adjusted"
    return replace(prices, ohlcv=ohlcv, words=words, notes=(*prices.notes, *notes))


def _dividends_named(prices: Prices, symbol: str) -> Prices:
    if prices.dividend is None:
        return prices
    paid = int(np.count_nonzero(np.nan_to_num(prices.dividend)))
    if not paid:
        return prices
    words = f"{symbol}: {paid} dividends are listed and not used; the prices may or may not include them"
    return replace(prices, notes=(*prices.notes, words))


def _day(time: Times, row: int) -> str:
    return str(time[row].astype("datetime64[D]"))


def _unused(words: str, symbol: str) -> tuple[str, ...]:
    return (f"{symbol}: {words}",)
