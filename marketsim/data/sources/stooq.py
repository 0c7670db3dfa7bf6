"""Stooq, over plain HTTP: stocks of many countries, indices, currencies and crypto, by day, week or month.

Stooq asks programs for a key, which its site gives: the variable STOOQ_API_KEY, which is read here and nowhere shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np

from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.sources import Instrument, Page
from marketsim.data.sources.patience import Busy, Patience
from marketsim.data.symbols import is_crypto, is_currency_pair, parse_symbol
from marketsim.errors import MarketsimError, UsageError

ADDRESS = "https://stooq.com/q/d/l/"
KEY = "STOOQ_API_KEY"
INTERVALS = {"1d": "d", "1w": "w", "1mo": "m"}
NOTHING = "No data"
HEADER = "Date,Open,High,Low,Close"
COUNTRIES = {"T": "jp", "L": "uk", "DE": "de", "WA": "pl", "BU": "hu", "HK": "hk"}  # of endings as Yahoo has them
TIMEOUT = 20  # seconds


class Stooq:
    """Stooq's CSV download. See `Provider`."""

    name = "stooq"
    spelling = "AAPL or aapl.us, 7203.jp, EURUSD, BTCUSD or ^spx"

    def __init__(self, detail: str, patience: Patience) -> None:
        if detail:
            raise UsageError(f"provider 'stooq' takes no '{detail}': write --from stooq")
        self._patience = patience

    def instrument(self, symbol: str) -> Instrument:
        """See `Provider`; whether Stooq has it, its bars tell."""
        canonical = parse_symbol(symbol)
        return Instrument(canonical, _spelling(canonical), is_crypto(canonical), "UTC", "adjusted for splits")

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        """See `Provider`."""
        words = str(timeframe)
        if words not in INTERVALS:
            raise UsageError(f"stooq has no {words} bars; it has {', '.join(INTERVALS)}")
        first, last = (str(moment.astype("datetime64[D]")).replace("-", "") for moment in (since, until))
        query = {"s": instrument.name, "d1": first, "d2": last, "i": INTERVALS[words]}
        key = os.environ.get(KEY)
        secret = {} if not key else {"apikey": key}
        text = self._patience.ask("stooq", lambda: _get(f"{ADDRESS}?{urlencode(query | secret)}"))
        if not text.startswith(NOTHING):
            yield _page(text)


def _get(url: str) -> str:
    """The text at `url`, whole."""
    try:
        with urlopen(Request(url, headers={"User-Agent": "marketsim"}), timeout=TIMEOUT) as answer:
            text = str(answer.read().decode("utf-8", "replace"))
    except HTTPError as error:
        error.close()
        busy = Busy.of_status(error.code, error.headers.get("Retry-After"))
        raise (busy or MarketsimError(f"stooq refuses: HTTP {error.code}")) from None
    except (HTTPException, URLError, OSError) as error:
        raise Busy(f"{type(error).__name__}") from None  # its words may hold the address, and with it the key
    if text.startswith(HEADER) and not text.endswith("\n"):
        raise Busy("an incomplete answer")
    return text


def _page(text: str) -> Page:
    lines = text.split()
    if not text.startswith(HEADER):
        if "hits limit" in text:
            raise MarketsimError("stooq gives no more bars today: its daily download limit is reached")
        raise MarketsimError(
            f"stooq answered with something that is no table of bars: it asks programs for a key, set {KEY} to yours"
        )
    rows = [line.split(",") for line in lines[1:]]
    time = np.array([row[0] for row in rows], "datetime64[s]")
    ohlcv = np.full((len(rows), 5), np.nan)
    for i, row in enumerate(rows):
        ohlcv[i, : len(row) - 1] = [float(cell) if cell else np.nan for cell in row[1:6]]
    return Page(time, ohlcv)


def _spelling(canonical: str) -> str:
    """Stooq's name of a canonical symbol: AAPL -> aapl.us, 7203.T -> 7203.jp, EURUSD -> eurusd."""
    if canonical.startswith("^") or is_crypto(canonical) or is_currency_pair(canonical):
        return canonical.removesuffix("=X").lower()
    name, dot, ending = canonical.rpartition(".")
    if not dot or re.fullmatch(r"[ABC]", ending):
        return f"{canonical.replace('.', '-')}.us".lower()
    return f"{name}.{COUNTRIES.get(ending, ending)}".lower()
