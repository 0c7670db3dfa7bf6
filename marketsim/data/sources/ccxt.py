"""Crypto exchanges, by the library ccxt (extra `ccxt`): `ccxt:binance`, `ccxt:kraken`, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.sources import Instrument, Page
from marketsim.data.sources.patience import Answer, Busy, Patience
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError, MarketsimError, MissingExtra, UsageError
from marketsim.registry import nearest

PAGE = 100  # bars that every exchange gives at once
TIMEOUT = 20  # seconds


class Ccxt:
    """One exchange's public candles; no account is needed. See `Provider`."""

    spelling = "BTC/USDT"

    def __init__(self, exchange: str, patience: Patience) -> None:
        try:
            import ccxt
        except ImportError:
            raise MissingExtra("provider 'ccxt'", "ccxt") from None
        if exchange not in ccxt.exchanges:
            near = nearest(exchange, ccxt.exchanges)
            raise UsageError(
                f"no exchange '{exchange}'{near}; write ccxt:EXCHANGE, such as ccxt:binance or ccxt:kraken"
            )
        self.name = f"ccxt:{exchange}"
        self._errors, self._patience = ccxt, patience
        self._exchange = getattr(ccxt, exchange)({"enableRateLimit": True, "timeout": 1_000 * TIMEOUT})

    def instrument(self, symbol: str) -> Instrument:
        """See `Provider`."""
        markets = self._ask(self._exchange.load_markets)
        if symbol not in markets:
            wanted = parse_symbol(symbol)
            spellings = [name for name, market in markets.items() if market.get("spot") and _canonical(name) == wanted]
            if not spellings:
                near = nearest(symbol.upper(), markets)
                raise DataError(f"{self.name} has no {symbol}{near}; it spells symbols as {self.spelling}")
            symbol = spellings[0]
        return Instrument(parse_symbol(symbol.partition(":")[0]), symbol, crypto=True)

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        """See `Provider`."""
        known = self._exchange.timeframes or {}
        words = f"{timeframe.count}{'M' if timeframe.unit == 'mo' else timeframe.unit}"
        if not self._exchange.has.get("fetchOHLCV") or words not in known:
            raise UsageError(f"{self.name} has no {timeframe} bars; it has {', '.join(known) or 'none'}")
        size = int(self._exchange.feature_value(instrument.name, "fetchOHLCV", "limit") or PAGE)
        at, end, step = _milliseconds(since), _milliseconds(until), timeframe.seconds * 1_000
        while at <= end:
            rows = self._ask(self._exchange.fetch_ohlcv, instrument.name, words, at, size)
            rows = [row for row in rows if at <= row[0] <= end and None not in row[:5]]
            if rows:
                yield _page(rows)
            at = rows[-1][0] + 1 if rows else at + size * step  # nothing: not listed yet, or a pause of the exchange
            if rows and at + step > end:
                return

    def _ask(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        def request() -> Answer:
            try:
                return call(*arguments)
            except self._errors.NetworkError as error:  # rate limits, time-outs and maintenance are some of these
                raise Busy(_words(error)) from error
            except self._errors.BadSymbol as error:
                raise DataError(f"{self.name}: {_words(error)}") from error
            except self._errors.BaseError as error:
                raise MarketsimError(f"{self.name}: {_words(error)}") from error
            except (AttributeError, LookupError, TypeError, ValueError) as error:  # the library met half an answer
                raise Busy("an answer that could not be read") from error

        return self._patience.ask(self.name, request)


def _canonical(name: str) -> str:
    try:
        return parse_symbol(name)
    except DataError:
        return ""


def _page(rows: list[list[float]]) -> Page:
    cells = np.array([[np.nan if cell is None else cell for cell in row[:6]] for row in rows], np.float64)
    time, first = np.unique(cells[:, 0], return_index=True)
    return Page((time // 1_000).astype(np.int64).astype("datetime64[s]"), cells[first, 1:])


def _milliseconds(time: np.datetime64) -> int:
    return int(time.astype("datetime64[ms]").astype(np.int64))


def _words(error: Exception) -> str:
    """The first line of what the library says, in one short line, and of which kind it is."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
