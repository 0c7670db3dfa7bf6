"""Yahoo Finance, by the library yfinance (extra `yfinance`): stocks, funds, indices, currencies and crypto."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.calendars.zones import DAY
from marketsim.data.sources import Instrument, Page
from marketsim.data.sources.patience import Answer, Busy, Patience
from marketsim.data.symbols import coin_and_quote, is_crypto, is_currency_pair, parse_symbol
from marketsim.errors import DataError, MarketsimError, MissingExtra, UsageError

INTERVALS = {
    **{f"{count}m": f"{count}m" for count in (1, 2, 5, 15, 30)},
    "1h": "1h",
    "1d": "1d",
    "1w": "1wk",
    "1mo": "1mo",
}
REACH = {"1m": 29, "2m": 59, "5m": 59, "15m": 59, "30m": 59, "1h": 729}  # days back that Yahoo gives bars of
AT_ONCE = {"1m": 7}  # days that one request may span
TIMEOUT = 20  # seconds


class _NoBars(Exception):
    """Yahoo has no bars of a symbol, or none of these days."""


class Yahoo:
    """Yahoo's charts; no account is needed. See `Provider`."""

    name = "yahoo"
    spelling = "AAPL, BRK-B, BTC-USD, EURUSD=X, 7203.T or ^GSPC"

    def __init__(self, detail: str, patience: Patience) -> None:
        if detail:
            raise UsageError(f"provider 'yahoo' takes no '{detail}': write --from yahoo")
        try:
            import yfinance
        except ImportError:
            raise MissingExtra("provider 'yahoo'", "yfinance") from None
        self._library, self._patience = yfinance, patience
        yfinance.config.debug.hide_exceptions = False
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what it would print is raised
        self._session = _session()

    def instrument(self, symbol: str) -> Instrument:
        """See `Provider`."""
        name = _spelling(symbol)
        ticker = self._library.Ticker(name, session=self._session)
        try:
            zone = self._ask(lambda: str(ticker.history(period="5d", timeout=TIMEOUT).index.tz))
        except _NoBars as error:
            raise DataError(f"yahoo has no {name} ({error}); it spells symbols as {self.spelling}") from None
        canonical = parse_symbol(symbol)
        adjusted = "adjusted for splits and dividends"
        return Instrument(canonical, name, is_crypto(canonical), zone, adjusted, _replaced(canonical, name))

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        """See `Provider`."""
        words = str(timeframe)
        if words not in INTERVALS:
            raise UsageError(f"yahoo has no {words} bars; it has {', '.join(INTERVALS)}")
        ticker = self._library.Ticker(instrument.name, session=self._session)
        first, last = (int(moment.astype("datetime64[s]").astype(np.int64)) for moment in (since, until))
        if words in REACH:
            first = max(first, last - REACH[words] * DAY)
        span = AT_ONCE.get(words, 40_000) * DAY
        for start in range(first, last + 1, span):
            end = min(start + span, last + 1)
            try:
                yield self._ask(partial(self._chart, ticker, INTERVALS[words], start, end))
            except _NoBars:  # it was not listed yet
                continue

    def _chart(self, ticker: Any, interval: str, start: int, end: int) -> Page:
        frame = ticker.history(
            start=start, end=end, interval=interval, auto_adjust=True, actions=False, timeout=TIMEOUT
        )
        time = frame.index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
        columns = [frame[name].to_numpy(np.float64) for name in ("Open", "High", "Low", "Close", "Volume")]
        keep = ~np.isnan(columns[3])
        return Page(time[keep], np.stack(columns, axis=1)[keep])

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        errors = self._library.exceptions

        def request() -> Answer:
            try:
                return call()
            except Busy:
                raise
            except errors.YFRateLimitError as error:
                raise Busy("too many requests") from error
            except (errors.YFPricesMissingError, errors.YFTzMissingError) as error:
                raise _NoBars(_line(error)) from error
            except (AttributeError, LookupError, TypeError) as error:  # what it knows nothing of breaks the library
                raise _NoBars("no answer that yfinance can read") from error
            except (OSError, ValueError, errors.YFDataException) as error:  # a connection that broke, half an answer
                raise Busy(_line(error)) from error
            except errors.YFException as error:
                raise MarketsimError(f"yahoo: {_line(error)}") from error

        return self._patience.ask("yahoo", request)


def _session() -> Any:
    """A session of yfinance's own kind that tells a busy Yahoo before the library takes its answer for bars."""
    from yfinance._http import new_session

    session = new_session()
    plain = session.request

    def request(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        answer = plain(method, url, *arguments, **options)
        busy = Busy.of_status(answer.status_code, answer.headers.get("Retry-After"))
        if busy is not None and "/v8/finance/chart/" in url:
            raise busy
        return answer

    session.request = request
    return session


def _spelling(symbol: str) -> str:
    """Yahoo's name of a symbol in any of our forms: BTCUSD -> BTC-USD, EURUSD -> EURUSD=X, BRK.B -> BRK-B."""
    if "-" in symbol or "=" in symbol or symbol.startswith("^"):
        return symbol.upper()
    canonical = parse_symbol(symbol)
    if is_currency_pair(canonical):
        return f"{canonical.removesuffix('=X')}=X"
    if (pair := coin_and_quote(canonical)) is not None:
        coin, quote = pair
        return f"{coin}-{'USD' if quote.startswith('USD') else quote}"
    return re.sub(r"\.([AB])$", r"-\1", canonical)


def _replaced(canonical: str, name: str) -> tuple[str, ...]:
    """A note where Yahoo's bars are of another quote than the symbol says, for it has no coins in USDT or USDC."""
    if not is_crypto(canonical) or parse_symbol(name) == canonical:
        return ()
    return (f"{canonical}: Yahoo quotes coins in dollars; these are bars of {name}",)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
