"""Symbols from file names: "NASDAQ_NVDA, 1D.csv", "ETH_USDT-1d.feather", "nvda_us_d.csv"."""

from __future__ import annotations

import re

from marketsim.data.reading.contents import BarFile
from marketsim.data.symbols import COINS, CURRENCIES, QUOTES, parse_symbol
from marketsim.errors import DataError

SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".feather", ".ftr", ".arrow")
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
EXCHANGES = """
    BINANCE BINANCEUS COINBASE KRAKEN BITSTAMP BITFINEX BYBIT OKX OKEX KUCOIN GEMINI HUOBI HTX GATEIO POLONIEX
    BITTREX CRYPTO CRYPTOCAP INDEX NASDAQ NYSE AMEX ARCA BATS CBOE OTC XNAS XNYS XETR XLON LSE TSX TSE HKEX SSE SZSE NSE
    BSE MOEX ASX EURONEXT FX FXCM OANDA FOREXCOM FOREX TVC CME CBOT COMEX NYMEX MINI DL DLY DUKASCOPY HISTDATA DAT ASCII
    MT MT4 MT5 NT STOOQ YAHOO YFINANCE POLYGON ALPACA TIINGO QUANDL WIKI EODHD FIRSTRATE COINMARKETCAP INVESTING"""
WORDS = """
    data historical history hist historic price prices quote quotes ohlc ohlcv bar bars candle candles kline klines
    full sample export download downloaded stock stocks equity etf all adj adjusted unadjusted adjsplit adjsplitdiv raw
    spot futures perp perpetual swap bid ask mid daily day days hourly hour hours weekly week monthly month minute
    minutes min mins second seconds sec intraday interday eod tick ticks to from the of us d h m w y yr years year copy
    final new old clean csv max historicaldata historicalprices historicalquotes output results test train dataset local
    utc est gmt part page chunk"""
ASIDE = frozenset((*WORDS.split(), *EXCHANGES.lower().split()))  # words of a name that say something else
PERIOD = re.compile(r"(?i)\d+(?:s|m|mins?|minutes?|h|hr|hours?|d|days?|w|wk|mo|mn|y|yr)?|(?:s|m|h|d|w|mn)\d+")
PIECES = frozenset(("part", "page", "chunk"))  # words beside the number of a file among others
DATE = re.compile(
    r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?(?:[0-5]\d){0,2})?)?"  # 202401
    r"|(?:0[1-9]|[12]\d|3[01]){2}(?:19|20)\d\d"  # 31012024
)
METATRADER = re.compile(r"([A-Z]{6})(?:1|5|15|30|60|240|1440|10080|43200)")
COIN_NAMES = {
    "BITCOIN": "BTC",
    "ETHEREUM": "ETH",
    "LITECOIN": "LTC",
    "RIPPLE": "XRP",
    "CARDANO": "ADA",
    "DOGECOIN": "DOGE",
}
COIN_NAMES |= {
    "SOLANA": "SOL",
    "POLKADOT": "DOT",
    "TETHER": "USDT",
    "CHAINLINK": "LINK",
    "STELLAR": "XLM",
    "TRON": "TRX",
}


def symbol_of_file(file: BarFile, base: str | None = None) -> str | None:
    """The canonical symbol that a file is named after; None for "HistoricalPrices.csv".

    `base` is the coin that its volume is counted in, which "bitstampUSD" lacks.
    """
    return symbol_of_name(stem(file.stem), base)


def symbol_of_folder(file: BarFile) -> str | None:
    """The one that its folder or archive is named after; None where its own name says more than "2024-01" does."""
    return symbol_of_name(stem(file.folder)) if _is_piece(stem(file.stem)) else None


def stem(name: str) -> str:
    """A file's name without the endings of its kind: "NVDA.csv.zip" -> "NVDA", "M&M.NS.csv" -> "M&M.NS"."""
    for endings in (PACKED, SUFFIXES):
        name = next((name[: -len(ending)] for ending in endings if name.lower().endswith(ending)), name)
    return name


def symbol_of_name(name: str, base: str | None = None) -> str | None:
    """The symbol in a name, without exchange, timeframe, dates and words such as "historical"; None for none.

    >>> symbol_of_name("NASDAQ_NVDA, 1D"), symbol_of_name("BTC_USDT_USDT-1h-futures")
    ('NVDA', 'BTCUSDT')
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", name)  # HistoricalPrices
    words = [word for word in re.split(r"[\s_,()\[\]+@-]+", name) if word]
    named = [word for word in words if not _is_aside(word)]
    if not named:
        capitals = (word for word in words if word.isalpha() and word.isupper() and word not in EXCHANGES.split())
        return next(capitals, base)  # Macy's in "M_daily.csv"
    first = _without_exchange(named[0])
    pair = METATRADER.fullmatch(first.upper())
    if pair and pair[1][:3] in CURRENCIES | COINS:
        return pair[1]
    if first.upper() in QUOTES and base:
        return base + first.upper()
    second = named[1].upper() if len(named) > 1 else ""
    coin = COIN_NAMES.get(first.upper())
    if coin is not None:
        return coin + (second if second in QUOTES else "USD")
    if second in (*QUOTES, *CURRENCIES) or (
        len(words) == 2 and named[1:] == [second] and len(second) == 1
    ):  # BTC-USD, BRK-B
        first += second
    try:
        return parse_symbol(first)
    except DataError:
        return None


def _is_aside(word: str) -> bool:
    """Whether a word of a name says something else than the symbol."""
    return word.lower() in ASIDE or PERIOD.fullmatch(word) is not None


def _without_exchange(word: str) -> str:
    """A word without an exchange in lower case before a currency: "bitstampUSD"."""
    rest = word.lstrip("abcdefghijklmnopqrstuvwxyz")
    return rest if rest and rest != word and word[: -len(rest)].upper() in EXCHANGES.split() else word


def _is_piece(name: str) -> bool:
    """Whether a name has a date or the number of a part, and words that are no symbol: "2024-01", "part_3".

    Other numbers, such as "600519" and "7203", may well be symbols.
    """
    words = [word.lower() for word in re.split(r"[\W_]+", name) if word]
    if not all(map(_is_aside, words)):
        return False
    numbers = [word for word in words if word.isdigit()]
    if not PIECES.isdisjoint(words):
        return bool(numbers)
    dates = [number for number in numbers if DATE.fullmatch(number)]
    return bool(dates) and all(number in dates or len(number) <= 2 for number in numbers)
