"""Files of coins, as exchanges and those who collect from them write them."""

from __future__ import annotations

from tests.data.reading.written import COIN, MINUTES, Row, Written, ohlcv, table


def ms(row: Row) -> int:
    return row.epoch * 1000


def kline(row: Row, scale: int) -> tuple[object, ...]:
    """Twelve cells, without names."""
    return row.epoch * scale, *ohlcv(row), (row.epoch + 86_400) * scale - 1, 1.5, 12, 3.25, 4.5, 0


def iso(row: Row) -> str:
    return row.time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


BINANCE = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def coin(
    name: str, content: bytes, layout: str = "columns by name", symbol: str = "ETHUSDT", **more: object
) -> Written:
    return Written(name, content, COIN, symbol, layout, crypto=True, **more)  # type: ignore[arg-type]


EXCHANGE_FILES = {
    "Binance, seconds": coin("ETHUSDT-1d-2024.csv", table(COIN, "", lambda row: kline(row, 1)), "Binance klines"),
    "Binance, milliseconds": coin(
        "ETHUSDT-1d-2024-01.csv", table(COIN, "", lambda row: kline(row, 10**3)), "Binance klines"
    ),
    "Binance, microseconds": coin(
        "ETHUSDT-1d-2025-01.csv", table(COIN, "", lambda row: kline(row, 10**6)), "Binance klines"
    ),
    "Binance, futures": coin("ETHUSDT-1d.csv", table(COIN, BINANCE, lambda row: kline(row, 10**3)), "Binance klines"),
    "Kraken OHLCVT": coin(
        "ETHUSD_1440.csv", table(COIN, "", lambda row: (row.epoch, *ohlcv(row), 17)), "Kraken OHLCVT", "ETHUSD"
    ),
    "Kraken": coin(
        "ETHUSD.csv",
        table(COIN, "", lambda row: (row.epoch, *ohlcv(row)[:4], (row.high + row.low) / 2, int(row.volume), 17)),
        "Kraken",
        "ETHUSD",
    ),
    "Kraken, named": coin(
        "ETHUSD.csv",
        table(
            COIN,
            "time,open,high,low,close,vwap,volume,count",
            lambda row: (row.epoch, *ohlcv(row)[:4], row.close, int(row.volume), 17),
        ),
        "Kraken",
        "ETHUSD",
    ),
    "CryptoDataDownload": coin(
        "Binance_ETHUSDT_d.csv",
        table(
            COIN,
            "Unix,Date,Symbol,Open,High,Low,Close,Volume ETH,Volume USDT,tradecount",
            lambda row: (ms(row), row.time.date(), "ETHUSDT", *ohlcv(row), 1.5, 3),
            newest_first=True,
            before="https://www.CryptoDataDownload.com\n",
        ),
        "CryptoDataDownload",
    ),
    "CryptoDataDownload, two units in one column": coin(
        "Gemini_ETHUSD_d.csv",
        table(
            COIN,
            "Unix,Date,Symbol,Open,High,Low,Close,Volume ETH,Volume USD",
            lambda row: (
                row.epoch * (1000 if row.time.day > 9 else 1),
                row.time,
                "ETH/USD",
                *ohlcv(row),
                1.5,
            ),
            newest_first=True,
        ),
        "CryptoDataDownload",
        "ETHUSD",
    ),
    "CryptoDataDownload, hours in words": Written(
        "Coinbase_ETHUSD_1h.csv",
        table(
            HOURS := COIN[:0] or [Row(row.time.replace(minute=0), *ohlcv(row)[:4], row.volume) for row in MINUTES[:1]],
            "Date,Symbol,Open,High,Low,Close,Volume ETH,Volume USD",
            lambda row: (row.time.strftime("%Y-%m-%d %I-%p"), "ETHUSD", *ohlcv(row), 1.5),
        ),
        HOURS,
        "ETHUSD",
        crypto=True,
    ),
    "Coinbase": coin(
        "ETHUSD.csv",
        table(
            COIN,
            "time,low,high,open,close,volume",
            lambda row: (row.epoch, row.low, row.high, row.open, row.close, int(row.volume)),
            newest_first=True,
        ),
        "Coinbase",
        "ETHUSD",
    ),
    "Coinbase, unnamed": coin(
        "ETH-USD.csv",
        table(COIN, "", lambda row: (row.epoch, row.low, row.high, row.open, row.close, int(row.volume))),
        "Coinbase",
        "ETHUSD",
    ),
    "Bitstamp": coin(
        "bitstamp_ETHUSD.csv",
        table(COIN, "timestamp,open,high,low,close,volume", lambda row: (row.epoch, *ohlcv(row))),
        symbol="ETHUSD",
    ),
    "Bybit": coin(
        "ETHUSDT.csv",
        table(
            COIN,
            "startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover",
            lambda row: (ms(row), *ohlcv(row), 1.5),
            newest_first=True,
        ),
        "Bybit",
    ),
    "Bybit, unnamed": coin(
        "ETHUSDT.csv", table(COIN, "", lambda row: (ms(row), *ohlcv(row), 1.5), newest_first=True), "Bybit"
    ),
    "OKX": coin(
        "ETH-USDT.csv",
        table(
            COIN,
            "ts,o,h,l,c,vol,volCcy,volCcyQuote,confirm",
            lambda row: (ms(row), *ohlcv(row), 1.5, 2.5, 1),
            newest_first=True,
        ),
        "OKX",
    ),
    "OKX, unnamed": coin("ETH-USDT.csv", table(COIN, "", lambda row: (ms(row), *ohlcv(row), 1.5, 2.5, 1)), "OKX"),
    "OKX, archive": coin(
        "ETH-USDT-candles.csv",
        table(
            COIN,
            "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm",
            lambda row: ("ETH-USDT", *ohlcv(row), 1.5, 2.5, ms(row), 1),
        ),
        "OKX",
    ),
    "ccxt": coin("ETH_USDT.csv", table(COIN, "", lambda row: (ms(row), *ohlcv(row))), "ccxt"),
    "Bitfinex": coin(
        "tETHUSD.csv",
        table(COIN, "", lambda row: (ms(row), row.open, row.close, row.high, row.low, int(row.volume))),
        "Bitfinex",
        "TETHUSD",
    ),
    "KuCoin": coin(
        "ETH-USDT.csv",
        table(COIN, "", lambda row: (row.epoch, row.open, row.close, row.high, row.low, int(row.volume), 1.5)),
        "KuCoin",
    ),
    "Gate.io": coin(
        "ETH_USDT-202401.csv",
        table(COIN, "", lambda row: (row.epoch, int(row.volume), row.close, row.high, row.low, row.open)),
        "Gate.io",
    ),
    "Bitcoin by the minute": Written(
        "bitstampUSD_1-min_data_2012-01-01_to_2021-03-31.csv",
        table(
            MINUTES,
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
            lambda row: (row.epoch, *ohlcv(row), 1.5, row.close),
            after="1704200000,NaN,NaN,NaN,NaN,NaN,NaN,NaN\n",
        ),
        MINUTES,
        "BTCUSD",
        "Bitcoin by the minute (Kaggle)",
        crypto=True,
        notes=("line 62 has no price and is left out",),
    ),
    "CoinMarketCap": coin(
        "Ethereum_1_1_2020-12_8_2020_historical_data_coinmarketcap.csv",
        table(
            COIN,
            "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
            lambda row: (
                f'"{iso(row)}"',
                f'"{row.time:%Y-%m-%d}T23:59:59.999Z"',
                *(f'"{iso(row)}"',) * 2,
                '"2781"',
                *ohlcv(row),
                1.5,
                f'"{row.time:%Y-%m-%d}T23:59:59.999Z"',
            ),
            ";",
            newest_first=True,
        ),
        "CoinMarketCap",
        "ETHUSD",
    ),
    "CoinMarketCap, table of the page": coin(
        "ethereum.csv",
        table(
            COIN,
            "Date,Open*,High,Low,Close**,Volume,Market Cap",
            lambda row: (f'"{row.time:%b %d, %Y}"', *(f'"{x:,}"' for x in ohlcv(row)), '"1,234"'),
            newest_first=True,
        ),
        "CoinMarketCap",
        "ETHUSD",
    ),
    "freqtrade": coin(
        "ETH_USDT-1d.csv", table(COIN, "date,open,high,low,close,volume", lambda row: (row.time.date(), *ohlcv(row)))
    ),
    "TradingView, of an exchange": coin(
        "BINANCE_ETHUSDT, 1D.csv",
        table(COIN, "time,open,high,low,close,Volume", lambda row: (row.epoch, *ohlcv(row))),
        "TradingView",
    ),
}
