"""`marketsim data` on files of one's own: five lines, in words, and never a traceback."""

from __future__ import annotations

import json
import os

import pytest

from tests.data.reading.exchange_files import EXCHANGE_FILES
from tests.data.reading.json_files import JSON_FILES
from tests.data.reading.program_files import PROGRAM_FILES
from tests.data.reading.stock_files import STOCK_FILES


def written(tmp_path, file):
    path = tmp_path / file.name
    path.write_bytes(file.content)
    return str(path)


@pytest.mark.parametrize(
    "file",
    [
        STOCK_FILES["Tiingo"],
        EXCHANGE_FILES["Binance, microseconds"],
        PROGRAM_FILES["MetaTrader 4"],
        JSON_FILES["Yahoo chart"],
    ],
    ids=lambda file: file.name,
)
def test_check_says_in_five_lines_what_was_understood(cli, tmp_path, file):
    ended = cli("data", "check", written(tmp_path, file))
    assert ended.code == 0
    lines = [line for line in ended.out.splitlines() if not line.startswith("  ")]
    assert [line.split()[0] for line in lines] == [file.symbol, "Columns", "Bars", "Calendar", "Asset"]
    text = " ".join(ended.out.split())
    assert f": {file.layout} Columns" in text
    assert f"Bars 60 from {file.rows[0].time.date()}" in text
    assert f"Asset {'crypto, long only; 15' if file.crypto else 'long and short; 5'} bps a side" in text


def test_check_as_a_document_and_of_what_is_no_file(cli, tmp_path):
    ended = cli("data", "check", written(tmp_path, STOCK_FILES["Tiingo"]), "nosuch.csv", "--json")
    good, bad = json.loads(ended.out)["symbols"]
    assert ended.code == 4
    assert (good["symbol"], good["layout"], good["calendar"], good["fee_bps"]) == ("NVDA", "Tiingo", "weekdays", 5.0)
    assert (bad["status"], bad["error"]) == ("failed", "nosuch.csv: no such file or directory")


def test_what_can_be_read_in_two_ways_is_refused_with_the_option_that_mends_it(cli, tmp_path):
    (tmp_path / "NVDA.csv").write_text("date,open,high,low,close\n01/02/2024,1,2,1,2\n01/03/2024,1,2,1,2\n")
    ended = cli("data", "check", str(tmp_path / "NVDA.csv"))
    assert ended.code == 3
    assert "line 2, column 'date': '01/02/2024' can be read in two ways" in ended.err
    mended = cli("data", "show", str(tmp_path / "NVDA.csv"), "--date-format", "%m/%d/%Y", "--json")
    assert json.loads(mended.out)["newest"][0]["time"] == "2024-01-02"


def test_convert_writes_what_is_read_again_to_the_last_bit(cli, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is written with the extra 'parquet'")
    path = written(tmp_path, STOCK_FILES["Investing.com"])
    assert cli("data", "convert", path, "--to", str(tmp_path / "clean")).code == 0
    clean = str(tmp_path / "clean" / "NVDA.parquet")
    first, again = (json.loads(cli("data", "show", each, "--json").out) for each in (path, clean))
    assert first["fingerprint"] == again["fingerprint"]
    again = cli("data", "convert", path, "--to", str(tmp_path / "clean"))
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "NVDA.parquet already exists; --overwrite replaces it" in again.err
    twice = cli("data", "convert", path, path, "--to", str(tmp_path / "clean"), "--overwrite")
    assert twice.code == 4
    assert "from other bars" in twice.err
    (tmp_path / "clean" / "NVDA.parquet").write_bytes(b"mine")
    ended = cli("data", "convert", path, "--to", str(tmp_path / "clean"), "--overwrite")
    assert ended.code == 3
    assert "was not written by marketsim" in ended.err


def test_a_backtest_takes_a_file_by_its_symbol(cli, tmp_path):
    path = written(tmp_path, EXCHANGE_FILES["Binance, microseconds"])
    ended = cli("backtest", f"MINE={path}", "--sims", "5", "--window", "10", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["symbols"][0]["symbol"] == "MINE"


def test_resample_writes_longer_bars(cli, tmp_path):
    """Days made of the sample's hours are the sample's days."""
    ended = cli("data", "resample", "AAPL", "--timeframe", "1h", "--into", "1d", "--to", str(tmp_path), "--json")
    assert ended.code == 0
    (row,) = json.loads(ended.out)["symbols"]
    assert (row["bars"], row["source"]) == (494, "sample (mintalib 0.1.13, hourly-prices.csv), 1d of 1h")
    assert "7 of 501 bars of 1d lack bars of 1h and are left out, 2024-11-29 the first" in ended.err
    assert cli("data", "resample", "AAPL", "--timeframe", "1h", "--to", "").code == 2
    again = cli("data", "resample", "AAPL", "--timeframe", "1h", "--into", "1d", "--to", str(tmp_path))
    assert (again.code, "AAPL.parquet already exists" in again.err) == (2, True)
    shown = [json.loads(cli("data", "show", what, "--json").out)["fingerprint"] for what in (row["file"], "AAPL")]
    assert shown[0] == shown[1]
    ended = cli("data", "resample", "AAPL", "--timeframe", "1h", "--into", "30m", "--to", str(tmp_path), "--overwrite")
    assert (ended.code, ended.err.strip()) == (
        2,
        "marketsim: AAPL: 30m bars cannot be made of 1h bars: choose a multiple of 1h",
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_what_is_said_of_a_folder_is_said_once(cli, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_bytes(STOCK_FILES["Tiingo"].content)
    os.mkfifo(tmp_path / "PIPE.csv")
    ended = cli("data", "list", "--data", str(tmp_path))
    assert ended.code == 0 and "ONE" in ended.out and "TWO" in ended.out
    assert ended.err.count("PIPE.csv is a pipe or a device and is skipped") == 1
