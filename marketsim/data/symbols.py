"""Symbols: their canonical form, and which of them are crypto."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from marketsim.errors import DataError, UsageError

COINS = frozenset(
    "AAVE ADA ALGO APE APT ARB ATOM AVAX AXS BAT BCH BNB BSV BTC BTG CAKE CHZ COMP CRO CRV DASH DOGE DOT "  # noqa: SIM905
    "DYDX EGLD ENJ ENS EOS ETC ETH FIL FLOW FTM GALA GRT HBAR ICP IMX INJ IOTA JUP KAVA KSM LDO LINK LTC "
    "LUNA MANA MATIC MKR NEAR NEO OMG ONDO ONT OP PAXG PENDLE PEPE POL QTUM RENDER RUNE SAND SEI SHIB SNX "
    "SOL STETH STX SUI SUSHI TAO THETA TIA TON TRX UNI VET WBTC WIF WLD XBT XEM XLM XMR XRP XTZ YFI ZEC "
    "ZIL ZRX".split()
)
QUOTES = tuple(
    "USDT USDC FDUSD BUSD TUSD DAI USD EUR GBP JPY KRW AUD CAD CHF TRY BRL BTC XBT ETH BNB".split()  # noqa: SIM905
)

CURRENCIES = frozenset(
    "AUD BRL CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR NOK NZD PHP PLN RON RUB SEK SGD "  # noqa: SIM905
    "THB TRY TWD USD XAG XAU XPD XPT ZAR".split()
)
FILE = re.compile(
    r"(?i)\.(?:csv|tsv|txt|jsonl?|ndjson|parquet|feather|arrow)(?:\.(?:gz|bz2|xz|zst|zip))?$|\.zip$"
)  # the end of a name of a file of bars


def parse_symbol(text: str) -> str:
    """The canonical form, upper case without `-`, `_` and at most one `/`: "eth/usdt" -> "ETHUSDT".

    An exchange before a colon and a settlement currency behind one are left out: "BINANCE:ETHUSDT", "BTC/USDT:USDT".
    DataError for anything but up to 32 ASCII letters, digits and `.`, `^`, `=`, `&`, `!`, and for the name of a file.
    """
    before, colon, after = text.partition(":")
    pair = (before if "/" in before else after) if colon else text
    symbol = re.sub("[-_/]", "", pair).upper() if pair.isascii() and pair.count("/") <= 1 else ""
    shown = ascii(text if len(text) <= 40 else text[:40] + "...")
    if FILE.search(text):
        raise DataError(
            f"{shown} is not a symbol but the name of a file: name its symbol and the file, SYMBOL=FILE or --data FILE"
        )
    if not re.fullmatch(r"[A-Z0-9^][A-Z0-9.^=&!]{0,31}", symbol):
        raise DataError(f"{shown} is not a symbol; symbols look like ETHUSD, ETH-USD, eth/usdt or AAPL")
    return symbol


def part_place(text: str) -> tuple[str, str | None]:
    """A symbol, and the file that its bars are in where one is named: "AAPL=prices/apple.csv".

    >>> part_place("AAPL=prices/apple.csv"), part_place("EURUSD=X")
    (('AAPL', 'prices/apple.csv'), ('EURUSD=X', None))
    """
    symbol, _, place = text.partition("=")
    return (symbol, place) if re.search(r"[./\\]", place) else (text, None)


def absolute_place(text: str) -> str:
    """The same symbol, with a file that does not depend on the working directory where one is named."""
    symbol, place = part_place(text)
    return text if place is None else f"{symbol}={os.path.abspath(place)}"


def once_each(symbols: Sequence[str]) -> tuple[list[str], list[str]]:
    """The symbols without those that name one again, in whatever form, and a note about each that is left out.

    UsageError where a symbol is given with two files.

    >>> once_each(["ETHUSD", "eth/usd", "NVDA"])
    (['ETHUSD', 'NVDA'], ["'eth/usd' is ETHUSD, which was given before: it is run once"])
    """
    first: dict[str, str] = {}
    notes = []
    for text in symbols:
        name, place = part_place(text)
        try:
            symbol = parse_symbol(name)
        except DataError:  # whoever loads it says why
            symbol = text
        before = first.setdefault(symbol, text)
        if before is not text:
            if part_place(before)[1] != place:
                raise UsageError(f"{symbol} is given twice, with different bars: {before!a} and {text!a}")
            notes.append(f"{text!a} is {symbol}, which was given before: it is run once")
    return list(first.values()), notes


def coin_and_quote(symbol: str) -> tuple[str, str] | None:
    """The known coin that a canonical symbol begins with and the currency that it is quoted in; None for others.

    >>> coin_and_quote("DOTUSD"), coin_and_quote("BTCTUSD"), coin_and_quote("ETH")
    (('DOT', 'USD'), ('BTC', 'TUSD'), None)
    """
    pairs = ((symbol.removesuffix(quote), quote) for quote in QUOTES if symbol.endswith(quote))
    return next(((coin, quote) for coin, quote in pairs if coin in COINS), None)


def is_crypto(symbol: str) -> bool:
    """Whether a canonical symbol is a known coin followed by a currency; a bare "ETH" may well be a stock."""
    return coin_and_quote(symbol) is not None


def is_currency_pair(symbol: str) -> bool:
    """Whether a canonical symbol is a pair of currencies (or a precious metal): "EURUSD", "XAUUSD", "EURUSD=X"."""
    pair = symbol.removesuffix("=X")
    return len(pair) == 6 and pair[:3] in CURRENCIES and pair[3:] in CURRENCIES


def fetch_command(symbol: str, timeframe: str = "1d") -> str:
    """The command that would fetch the bars of a canonical symbol into the store."""
    provider = "ccxt:binance" if is_crypto(symbol) else "yahoo"
    words = "" if timeframe == "1d" else f" --timeframe {timeframe}"
    return f"marketsim data fetch {symbol} --from {provider}{words}"
