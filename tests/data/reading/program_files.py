"""Files of currencies, futures and stocks, as trading programs and data vendors write them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import replace

from tests.data.reading.written import CURRENCY, MINUTES, STOCK, Row, Written, continental, ohlcv, table

FIVE = "{:.5f}".format


def stamp(row: Row, style: str) -> str:
    return row.time.strftime(style)


def prices(row: Row) -> tuple[str, ...]:
    return tuple(map(FIVE, (row.open, row.high, row.low, row.close)))


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


PLAIN = table(STOCK, "Date,Open,High,Low,Close,Volume", lambda row: (stamp(row, "%Y-%m-%d"), *ohlcv(row)))
PLAIN_LAYOUT = "Date, Open, High, Low, Close, Volume"
HISTDATA = table(MINUTES, "", lambda row: (stamp(row, "%Y%m%d %H%M%S"), *ohlcv(row)), ";")
PROGRAM_FILES = {
    "MetaTrader 5": Written(
        "EURUSD_M1_202401020930_202401021029.csv",
        table(
            MINUTES,
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            lambda row: (stamp(row, "%Y.%m.%d"), stamp(row, "%H:%M:%S"), *ohlcv(row), 0, 5),
            "\t",
        ),
        MINUTES,
        "EURUSD",
        "MetaTrader 5",
    ),
    "MetaTrader 5, real volume": Written(
        "EURUSD_Daily.csv",
        table(
            STOCK,
            "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            lambda row: (stamp(row, "%Y.%m.%d"), *ohlcv(row)[:4], 3, int(row.volume), 5),
            "\t",
            encoding="utf-16",
        ),
        STOCK,
        "EURUSD",
        "MetaTrader 5",
    ),
    "MetaTrader 5 in Python": Written(
        "EURUSD.csv",
        table(
            STOCK,
            "time,open,high,low,close,tick_volume,spread,real_volume",
            lambda row: (row.epoch, *ohlcv(row), 5, 0),
        ),
        STOCK,
        "EURUSD",
        "MetaTrader 5",
    ),
    "MetaTrader 4": Written(
        "EURUSD1440.csv",
        table(
            CURRENCY,
            "",
            lambda row: (stamp(row, "%Y.%m.%d"), "00:00", *prices(row), int(row.volume)),
        ),
        CURRENCY,
        "EURUSD",
        "MetaTrader 4",
    ),
    "HistData": Written(
        "DAT_ASCII_EURUSD_M1_2024.csv", HISTDATA, MINUTES, "EURUSD", "HistData or NinjaTrader", notes=("Etc/GMT+5",)
    ),
    "HistData, zipped with its report": Written(
        "HISTDATA_COM_ASCII_EURUSD_M12024.zip",
        zipped(("DAT_ASCII_EURUSD_M1_2024.csv", HISTDATA), ("DAT_ASCII_EURUSD_M1_2024.txt", b"Gap of 61s found\n")),
        MINUTES,
        "EURUSD",
        "HistData or NinjaTrader",
    ),
    "NinjaTrader": Written("ES 03-24.Last.txt", HISTDATA, MINUTES, "ES", "HistData or NinjaTrader"),
    "NinjaTrader, days": Written(
        "AAPL.Last.txt",
        table(STOCK, "", lambda row: (stamp(row, "%Y%m%d"), *ohlcv(row)), ";"),
        STOCK,
        "AAPL.LAST",
        "no header",
    ),
    "Dukascopy": Written(
        "EURUSD_Candlestick_1_M_BID_02.01.2024-02.01.2024.csv",
        table(
            MINUTES,
            "Gmt time,Open,High,Low,Close,Volume",
            lambda row: (stamp(row, "%d.%m.%Y %H:%M:%S.000"), *ohlcv(row)),
        ),
        MINUTES,
        "EURUSD",
        "Dukascopy",
    ),
    "TradeStation": Written(
        "NVDA.csv",
        table(
            MINUTES,
            '"Date","Time","Open","High","Low","Close","Up","Down"',
            lambda row: (stamp(row, "%m/%d/%Y"), stamp(row, "%H:%M"), *ohlcv(row)[:4], int(row.volume) - 400, 400),
        ),
        MINUTES,
        layout="TradeStation",
        notes=("stamps are the bars' ends",),
    ),
    "Interactive Brokers": Written(
        "NVDA.csv",
        table(
            MINUTES,
            "date,open,high,low,close,volume,average,barCount",
            lambda row: (stamp(row, "%Y%m%d  %H:%M:%S"), *ohlcv(row), row.close, 3),
        ),
        MINUTES,
        layout="Interactive Brokers",
    ),
    "Interactive Brokers, with a zone and without volume": Written(
        "EURUSD.csv",
        table(
            MINUTES,
            "date,open,high,low,close,volume,average,barCount",
            lambda row: (stamp(row, "%Y%m%d %H:%M:%S UTC"), *ohlcv(row)[:4], -1, -1, -1),
        ),
        MINUTES,
        "EURUSD",
        "Interactive Brokers",
        volume=False,
    ),
    "TradingView": Written(
        "NASDAQ_NVDA, 1D.csv",
        table(STOCK, "time,open,high,low,close,Volume,Volume MA,RSI", lambda row: (row.epoch, *ohlcv(row), "", "")),
        STOCK,
        layout="TradingView",
    ),
    "backtrader": Written(
        "NVDA.csv",
        table(
            MINUTES,
            "Date,Time,Open,High,Low,Close,Volume,OpenInterest",
            lambda row: (stamp(row, "%Y-%m-%d"), stamp(row, "%H:%M:%S"), *ohlcv(row), 0),
        ),
        MINUTES,
        layout="backtrader",
    ),
    "MetaStock": Written(
        "nvda.txt",
        table(
            STOCK,
            "<TICKER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            lambda row: ("NVDA", stamp(row, "%Y%m%d"), "000000", *ohlcv(row)),
        ),
        STOCK,
        layout="MetaStock",
    ),
    "Alpaca": Written(
        "bars.csv",
        table(
            MINUTES,
            "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
            lambda row: ("NVDA", stamp(row, "%Y-%m-%d %H:%M:%S+00:00"), *ohlcv(row), 3, row.close),
        ),
        MINUTES,
        layout="Alpaca",
    ),
    "Polygon": Written(
        "2024-01-02.csv.gz",
        gzip.compress(
            table(
                MINUTES,
                "ticker,volume,open,close,high,low,window_start,transactions",
                lambda row: ("NVDA", int(row.volume), row.open, row.close, row.high, row.low, row.epoch * 10**9, 3),
            )
        ),
        MINUTES,
        layout="Polygon",
    ),
    "Polygon, one letter each": Written(
        "NVDA.csv",
        table(
            MINUTES,
            "v,vw,o,c,h,l,t,n",
            lambda row: (int(row.volume), 1, row.open, row.close, row.high, row.low, row.epoch * 1000, 3),
        ),
        MINUTES,
        layout="Polygon",
    ),
    "German, by hand": Written(
        "NVDA.csv",
        table(
            STOCK,
            "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
            lambda row: (
                stamp(row, "%d.%m.%Y"),
                *(continental(x) for x in (row.open, row.high, row.low, row.close)),
                int(row.volume),
            ),
            ";",
            encoding="cp1252",
        ),
        STOCK,
    ),
    "Russian, by hand": Written(
        "NVDA.csv",
        table(
            STOCK,
            "Дата;Открытие;Максимум;Минимум;Закрытие;Объём",
            lambda row: (
                stamp(row, "%d.%m.%Y"),
                *(f"{x:,.2f}".replace(",", "\u00a0").replace(".", ",") for x in ohlcv(row)[:4]),
                int(row.volume),
            ),  # type: ignore[str-format]
            ";",
        ),
        STOCK,
    ),
    "R's quantmod": Written(
        "NVDA.csv",
        table(
            STOCK,
            '"","NVDA.Open","NVDA.High","NVDA.Low","NVDA.Close","NVDA.Volume","NVDA.Adjusted"',
            lambda row: (stamp(row, "%Y-%m-%d"), *ohlcv(row), row.close),
        ),
        STOCK,
    ),
    "bars between bars": Written(
        "NVDA.psv.txt",
        table(STOCK, "date|open|high|low|close|volume", lambda row: (row.time.date(), *ohlcv(row)), "|"),
        STOCK,
        "NVDA.PSV",
    ),
    "spaces": Written(
        "NVDA.txt",
        table(STOCK, "date open high low close volume", lambda row: (row.time.date(), *ohlcv(row)), "  "),
        STOCK,
    ),
    **{
        f"as {ending}": Written(f"NVDA.csv.{ending}", pack(PLAIN), STOCK, layout=PLAIN_LAYOUT)
        for ending, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress))
    },
    "as zip": Written("NVDA.csv.zip", zipped(("NVDA.csv", PLAIN)), STOCK, layout=PLAIN_LAYOUT),
    "as UTF-16": Written("NVDA.csv", PLAIN.decode().encode("utf-16-le"), STOCK, layout=PLAIN_LAYOUT),
    "with CR LF and a BOM": Written(
        "NVDA.csv", PLAIN.replace(b"\n", b"\r\n").decode().encode("utf-8-sig"), STOCK, layout=PLAIN_LAYOUT
    ),
    "twice the header": Written(
        "NVDA.csv",
        PLAIN + PLAIN.split(b"\n", 1)[0] + b"\n",
        STOCK,
        layout=PLAIN_LAYOUT,
        notes=("line 62 is no bar and is left out",),
    ),
}
del replace
