"""Files of stocks, as web sites, exchanges and data sets write them."""

from __future__ import annotations

from tests.data.reading.stock_files_abroad import STOCK_FILES_ABROAD
from tests.data.reading.written import MINUTES, STOCK, Row, Written, continental, day, ohlcv, quoted, table, two_symbols

TURNED = ("the newest bar is first; the order is reversed",)


def million(row: Row) -> str:
    return f"{row.volume / 1e6:.6f}M"


def eastern(row: Row) -> str:
    return day(row) + " 00:00:00-05:00"


def multi(symbols: tuple[str, ...], field_first: bool = True) -> bytes:
    """Three header rows, as yfinance's download writes them."""
    fields = ("Close", "High", "Low", "Open", "Volume")
    pairs = [(field, symbol) for field in fields for symbol in symbols]
    if not field_first:
        pairs = [(field, symbol) for symbol in symbols for field in fields]
    top, below = zip(*pairs, strict=True)
    names = ("Price", "Ticker") if field_first else ("Ticker", "Price")
    if not field_first:
        top, below = below, top
    lines = [",".join((names[0], *top)), ",".join((names[1], *below)), "Date" + "," * len(pairs)]
    for row in STOCK:
        values = {"Close": row.close, "High": row.high, "Low": row.low, "Open": row.open, "Volume": int(row.volume)}
        cells = (values[field] if symbol == "NVDA" else "" for field, symbol in pairs)
        lines.append(",".join((day(row), *map(str, cells))))
    return ("\n".join(lines) + "\n").encode()


def plain(row: Row) -> tuple[object, ...]:
    return day(row), *ohlcv(row)


CSV = "Date,Open,High,Low,Close,Volume"
STOCK_FILES = {
    "plain": Written("NVDA.csv", table(STOCK, CSV, plain), STOCK, layout="Date, Open, High, Low, Close, Volume"),
    "yfinance history": Written(
        "NVDA.csv",
        table(STOCK, CSV + ",Dividends,Stock Splits", lambda row: (day(row), *ohlcv(row), 0.0, 0.0)),
        STOCK,
        layout="Yahoo Finance with dividends",
    ),
    "yfinance download of one": Written("a.csv", multi(("NVDA",)), STOCK, layout="Yahoo Finance, header of two rows"),
    "yfinance download of many": Written(
        "all.csv", multi(("AAPL", "NVDA")), STOCK, layout="Yahoo Finance, header of two rows"
    ),
    "yfinance download by ticker": Written(
        "all.csv", multi(("AAPL", "NVDA"), field_first=False), STOCK, layout="Yahoo Finance, header of two rows"
    ),
    "Yahoo": Written(
        "NVDA.csv",
        table(
            STOCK, "Date,Open,High,Low,Close,Adj Close,Volume", lambda row: (*plain(row)[:5], row.close, plain(row)[5])
        ),
        STOCK,
        layout="Yahoo Finance",
    ),
    "Stooq, web": Written(
        "nvda_us_d.csv", table(STOCK, CSV, plain), STOCK, layout="Date, Open, High, Low, Close, Volume"
    ),
    "Stooq, Polish": Written(
        "nvda_us_d.csv",
        table(STOCK, "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", plain),
        STOCK,
        layout="stooq.pl",
    ),
    "Stooq, bulk": Written(
        "nvda.us.txt",
        table(
            STOCK,
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda row: ("NVDA.US", "D", day(row, "%Y%m%d"), "000000", *ohlcv(row), 0),
        ),
        STOCK,
        symbol="NVDA.US",
        layout="Finam or Stooq, bulk",
    ),
    "Finam": Written(
        "SBER_231204_240226.csv",
        table(
            MINUTES,
            "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>",
            lambda row: ("SBER", 1, day(row, "%Y%m%d"), day(row, "%H%M%S"), *ohlcv(row)),
            ";",
        ),
        MINUTES,
        symbol="SBER",
        layout="Finam or Stooq, bulk",
    ),
    "Finam, two digits of the year": Written(
        "SBER.txt",
        table(
            STOCK,
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            lambda row: ("SBER", "D", day(row, "%y%m%d"), 0, *ohlcv(row)),
        ),
        STOCK,
        symbol="SBER",
        layout="Finam or Stooq, bulk",
    ),
    "Investing.com": Written(
        "NVDA Historical Data.csv",
        table(
            STOCK,
            '"Date","Price","Open","High","Low","Vol.","Change %"',
            lambda row: (
                f'"{day(row, "%m/%d/%Y")}"',
                *map(quoted, (row.close, row.open, row.high, row.low)),
                f'"{million(row)}","0.35%"',
            ),
            encoding="utf-8-sig",
            newest_first=True,
        ),
        STOCK,
        layout="Investing.com",
        notes=TURNED,
    ),
    "Investing.com, German": Written(
        "NVDA Historische Kurse.csv",
        table(
            STOCK,
            '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
            lambda row: (
                f'"{day(row, "%d.%m.%Y")}"',
                *(f'"{continental(price)}"' for price in (row.close, row.open, row.high, row.low)),
                f'"{million(row).replace(".", ",")}","0,35%"',
            ),
            newest_first=True,
        ),
        STOCK,
        layout="Investing.com, German",
    ),
    "Nasdaq.com": Written(
        "HistoricalData_NVDA.csv",
        table(
            STOCK,
            "Date,Close/Last,Volume,Open,High,Low",
            lambda row: (
                day(row, "%m/%d/%Y"),
                f"${row.close}",
                int(row.volume),
                *(f"${x}" for x in (row.open, row.high, row.low)),
            ),
            newest_first=True,
        ),
        STOCK,
        layout="Nasdaq.com",
    ),
    "MarketWatch": Written(
        "Download Data - STOCK_US_XNAS_NVDA.csv",
        table(
            STOCK,
            CSV,
            lambda row: (
                day(row, "%m/%d/%Y"),
                *map(quoted, (row.open, row.high, row.low, row.close)),
                quoted(row.volume, 0),
            ),
            newest_first=True,
        ),
        STOCK,
        layout="Date, Open, High, Low, Close, Volume",
    ),
    "WSJ": Written(
        "NVDA.csv",
        table(
            STOCK,
            "Date, Open, High, Low, Close, Volume",
            lambda row: (day(row, "%m/%d/%y"), *ohlcv(row)),
            ", ",
            newest_first=True,
        ),
        STOCK,
        layout="Date, Open, High, Low, Close, Volume",
    ),
    "Barchart": Written(
        "nvda_daily_historical-data-02-26-2024.csv",
        table(
            STOCK,
            "Time,Open,High,Low,Last,Change,%Chg,Volume",
            lambda row: (day(row, "%m/%d/%Y"), row.open, row.high, row.low, row.close, 0.5, "0.1%", int(row.volume)),
            newest_first=True,
            after='"Downloaded from Barchart.com as of 02-26-2024 05:00pm CST"\n',
        ),
        STOCK,
        layout="Barchart",
        notes=("line 62 is no bar and is left out",),
    ),
    "Alpha Vantage": Written(
        "daily_adjusted_NVDA.csv",
        table(
            STOCK,
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            lambda row: (*plain(row)[:5], row.close, int(row.volume), "0.0000", "1.0"),
            newest_first=True,
        ),
        STOCK,
        layout="Alpha Vantage, adjusted",
    ),
    "Tiingo": Written(
        "NVDA.csv",
        table(
            STOCK,
            "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor",
            lambda row: (
                day(row, "%Y-%m-%dT00:00:00.000Z"),
                *(prices := (row.close, row.high, row.low, row.open, int(row.volume))),
                *prices,
                0.0,
                1.0,
            ),
        ),
        STOCK,
        layout="Tiingo",
    ),
    "Quandl WIKI": Written(
        "WIKI-NVDA.csv",
        table(
            STOCK,
            f"{CSV},Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume",
            lambda row: (*plain(row), 0.0, 1.0, *ohlcv(row)),
            newest_first=True,
        ),
        STOCK,
        layout="Quandl WIKI",
    ),
    "EODHD": Written(
        "NVDA.US.csv",
        table(
            STOCK,
            "Date,Open,High,Low,Close,Adjusted_close,Volume",
            lambda row: (*plain(row)[:5], row.close / 2, plain(row)[5]),
        ),
        STOCK,
        symbol="NVDA.US",
        layout="EODHD",
        notes=("0.5 times the close on all bars",),
    ),
    "FirstRate": Written(
        "NVDA_full_1min_adjsplitdiv.txt",
        table(MINUTES, "", lambda row: (str(row.time), *ohlcv(row))),
        MINUTES,
        layout="no header",
    ),
    "Zerodha": Written(
        "NVDA.csv",
        table(
            MINUTES, "date,open,high,low,close,volume", lambda row: (day(row, "%Y-%m-%dT%H:%M:%S+0000"), *ohlcv(row))
        ),
        MINUTES,
    ),
    "Kaggle, S&P 500": Written(
        "all_stocks_5yr.csv",
        two_symbols(
            "date,open,high,low,close,volume,Name",
            "%Y-%m-%d",
            "{d},{r.open},{r.high},{r.low},{r.close},{r.volume:.0f},{s}",
        ),
        STOCK,
        layout="S&P 500 (Kaggle)",
    ),
    "Nixtla": Written(
        "panel.csv",
        two_symbols(
            "unique_id,ds,open,high,low,y,volume",
            "%Y-%m-%d",
            "{s},{d},{r.open},{r.high},{r.low},{r.close},{r.volume:.0f}",
        ),
        STOCK,
        layout="Nixtla",
    ),
    **STOCK_FILES_ABROAD,
}
