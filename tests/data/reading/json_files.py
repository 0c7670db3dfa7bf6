"""JSON documents of bars, as services answer and libraries save."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.data.reading.written import COIN, MINUTES, STOCK, Row, Written, document

NAMES = ("open", "high", "low", "close", "volume")


def values(row: Row) -> list[float]:
    return [row.open, row.high, row.low, row.close, row.volume]


def named(row: Row, time: str = "date") -> dict[str, object]:
    return {time: str(row.time.date()), **dict(zip(NAMES, values(row), strict=True))}


def column(rows: list[Row], name: str) -> list[float]:
    return [getattr(row, name) for row in rows]


def letters(row: Row) -> dict[str, float]:
    return {"v": row.volume, "o": row.open, "c": row.close, "h": row.high, "l": row.low, "t": row.epoch * 1000}


def words(row: Row) -> dict[str, str]:
    return {f"{i}. {name}": str(value) for i, (name, value) in enumerate(zip(NAMES, values(row), strict=True), 1)}


CHART = {
    "meta": {"symbol": "NVDA", "exchangeTimezoneName": "America/New_York"},
    "timestamp": [row.epoch for row in STOCK],
    "indicators": {
        "quote": [{name: column(STOCK, name) for name in NAMES}],
        "adjclose": [{"adjclose": column(STOCK, "close")}],
    },
}
ARRAYS = [[row.epoch * 1000, *values(row)] for row in COIN]
JSON_FILES = {
    "freqtrade JSON": Written("ETH_USDT-1d.json", document(ARRAYS), COIN, "ETHUSDT", "ccxt", crypto=True),
    "freqtrade JSON, futures": Written(
        "ETH_USDT_USDT-1d-futures.json", document(ARRAYS), COIN, "ETHUSDT", "ccxt", crypto=True
    ),
    "Polygon JSON": Written(
        "answer.json",
        document({"ticker": "NVDA", "results": [letters(row) | {"vw": 1, "n": 2} for row in STOCK]}),
        STOCK,
        layout="Polygon",
    ),
    "Yahoo chart": Written(
        "NVDA.json", document({"chart": {"result": [CHART], "error": None}}), STOCK, layout="Yahoo Finance chart"
    ),
    "Alpaca JSON": Written(
        "bars.json",
        document({"bars": [letters(row) | {"t": row.time.isoformat() + "Z"} for row in MINUTES], "symbol": "NVDA"}),
        MINUTES,
    ),
    "Alpaca JSON, many": Written(
        "bars.json", document({"bars": {s: [letters(row) for row in STOCK] for s in ("AAPL", "NVDA")}}), STOCK
    ),
    "Alpha Vantage JSON": Written(
        "query.json",
        document(
            {
                "Meta Data": {"1. Information": "Daily Prices", "2. Symbol": "NVDA", "5. Time Zone": "US/Eastern"},
                "Time Series (Daily)": {str(row.time.date()): words(row) for row in STOCK[::-1]},
            }
        ),
        [replace(row, time=row.time + timedelta(hours=5)) for row in STOCK],  # midnight in New York
    ),
    "Tiingo JSON": Written("NVDA.json", document([named(row) for row in STOCK]), STOCK),
    "Zerodha JSON": Written(
        "NVDA.json",
        document(
            {
                "status": "success",
                "data": {"candles": [[row.time.isoformat() + "+0000", *values(row)] for row in MINUTES]},
            }
        ),
        MINUTES,
        layout="no header",
    ),
    "Bybit JSON": Written(
        "kline.json",
        document(
            {
                "result": {
                    "symbol": "ETHUSDT",
                    "list": [[str(x) for x in (row.epoch * 1000, *values(row), 1)] for row in COIN[::-1]],
                }
            }
        ),
        COIN,
        "ETHUSDT",
        "Bybit",
        crypto=True,
    ),
    "Bitstamp JSON": Written(
        "ohlc.json",
        document({"data": {"ohlc": [named(row) | {"timestamp": str(row.epoch)} for row in COIN], "pair": "ETH/USD"}}),
        COIN,
        "ETHUSD",
        crypto=True,
    ),
    "Finnhub JSON": Written(
        "NVDA.json",
        document(
            {
                "c": column(STOCK, "close"),
                "h": column(STOCK, "high"),
                "l": column(STOCK, "low"),
                "o": column(STOCK, "open"),
            }
            | {"s": "ok", "t": [row.epoch for row in STOCK], "v": column(STOCK, "volume")}
        ),
        STOCK,
    ),
    "OANDA JSON": Written(
        "EUR_USD.json",
        document(
            {
                "instrument": "EUR_USD",
                "candles": [
                    {
                        "complete": True,
                        "volume": row.volume,
                        "time": row.time.isoformat() + ".000000000Z",
                        "mid": {"o": str(row.open), "h": str(row.high), "l": str(row.low), "c": str(row.close)},
                    }
                    for row in MINUTES
                ],
            }
        ),
        MINUTES,
        "EURUSD",
    ),
    "pandas, by column": Written(
        "NVDA.json",
        document({name: {str(row.epoch * 1000): getattr(row, name) for row in STOCK} for name in NAMES}),
        STOCK,
    ),
    "pandas, split": Written(
        "NVDA.json",
        document(
            {
                "columns": list(NAMES),
                "index": [row.epoch * 1000 for row in STOCK],
                "data": [values(row) for row in STOCK],
            }
        ),
        STOCK,
    ),
    "JSON, one object a line": Written("NVDA.jsonl", b"\n".join(document(named(row)) for row in STOCK) + b"\n", STOCK),
}
