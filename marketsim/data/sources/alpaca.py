"""Alpaca's market data, by the library alpaca-py (extra `alpaca-py`): United States stocks and crypto.

Stocks need an account's key: the variables APCA_API_KEY_ID and APCA_API_SECRET_KEY, which are read here and nowhere
shown. Crypto needs none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.sources import Instrument, Page
from marketsim.data.sources.patience import Answer, Busy, Patience
from marketsim.data.symbols import coin_and_quote, parse_symbol
from marketsim.errors import DataError, MarketsimError, MissingExtra, UsageError

KEY, SECRET = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
PAGE = 10_000  # bars that one request gives at most
TIMEOUT = 20  # seconds
MONTHS = (1, 2, 3, 4, 6, 12)
ADDRESS: str | None = None  # of another server than Alpaca's
FIELDS = ("o", "h", "l", "c", "v")


class Alpaca:
    """Alpaca's historical bars. See `Provider`."""

    name = "alpaca"
    spelling = "AAPL, BRK.B or BTC/USD"

    def __init__(self, detail: str, patience: Patience) -> None:
        if detail:
            raise UsageError(f"provider 'alpaca' takes no '{detail}': write --from alpaca")
        try:
            import alpaca.data  # noqa: F401
        except ImportError:
            raise MissingExtra("provider 'alpaca'", "alpaca-py") from None
        self._patience = patience

    def instrument(self, symbol: str) -> Instrument:
        """See `Provider`; whether Alpaca has it, its bars tell."""
        canonical = parse_symbol(symbol)
        if (pair := coin_and_quote(canonical)) is not None:
            return Instrument(canonical, "/".join(pair), crypto=True)
        missing = [name for name in (KEY, SECRET) if not os.environ.get(name)]
        if missing:
            raise UsageError(f"provider 'alpaca' needs the variables {KEY} and {SECRET} for stocks; not set: {missing}")
        return Instrument(canonical, canonical, False, "America/New_York", "adjusted for splits and dividends")

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        """See `Provider`."""
        length, get = _timeframe(timeframe), self._bars(instrument)
        end = until.astype("datetime64[ms]").item()
        while since <= until:
            rows = self._ask(get, instrument.name, length, since.astype("datetime64[ms]").item(), end)
            if rows:
                page = _page(rows)
                yield page
                since = page.time[-1] + np.timedelta64(1, "s")
            if len(rows) < PAGE:
                break

    def _bars(self, instrument: Instrument) -> Callable[..., list[dict[str, Any]]]:
        """What asks for one page of bars."""
        from alpaca.data.enums import Adjustment
        from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
        from alpaca.data.requests import CryptoBarsRequest, StockBarsRequest

        key, secret = os.environ.get(KEY), os.environ.get(SECRET)
        if instrument.crypto:
            crypto = _hurried(CryptoHistoricalDataClient(key, secret, raw_data=True, url_override=ADDRESS))

            def get(name: str, length: Any, start: Any, end: Any) -> list[dict[str, Any]]:
                wanted = CryptoBarsRequest(symbol_or_symbols=name, timeframe=length, start=start, end=end, limit=PAGE)
                return list(crypto.get_crypto_bars(wanted).get(name, []))

            return get
        stocks = _hurried(StockHistoricalDataClient(key, secret, raw_data=True, url_override=ADDRESS))

        def get_adjusted(name: str, length: Any, start: Any, end: Any) -> list[dict[str, Any]]:
            wanted = StockBarsRequest(
                symbol_or_symbols=name, timeframe=length, start=start, end=end, limit=PAGE, adjustment=Adjustment.ALL
            )
            return list(stocks.get_stock_bars(wanted).get(name, []))

        return get_adjusted

    def _ask(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        from alpaca.common.exceptions import APIError
        from requests.exceptions import RequestException

        def request() -> Answer:
            try:
                return call(*arguments)
            except APIError as error:
                status = error.status_code or 0
                if status == 429 or status >= 500:
                    raise Busy(f"HTTP {status}") from error
                if status in (401, 403):
                    raise MarketsimError(
                        f"alpaca refuses (HTTP {status}): it takes the key in {KEY} and {SECRET}, and for the newest "
                        "quarter of an hour a subscription"
                    ) from error
                raise DataError(f"alpaca: HTTP {status}, {' '.join(str(error).split())[:200]}") from error
            except (RequestException, ValueError, AttributeError, TypeError) as error:  # ... or half an answer
                raise Busy(type(error).__name__) from error

        return self._patience.ask("alpaca", request)


def _hurried(client: Any) -> Any:
    """The client without its own waiting, which `Patience` does, and with a time limit, of which it has none."""
    client._retry = 0
    plain = client._session.request

    def request(*arguments: Any, **options: Any) -> Any:
        return plain(*arguments, **{"timeout": TIMEOUT} | options)

    client._session.request = request
    return client


def _timeframe(timeframe: Timeframe) -> Any:
    from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

    units = {
        "m": TimeFrameUnit.Minute,
        "h": TimeFrameUnit.Hour,
        "d": TimeFrameUnit.Day,
        "w": TimeFrameUnit.Week,
        "mo": TimeFrameUnit.Month,
    }
    if timeframe.count > 1 and (timeframe.unit in "dw" or (timeframe.unit == "mo" and timeframe.count not in MONTHS)):
        raise UsageError(f"alpaca has no {timeframe} bars; it has 1m to 59m, 1h to 23h, 1d, 1w and 1mo to 12mo")
    return TimeFrame(timeframe.count, units[timeframe.unit])


def _page(rows: list[dict[str, Any]]) -> Page:
    time = np.array([row["t"].removesuffix("Z") for row in rows], "datetime64[s]")
    return Page(time, np.array([[row[field] for field in FIELDS] for row in rows], np.float64))
