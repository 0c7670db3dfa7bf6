"""The known layouts of bar files: how each is recognized, and a remark for its user."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

DAY_FIRST, MONTH_FIRST = "day first", "month first"
CLOSING = "stamps are the bars' ends"


class Layout(Struct, frozen=True):
    """One provider's file."""

    name: str
    header: tuple[str, ...] = ()  # plain names that are all there, or
    unnamed: tuple[str, ...] = ()  # a file without a header: the names of its columns
    written: tuple[str, ...] = ()  # names as they are written and in this order, from the first column on
    dates: str = ""  # DAY_FIRST or MONTH_FIRST, where dates can be read both ways and their spacing does not tell
    remark: str = ""  # for its owner
    pattern: str = ""  # without a header: what the first cell looks like, a regular expression

    def matches(self, cell: str) -> bool:
        """Whether the first cell of a file without a header looks as in this layout."""
        return not self.pattern or re.fullmatch(self.pattern, cell.strip().removesuffix(".0")) is not None


def _known(name: str, header: str, dates: str = "", remark: str = "") -> Layout:
    return Layout(name, tuple(header.split("|")), dates=dates, remark=remark)


def _exactly(name: str, header: str) -> Layout:
    return Layout(name, written=tuple(header.split(",")))


def _unnamed(name: str, columns: str, pattern: str = "", remark: str = "") -> Layout:
    return Layout(name, unnamed=tuple(columns.split()), remark=remark, pattern=pattern)


EST = "its stamps are New York's without daylight saving: --timezone Etc/GMT+5 turns them into UTC"

LAYOUTS = (
    _known("Binance klines", "open time|open|high|low|close|volume|close time"),
    _known("Kraken", "time|open|high|low|close|vwap|volume|count"),
    _known("CryptoDataDownload", "unix|date|symbol|open|high|low|close"),
    _known("CryptoDataDownload", "unix timestamp|date|symbol|open|high|low|close|volume"),
    _known("Bybit", "start time|open price|high price|low price|close price|volume|turnover"),
    _known("OKX", "ts|o|h|l|c|vol|vol ccy"),
    _known("OKX", "instrument name|open|high|low|close|vol|vol ccy|vol quote|open time"),
    _known("Polygon", "ticker|volume|open|close|high|low|window start|transactions"),
    _known("Polygon", "t|o|h|l|c|v|vw|n"),
    _known("Alpaca", "symbol|timestamp|open|high|low|close|volume|trade count|vwap"),
    _known("MetaTrader 5", "date|open|high|low|close|tickvol|vol|spread"),
    _known("MetaTrader 5", "time|open|high|low|close|tick volume|spread|real volume"),
    _known("Finam or Stooq, bulk", "ticker|per|date|time|open|high|low|close|vol"),
    _known("MetaStock", "ticker|dtyyyymmdd|time|open|high|low|close"),
    _known("TradeStation", "date|time|open|high|low|close|up|down", MONTH_FIRST, CLOSING),
    _known("TradeStation", "date|time|open|high|low|close|vol|oi", MONTH_FIRST, CLOSING),
    _known("backtrader", "date|time|open|high|low|close|volume|open interest"),
    _known("Dukascopy", "gmt time|open|high|low|close|volume", DAY_FIRST),
    _known("Dukascopy", "local time|open|high|low|close|volume", DAY_FIRST),
    _known("Investing.com", "date|price|open|high|low|change", MONTH_FIRST),
    _known("Investing.com, German", "datum|zuletzt|eröffn|hoch|tief", DAY_FIRST),
    _known("Investing.com, German", "datum|schlusskurs|eröffn|hoch|tief", DAY_FIRST),
    _known("Nasdaq.com", "date|close last|volume|open|high|low", MONTH_FIRST),
    _known("Alpha Vantage, adjusted", "timestamp|open|high|low|close|adjusted close|volume|split coefficient"),
    _known("Tiingo", "date|close|high|low|open|volume|adj close|div cash|split factor"),
    _known("Quandl WIKI", "date|open|high|low|close|volume|ex dividend|split ratio|adj close"),
    _known("EODHD", "date|open|high|low|close|adjusted close|volume"),
    _known("Yahoo Finance with dividends", "open|high|low|close|volume|dividends|stock splits"),
    _known("Yahoo Finance", "date|open|high|low|close|adj close|volume"),
    _known("Interactive Brokers", "date|open|high|low|close|volume|average|bar count"),
    _known("Barchart", "time|open|high|low|last|change|volume", MONTH_FIRST),
    _known("Barchart", "time|open|high|low|latest|change|volume", MONTH_FIRST),
    _known("CoinMarketCap", "time open|time close|time high|time low|open|high|low|close"),
    _known("CoinMarketCap", "date|open|high|low|close|volume|market cap", MONTH_FIRST),
    _known("NSE bhavcopy", "symbol|series|open|high|low|close|tottrdqty|timestamp"),
    _known("NSE bhavcopy", "symbol|series|date1|open price|high price|low price|close price"),
    _known("NSE bhavcopy, UDiFF", "trad dt|tckr symb|scty srs|opn pric|hgh pric|lw pric|cls pric"),
    _known("NSE, one symbol", "date|series|open|high|low|close|vwap", DAY_FIRST),
    _known("tushare", "ts code|trade date|open|high|low|close|vol"),
    _known("akshare", "日期|开盘|收盘|最高|最低|成交量"),
    _known("NetEase", "日期|股票代码|收盘价|最高价|最低价|开盘价"),
    _known("Nixtla", "unique id|ds|open|high|low"),
    _known("ariva.de", "datum|erster|hoch|tief|schlusskurs|stuecke", DAY_FIRST),
    _known("MOEX", "secid|tradedate|open|low|high|close|volume"),
    _known("MOEX candles", "open|close|high|low|value|volume|begin"),
    _known("Bitcoin by the minute (Kaggle)", "timestamp|open|high|low|close|volume btc|volume currency"),
    _known("S&P 500 (Kaggle)", "date|open|high|low|close|volume|name"),
    _known("stooq.pl", "data|otwarcie|najwyzszy|najnizszy|zamkniecie"),
    _exactly("Coinbase", "time,low,high,open,close,volume"),
    _exactly("TradingView", "time,open,high,low,close,Volume"),
    _exactly("Date, Open, High, Low, Close, Volume", "Date,Open,High,Low,Close,Volume"),  # Stooq, MarketWatch, WSJ
    # Without a header, the narrowest first. Which column is which is checked on the rows.
    _unnamed(
        "Binance klines",
        "open_time open high low close volume close_time quote_volume trades taker_volume taker_quote_volume ignore",
        r"\d{10,16}",
    ),
    _unnamed("MetaTrader 4", "date time open high low close volume", r"\d{4}\.\d{2}\.\d{2}"),
    _unnamed("HistData or NinjaTrader", "timestamp open high low close volume", r"\d{8} \d{6}", EST),
    _unnamed("Kraken OHLCVT", "timestamp open high low close volume trades", r"\d{9,10}"),
    _unnamed("Kraken", "timestamp open high low close vwap volume count", r"\d{9,10}"),
    _unnamed("OKX", "ts open high low close vol volCcy volCcyQuote confirm", r"\d{13}"),
    _unnamed("Bybit", "startTime open high low close volume turnover", r"\d{13}"),
    _unnamed("ccxt", "timestamp open high low close volume", r"\d{12,13}"),
    _unnamed("Coinbase", "time low high open close volume", r"\d{9,10}"),
    _unnamed("Bitfinex", "mts open close high low volume", r"\d{12,13}"),
    _unnamed("KuCoin", "time open close high low volume turnover", r"\d{9,10}"),
    _unnamed("Gate.io", "timestamp turnover close high low open volume", r"\d{9,10}"),
    _unnamed("Gate.io", "timestamp volume close high low open", r"\d{9,10}"),
)
NAMED = Layout("columns by name")
TWO_ROWS = Layout("Yahoo Finance, header of two rows")
BY_ORDER = (
    _unnamed("no header", "date time open high low close volume"),
    _unnamed("no header", "symbol date time open high low close volume"),
    _unnamed("no header", "date open high low close volume"),
    _unnamed("no header", "symbol date open high low close volume"),
    _unnamed("no header", "date low high open close volume"),
    _unnamed("no header", "date open close high low volume"),
)


def layout_of(names: Sequence[str], header: Sequence[str]) -> Layout:
    """The first known layout of a header, by its plain `names` or as it is written; else `NAMED`."""
    there, written = set(names), tuple(name.strip() for name in header)
    for layout in LAYOUTS:
        if layout.header and there.issuperset(layout.header):
            return layout
        if layout.written and written[: len(layout.written)] == layout.written:
            return layout
    return NAMED
